"""Exponential families, one file a family."""
