"""Centroids, clusters and enclosing balls."""
