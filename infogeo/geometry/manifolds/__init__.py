"""Manifolds: what a metric and a Legendre pair give, mirror maps, and manifolds made of manifolds."""
