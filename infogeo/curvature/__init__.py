"""Curvature of conditional models: Fisher metrics and their approximations, each a function ``(model, w, batch, …)`` that gives a
linear operator on weights."""
