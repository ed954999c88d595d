"""Fits, ends of the support, laws on the boundary, ratios out of range, quantiles in the tails: cases with exact values.

A case is (kind, name, ours, exact, SciPy's or None), the values as sequences of numbers. Samples are given as floating-point
numbers and estimated exactly, by mpmath at 60 digits.
"""
import math

import mpmath as mp
import numpy as np
from scipy import stats

import infogeo as ig

N = 300
INF = math.inf


def cases():
    yield from fits()
    yield from ends()
    yield from boundary()
    yield from ratios()
    yield from quantiles()


def _mean(values):
    return mp.fsum(values) / N


def _moments(x):
    exact = [mp.mpf(float(v)) for v in x]
    mean = _mean(exact)
    return exact, mean, _mean((v - mean) ** 2 for v in exact)


def fits():
    """A sample has 300 observations; the error is that of the spread, or of the shape that stands for it."""
    z = np.random.default_rng(0).standard_normal(N)
    for far in (1e2, 1e4, 1e6, 1e8, 1e10, 1e12):
        x = far + z
        ours = ig.Normal().parameters(ig.Normal().fit(x))["variance"]
        yield "fit", f"Normal, mean {far:.0e} deviations", [ours], [_moments(x)[2]], [stats.norm.fit(x)[1] ** 2]
    for spread in (1e-1, 1e-3, 1e-5, 1e-7, 1e-8):
        x = 0.3 + spread * np.clip(z, -2.5, 2.5)
        ours = ig.Beta().fit(x)
        yield "fit", f"Beta, spread {spread:.0e}", ours, _beta(x, ours), _by_scipy(stats.beta, x, 2, floc=0, fscale=1)
        if spread < 1e-2:               # bounds 100 deviations away do not count
            family = ig.Truncated(ig.Normal(), 0.0, 1.0)
            ours = family.parameters(family.fit(x))["variance"]
            yield "fit", f"Truncated(Normal, 0, 1), spread {spread:.0e}", [ours], [_moments(x)[2]], None
        x = 1.0 + spread * z
        ours = ig.Gamma().fit(x)[:1]
        yield "fit", f"Gamma, spread {spread:.0e}", ours, _gamma(x, ours[0]), _by_scipy(stats.gamma, x, 1, floc=0)
        exact, mean, _ = _moments(x)
        shape = 1 / (_mean(1 / v for v in exact) - 1 / mean)
        ours = ig.InverseGaussian().parameters(ig.InverseGaussian().fit(x))["shape"]
        yield "fit", f"InverseGaussian, spread {spread:.0e}", [ours], [shape], None


def _by_scipy(law, x, count, **known):
    try:
        return law.fit(x, **known)[:count]
    except Exception:                   # it has several ways to give up
        return [np.nan] * count


def _beta(x, start):
    exact = [mp.mpf(float(v)) for v in x]
    logs = [_mean(mp.log(v) for v in exact), _mean(mp.log(1 - v) for v in exact)]
    return mp.findroot(lambda a, b: [mp.digamma(a) - mp.digamma(a + b) - logs[0], mp.digamma(b) - mp.digamma(a + b) - logs[1]],
                       tuple(mp.mpf(float(s)) for s in start), tol=mp.mpf(10) ** -70, verify=False)


def _gamma(x, start):
    exact, mean, _ = _moments(x)
    gap = mp.log(mean) - _mean(mp.log(v) for v in exact)
    return [mp.findroot(lambda a: mp.log(a) - mp.digamma(a) - gap, mp.mpf(float(start)), tol=mp.mpf(10) ** -70, verify=False)]


def ends():
    """log p at an end of the support."""
    for family, names, x, exact, law in (
            (ig.Exponential(), {"rate": 2.0}, 0.0, mp.log(2), stats.expon(scale=0.5)),
            (ig.HalfNormal(), {"scale": 1.0}, 0.0, mp.log(2 / mp.pi) / 2, stats.halfnorm()),
            (ig.Gamma(), {"shape": 1.0, "rate": 3.0}, 0.0, mp.log(3), stats.gamma(1.0, scale=1 / 3)),
            (ig.Gamma(), {"shape": 0.5, "rate": 3.0}, 0.0, INF, stats.gamma(0.5, scale=1 / 3)),
            (ig.Gamma(), {"shape": 2.0, "rate": 3.0}, 0.0, -INF, stats.gamma(2.0, scale=1 / 3)),
            (ig.ChiSquared(), {"degrees_of_freedom": 2.0}, 0.0, -mp.log(2), stats.chi2(2)),
            (ig.Chi(), {"degrees_of_freedom": 1.0}, 0.0, mp.log(2 / mp.pi) / 2, stats.chi(1)),
            (ig.Weibull(1.0), {"scale": 2.0}, 0.0, -mp.log(2), stats.weibull_min(1.0, scale=2.0)),
            (ig.Weibull(0.5), {"scale": 2.0}, 0.0, INF, stats.weibull_min(0.5, scale=2.0)),
            (ig.Rayleigh(), {"scale": 2.0}, 0.0, -INF, stats.rayleigh(scale=2.0)),
            (ig.Beta(), {"alpha": 1.0, "beta": 8.0}, 0.0, mp.log(8), stats.beta(1.0, 8.0)),
            (ig.Beta(), {"alpha": 0.2, "beta": 8.0}, 0.0, INF, stats.beta(0.2, 8.0)),
            (ig.Beta(), {"alpha": 2.0, "beta": 3.0}, 1.0, -INF, stats.beta(2.0, 3.0)),
            (ig.Truncated(ig.Exponential(), 0.5, 3.0), {"rate": 2.0}, 3.0, mp.log(2) - 5 - mp.log1p(-mp.exp(-5)),
             stats.truncexpon(5.0, loc=0.5, scale=0.5)),
            (ig.InverseGamma(), {"shape": 1.0, "scale": 1.0}, 0.0, -INF, stats.invgamma(1.0)),
            (ig.LogNormal(), {"mean": 0.0, "variance": 1.0}, 0.0, -INF, stats.lognorm(1.0))):
        with np.errstate(all="ignore"):
            ours = family.log_density(family.theta_from(**names), x)
            yield "end", f"{family!r}, {names}, x = {x:g}", [ours], [exact], [law.logpdf(x)]
    dirichlet = ig.Dirichlet(3).log_density([1.0, 2.0, 3.0], [0.0, 0.4, 0.6])
    yield "end", "Dirichlet(1, 2, 3) on an edge", [dirichlet], [mp.log(60) + mp.log(mp.mpf(0.4)) + 2 * mp.log(mp.mpf(0.6))], None


def boundary():
    """KL, entropy and Fisher–Rao distance of laws with probabilities and rates of 0."""
    family = ig.Categorical(3)
    p = family.theta_from(probabilities=[[1, 0, 0], [0, 0, 1], [0.25, 0, 0.75], [0.25, 0.25, 0.5]], boundary=True)
    half, quarter = mp.mpf(1) / 2, mp.mpf(1) / 4
    kl = [3 * quarter * mp.log(3 * half), INF, mp.log(4), INF]
    entropy = [0, 0, mp.log(4) - 3 * quarter * mp.log(3), 3 * half * mp.log(2)]
    yield "boundary", "Categorical: KL", family.kl(p[[2, 3, 0, 0]], p[[3, 2, 3, 1]]), kl, None
    yield "boundary", "Categorical: entropy", family.entropy(p), entropy, None
    affinity = quarter + mp.sqrt(3 * quarter * half)
    yield ("boundary", "Categorical: distance", family.distance(p[[0, 0, 2]], p[[1, 2, 3]]),
           [mp.pi, 2 * mp.acos(half), 2 * mp.acos(affinity)], None)
    third = mp.log(4 / mp.mpf(3))
    for family, law, kl, entropy, distance in (
            (ig.Bernoulli(), {"probability": [0.0, 0.25]}, third, 0, mp.pi / 3),
            (ig.Poisson(), {"rate": [0.0, 2.0]}, 2, 0, 2 * mp.sqrt(2)),
            (ig.Geometric(), {"probability": [1.0, 0.75]}, third, 0, 2 * mp.atanh(half)),
            (ig.NegativeBinomial(3.0), {"probability": [1.0, 0.75]}, 3 * third, 0, 2 * mp.sqrt(3) * mp.atanh(half)),
            (ig.LogSeries(), {"probability": [0.0, 0.5]}, mp.log(2 * mp.log(2)), 0, _length(
                lambda t: mp.log(-mp.log1p(-mp.exp(t))) - t, -mp.log(2))),
            (ig.Zeta(), {"exponent": [INF, 2.0]}, mp.log(mp.pi**2 / 6), 0, _length(lambda t: mp.log(mp.zeta(1 - t)), -1)),
            (ig.Product(ig.Bernoulli(), ig.Poisson()), {"probability_0": [0.0, 0.25], "rate_1": [0.0, 2.0]}, third + 2, 0,
             mp.sqrt(mp.pi**2 / 9 + 8))):
        t = family.theta_from(**law, boundary=True)
        ours = [family.kl(t[0], t[1]), family.kl(t[1], t[0]), family.entropy(t[0]), family.distance(t[0], t[1])]
        yield "boundary", f"{family!r}: KL, KL, entropy, distance", ours, [kl, INF, entropy, distance], None


def _length(psi, end):
    """∫ √ψ″ from −∞ to the end; what is left below −60 is 1e-9 of a length, by its exponential."""
    with mp.workdps(40):
        speed = lambda t: mp.sqrt(mp.diff(psi, t, 2))
        rate = mp.log(speed(mp.mpf(-59)) / speed(mp.mpf(-61))) / 2
        return mp.quad(speed, [-60, -20, -8, -3, -1.5, end]) + speed(mp.mpf(-60)) / rate


def ratios():
    """KL where a ratio of parameters leaves the range of numbers, from the natural parameters as they are."""
    def gap(p, q):
        return q - p - p * mp.log(q / p)
    for family, p, q in (
            (ig.Exponential(), -1e160, -1e-160), (ig.Exponential(), -1e-160, -1e160), (ig.Exponential(), -1e150, -1e-150),
            (ig.Poisson(), -600.0, 600.0), (ig.Poisson(), 300.0, -600.0)):
        a, b = mp.mpf(p), mp.mpf(q)
        exact = b / a - 1 - mp.log(b / a) if isinstance(family, ig.Exponential) else gap(mp.exp(a), mp.exp(b))
        yield "ratio", f"{family!r}: KL, θ = {p:g}, {q:g}", [family.kl([p], [q])], [_in_range(exact)], None
    for p, q in (((1e15, -1e15), (1e-300, -1.0)), ((1e-300, -1.0), (3.0, -1e-300)), ((1e-5, -1e-300), (1e-5, -1e300))):
        (a, b), (c, d) = (tuple(map(mp.mpf, v)) for v in (p, q))
        exact = (a - c) * mp.digamma(a) - mp.loggamma(a) + mp.loggamma(c) + c * mp.log(b / d) + a * (d - b) / b
        yield "ratio", f"Gamma(): KL, θ = {p}, {q}", [ig.Gamma().kl(p, q)], [_in_range(exact)], None
    a, b = mp.mpf(1e5), mp.mpf(1e-305)
    exact = (a - b) * mp.digamma(a) - mp.loggamma(a) + mp.loggamma(b)
    yield "ratio", "ChiSquared(): KL, θ = 1e5, 1e-305", [ig.ChiSquared().kl([1e5], [1e-305])], [exact], None
    r, mean = mp.mpf(6e16), mp.mpf(float(np.exp(4.0)))
    family = ig.NegativeBinomial(6e16)
    exact = (mp.loggamma(39 + r) - mp.loggamma(r) - mp.loggamma(40) + 39 * mp.log(mean / (mean + r)) + r * mp.log(r / (mean + r)))
    peer = stats.nbinom.logpmf(39, 6e16, float(r / (r + mean)))
    ours = family.log_density(family.theta_from(mean=float(mean)), 39.0)
    yield "ratio", "NegativeBinomial(6e16): log p(39) at a mean of e⁴", [ours], [exact], [peer]


def _in_range(value):
    return value if value < mp.mpf("1.7e308") else mp.inf


def quantiles():
    """Quantiles in both tails, beside SciPy's; the exact ones by Newton's method on the exact distribution function."""
    q = np.array([1e-300, 1e-20, 1e-3, 0.5, 0.999])
    z = lambda v: mp.sqrt(2) * mp.erfinv(2 * v - 1) if v > mp.mpf("1e-15") else _normal_quantile(v)
    exact = [mp.mpf(float(v)) for v in q]
    for name, family, ordinary, law, inverse in (
            ("Normal", ig.Normal(), {"mean": 1.0, "variance": 4.0}, stats.norm(1.0, 2.0), lambda v: 1 + 2 * z(v)),
            ("LogNormal", ig.LogNormal(), {"mean": 1.0, "variance": 4.0}, stats.lognorm(2.0, scale=np.e),
             lambda v: mp.exp(1 + 2 * z(v))),
            ("Exponential", ig.Exponential(), {"rate": 0.5}, stats.expon(scale=2.0), lambda v: -2 * mp.log1p(-v)),
            ("Weibull", ig.Weibull(2.0), {"scale": 4.0}, stats.weibull_min(2.0, scale=4.0), lambda v: 4 * mp.sqrt(-mp.log1p(-v))),
            ("Gumbel", ig.Gumbel(2.0), {"location": 1.0}, stats.gumbel_r(1.0, 2.0), lambda v: 1 - 2 * mp.log(-mp.log(v))),
            ("Laplace", ig.Laplace(0.0), {"scale": 2.0}, stats.laplace(0.0, 2.0),
             lambda v: 2 * mp.log(2 * v) if v <= mp.mpf(1) / 2 else -2 * mp.log(2 * (1 - v))),
            ("Pareto", ig.Pareto(1.0), {"exponent": 2.0}, stats.pareto(2.0), lambda v: (1 - v)**(-mp.mpf(1) / 2))):
        ours = family.quantile(family.theta_from(**ordinary), q)
        yield "quantile", f"{name}, q = 1e-300 … 0.999", ours, [inverse(v) for v in exact], law.ppf(q)


def _normal_quantile(v):
    log_v = mp.log(v)
    return mp.findroot(lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2) - log_v, -mp.sqrt(-2 * log_v))


def error(values, exact):
    """The largest relative error; absolute where the exact value is 0."""
    worst = 0.0
    for value, true in zip(np.ravel(values), exact):
        if not mp.isfinite(true):
            worst = max(worst, 0.0 if float(value) == float(true) else INF)
        else:
            gap = abs(mp.mpf(float(value)) - true) if np.isfinite(value) else mp.inf
            worst = max(worst, float(gap / abs(true)) if true else float(gap))
    return worst


def table():
    """Rows (kind, case, our error, SciPy's or None)."""
    with mp.workdps(60):
        return [(kind, name, error(ours, exact), None if peer is None else error(peer, exact))
                for kind, name, ours, exact, peer in cases()]
