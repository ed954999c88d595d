"""Numerics on any array library, batch first: special functions, linear algebra, inversions, quadrature, geodesics."""
