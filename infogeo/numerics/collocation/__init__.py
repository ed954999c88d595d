"""Geodesics by Gauss–Legendre collocation: the numeric route to distances, exponential and logarithmic maps.

A segment x(t) = p + t u + (K w)(t), 0 ≤ t ≤ 1, is held by the values w of ẍ at the n nodes of a Gauss rule; K integrates their
polynomial twice, from rest at p for an initial value, where u is the velocity, and with both ends held for a boundary value,
where u = q − p. The equation w + Γ(ẋ, ẋ) = 0 is of the second kind in w: nothing is differentiated, and for an analytic metric
the error falls exponentially with n. Newton's method solves it for all rows of a batch at once. A long geodesic is several
segments whose ends are moved, by Newton's method again, until the velocities agree on both sides; where the metric is a Hessian,
they start from a mesh that is as fine as the metric changes.

It stands beside `scipy.integrate.solve_bvp`, which solves one problem at a time, on the host: here thousands of pairs of points
are joined at once, on any backend, to an accuracy relative to their distance.
"""
