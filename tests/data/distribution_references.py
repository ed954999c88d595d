"""Writes distribution_references.csv: distribution functions of families on the line by mpmath, at floating-point coordinates.

    python tests/data/distribution_references.py

A row is a family, θ, x, log P(X ≤ x) and log P(X > x), to 30 digits; each is formed by itself, at 60 digits or more.
"""
import csv
from pathlib import Path

import mpmath as mp
import numpy as np

import infogeo as ig

OUT = Path(__file__).with_suffix(".csv")


def gamma_tails(a, y):
    return mp.gammainc(a, 0, y, regularized=True), mp.gammainc(a, y, mp.inf, regularized=True)


def beta_tails(a, b, u, v):
    """I_u(a, b) and the rest, v = 1 − u."""
    def lower(a, b, u):
        return mp.power(u, a) * mp.hyp2f1(a, 1 - b, a + 1, u, maxterms=10**6) / (a * mp.beta(a, b))
    with mp.workdps(400):
        return lower(a, b, u), lower(b, a, v)


def normal_tails(z):
    return mp.erfc(-z / mp.sqrt(2)) / 2, mp.erfc(z / mp.sqrt(2)) / 2


def exponential_tails(z):
    return -mp.expm1(-z), mp.exp(-z)


def swapped(tails):
    return tails[1], tails[0]


def normal(theta, x):
    variance = -1 / (2 * theta[1])
    return normal_tails((x - theta[0] * variance) / mp.sqrt(variance))


def inverse_gaussian(theta, x):
    m, shape = mp.sqrt(theta[1] / theta[0]), -2 * theta[1]
    with mp.workdps(600):
        root, factor = mp.sqrt(shape / x), mp.exp(2 * shape / m)
        a, b = normal_tails(root * (x / m - 1)), normal_tails(root * (x / m + 1))[1]
        return a[0] + factor * b, a[1] - factor * b


def tilted(theta, x):
    t = theta[0]
    if t == 0:
        return x, 1 - x
    return mp.expm1(t * x) / mp.expm1(t), mp.expm1(-t * (1 - x)) / mp.expm1(-t)


def binomial(n):
    return lambda theta, x: beta_tails(n - x, x + 1, 1 / (1 + mp.exp(theta[0])), 1 / (1 + mp.exp(-theta[0])))


def negative_binomial(r):
    return lambda theta, x: beta_tails(mp.mpf(r), x + 1, -mp.expm1(theta[0]), mp.exp(theta[0]))


def summed(first, log_term, last):
    """Sums of e^{log_term(n)} over n ≤ x and n > x."""
    def tails(theta, x):
        total, below = mp.mpf(0), mp.mpf(0)
        for n in range(first, last + 1):
            term = mp.exp(log_term(theta, n))
            total += term
            below += term if n <= x else 0
        above = mp.fsum(mp.exp(log_term(theta, n)) for n in range(int(x) + 1, max(last, int(x) + 400)))
        return below / (below + above), above / (below + above)
    return tails


def zeta(theta, x):
    s = 1 - theta[0]
    above = mp.zeta(s, x + 1)
    return mp.fsum(mp.mpf(n) ** -s for n in range(1, int(x) + 1)) / mp.zeta(s), above / mp.zeta(s)


def integrated(log_density, low, high):
    """By tanh-sinh quadrature, in pieces about x."""
    def tails(theta, x):
        f = lambda t: mp.exp(log_density(theta, t))
        left = sorted({low, *(p for p in (x - abs(x) * mp.mpf(2) ** -k for k in range(-1, 12)) if low < p < x), x})
        right = [x, *(x + abs(x) * mp.mpf(2) ** k for k in range(-12, 5) if x + abs(x) * mp.mpf(2) ** k < high), high]
        below, above = mp.quad(f, left), mp.quad(f, right)
        return below / (below + above), above / (below + above)
    return tails


def generalized_inverse_gaussian(theta, x):
    """Below x by the inverse of x, in units in which either exponential falls by a factor e."""
    p, a, b = theta
    units = [0, *(mp.mpf(2) ** k for k in range(-3, 10))]
    size = a * x + b / x                    # `mp.quad` ends by an absolute error
    upper = lambda t: t ** (p - 1) * mp.exp(a * t + b / t - size)
    lower = lambda v: v ** (-p - 1) * mp.exp(a / v + b * v - size)
    factors = [1 + mp.mpf(2) ** k for k in range(-12, 14)]
    above = mp.quad(upper, sorted({x, *(x * f for f in factors), *(x - u / a for u in units)}))
    below = mp.quad(lower, sorted({1 / x, *(f / x for f in factors), *(1 / x - u / b for u in units)}))
    return below / (below + above), above / (below + above)


def mises_density(theta, x):
    return theta[0] * mp.cos(x) + theta[1] * mp.sin(x)


def truncated_normal(theta, x):
    mean, deviation = -theta[0] / (2 * theta[1]), mp.sqrt(-1 / (2 * theta[1]))
    below, x, above = (normal_tails((end - mean) / deviation) for end in (mp.mpf(2), x, mp.mpf(5)))
    whole = below[1] - above[1]
    return (below[1] - x[1]) / whole, (x[1] - above[1]) / whole


# by the expression of the family: ordinary parameters and the tails
FAMILIES = {
    "Normal()": (dict(mean=[0.3, -2.0, 1e3], variance=[1.0, 0.01, 9.0]), normal),
    "LogNormal()": (dict(mean=[0.3, -2.0], variance=[1.0, 0.25]), lambda t, x: normal(t, mp.log(x))),
    "LogitNormal()": (dict(mean=[0.3, -2.0], variance=[1.0, 4.0]), lambda t, x: normal(t, mp.log(x / (1 - x)))),
    "HalfNormal()": (dict(scale=[0.5, 20.0]),
                     lambda t, x: (mp.erf(mp.sqrt(-t[0]) * x), mp.erfc(mp.sqrt(-t[0]) * x))),
    "Gamma()": (dict(shape=[0.02, 0.7, 3.0, 150.0, 2000.0], rate=[1.0, 30.0, 0.2, 1.0, 5.0]),
                lambda t, x: gamma_tails(t[0], -t[1] * x)),
    "InverseGamma()": (dict(shape=[0.7, 3.0, 150.0], scale=[30.0, 0.2, 1.0]), lambda t, x: swapped(gamma_tails(t[0], -t[1] / x))),
    "Erlang(3)": (dict(rate=[0.5, 20.0]), lambda t, x: gamma_tails(mp.mpf(3), -t[0] * x)),
    "ChiSquared()": (dict(degrees_of_freedom=[0.3, 5.0, 900.0]), lambda t, x: gamma_tails(t[0], x / 2)),
    "Chi()": (dict(degrees_of_freedom=[0.3, 5.0, 900.0]), lambda t, x: gamma_tails(t[0], x * x / 2)),
    "Exponential()": (dict(rate=[1e-3, 7.0]), lambda t, x: exponential_tails(-t[0] * x)),
    "Weibull(1.7)": (dict(scale=[0.3, 20.0]), lambda t, x: exponential_tails(-t[0] * x ** mp.mpf(1.7))),
    "Rayleigh()": (dict(scale=[0.3, 20.0]), lambda t, x: exponential_tails(-t[0] * x * x)),
    "Pareto(2.0)": (dict(exponent=[0.6, 12.0]), lambda t, x: exponential_tails(-t[0] * mp.log(x / 2))),
    "Gumbel(2.0)": (dict(location=[0.3, -7.0]), lambda t, x: swapped(exponential_tails(-t[0] * mp.exp(-x / 2)))),
    "Laplace(0.5)": (dict(scale=[0.3, 20.0]),
                     lambda t, x: (lambda e: (e, 1 - e) if x < 0.5 else (1 - e, e))(mp.exp(t[0] * abs(x - 0.5)) / 2)),
    "Beta()": (dict(alpha=[0.02, 0.7, 3.0, 150.0], beta=[1.0, 0.3, 20.0, 90.0]), lambda t, x: beta_tails(t[0], t[1], x, 1 - x)),
    "ContinuousBernoulli()": (dict(probability=[0.5, 0.01, 0.999]), tilted),
    "InverseGaussian()": (dict(mean=[1.0, 3.0, 1e3], shape=[2.0, 300.0, 1.0]), inverse_gaussian),
    "GeneralizedInverseGaussian()": ([[0.7, -1.0, -2.0], [-3.0, -0.2, -8.0]], generalized_inverse_gaussian),
    "VonMises()": (dict(mean_direction=[0.4, -2.5], concentration=[2.0, 20.0]), integrated(mises_density, -mp.pi, mp.pi)),
    "Truncated(Normal(), 2.0, 5.0)": (dict(mean=[0.0, 3.0, -30.0], variance=[1.0, 0.25, 4.0]), truncated_normal),
    "Poisson()": (dict(rate=[0.01, 3.0, 250.0, 4e3]), lambda t, x: swapped(gamma_tails(x + 1, mp.exp(t[0])))),
    "Binomial(7)": (dict(probability=[0.02, 0.6]), binomial(7)),
    "Binomial(1000)": (dict(probability=[1e-4, 0.6]), binomial(1000)),
    "Geometric()": (dict(probability=[1e-4, 0.7]), lambda t, x: exponential_tails(-t[0] * (x + 1))),
    "NegativeBinomial(0.4)": (dict(probability=[0.02, 0.7]), negative_binomial(0.4)),
    "NegativeBinomial(7)": (dict(probability=[0.02, 0.7]), negative_binomial(7)),
    "LogSeries()": (dict(probability=[0.05, 0.9]), summed(1, lambda t, n: n * t[0] - mp.log(n), 2000)),
    "Zeta()": (dict(exponent=[1.01, 2.5, 12.0]), zeta),
    "ConwayMaxwellPoisson()": ([[1.0, -0.5], [6.0, -2.0]], summed(0, lambda t, n: n * t[0] + t[1] * mp.loggamma(n + 1), 400)),
}
LEVELS = (1e-250, 1e-12, 0.02, 0.6, 0.999)


def points(family, theta):
    """Quantiles, and points beyond those that a float below 1 can name; none at an end of the support."""
    low, high = family._ends
    x = [*family.quantile(theta, np.array(LEVELS))]
    span = float(family.quantile(theta, 0.999) - family.quantile(theta, 0.5))
    x += [x[-1] + span * k for k in (4.0, 30.0)] + [x[2] - span * k for k in (4.0, 30.0)]
    if isinstance(family.support, ig.domains.Integers):
        x = np.floor(x)
        return sorted({float(v) for v in x if low <= v < high and v < 2e4})
    return sorted({float(v) for v in x if low < v < high and abs(v) > 1e-280})


def main():
    with open(OUT, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("family", "theta", "x", "log_cdf", "log_survival"))
        for name, (given, tails) in FAMILIES.items():
            family = eval(f"ig.{name.replace('(Normal', '(ig.Normal')}", {"ig": ig})
            thetas = family.theta_from(**given) if isinstance(given, dict) else np.array(given)
            for theta in thetas:
                for x in points(family, theta):
                    with mp.workdps(60):
                        below, above = tails([mp.mpf(float(t)) for t in theta], mp.mpf(x))
                        logs = (mp.log(p) if p < 0.5 else mp.log1p(-rest) for p, rest in ((below, above), (above, below)))
                        row = [mp.nstr(mp.re(log), 30) for log in logs]
                    writer.writerow((name, " ".join(map(repr, theta.tolist())), repr(x), *row))
            print(name, flush=True)


if __name__ == "__main__":
    main()
