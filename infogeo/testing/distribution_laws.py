"""The laws of distribution functions, quantiles and moments of x."""
from collections.abc import Iterator

import numpy as np

from ..backend import Array
from ..domains.supports import Integers
from ..families.base import ExponentialFamily
from .law import Sides, at_least, equal

__all__ = ["distribution_function_is_the_sum_of_the_density", "moments_of_x", "quantiles_are_inverse",
           "samples_follow_the_density"]

DRAWS, POINTS = 40_000, 500
FEW = 20
FARTHEST = 2.75     # of √n |F_n − F|: exceeded with probability 2 exp(−2 · 2.75²) = 5e-7, that of 5 standard errors
LEVELS = np.array([1e-200, 1e-12, 1e-3, 0.2, 0.5, 0.8, 1.0 - 1e-3, 1.0 - 1e-9])


def samples_follow_the_density(M: ExponentialFamily, theta: Array, rng: np.random.Generator) -> Iterator[Sides]:
    """|F_n − F| ≤ 2.75 / √n at 500 of the draws, from the right and from the left, for one number.

    The bound (Dvoretzky, Kiefer & Wolfowitz; Massart, Ann. Probab. 18 (1990)) holds for every distribution, of counts or not.
    """
    if M.support.shape or theta.ndim > 1:
        return
    draws = np.sort(M.sample(rng, theta, DRAWS))
    x, tolerance = draws[::DRAWS // POINTS], FARTHEST / np.sqrt(DRAWS)
    F = M.cdf(theta, x)
    at = np.exp(M.log_density(theta, x)) if isinstance(M.support, Integers) else 0.0
    yield equal("share of the draws up to x", np.searchsorted(draws, x, "right") / DRAWS, "F(x)", F, tolerance)
    yield equal("share of the draws below x", np.searchsorted(draws, x, "left") / DRAWS, "F(x−)", F - at, tolerance)


def distribution_function_is_the_sum_of_the_density(M: ExponentialFamily, theta: Array,
                                                    rng: np.random.Generator) -> Iterator[Sides]:
    """F(x) + S(x) = 1, both monotone, with their logarithms; F(x) − F(x − 1) = p(x) of counts, F′ = p of numbers."""
    if M.support.shape:
        return
    x = np.sort(M.sample(rng, theta, FEW), axis=0)
    F, S, log_F, log_S = (f(theta, x) for f in (M.cdf, M.survival, M.log_cdf, M.log_survival))
    yield equal("cdf + survival", F + S, "one", 1.0, 1e-12)
    for name, value, log_name, logarithm in (("cdf", F, "log_cdf", log_F), ("survival", S, "log_survival", log_S)):
        size = np.where(value > 0, np.abs(logarithm), 0.0)
        yield equal(f"exp({log_name})", np.exp(logarithm), name, value, 1e-12 * (1 + size) * value)
    yield at_least("cdf", F[1:], "at a smaller x", F[:-1], 4e-16)
    yield at_least("survival", S[:-1], "at a larger x", S[1:], 4e-16)
    for end, value in ((-np.inf, 0.0), (np.inf, 1.0)):
        yield equal(f"cdf at {end}", M.cdf(theta, end), "its limit", value)
        yield equal(f"survival at {end}", M.survival(theta, end), "its limit", 1.0 - value)
    if isinstance(M.support, Integers):
        x = np.where(x < 2.0**50, x, M.support.lower)
        mass = np.exp(M.log_density(theta, x))
        yield equal("cdf(x) − cdf(x − 1)", M.cdf(theta, x) - M.cdf(theta, x - 1.0), "p(x)", mass, 1e-12)
        return
    low, high = M.quantile(theta, 0.0), M.quantile(theta, 1.0)
    room = np.minimum(M.quantile(theta, 0.75) - M.quantile(theta, 0.25), np.minimum(x - low, high - x))
    h = 1e-3 * np.minimum(room, np.abs(x - getattr(M, "kink", np.inf)))
    known = h > 1e-9 * np.abs(x)                    # near an end of the support, or the kink, differences are lost
    density, step = np.exp(M.log_density(theta, x)), np.where(known, h, 1.0)
    near, far = (M.cdf(theta, x + k * h) - M.cdf(theta, x - k * h) for k in (1, 2))
    slope = np.where(known, (8.0 * near - far) / (12.0 * step), density)
    yield equal("slope of cdf", slope, "p(x)", density, np.where(known, 1e-14 / step + 1e-8 * density, 0.0))


def quantiles_are_inverse(M: ExponentialFamily, theta: Array) -> Iterator[Sides]:
    """F(quantile(q)) = q and 1 − F(upper_quantile(q)) = q, of counts the first x beyond q; at q = 0 and 1 the ends."""
    if M.support.shape:
        return
    q = np.reshape(LEVELS, (-1, *(1,) * (theta.ndim - 1)))
    for name, own, other in (("quantile", M.cdf, M.survival), ("upper_quantile", M.survival, M.cdf)):
        x = getattr(M, name)(theta, q)
        F, S = own(theta, x), other(theta, x)
        if isinstance(M.support, Integers):
            before = own(theta, x - 1.0)
            found, first = (F >= q, before < q) if name == "quantile" else (F <= q, before > q)
            yield equal(f"beyond q at {name}(q)", found, "true", True)
            yield equal(f"beyond q at {name}(q) − 1", (x < 2.0**53) & ~first, "false", False)
        else:
            inside = (x > M.quantile(theta, 0.0)) & (x < M.quantile(theta, 1.0)) & (np.abs(x) > 1e-290)
            density = np.exp(M.log_density(theta, np.where(inside, x, M.quantile(theta, 0.5))))
            cost, rest = np.where(inside, 1e-15 * np.abs(x) * density, 0.0), 1 - q + 0 * F
            yield equal(f"probability to {name}(q)", np.where(inside & (q <= 0.5), F, q), "q", q + 0 * F, 1e-12 * q + cost)
            beyond = np.where(inside & (q > 0.5), S, rest)
            yield equal(f"probability beyond {name}(q)", beyond, "1 − q", rest, 1e-12 * rest + cost)
    yield equal("cdf(quantile(1))", M.cdf(theta, M.quantile(theta, 1.0)), "one", 1.0)
    yield equal("survival(upper_quantile(0))", M.survival(theta, M.upper_quantile(theta, 0.0)), "zero", 0.0)


def moments_of_x(M: ExponentialFamily, theta: Array, rng: np.random.Generator) -> Iterator[Sides]:
    """Mean, variance and covariance are those of draws to 5 standard errors, where no heavy tail hides these."""
    x, n, shape = M.sample(rng, theta, DRAWS), DRAWS, M.support.shape
    mean, variance, covariance = M.mean(theta), M.variance(theta), M.covariance(theta)
    size = int(np.prod(shape))
    flat = np.reshape(x - mean, (*x.shape[:x.ndim - len(shape)], size))
    spread = np.reshape(covariance, (*theta.shape[:-1], size, size))
    scale = np.real(np.diagonal(spread, axis1=-2, axis2=-1))
    yield equal("variance", np.reshape(variance, scale.shape), "diagonal of covariance", scale, 1e-12 * np.abs(scale))
    away = np.mean(flat, axis=0)
    known = np.isfinite(scale)
    error = 5.0 * np.sqrt(np.where(known, scale, 0.0) / n)
    yield equal("mean of the draws less the mean", np.where(known, away, 0.0), "zero", 0.0, error + 1e-12)
    products = flat[..., :, None] * np.conj(flat)[..., None, :]
    deviation, sizes = np.std(products, axis=0), np.mean(np.abs(flat)**2, axis=0)
    root = np.sqrt(scale[..., :, None] * scale[..., None, :])
    light = deviation < 5.0 * np.sqrt(sizes[..., :, None] * sizes[..., None, :])   # of heavier tails draws say little
    known, error = np.isfinite(root) & np.isfinite(spread) & light, 5.0 * deviation / np.sqrt(n)
    found, expected = np.where(known, np.mean(products, axis=0), 0.0), np.where(known, spread, 0.0)
    yield equal("covariance of the draws", found, "covariance", expected, np.where(known, error + 1e-12 * root, 0.0))
