"""Connections, geodesics and curvature."""
