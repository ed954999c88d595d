"""Objectives, updates, step rules and the one loop that joins them."""
