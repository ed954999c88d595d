"""What `accuracy.py` compares with: every family written down once more, in mpmath, from its data sheet.

A `Reference` has ψ, T, log h and E[log h]; η and the metric are derivatives of ψ by central differences of relative step 1e-25
at 100 digits or more, whose own error is of order 1e-50. Nothing here calls the code that is measured, except to make points.
"""
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import mpmath as mp
import numpy as np
import scipy.stats

import infogeo as ig
from infogeo.backend import NUMPY
from infogeo.domains import Orthant, PositiveDefiniteMatrix, RealSpace

REGIONS = ("bulk", "edge", "extreme")
POSITIVE = {"bulk": (-1.0, 1.0), "edge": (-8.0, -1.0), "extreme": (-8.0, 8.0)}     # decimal exponents
REACH = (3.0, 36.0, 700.0)
STEP = mp.mpf(10) ** -25


def positive(rng, region, shape):
    """Log-uniform numbers; at an edge, every other one (at random) is of the bulk."""
    low, high = POSITIVE[region]
    out = 10.0 ** rng.uniform(low, high, shape)
    return np.where(rng.random(shape) < 0.5, out, 10.0 ** rng.uniform(-1.0, 1.0, shape)) if region == "edge" else out


def real(rng, region, shape, reach=REACH):
    """Uniform numbers of both signs, up to the reach of the region and beyond that of the one before."""
    i = REGIONS.index(region)
    low, high = (0.0, *reach)[i:i + 2]
    return rng.uniform(low, high, shape) * rng.choice([-1.0, 1.0], shape)


def means(rng, region, shape):
    return rng.uniform(-3.0, 3.0, shape) if region == "bulk" else positive(rng, region, shape) * rng.choice([-1.0, 1.0], shape)


def spectrum(rng, region, shape):
    """Eigenvalues: at an edge of condition up to 1e6, at an extreme scale of one size up to a hundred."""
    if region == "bulk":
        return 10.0 ** rng.uniform(-1.0, 1.0, shape)
    if region == "edge":
        return 10.0 ** rng.uniform(-6.0, 0.0, shape)
    return 10.0 ** (rng.uniform(-8.0, 8.0, (*shape[:-1], 1)) + rng.uniform(-1.0, 1.0, shape))


def matrices(rng, region, n, p, imaginary=False):
    """Symmetric (Hermitian) positive definite matrices in random directions."""
    square = rng.standard_normal((n, p, p)) + (1j * rng.standard_normal((n, p, p)) if imaginary else 0.0)
    q = np.linalg.qr(square)[0]
    matrix = q * spectrum(rng, region, (n, p))[:, None, :] @ np.conj(np.swapaxes(q, 1, 2))
    return 0.5 * (matrix + np.conj(np.swapaxes(matrix, 1, 2)))


def bounded(rng, region, n):
    """−θ log-uniform up to 600: the probabilities e^θ of smaller ones are no floating-point numbers."""
    return -np.minimum(positive(rng, region, (n, 1)), 600.0)


def directions(rng, n, p):
    u = rng.standard_normal((n, p))
    return u / np.linalg.norm(u, axis=-1, keepdims=True)


@dataclass(frozen=True)
class Reference:
    """A family in mpmath.

    Parameters
    ----------
    family : ExponentialFamily
        What is measured.
    psi : callable theta -> mpf
        ψ of a list of numbers.
    statistic, log_base : callable x -> list of mpf, mpf
        T and log h of an observation: a number or nested lists.
    expected_log_base : callable (theta, eta) -> mpf
    scipy : callable (**ordinary) -> frozen distribution, optional
    scipy_entropy : bool
        False where SciPy sums an entropy term by term and does not come to an end.
    points : callable (rng, region, n) -> theta, optional
        Where the range is not the usual one.
    reach : three numbers
        Of real coordinates, a region each.
    moments : callable theta -> (psi, eta, metric), optional
        Where these are sums that are better formed together than differentiated.
    integrated : bool
        Whether E[log h] is a sum or an integral.
    exponential : number
        Where ψ is the logarithm of a sum of exponentials of multiples of θ: the largest multiple.
    effort : number
        What a point costs beside one of a closed form: so many times fewer are taken.
    """

    family: Any
    psi: Any
    statistic: Any
    log_base: Any
    expected_log_base: Any
    scipy: Any = None
    scipy_entropy: bool = True
    points: Any = None
    reach: tuple = REACH
    moments: Any = None
    integrated: bool = False
    exponential: float = 0.0
    effort: float = 1.0

    def draw(self, rng, region, n):
        """n points θ of a region: by their natural parameter where its coordinates are free, else by ordinary ones.

        Some of the latter may lie outside the domain: in an extreme normal–Wishart law the rate is rounded away.
        """
        family = self.family
        if self.points is not None:
            return np.asarray(self.points(rng, region, n))
        if isinstance(family.theta_domain, RealSpace):
            return real(rng, region, (n, family.dim), self.reach)
        if isinstance(family.theta_domain, Orthant):
            return positive(rng, region, (n, family.dim)) * np.array(family.theta_domain.signs, dtype=float)
        with np.errstate(all="ignore"):         # not `theta_from`, which refuses all points where one leaves the range of θ
            ordinary = {name: _ordinary(rng, region, n, domain) for name, domain in family.ordinary.items()}
            return family._theta_from(NUMPY, **ordinary)

    def digits(self, *thetas):
        """100, and enough for the smallest of the exponentials where ψ is the logarithm of a sum of such."""
        return 100 + int(0.9 * self.exponential * max(sum(abs(t) for t in theta) for theta in thetas))

    def gradient(self, theta):
        """η at θ."""
        if self.moments is not None:
            return self.moments(theta)[1]
        out = []
        for i, t in enumerate(theta):
            h = abs(t) * STEP if t else STEP
            up, down = ([*theta[:i], t + s * h, *theta[i + 1:]] for s in (1, -1))
            out.append((self.psi(up) - self.psi(down)) / (2 * h))
        return out

    def potential(self, theta):
        """ψ at θ."""
        return self.psi(theta) if self.moments is None else self.moments(theta)[0]

    def derivatives(self, theta):
        """ψ, η and the metric at θ, as a number, a list and a matrix."""
        if self.moments is not None:
            return self.moments(theta)
        d = len(theta)
        h = [abs(t) * STEP if t else STEP for t in theta]
        shifted = lambda *steps: self.psi([t + sum(s * h[i] for i, s in steps if i == j) for j, t in enumerate(theta)])
        middle = self.psi(theta)
        up, down = [shifted((i, 1)) for i in range(d)], [shifted((i, -1)) for i in range(d)]
        eta = [(up[i] - down[i]) / (2 * h[i]) for i in range(d)]
        metric = mp.matrix(d, d)
        for i in range(d):
            metric[i, i] = (up[i] - 2 * middle + down[i]) / h[i] ** 2
            for j in range(i):
                both = shifted((i, 1), (j, 1)) + shifted((i, -1), (j, -1)) + 2 * middle - up[i] - down[i] - up[j] - down[j]
                metric[i, j] = metric[j, i] = both / (2 * h[i] * h[j])
        return middle, eta, metric


def _ordinary(rng, region, n, domain):
    if isinstance(domain, PositiveDefiniteMatrix):
        return matrices(rng, region, n, domain.p)
    if isinstance(domain, Orthant):
        return positive(rng, region, (n, domain.dim))
    if isinstance(domain, RealSpace):
        return means(rng, region, (n, domain.dim))
    if domain.lower == -np.inf:
        return means(rng, region, n)
    return domain.lower + positive(rng, region, n)


# Pieces

def zero(*_):
    return mp.mpf(0)


def scalar(x):
    return [mp.mpf(x)]


def total(xs):
    return mp.fsum(xs)


def softplus(t):
    return t + mp.log1p(mp.exp(-t)) if t > 0 else mp.log1p(mp.exp(t))


def log_sum_exp(terms):
    return mp.log(total(mp.exp(t) for t in terms))


def log_factorial(x):
    return mp.loggamma(mp.mpf(x) + 1)


def half_log_two_pi():
    return mp.log(2 * mp.pi) / 2


def unpacked(v, p):
    """The symmetric matrix of a packed vector."""
    matrix, entries = mp.matrix(p, p), iter(v)
    for i in range(p):
        for j in range(i, p):
            matrix[i, j] = matrix[j, i] = next(entries) / (1 if i == j else mp.sqrt(2))
    return matrix


def packed(matrix):
    p = matrix.rows
    return [matrix[i, j] * (1 if i == j else mp.sqrt(2)) for i in range(p) for j in range(i, p)]


def hermitian(v, p):
    matrix, entries = mp.matrix(p, p), iter(v)
    for i in range(p):
        matrix[i, i] = next(entries)
        for j in range(i + 1, p):
            matrix[i, j] = mp.mpc(next(entries), next(entries)) / mp.sqrt(2)
            matrix[j, i] = mp.conj(matrix[i, j])
    return matrix


def log_det(matrix):
    return mp.log(mp.re(mp.det(matrix)))


def quadratic(matrix, v):
    """vᵀ M⁻¹ v."""
    solved = mp.lu_solve(matrix, mp.matrix(v))
    return total(a * b for a, b in zip(v, solved))


def expected_log_gamma(log_generating, mean, shift):
    """E[log Γ(X + s) − log Γ(s)] of a count X from log E[t^X] at t = e^{−u}, by the integral of Malmstén for log Γ.

    log Γ(s + x) − log Γ(s) = ∫₀^∞ (x e^{−u} − e^{−su} (1 − e^{−xu}) / (1 − e^{−u})) du/u.
    """
    def integrand(u):
        return (mean * mp.exp(-u) - mp.exp(-shift * u) * mp.expm1(log_generating(u)) / mp.expm1(-u)) / u
    with mp.workdps(35):
        decades = range(1 + int(mp.ceil(mp.log10(1 + mean))))
        return mp.quad(integrand, [0, *(mp.mpf(10) ** (k - len(decades)) for k in decades), 1, 8, 90])


def geometric_sum(theta, term):
    """Σ term(x) over x = 0, 1, … of terms that fall like e^{θx}, to 50 digits."""
    return total(term(x) for x in range(8 + int(120 / -theta)))


# Psi of several families

def psi_dirichlet(theta):
    return total(mp.loggamma(a) for a in theta) - mp.loggamma(total(theta))


def psi_gamma(theta):
    return mp.loggamma(theta[0]) - theta[0] * mp.log(-theta[1])


def psi_exponential(theta):
    return -mp.log(-theta[0])


def psi_normal(theta):
    return -theta[0] ** 2 / (4 * theta[1]) - mp.log(-2 * theta[1]) / 2


def psi_multivariate_normal(p):
    def psi(theta):
        precision = -2 * unpacked(theta[p:], p)
        return quadratic(precision, theta[:p]) / 2 - log_det(precision) / 2
    return psi


def psi_wishart(p, s, rate):
    log_gammas = total(mp.loggamma(s + mp.mpf(j) / 2) for j in range(p))
    return mp.mpf(p * (p - 1)) / 4 * mp.log(mp.pi) + log_gammas - (s + mp.mpf(p - 1) / 2) * log_det(rate)


def psi_normal_wishart(p):
    q = p * (p + 1) // 2

    def psi(theta):
        kappa = -2 * theta[-1]
        m = mp.matrix(theta[1 + q:1 + q + p]) / kappa
        rate = -unpacked(theta[1:1 + q], p) - m * m.T * kappa / 2
        return psi_wishart(p, theta[0], rate) - mp.mpf(p) / 2 * mp.log(kappa)
    return psi


def psi_bessel(p):
    return lambda theta: mp.log(mp.hyp0f1(mp.mpf(p) / 2, total(t * t for t in theta) / 4))


# The references, one function a file of families

def bernoulli():
    yield Reference(ig.Bernoulli(), lambda t: softplus(t[0]), scalar, zero, zero,
                    lambda probability: scipy.stats.bernoulli(probability), exponential=1.0)


def categorical():
    k = 4
    yield Reference(ig.Categorical(k), lambda t: log_sum_exp([0, *t]), lambda x: [mp.mpf(x == i) for i in range(k - 1)],
                    zero, zero, exponential=1.0)


def poisson():
    base = lambda t, eta: -expected_log_gamma(lambda u: eta[0] * mp.expm1(-u), eta[0], 1)
    yield Reference(ig.Poisson(), lambda t: mp.exp(t[0]), scalar, lambda x: -log_factorial(x), base,
                    lambda rate: scipy.stats.poisson(rate), reach=(3.0, 12.0, 40.0), integrated=True, effort=5)


def exponential():
    yield Reference(ig.Exponential(), psi_exponential, scalar, zero, zero, lambda rate: scipy.stats.expon(scale=1 / rate))


def normal():
    yield Reference(ig.Normal(), psi_normal, lambda x: [mp.mpf(x), mp.mpf(x) ** 2], lambda x: -half_log_two_pi(),
                    lambda t, eta: -half_log_two_pi(), lambda mean, variance: scipy.stats.norm(mean, np.sqrt(variance)))


def gamma():
    yield Reference(ig.Gamma(), psi_gamma, lambda x: [mp.log(x), mp.mpf(x)], lambda x: -mp.log(x), lambda t, eta: -eta[0],
                    lambda shape, rate: scipy.stats.gamma(shape, scale=1 / rate))


def dirichlet():
    k = 3
    yield Reference(ig.Dirichlet(k), psi_dirichlet, lambda x: [mp.log(a) for a in x], lambda x: -total(mp.log(a) for a in x),
                    lambda t, eta: -total(eta), lambda concentration: scipy.stats.dirichlet(concentration))


def multivariate_normal():
    p = 2
    yield Reference(ig.MultivariateNormal(p), psi_multivariate_normal(p), lambda x: [*map(mp.mpf, x), *packed(outer(x))],
                    lambda x: -p * half_log_two_pi(), lambda t, eta: -p * half_log_two_pi(),
                    lambda mean, covariance: scipy.stats.multivariate_normal(mean, covariance, allow_singular=True))


def outer(x):
    v = mp.matrix([mp.mpf(a) for a in x])
    return v * v.T


def binomial():
    from_one = lambda n: lambda t: n * softplus(t[0])
    n = 30
    choose = lambda x: log_factorial(n) - log_factorial(x) - log_factorial(n - mp.mpf(x))

    def base(t, eta):
        p = 1 / (1 + mp.exp(-t[0]))
        return total(mp.binomial(n, x) * p**x * (1 - p)**(n - x) * choose(x) for x in range(n + 1))
    yield Reference(ig.Binomial(n), from_one(n), scalar, choose, base, lambda probability: scipy.stats.binom(n, probability),
                    integrated=True, exponential=1.0)
    k, m = 3, 10

    def base_of_vectors(t, eta):
        ps = [*(e / m for e in eta), 1 - total(eta) / m]
        marginal = lambda p: total(mp.binomial(m, x) * p**x * (1 - p)**(m - x) * log_factorial(x) for x in range(2, m + 1))
        return log_factorial(m) - total(marginal(p) for p in ps)
    yield Reference(ig.Multinomial(k, m), lambda t: m * log_sum_exp([0, *t]), lambda x: [mp.mpf(v) for v in x[:-1]],
                    lambda x: log_factorial(m) - total(log_factorial(v) for v in x), base_of_vectors,
                    lambda probabilities: scipy.stats.multinomial(m, probabilities), integrated=True, exponential=1.0)


def geometric():
    psi = lambda t: -mp.log(-mp.expm1(t[0]))
    yield Reference(ig.Geometric(), psi, scalar, zero, zero, lambda probability: scipy.stats.geom(probability, loc=-1),
                    points=bounded, exponential=1.0)
    r = mp.mpf(2.5)

    def log_h(x):
        return mp.loggamma(x + r) - mp.loggamma(r) - log_factorial(x)

    def base(t, eta):
        if t[0] < -0.5:
            return geometric_sum(t[0], lambda x: log_h(x) * mp.exp(log_h(x) + x * t[0])) * (-mp.expm1(t[0])) ** r
        log_generating = lambda u: r * (mp.log(-mp.expm1(t[0])) - mp.log(-mp.expm1(t[0] - u)))
        return expected_log_gamma(log_generating, eta[0], r) - expected_log_gamma(log_generating, eta[0], 1)
    yield Reference(ig.NegativeBinomial(2.5), lambda t: r * psi(t), scalar, log_h, base,
                    lambda probability: scipy.stats.nbinom(2.5, probability),
                    points=bounded, exponential=1.0, integrated=True, effort=6)


def log_series():
    psi = lambda t: mp.log(-mp.log(-mp.expm1(t[0]))) - t[0]

    def base(t, eta):
        """−E[log x] = −∫₀^∞ (e^{−u} − E[e^{−xu}]) du/u."""
        whole = mp.log(-mp.expm1(t[0]))
        if t[0] < -0.5:
            return geometric_sum(t[0], lambda x: mp.exp(t[0] * x) * mp.log(x) / x if x else mp.mpf(0)) / whole
        integrand = lambda u: (mp.exp(-u) - mp.log(-mp.expm1(t[0] - u)) / whole) / u
        scales = sorted({min(mp.mpf(1), -t[0] * 10**k) for k in range(-1, 10)})
        with mp.workdps(40):
            return -mp.quad(integrand, [0, *scales, 8, 90])
    yield Reference(ig.LogSeries(), psi, lambda x: [mp.mpf(x) - 1], lambda x: -mp.log(x), base,
                    lambda probability: scipy.stats.logser(probability),
                    points=bounded, exponential=1.0, integrated=True, effort=4)


def zeta():
    yield Reference(ig.Zeta(), lambda t: mp.log(mp.zeta(1 - t[0])), lambda x: [mp.log(x)], lambda x: -mp.log(x),
                    lambda t, eta: -eta[0], lambda exponent: scipy.stats.zipf(exponent), scipy_entropy=False,
                    points=bounded, effort=4, exponential=1.0)


def conway_maxwell_poisson():
    log_factorials = []

    def moments(t):
        while len(log_factorials) < 4000:
            with mp.workdps(120):
                log_factorials.append(log_factorial(len(log_factorials)))
        mode = int(mp.exp(-t[0] / t[1]))
        weigh = lambda x: t[0] * x + t[1] * log_factorials[x]
        top = weigh(mode)
        states, x = [], 0
        while x <= mode or weigh(x) > top - 160:
            states.append((mp.mpf(x), log_factorials[x], mp.exp(weigh(x) - top)))
            x += 1
        norm = total(w for _, _, w in states)
        eta = [total(s[i] * s[2] for s in states) / norm for i in range(2)]
        metric = mp.matrix(2, 2)
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            metric[i, j] = total((s[i] - eta[i]) * (s[j] - eta[j]) * s[2] for s in states) / norm
        return top + mp.log(norm), eta, metric

    def points(rng, region, n):
        """Modes λ^{1/ν} up to 20, 1e-3 … 20 with ν from 0.05, and up to 1000 with ν up to 30."""
        low, high, nus = {"bulk": (-1, 1.3, (-0.5, 0.5)), "edge": (-3, 1.3, (-1.3, 0)), "extreme": (1, 3, (0, 1.5))}[region]
        nu = 10.0 ** rng.uniform(*nus, n)
        return np.stack([nu * np.log(10.0) * rng.uniform(low, high, n), -nu], axis=-1)
    yield Reference(ig.ConwayMaxwellPoisson(), None, lambda x: [mp.mpf(x), log_factorial(x)], zero, zero,
                    points=points, moments=moments, effort=8)


def inverse_gamma():
    yield Reference(ig.InverseGamma(), psi_gamma, lambda x: [-mp.log(x), 1 / mp.mpf(x)], lambda x: -mp.log(x),
                    lambda t, eta: eta[0], lambda shape, scale: scipy.stats.invgamma(shape, scale=scale))


def chi():
    psi = lambda t: mp.loggamma(t[0])
    yield Reference(ig.ChiSquared(), psi, lambda x: [mp.log(x / mp.mpf(2))], lambda x: -mp.mpf(x) / 2 - mp.log(x),
                    lambda t, eta: -t[0] - eta[0] - mp.log(2), lambda degrees_of_freedom: scipy.stats.chi2(degrees_of_freedom))
    yield Reference(ig.Chi(), psi, lambda x: [mp.log(mp.mpf(x) ** 2 / 2)], lambda x: mp.log(2) - mp.mpf(x) ** 2 / 2 - mp.log(x),
                    lambda t, eta: mp.log(2) - t[0] - (eta[0] + mp.log(2)) / 2,
                    lambda degrees_of_freedom: scipy.stats.chi(degrees_of_freedom))


def erlang():
    k = 3
    yield Reference(ig.Erlang(k), lambda t: -k * mp.log(-t[0]), scalar, lambda x: (k - 1) * mp.log(x) - log_factorial(k - 1),
                    lambda t, eta: (k - 1) * (mp.digamma(k) - mp.log(-t[0])) - log_factorial(k - 1),
                    lambda rate: scipy.stats.gamma(k, scale=1 / rate))


def weibull():
    log_mean = lambda t: -mp.euler - mp.log(-t[0])
    k = 1.5
    power = lambda x: [mp.mpf(x) ** k]
    yield Reference(ig.Weibull(k), psi_exponential, power, lambda x: mp.log(k) + (k - 1) * mp.log(x),
                    lambda t, eta: mp.log(k) + (k - 1) / mp.mpf(k) * log_mean(t),
                    lambda scale: scipy.stats.weibull_min(k, scale=scale))
    square = lambda x: [mp.mpf(x) ** 2]
    yield Reference(ig.Rayleigh(), psi_exponential, square, lambda x: mp.log(2) + mp.log(x),
                    lambda t, eta: mp.log(2) + log_mean(t) / 2,
                    lambda scale: scipy.stats.rayleigh(scale=scale))


def half_normal():
    log_h = lambda *_: mp.log(2) - mp.log(mp.pi) / 2
    yield Reference(ig.HalfNormal(), lambda t: -mp.log(-t[0]) / 2, lambda x: [mp.mpf(x) ** 2], log_h, log_h,
                    lambda scale: scipy.stats.halfnorm(scale=scale))


def log_normal():
    def points(rng, region, n):
        """Means of log x that leave x a floating-point number."""
        mean = rng.uniform(-3, 3, n) * {"bulk": 1, "edge": 1, "extreme": 100}[region]
        return ig.Normal().theta_from(mean=mean, variance=positive(rng, "bulk" if region == "extreme" else region, n))
    yield Reference(ig.LogNormal(), psi_normal, lambda x: [mp.log(x), mp.log(x) ** 2], lambda x: -mp.log(x) - half_log_two_pi(),
                    lambda t, eta: -eta[0] - half_log_two_pi(),
                    lambda mean, variance: scipy.stats.lognorm(np.sqrt(variance), scale=np.exp(mean)), points=points)

    def base(t, eta):
        """−E[log x (1 − x)] = E[|y| + 2 log(1 + e^{−|y|})], a smooth function of the log-odds y."""
        mean, variance = -t[0] / (2 * t[1]), -1 / (2 * t[1])
        logit = lambda z: mean + mp.sqrt(variance) * z
        integrand = lambda z: mp.exp(-z * z / 2) * (softplus(logit(z)) + softplus(-logit(z)))
        kink = -mean / mp.sqrt(variance)
        cuts = sorted({mp.mpf(-12), mp.mpf(0), mp.mpf(12), *(c for c in (kink - 1, kink, kink + 1) if abs(c) < 12)})
        with mp.workdps(25):
            return mp.quad(integrand, cuts) / mp.sqrt(2 * mp.pi) - half_log_two_pi()

    def logit(x):
        return mp.log(x) - mp.log1p(-mp.mpf(x))
    yield Reference(ig.LogitNormal(), psi_normal, lambda x: [logit(x), logit(x) ** 2],
                    lambda x: -mp.log(x) - mp.log1p(-mp.mpf(x)) - half_log_two_pi(), base,
                    points=points, integrated=True, effort=4)


def inverse_gaussian():
    def base(t, eta):
        """E[log x] = log μ − e^{2λ/μ} E₁(2λ/μ)."""
        ratio = 4 * mp.sqrt(t[0] * t[1])
        return -half_log_two_pi() - mp.mpf(3) / 2 * (mp.log(eta[0]) - mp.exp(ratio) * mp.e1(ratio))
    psi = lambda t: -2 * mp.sqrt(t[0] * t[1]) - mp.log(-2 * t[1]) / 2
    yield Reference(ig.InverseGaussian(), psi, lambda x: [mp.mpf(x), 1 / mp.mpf(x)],
                    lambda x: -half_log_two_pi() - mp.mpf(3) / 2 * mp.log(x), base,
                    lambda mean, shape: scipy.stats.invgauss(mean / shape, scale=shape))


def generalized_inverse_gaussian():
    def psi(t):
        a, b = -2 * t[1], -2 * t[2]
        return mp.log(2 * mp.besselk(t[0], mp.sqrt(a * b))) + t[0] / 2 * mp.log(b / a)

    def points(rng, region, n):
        """|p| up to 3, 3 and 30; a, b in 0.1 … 10, half of them from 1e-4 at the edge, 1e-3 … 1e3 at the extreme."""
        p = rng.uniform(-3, 3, n) * {"bulk": 1, "edge": 1, "extreme": 10}[region]
        low, high = {"bulk": (-1, 1), "edge": (-4, 1), "extreme": (-3, 3)}[region]
        return np.stack([p, *(-0.5 * 10.0 ** rng.uniform(low, high, (2, n)))], axis=-1)
    yield Reference(ig.GeneralizedInverseGaussian(), psi, lambda x: [mp.log(x), mp.mpf(x), 1 / mp.mpf(x)],
                    lambda x: -mp.log(x), lambda t, eta: -eta[0],
                    lambda p, a, b: scipy.stats.geninvgauss(p, np.sqrt(a * b), scale=np.sqrt(b / a)),
                    points=points, effort=2)


def pareto():
    m = 2.0
    yield Reference(ig.Pareto(m), psi_exponential, lambda x: [mp.log(x / mp.mpf(m))], lambda x: -mp.log(x),
                    lambda t, eta: -eta[0] - mp.log(m), lambda exponent: scipy.stats.pareto(exponent, scale=m))


def beta():
    yield Reference(ig.Beta(), psi_dirichlet, lambda x: [mp.log(x), mp.log1p(-mp.mpf(x))],
                    lambda x: -mp.log(x) - mp.log1p(-mp.mpf(x)), lambda t, eta: -total(eta),
                    lambda alpha, beta: scipy.stats.beta(alpha, beta))


def continuous_bernoulli():
    def psi(t):
        return mp.log(mp.expm1(t[0]) / t[0]) if t[0] < 0 else t[0] + mp.log(-mp.expm1(-t[0]) / t[0])
    yield Reference(ig.ContinuousBernoulli(), psi, scalar, zero, zero, exponential=1.0)


def generalized_dirichlet():
    k = 3

    def shares(x):
        x = [mp.mpf(v) for v in x]
        rests = [total(x[i:]) for i in range(k)]
        return [(x[i] / rests[i], rests[i + 1] / rests[i], rests[i]) for i in range(k - 1)]
    yield Reference(ig.GeneralizedDirichlet(k), lambda t: psi_dirichlet(t[:2]) + psi_dirichlet(t[2:]),
                    lambda x: [mp.log(v) for z, rest, _ in shares(x) for v in (z, rest)],
                    lambda x: -total(mp.log(z * rest * whole) for z, rest, whole in shares(x)),
                    lambda t, eta: -total(eta) - eta[1])


def normal_known():
    v = 2.0
    yield Reference(ig.NormalKnownVariance(v), lambda t: v * t[0] ** 2 / 2, scalar,
                    lambda x: -mp.mpf(x) ** 2 / (2 * v) - mp.log(2 * mp.pi * v) / 2,
                    lambda t, eta: -(v + eta[0] ** 2) / (2 * v) - mp.log(2 * mp.pi * v) / 2,
                    lambda mean: scipy.stats.norm(mean, np.sqrt(v)), reach=(3.0, 1e3, 1e8))
    m = 0.5
    yield Reference(ig.NormalKnownMean(m), lambda t: -mp.log(-t[0]) / 2, lambda x: [(mp.mpf(x) - m) ** 2],
                    lambda x: -mp.log(mp.pi) / 2, lambda t, eta: -mp.log(mp.pi) / 2,
                    lambda variance: scipy.stats.norm(m, np.sqrt(variance)))


def laplace():
    m = 1.0
    yield Reference(ig.Laplace(m), psi_exponential, lambda x: [abs(mp.mpf(x) - m)], lambda x: -mp.log(2),
                    lambda t, eta: -mp.log(2), lambda scale: scipy.stats.laplace(m, scale))


def gumbel():
    s = 2.0
    yield Reference(ig.Gumbel(s), psi_exponential, lambda x: [mp.exp(-mp.mpf(x) / s)], lambda x: -mp.mpf(x) / s - mp.log(s),
                    lambda t, eta: -mp.log(-t[0]) - mp.euler - mp.log(s), lambda location: scipy.stats.gumbel_r(location, s))


def several_normals():
    p = 2
    log_h = lambda *_: -p * half_log_two_pi()
    yield Reference(ig.DiagonalNormal(p), lambda t: total(psi_normal((a, b)) for a, b in zip(t[:p], t[p:])),
                    lambda x: [*map(mp.mpf, x), *(mp.mpf(v) ** 2 for v in x)], log_h, log_h,
                    lambda mean, variance: scipy.stats.multivariate_normal(mean, scipy.stats.Covariance.from_diagonal(variance)))
    psi = lambda t: -total(a * a for a in t[:p]) / (4 * t[p]) - mp.mpf(p) / 2 * mp.log(-2 * t[p])
    yield Reference(ig.IsotropicNormal(p), psi, lambda x: [*map(mp.mpf, x), total(mp.mpf(v) ** 2 for v in x)], log_h, log_h,
                    lambda mean, variance: scipy.stats.multivariate_normal(
                        mean, scipy.stats.Covariance.from_diagonal(np.full(p, variance))))


def known_covariance():
    sigma = np.array([[2.0, 0.5], [0.5, 1.0]])
    yield from _known_covariance(ig.MultivariateNormalKnownCovariance(sigma), sigma, lambda x: [mp.mpf(v) for v in x],
                                 lambda mean: scipy.stats.multivariate_normal(mean, sigma))
    rows, columns = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[1.0, -0.25], [-0.25, 0.5]])
    yield from _known_covariance(ig.MatrixNormalKnownCovariances(rows, columns), np.kron(rows, columns),
                                 lambda x: [mp.mpf(v) for row in x for v in row],
                                 lambda mean: scipy.stats.matrix_normal(mean, rows, columns))


def _known_covariance(family, covariance, statistic, scipy_family):
    sigma = lambda: mp.matrix(covariance.tolist())
    log_norm = lambda: -(len(covariance) * mp.log(2 * mp.pi) + log_det(sigma())) / 2
    yield Reference(family, lambda t: (mp.matrix(t).T * sigma() * mp.matrix(t))[0] / 2, statistic,
                    lambda x: log_norm() - quadratic(sigma(), statistic(x)) / 2,
                    lambda t, eta: log_norm() - (len(covariance) + quadratic(sigma(), eta)) / 2, scipy_family,
                    reach=(3.0, 1e3, 1e8))


def wishart():
    p = 2
    psi = lambda t: psi_wishart(p, t[0], -unpacked(t[1:], p))
    matrix = lambda x: mp.matrix([[mp.mpf(v) for v in row] for row in x])
    yield Reference(ig.Wishart(p), psi, lambda x: [log_det(matrix(x)), *packed(matrix(x))], lambda x: -log_det(matrix(x)),
                    lambda t, eta: -eta[0],
                    lambda degrees_of_freedom, scale_matrix: scipy.stats.wishart(degrees_of_freedom, scale_matrix))
    yield Reference(ig.InverseWishart(p), psi, lambda x: [-log_det(matrix(x)), *packed(mp.inverse(matrix(x)))],
                    lambda x: -p * log_det(matrix(x)), lambda t, eta: p * eta[0],
                    lambda degrees_of_freedom, scale_matrix: scipy.stats.invwishart(degrees_of_freedom, scale_matrix))


def normal_wishart():
    p = 2
    precision = lambda x: (mp.matrix([mp.mpf(v) for v in x[:p]]), unpacked([mp.mpf(v) for v in x[p:]], p))

    def statistic(mean, matrix, sign):
        image = matrix * mean
        return [sign * log_det(matrix), *packed(matrix), *image, (mean.T * image)[0]]
    yield Reference(ig.NormalWishart(p), psi_normal_wishart(p), lambda x: statistic(*precision(x), 1),
                    lambda x: -p * half_log_two_pi() - log_det(precision(x)[1]) / 2,
                    lambda t, eta: -p * half_log_two_pi() - eta[0] / 2)

    def inverted(x):
        mean, covariance = precision(x)
        return statistic(mean, mp.inverse(covariance), 1)
    yield Reference(ig.NormalInverseWishart(p), psi_normal_wishart(p), inverted,
                    lambda x: -p * half_log_two_pi() - (p + mp.mpf(1) / 2) * log_det(precision(x)[1]),
                    lambda t, eta: -p * half_log_two_pi() + (p + mp.mpf(1) / 2) * eta[0])

    def scalar_statistic(x):
        mean, rate = map(mp.mpf, x)
        return [mp.log(rate), rate, rate * mean, rate * mean**2]
    yield Reference(ig.NormalGamma(), psi_normal_wishart(1), scalar_statistic, lambda x: -half_log_two_pi() - mp.log(x[1]) / 2,
                    lambda t, eta: -half_log_two_pi() - eta[0] / 2)


def complex_normal():
    p = 2

    def statistic(x):
        v = mp.matrix([mp.mpc(a) for a in x])
        square = v * v.transpose_conj()
        out = []
        for i in range(p):
            out.append(mp.re(square[i, i]))
            for j in range(i + 1, p):
                out += [mp.sqrt(2) * mp.re(square[i, j]), mp.sqrt(2) * mp.im(square[i, j])]
        return out
    family = ig.ComplexNormal(p)
    log_h = lambda *_: -p * mp.log(mp.pi)
    yield Reference(family, lambda t: -log_det(-hermitian(t, p)), statistic, log_h, log_h,
                    points=lambda rng, region, n: family.theta_from(covariance=matrices(rng, region, n, p, imaginary=True)))


def von_mises_fisher():
    kappas = {"bulk": (-1, 1), "edge": (-8, -1), "extreme": (1, 6)}

    def points(p):
        """Concentrations 0.1 … 10, 1e-8 … 0.1 and 10 … 1e6."""
        return lambda rng, region, n: 10.0 ** rng.uniform(*kappas[region], (n, 1)) * directions(rng, n, p)
    for p, effort in ((3, 1), (20, 0.05)):
        log_h = lambda *_, p=p: mp.loggamma(mp.mpf(p) / 2) - mp.log(2) - mp.mpf(p) / 2 * mp.log(mp.pi)
        yield Reference(ig.VonMisesFisher(p), psi_bessel(p), lambda x: [mp.mpf(v) for v in x], log_h, log_h,
                        lambda mean_direction, concentration: scipy.stats.vonmises_fisher(mean_direction, concentration),
                        points=points(p), effort=effort)
    log_h = lambda *_: -mp.log(2 * mp.pi)
    yield Reference(ig.VonMises(), psi_bessel(2), lambda x: [mp.cos(x), mp.sin(x)], log_h, log_h,
                    lambda mean_direction, concentration: scipy.stats.vonmises(concentration, mean_direction), points=points(2))


def log_linear():
    rows, log_base = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 1.0], [3.0, 4.0]]), np.array([0.0, 0.5, -1.0, 0.25])
    yield _states(ig.LogLinear(rows, log_base), rows, lambda x: int(x), log_base)


def boltzmann():
    n = 3
    spins = np.array([[1.0 if state >> i & 1 else -1.0 for i in range(n)] for state in range(2**n)])
    rows = np.concatenate([spins, np.stack([spins[:, i] * spins[:, j] for i, j in combinations(range(n), 2)], axis=-1)], axis=-1)
    yield _states(ig.BoltzmannMachine(n), rows, lambda x: sum(2**i for i in range(n) if x[i] > 0))


def hierarchical():
    table, groups = (2, 2, 2), ((0,), (1,), (2,), (0, 1), (1, 2))
    cells = list(product(*map(range, table)))
    rows = np.array([[float(all(cell[a] == 0 for a in group)) for group in groups] for cell in cells])
    yield _states(ig.Hierarchical(table, ((0, 1), (1, 2))), rows, lambda x: cells.index(tuple(int(v) for v in x)))


def _states(family, rows, state, log_base=None):
    """A family on finitely many states, θ up to 3, 12 and 60."""
    log_base = np.zeros(len(rows)) if log_base is None else log_base
    row = lambda s: [mp.mpf(v) for v in rows[s]]

    def base(t, eta):
        logs = [total(a * b for a, b in zip(t, row(s))) + mp.mpf(log_base[s]) for s in range(len(rows))]
        norm = log_sum_exp(logs)
        return total(mp.exp(v - norm) * mp.mpf(b) for v, b in zip(logs, log_base))
    psi = lambda t: log_sum_exp([total(a * b for a, b in zip(t, row(s))) + mp.mpf(log_base[s]) for s in range(len(rows))])
    return Reference(family, psi, lambda x: row(state(x)), lambda x: mp.mpf(log_base[state(x)]), base,
                     reach=(3.0, 12.0, 60.0), integrated=True, exponential=abs(rows).max())


FILES = (bernoulli, binomial, categorical, poisson, geometric, log_series, zeta, conway_maxwell_poisson,
         exponential, gamma, inverse_gamma, chi, erlang, weibull, half_normal, log_normal, inverse_gaussian,
         generalized_inverse_gaussian, pareto, beta, continuous_bernoulli, dirichlet, generalized_dirichlet,
         normal, normal_known, laplace, gumbel, multivariate_normal, several_normals, known_covariance, wishart, normal_wishart,
         complex_normal, von_mises_fisher, log_linear, boltzmann, hierarchical)


def references():
    return [reference for file in FILES for reference in file()]
