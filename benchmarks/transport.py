"""Rounds that `sinkhorn` takes against the temperature, and what its constants do: ``python benchmarks/transport.py``.

60 random tables: 40 of 3 × 3, 16 of 2 to 11 rows and columns, 4 of 60 × 50; a quarter with margins that are all equal, a quarter
with ties among the costs. Each to 1e-12; beside them the 3 × 3 tables for which 1000 plain rounds do not do. Takes some minutes.
"""
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import infogeo as ig
from infogeo.geometry.projections import sinkhorn as module

TEMPERATURES = (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
CONSTANTS: tuple[dict[str, float], ...] = (
    {}, {"JOINED": 0.0}, {"JOINED": 1e-6}, {"LOOSE": 0.5}, {"LOOSE": 0.01}, {"COOLING": 2.0}, {"COOLING": 16.0}, {"FAST": 0.5})


def tables() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(cost, rows, columns) of each."""
    rng = np.random.default_rng(0)
    for trial in range(60):
        m, n = (3, 3) if trial < 40 else (60, 50) if trial >= 56 else rng.integers(2, 12, 2)
        cost, rows, columns = rng.uniform(0, 1, (m, n)), rng.dirichlet(np.ones(m)), rng.dirichlet(np.ones(n))
        yield (np.round(4 * cost) if trial % 4 == 2 else cost,
               *((np.full(m, 1 / m), np.full(n, 1 / n)) if trial % 4 == 1 else (rows, columns)))


def rounds(solve: Callable[[int], Any], most: int) -> int:
    """The fewest rounds with which solve(max_steps) does not raise, to a factor of 1.1; more than `most` where none do."""
    k = 1
    while k <= most:
        try:
            solve(k)
            return k
        except ig.ConvergenceError:
            k = max(k + 1, int(1.1 * k))
    return most + 1


def slow(table: tuple[np.ndarray, np.ndarray, np.ndarray], T: float) -> bool:
    """Whether plain rounds need more than 1000."""
    cost, rows, columns = table
    try:
        ig.proportional_fitting(-cost / T, {(0,): rows, (1,): columns}, tol=1e-12, max_steps=1000)
    except ig.ConvergenceError:
        return True
    return False


def main() -> None:
    print("temperature   median   most of 60     plain rounds: of 40 tables, how many take more than 1000")
    for T in TEMPERATURES:
        found = [rounds(lambda k: ig.sinkhorn(*t, temperature=T, tol=1e-12, max_steps=k), 500) for t in tables()]
        plain = sum(map(lambda t: slow(t, T), list(tables())[:40]))
        print(f"{T:<11g}   {np.median(found):6.0f}   {max(found):10d}     {plain}")
    standard = {name: getattr(module, name) for name in ("COOLING", "LOOSE", "FAST", "JOINED")}
    for change in CONSTANTS:
        vars(module).update(standard | change)
        found = [rounds(lambda k: ig.sinkhorn(*t, temperature=T, tol=1e-12, max_steps=k), 500) for t in tables()
                 for T in (1e-2, 1e-4, 1e-6)]
        print(f"{change or 'as they are'}: {np.median(found):.0f} rounds, at most {max(k for k in found if k <= 500)}; "
              f"{sum(k > 500 for k in found)} of {len(found)} not solved")


if __name__ == "__main__":
    main()
