"""Divergences between points of a manifold, and the means that they are."""
