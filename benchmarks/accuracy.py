"""The digits that every family keeps: largest errors against mpmath at 50 digits and more, with SciPy's beside them.

    OPENBLAS_NUM_THREADS=1 python benchmarks/accuracy.py                    # all families: the figures of the documentation
    OPENBLAS_NUM_THREADS=1 python benchmarks/accuracy.py --family Gamma --misses    # one family, its worst points
    OPENBLAS_NUM_THREADS=1 python benchmarks/accuracy.py --edges                    # fits, ends of supports, boundaries

Points are natural parameters as floating-point numbers, and a value is compared with the exact one there. Regions:

- bulk: positive coordinates in 0.1 … 10, real ones in −3 … 3, matrices of condition up to 100
- edge: every other positive coordinate in 1e-8 … 0.1, real ones of size 3 … 36, matrices of condition up to 1e6
- extreme: positive coordinates in 1e-8 … 1e8, real ones of size 36 … 700, matrices of scale 1e-8 … 1e8

and where other ranges suit a family, its reference says which.

An error is relative to the value, or to the change of the value when each coordinate changes by its own size, where that is
larger: near a zero of ψ no arithmetic has relative digits. An entry of the metric G_ij is measured against √(G_ii G_jj) or its
change. Kl near, between points that are 1e-10 apart, is relative to the value and nothing else. The error of theta is that
of `to_theta` in units of what rounding η costs, ε (|θ_i| + Σ_j |G⁻¹_ij η_j|). Values outside the range of the floating-point
numbers are left out, and so are η that were rounded onto the boundary of their domain.
"""
import argparse
import csv
import sys
import time
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import accuracy_edges
import accuracy_references
import mpmath as mp
import numpy as np

from infogeo import ConvergenceError

QUANTITIES = ("psi", "eta", "theta", "phi", "metric", "kl", "kl near", "entropy", "log density")
SCIPY = ("entropy", "log density")
TABLES = Path(__file__).parent.parent / "docs" / "_static"
EPS = float(np.finfo(float).eps)
SHIFT = mp.mpf(10) ** -30
SMALLEST, LARGEST = mp.mpf("1e-290"), mp.mpf("1e300")
TARGETS = {quantity: 1e-13 for quantity in QUANTITIES} | {"theta": 10.0, "kl near": 1e-6}


@dataclass
class Worst:
    """The largest error of a quantity, and where it is."""

    error: float = float("nan")
    count: int = 0
    where: str = ""

    def add(self, error, where):
        self.count += 1
        if not error <= self.error:
            self.error, self.where = error, where


def relative(value, exact, scale):
    """|value − exact| / scale; None where the exact value is no normal floating-point number, infinite for a NaN."""
    if abs(exact) > LARGEST or (exact != 0 and abs(exact) < SMALLEST and scale < SMALLEST) or scale > LARGEST:
        return None
    if not np.isfinite(value):
        return float("inf")
    gap = abs(mp.mpf(float(value)) - exact)
    if not gap:
        return 0.0
    return float(gap / scale) if scale else float("inf")


def exactly(row):
    return [mp.mpf(float(t)) for t in row]


def plain(x):
    """An observation as a number or nested lists of numbers."""
    return x.tolist() if isinstance(x, np.ndarray) else x.item()


def sensitivity_to_x(reference, theta, x):
    """Σ |x_j ∂_j log p|: what rounding the observation costs. Whole numbers are counts; beyond 2⁵³ every float is one."""
    array = np.asarray(x)
    if np.iscomplexobj(array) or np.all((array == np.round(array)) & (np.abs(array) < 2.0**53)):
        return mp.mpf(0)
    flat, step = array.reshape(-1), mp.mpf(10) ** -25

    def value(numbers):
        nested = np.array(numbers, dtype=object).reshape(array.shape).tolist()
        return mp.fsum(t * s for t, s in zip(theta, reference.statistic(nested))) + reference.log_base(nested)

    exact = exactly(flat)
    middle = value(exact)
    changed = lambda j: [v * (1 + step) if i == j else v for i, v in enumerate(exact)]
    return mp.fsum(abs(value(changed(j)) - middle) for j in range(flat.size)) / step


def measure(reference, region, count, scipy_count, seed=0):
    """The worst error of each quantity in a region, ours and SciPy's: two dicts of `Worst`."""
    family = reference.family
    rng = np.random.default_rng(seed)
    theta_p = reference.draw(rng, region, count)
    theta_p = theta_p[family.theta_domain.contains(theta_p)]
    count = len(theta_p)
    theta_q = np.roll(theta_p, 1, axis=0)
    theta_near = theta_p * (1.0 + 1e-10 * rng.uniform(-1.0, 1.0, theta_p.shape))
    close_by = family.theta_domain.contains(theta_near)
    theta_near = np.where(close_by[:, None], theta_near, theta_p)
    x = family.sample(rng, theta_p)
    supported = family.support.contains(x)
    eta = family.to_eta(theta_p)
    reachable = family.eta_domain.contains(eta)
    inverse, phi = np.full_like(eta, np.nan), np.full(count, np.nan)
    inverse[reachable] = converged(family.to_theta, eta[reachable], inverse[reachable])
    phi[reachable] = converged(family.dual_potential, eta[reachable], phi[reachable])
    ours = {"psi": family.log_partition(theta_p), "eta": eta, "metric": family.metric(theta_p), "kl": family.kl(theta_p, theta_q),
            "kl near": family.kl(theta_p, theta_near), "entropy": family.entropy(theta_p),
            "log density": family.log_density(theta_p, x)}
    names = family.parameters(theta_p)
    aside = rng.choice([-1.0, 1.0], theta_p.shape) * rng.uniform(0.5, 1.0, theta_p.shape)
    etas = {}
    worst, peers = {q: Worst() for q in QUANTITIES}, {q: Worst() for q in SCIPY}

    for i in range(count):
        def add(quantity, value, exact, scale, where=None, into=worst):
            error = relative(value, exact, scale)
            if error is not None:
                into[quantity].add(error, where or f"theta={theta_p[i].tolist()}: {value!r}, exact {mp.nstr(exact, 20)}")

        p, q, near = exactly(theta_p[i]), exactly(theta_q[i]), exactly(theta_near[i])
        with mp.workdps(reference.digits(p, q)):
            psi, exact_eta, metric = reference.derivatives(p)
            other, close = reference.potential(q), reference.potential(near)
            d = len(p)
            raised = [mp.fsum(metric[a, b] * p[b] for b in range(d)) for a in range(d)]
            turned = reference.derivatives([t * (1 + float(s) * SHIFT) for t, s in zip(p, aside[i])])[2] - metric
            etas[i] = exact_eta
            absolute = [mp.fsum(abs(metric[a, b] * p[b]) for b in range(d)) for a in range(d)]
            cost_psi = mp.fsum(abs(t * e) for t, e in zip(p, exact_eta))
            add("psi", ours["psi"][i], psi, max(abs(psi), cost_psi))
            for a in range(d):
                add("eta", eta[i, a], exact_eta[a], max(abs(exact_eta[a]), absolute[a]))
                for b in range(a + 1):
                    add("metric", ours["metric"][i, a, b], metric[a, b],
                        max(mp.sqrt(metric[a, a] * metric[b, b]), abs(turned[a, b]) / SHIFT))
            for quantity, end, potential, point in (("kl", q, other, theta_q), ("kl near", near, close, theta_near)):
                gap = [t - s for t, s in zip(end, p)]
                kl = potential - psi - mp.fsum(g * e for g, e in zip(gap, exact_eta))
                cost = mp.fsum(abs(p[a] * mp.fsum(metric[a, b] * gap[b] for b in range(d))) for a in range(d))
                if quantity == "kl near" and not (close_by[i] and kl < 1e-12):
                    continue            # where the metric is so large, points 1e-10 apart are not near
                if quantity == "kl" and i:
                    cost += mp.fsum(abs(t * (e - f)) for t, e, f in zip(q, etas[i - 1], exact_eta))
                add(quantity, ours[quantity][i], kl, max(kl, cost if quantity == "kl" else 0),
                    f"p={theta_p[i].tolist()}, q={point[i].tolist()}: {ours[quantity][i]!r}, exact {mp.nstr(kl, 20)}")
            base = reference.expected_log_base(p, exact_eta)
            entropy = psi - mp.fsum(t * e for t, e in zip(p, exact_eta)) - base
            cost = mp.fsum(abs(t * g) for t, g in zip(p, raised)) + cost_of_base(reference, p, exact_eta, metric, base)
            add("entropy", ours["entropy"][i], entropy, max(abs(entropy), cost))
            frozen = scipy_at(reference, names, i) if i < scipy_count else None
            if frozen is not None and reference.scipy_entropy:
                add("entropy", quietly(frozen.entropy), entropy, max(abs(entropy), cost), into=peers)
            if supported[i]:
                observed = plain(x[i])
                statistic, log_h = reference.statistic(observed), reference.log_base(observed)
                density = mp.fsum(t * s for t, s in zip(p, statistic)) - psi + log_h
                scale = max(abs(density), mp.fsum(abs(t * (s - e)) for t, s, e in zip(p, statistic, exact_eta)),
                            sensitivity_to_x(reference, p, observed))
                where = f"theta={theta_p[i].tolist()}, x={observed}: {ours['log density'][i]!r}, exact {mp.nstr(density, 20)}"
                add("log density", ours["log density"][i], density, scale, where)
                if frozen is not None:
                    log_density = frozen.logpdf if hasattr(frozen, "logpdf") else frozen.logpmf
                    add("log density", quietly(log_density, x[i]), density, scale, where, into=peers)
        if reachable[i]:
            add_inversion(add, reference, theta_p[i], eta[i], inverse[i], phi[i])
    return worst, peers


def converged(function, points, out):
    """The values at points, NaN where the function raises ConvergenceError."""
    try:
        return function(points) if len(points) else out
    except ConvergenceError:
        if len(points) == 1:
            return out
        half = len(points) // 2
        return np.concatenate([converged(function, points[:half], out[:half]), converged(function, points[half:], out[half:])])


def add_inversion(add, reference, theta, eta, inverse, phi):
    """The exact θ of a rounded η, by Newton's method from ours."""
    target = exactly(eta)
    if not np.all(np.isfinite(inverse)) or not reference.family.theta_domain.contains(inverse):
        add("theta", np.nan, mp.mpf(1), mp.mpf(1), f"theta={theta.tolist()}, eta={eta.tolist()}: {inverse.tolist()}")
        return
    exact = exactly(inverse)
    with mp.workdps(reference.digits(exact)):
        raised = mp.inverse(reference.derivatives(exact)[2])
        size = range(len(exact))
        for _ in range(20):
            left = [a - b for a, b in zip(target, reference.gradient(exact))]
            step = [mp.fsum(raised[a, b] * left[b] for b in size) for a in size]
            exact = [t + s for t, s in zip(exact, step)]
            if all(abs(s) <= mp.mpf(10) ** -22 * abs(t) for s, t in zip(step, exact)):
                break
        else:
            return                      # no member of the family, to the rounding of η
        for a in size:
            cost = EPS * (abs(exact[a]) + mp.fsum(abs(raised[a, b] * target[b]) for b in size))
            add("theta", inverse[a], exact[a], cost,
                f"theta={theta.tolist()}, eta={eta.tolist()}: {inverse.tolist()}, exact {list(map(float, exact))}")
        value = mp.fsum(t * e for t, e in zip(exact, target)) - reference.potential(exact)
        cost = mp.fsum(abs(t * e) for t, e in zip(exact, target))
        add("phi", phi, value, max(abs(value), cost), f"eta={eta.tolist()}: {phi!r}, exact {mp.nstr(value, 20)}")


def cost_of_base(reference, theta, eta, metric, base):
    """Σ |θ_j ∂_j E[log h]| where E[log h] is a formula in θ and η; sums and integrals are smooth on the scale of the entropy."""
    if reference.integrated:
        return mp.mpf(0)
    step, d, cost = mp.mpf(10) ** -25, len(theta), mp.mpf(0)
    for j in range(d):
        moved = [t * (1 + step) if i == j else t for i, t in enumerate(theta)]
        mean = [e + metric[i, j] * theta[j] * step for i, e in enumerate(eta)]
        cost += abs(reference.expected_log_base(moved, mean) - base) / step
    return cost


def scipy_at(reference, parameters, i):
    """The frozen distribution of SciPy at a point, if it has the family."""
    if reference.scipy is None:
        return None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return reference.scipy(**{name: value[i] for name, value in parameters.items()})
        except (ValueError, np.linalg.LinAlgError):
            return None


def quietly(function, *args):
    """SciPy warns of what the table shows; what it refuses counts as no number."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return float(np.squeeze(function(*args)))
        except (ValueError, ZeroDivisionError, OverflowError, np.linalg.LinAlgError):
            return float("nan")


def count_for(reference, points):
    """Fewer points where the reference takes long: an evaluation is O(d²) potentials."""
    return max(12, int(points / max(1.0, reference.family.dim**2 / 2) / reference.effort))


def label(family):
    return repr(family) if len(repr(family)) < 40 else type(family).__name__


def figure(worst):
    if worst.count == 0:
        return ""
    if not np.isfinite(worst.error):
        return "none"
    return "0" if worst.error == 0 else f"{worst.error:.1e}"


def write_csv(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("family", "region", "quantity", "library", "values", "error"))
        for name, region, worst, peers in rows:
            for library, found in (("infogeo", worst), ("scipy", peers)):
                writer.writerows((name, region, q, library, w.count, figure(w)) for q, w in found.items() if w.count)


def write_edges(folder):
    """The table of `accuracy_edges`."""
    rows = [(kind, name, f"{ours:.1e}" if ours else "0", "" if peer is None else f"{peer:.1e}" if peer else "0")
            for kind, name, ours, peer in accuracy_edges.table()]
    for row in rows:
        print("{:9s} {:62s} {:>8s}   SciPy {}".format(*row), flush=True)
    with open(folder / "accuracy_edges.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("kind", "case", "infogeo", "scipy"), *rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--family", action="append", help="only the families of this class; may be repeated; writes no table")
    parser.add_argument("--points", type=int, default=120, help="a region, for a family of dimension 1 (default 120)")
    parser.add_argument("--misses", action="store_true", help="print the worst point of every figure above what is aimed at")
    parser.add_argument("--out", type=Path, default=TABLES, help="the folder for accuracy.csv and accuracy_edges.csv")
    parser.add_argument("--edges", action="store_true", help="only fits, ends and boundaries: accuracy_edges.csv")
    args = parser.parse_args()
    if args.edges or args.family is None:
        args.out.mkdir(exist_ok=True)
        write_edges(args.out)
    if args.edges:
        return
    rows = []
    for reference in accuracy_references.references():
        name = label(reference.family)
        if args.family and type(reference.family).__name__ not in args.family:
            continue
        start = time.perf_counter()
        for region in accuracy_references.REGIONS:
            count = count_for(reference, args.points)
            worst, peers = measure(reference, region, count, min(count, 20), seed=zlib.crc32(f"{name} {region}".encode()))
            rows.append((name, region, worst, peers))
            print(f"{name:32s} {region:8s}", "  ".join(f"{q} {figure(w)}" for q, w in worst.items() if w.count),
                  "| SciPy", "  ".join(f"{q} {figure(w)}" for q, w in peers.items() if w.count), flush=True)
            for quantity, w in worst.items() if args.misses else ():
                if w.error > TARGETS[quantity] or (w.count and np.isnan(w.error)):
                    print(f"    {quantity}: {w.error:.1e} at {w.where}", flush=True)
        print(f"{'':32s} {time.perf_counter() - start:.1f} s", file=sys.stderr, flush=True)
    if args.family is None:
        args.out.mkdir(exist_ok=True)
        write_csv(args.out / "accuracy.csv", rows)


if __name__ == "__main__":
    main()
