"""Projections onto flat sets."""
