"""Dually flat manifolds and the free functions on them."""
