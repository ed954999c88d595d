"""Points along geodesics of a Hessian metric, as close together as the metric there asks for: where far points start from."""
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ...arrays.blocks import slices
from ...backend import Array, Namespace, set_at, to_numpy
from ..linalg import matvec, positive_definite
from .tridiagonal import eliminated

__all__ = ["Mesh", "meshes"]

LONGEST = 1.0       # of a segment, by √J
UNEVEN = 1.6        # its lengths in the metrics of its ends: coordinates such as log t² are then followed by few nodes
SEGMENTS = 256      # at most: of machines of three spins, (0, …, 0) to (3, …, 3) takes 25, and Beta(1e-6, 1) to (1, 1e-6) 114
TRIALS = 250        # of paths, in all: these took 21 and 165
BLOCK = 2**17       # rows times d³: the cubic tensors along 20 segments are 20 MB
TAUT = 1e-3         # of the energy, which Newton's method leaves: a start is what is wanted


class Mesh(NamedTuple):
    """Paths of m segments: the mask `rows` (all,) of them, `nodes` (r, m + 1, d), `widths` (r, m) of sum 1, `bound` (r,) of d."""

    rows: Array
    nodes: Array
    widths: Array
    bound: Array


def meshes(xp: Namespace, M: Any, rows: Array, a: Array, b: Array) -> Iterator[Mesh]:
    """Paths from a to b, shapes (all, d), in the rows of a mask: those of one number of segments together.

    Mathematically, the nodes minimise Σ J(x_i, x_{i+1}) / τ_i, with the Jeffreys divergence J(x, y) = (y − x)·(η_y − η_x), which
    is the energy of the flat geodesics between x and y, and the widths τ of the segments in the time of the geodesic. The sum is
    at least d(a, b)², however coarse the mesh: so the few points of a coarse one say where more are wanted, and how fast the
    path goes there. A segment that is not short enough, or whose length is another one in the metric of its other
    end, is halved in θ.

    Source: Nielsen, A simple approximation method for the Fisher–Rao distance, Entropy 25 (2023), for the bound by J.
    """
    number, ends = xp.arange(rows.shape[0])[rows], xp.stack([a, b], axis=1)[rows]
    for block in slices(number.shape[0], max(1, BLOCK // a.shape[1]**3)):
        yield from _meshes(xp, M, rows.shape[0], number[block], ends[block, ...])


def _meshes(xp: Namespace, M: Any, size: int, number: Array, ends: Array) -> Iterator[Mesh]:
    """Of some of `size` rows, with these numbers."""
    pending = {1: [(number, ends, xp.ones_like(ends[:, :1, 0]), 0 * number)]}
    while pending:
        m = min(pending)
        number, nodes, widths, used = (xp.concat(parts) for parts in zip(*pending.pop(m)))
        order = xp.argsort(number)
        number, nodes, widths, used = (xp.take(x, order, axis=0) for x in (number, nodes, widths, used))
        rough = _rough(xp, M, nodes) & (used < TRIALS)[:, None]
        count = xp.sum(xp.astype(rough, number.dtype), axis=-1)
        for more in sorted({int(c) for c in to_numpy(count)}):
            own = count == more
            if more == 0 or m + more > SEGMENTS:
                mask = np.zeros(size, dtype=bool)
                mask[to_numpy(number[own])] = True
                yield Mesh(xp.asarray(mask), nodes[own], widths[own], xp.sum(_lengths(xp, M, nodes[own]), axis=-1))
            else:
                finer = _halved(xp, nodes[own], rough[own])
                length = _lengths(xp, M, finer)
                width = length / xp.sum(length, axis=-1, keepdims=True)
                finer, tried = _taut(xp, M, finer, width, TRIALS - used[own])
                pending.setdefault(m + more, []).append((number[own], finer, width, used[own] + tried))


def _lengths(xp: Namespace, M: Any, nodes: Array) -> Array:
    """√J of neighbours, shape (r, m), at least their distance."""
    return xp.sqrt(_energies(xp, M, nodes))


def _energies(xp: Namespace, M: Any, nodes: Array) -> Array:
    eta = M.to_eta(nodes)
    return xp.sum((nodes[:, 1:, :] - nodes[:, :-1, :]) * (eta[:, 1:, :] - eta[:, :-1, :]), axis=-1)


def _rough(xp: Namespace, M: Any, nodes: Array) -> Array:
    """Which segments are to be halved, shape (r, m)."""
    step = nodes[:, 1:, :] - nodes[:, :-1, :]
    first, last = M.norm(nodes[:, :-1, :], step), M.norm(nodes[:, 1:, :], step)
    return ~((_energies(xp, M, nodes) <= LONGEST**2) & (first <= UNEVEN * last) & (last <= UNEVEN * first))


def _halved(xp: Namespace, nodes: Array, rough: Array) -> Array:
    """Nodes with one more in the middle of these segments, of which each row has as many."""
    r, _, d = nodes.shape
    pairs = xp.stack([nodes[:, :-1, :], 0.5 * (nodes[:, :-1, :] + nodes[:, 1:, :])], axis=2)
    kept = xp.stack([xp.ones_like(rough), rough], axis=2)
    return xp.concat([xp.reshape(pairs[kept], (r, -1, d)), nodes[:, -1:, :]], axis=1)


def _taut(xp: Namespace, M: Any, nodes: Array, widths: Array, trials: Array) -> tuple[Array, Array]:
    """(nodes, paths tried) of least energy, by Newton's method, with a multiple of the metric added where that is not convex."""
    def put(whole: Array, part: Array) -> Array:
        return set_at(xp, xp.asarray(whole, copy=True), left, part)

    energy = xp.sum(_energies(xp, M, nodes) / widths, axis=-1)
    damping, tried, left = xp.zeros_like(energy), xp.zeros_like(trials), trials > 0
    while xp.any(left):
        at, width, before, damp = (x[left] for x in (nodes, widths, energy, damping))
        slope, diagonal, upper, metric = _derivatives(xp, M, at, width)
        lower = xp.concat([upper[:, :1, :, :], upper[:, :-1, :, :]], axis=1)
        step, pivots = eliminated(xp, lower, diagonal + damp[:, None, None, None] * metric, upper, slope)
        fits = xp.all(positive_definite(xp, pivots), axis=-1)
        trial = xp.concat([at[:, :1, :], at[:, 1:-1, :] - step, at[:, -1:, :]], axis=1)
        fits = fits & xp.all(M.domain.contains(trial), axis=-1)
        trial = xp.where(fits[:, None, None], trial, at)
        after = xp.sum(_energies(xp, M, trial) / width, axis=-1)
        fits = fits & (after <= before)
        done = fits & (xp.sum(slope * step, axis=(-2, -1)) <= TAUT * before)
        less = xp.where(damp > 1e-3, damp / 8.0, xp.zeros_like(damp))
        damping = put(damping, xp.where(fits, less, xp.maximum(4.0 * damp, xp.full_like(damp, 0.1))))
        nodes, energy = put(nodes, xp.where(fits[:, None, None], trial, at)), put(energy, xp.where(fits, after, before))
        tried = put(tried, tried[left] + 1)
        left = put(left, ~done) & (tried < trials)
    return nodes, tried


def _derivatives(xp: Namespace, M: Any, nodes: Array, widths: Array) -> tuple[Array, Array, Array, Array]:
    """(gradient, diagonal and upper blocks of the Hessian, metric / τ) of the energy at the inner nodes.

    Mathematically, with x̄ = (x_i − x_{i−1}) / τ_{i−1} − (x_{i+1} − x_i) / τ_i in either chart, the gradient is η̄ + G θ̄, the
    blocks are 2 G (1/τ_i + 1/τ_{i−1}) + T θ̄ and −(G_i + G_{i+1}) / τ_i.
    """
    inner, per = nodes[:, 1:-1, :], 1.0 / widths
    metric, tensor, eta = M.metric(inner), M.cubic_tensor(inner), M.to_eta(nodes)
    speed, dual_speed = ((x[:, 1:, :] - x[:, :-1, :]) * per[..., None] for x in (nodes, eta))
    bend, dual_bend = speed[:, :-1, :] - speed[:, 1:, :], dual_speed[:, :-1, :] - dual_speed[:, 1:, :]
    weighted = (per[:, 1:] + per[:, :-1])[..., None, None] * metric
    ahead = xp.concat([metric[:, 1:, :, :], metric[:, -1:, :, :]], axis=1)
    return (dual_bend + matvec(xp, metric, bend), 2.0 * weighted + matvec(xp, tensor, bend[..., None, :]),
            -per[:, 1:, None, None] * (metric + ahead), weighted)
