"""Centroids of points of a manifold. Axis 0 of the points is the sample, further axes are a batch of samples."""
from ...arrays.weights import shares
from ...backend import Array, Namespace, arrays
from ...errors import ShapeError, require_converged, takes
from ...numerics.linalg import matvec
from ..manifolds.manifold import DuallyFlat, Riemannian
from .least import SumOfDivergences, least

__all__ = ["bregman_information", "frechet_mean", "jeffreys_centroid", "jensen_centroid", "jensen_shannon_centroid",
           "left_centroid", "right_centroid", "sample", "total_bregman_centroid"]

FIXED = 5           # steps of a fixed point, each of which halves the distance: from the mean itself Newton's method may climb
TURNS = 200         # of an inductive mean: a ratio of 1e40 takes 66, and all of the floats' 1020


def sample(M: Riemannian, theta: Array, weights: Array | None = None) -> tuple[Namespace, Array, Array]:
    """``(xp, θ, w)`` with the points (n, ..., d) in the domain, and weights of sum 1 that broadcast with (n, ...).

    Raises
    ------
    DomainError, ShapeError
        For a point outside, no points at all, or weights that are negative, of sum 0 or of another shape than (n,) or (n, ...).
    """
    theta = M.domain.require("theta", theta)
    if theta.ndim < 2 or theta.shape[0] == 0:
        raise ShapeError(f"theta must have a sample axis of at least one point first; got shape {tuple(theta.shape)}")
    xp, theta, w = arrays(theta, shares(theta, weights, theta.shape[:-1])[1])
    return xp, theta, xp.astype(w, theta.dtype)


def _mean(xp: Namespace, w: Array, x: Array) -> Array:
    return xp.sum(w[..., None] * x, axis=0)


@takes(DuallyFlat)
def right_centroid(M: DuallyFlat, theta: Array, weights: Array | None = None) -> Array:
    """argmin over c of Σ w_i D(p_i‖c), shape (..., d): the point whose η is the mean of the η_i.

    In a family, the maximum-likelihood estimate from data whose fits are the p_i. The minimum is `bregman_information`.

    Shapes: θ (n, ..., d); weights (n,) or (n, ...), which need not sum to 1.
    Raises: DomainError, ShapeError.
    Source: Banerjee, Merugu, Dhillon & Ghosh, Clustering with Bregman divergences, JMLR 6 (2005), proposition 1.

    Examples
    --------
    >>> M = ig.Normal()
    >>> theta = M.theta_from(mean=[0.0, 4.0], variance=[1.0, 3.0])
    >>> c = ig.right_centroid(M, theta)
    >>> float(M.variance(c).round(9))  # 2 within, 4 between
    6.0
    """
    xp, theta, w = sample(M, theta, weights)
    return M._mean_of_points(xp, theta, w)


@takes(DuallyFlat)
def left_centroid(M: DuallyFlat, theta: Array, weights: Array | None = None) -> Array:
    """argmin over c of Σ w_i D(c‖p_i), shape (..., d): the mean of the θ_i, in a family the normalised geometric mean.

    Shapes: θ (n, ..., d); weights (n,) or (n, ...), which need not sum to 1.
    Raises: DomainError, ShapeError.
    Source: Nielsen & Nock, Sided and symmetrized Bregman centroids, IEEE Trans. Inf. Theory 55 (2009).

    Examples
    --------
    >>> M = ig.Normal()
    >>> theta = M.theta_from(mean=[0.0, 4.0], variance=[1.0, 3.0])
    >>> c = ig.left_centroid(M, theta)
    >>> float((1.0 / M.variance(c)).round(4))  # (1 + 1 / 3) / 2
    0.6667
    """
    xp, theta, w = sample(M, theta, weights)
    return _mean(xp, w, theta)


@takes(DuallyFlat)
def bregman_information(M: DuallyFlat, theta: Array, weights: Array | None = None) -> Array:
    """min over c of Σ w_i D(p_i‖c), shape (...), nats, with weights that are scaled to sum 1.

    Mathematically, Σ w_i φ(η_i) − φ(Σ w_i η_i): the Jensen gap of φ; of the rows of a channel, the mutual information.

    Shapes: θ (n, ..., d); weights (n,) or (n, ...).
    Raises: DomainError, ShapeError.
    Source: Banerjee, Merugu, Dhillon & Ghosh, JMLR 6 (2005), section 3.1.

    Examples
    --------
    >>> M = ig.Bernoulli()  # a binary symmetric channel
    >>> rows = M.theta_from(probability=[0.1, 0.9])
    >>> float(ig.bregman_information(M, rows).round(4))  # log 2 − H(0.1)
    0.3681
    """
    xp, theta, w = sample(M, theta, weights)
    return xp.sum(w * M.divergence(theta, M._mean_of_points(xp, theta, w)), axis=0)


@takes(DuallyFlat)
def jeffreys_centroid(M: DuallyFlat, theta: Array, weights: Array | None = None) -> Array:
    """argmin over c of Σ w_i (D(p_i‖c) + D(c‖p_i)), shape (..., d).

    Mathematically, with a the right and g the left centroid it minimises D(a‖c) + D(c‖g): (η_c − η_a) + G(θ_c)(θ_c − θ_g) = 0,
    solved by Newton's method. It lies near the geodesic from a to g where D(a‖c) = D(c‖g), and in more than one dimension not
    on it.

    Shapes: θ (n, ..., d); weights (n,) or (n, ...), which need not sum to 1.
    Raises: DomainError, ShapeError; ConvergenceError if the equation is not met to 1000 ε.
    Source: Nielsen & Nock, IEEE Trans. Inf. Theory 55 (2009), section IV; Nielsen, Jeffreys centroids, IEEE Signal Process.
    Lett. 20 (2013).

    Examples
    --------
    >>> M = ig.Poisson()  # of right centroid 2.5 and left centroid √(1 · 4)
    >>> theta = M.theta_from(rate=[1.0, 4.0])
    >>> M.to_eta(ig.jeffreys_centroid(M, theta)).round(4)
    array([2.2429])
    """
    a, g = right_centroid(M, theta, weights), left_centroid(M, theta, weights)
    xp, a, g = arrays(a, g)

    def of(ends: Array) -> SumOfDivergences:
        a, g = ends[0, ...], ends[1, ...]
        eta_a = M.to_eta(a)

        def hessian(c: Array) -> tuple[Array, Array]:
            double = 2.0 * M.metric(c)
            return double + matvec(xp, M.cubic_tensor(c), (c - g)[..., None, :]), double

        return SumOfDivergences(
            lambda c: M.divergence(a, c) + M.divergence(c, g), lambda c: (M.to_eta(c) - eta_a) + M.flat(c, c - g), hessian,
            lambda c: xp.abs(eta_a) + matvec(xp, xp.abs(M.metric(c)), xp.abs(c - g)))

    return least(M, xp, _inductive_mean(M, xp, a, g), of, (xp.stack([a, g]),), "jeffreys_centroid")


def _inductive_mean(M: DuallyFlat, xp: Namespace, a: Array, g: Array) -> Array:
    """A point near the middle of the geodesic: the mean in either flat chart in turn, until they are near.

    Of numbers, the arithmetic and the harmonic mean, and their limit the geometric one; a step takes a quarter off their ratio.
    Source: Nielsen, What is… an inductive mean?, Notices of the AMS 70 (2023).
    """
    half = xp.full_like(a[..., 0], 0.5)
    for _ in range(TURNS if M.steep else 0):
        far = (M.divergence(a, g) > 0.1)[..., None]
        if not xp.any(far):
            break
        middle = M._mean_of_points(xp, xp.stack([a, g]), xp.stack([half, half]))
        a, g = xp.where(far, 0.5 * (a + g), a), xp.where(far, middle, g)
    return 0.5 * (a + g)


@takes(DuallyFlat)
def jensen_centroid(M: DuallyFlat, theta: Array, weights: Array | None = None, *, max_steps: int = 200) -> Array:
    """argmin over c of Σ w_i [½ψ(θ_i) + ½ψ(θ_c) − ψ(½θ_i + ½θ_c)], shape (..., d): in a family, of the Bhattacharyya distances.

    Mathematically, η(c) = Σ w_i η(½θ_i + ½θ_c), solved by Newton's method from a few steps of the fixed point, each of which
    lowers the sum.

    Shapes: θ (n, ..., d); weights (n,) or (n, ...), which need not sum to 1.
    Raises: DomainError, ShapeError; ConvergenceError if the equation is not met to 1000 ε of the size of η.
    Source: Nielsen & Boltz, The Burbea–Rao and Bhattacharyya centroids, IEEE Trans. Inf. Theory 57 (2011), section III.

    Examples
    --------
    >>> M = ig.Poisson()
    >>> theta = M.theta_from(rate=[1.0, 9.0])
    >>> c = ig.jensen_centroid(M, theta)
    >>> M.to_eta(c).round(9)  # ((√1 + √9) / 2)²
    array([4.])
    """
    xp, theta, w = sample(M, theta, weights)

    def of(theta: Array, w: Array) -> SumOfDivergences:
        def value(c: Array) -> Array:
            middle = 0.5 * theta + 0.5 * c
            return xp.sum(w * (M.divergence(middle, theta) + M.divergence(middle, c + xp.zeros_like(theta))), axis=0)

        def hessian(c: Array) -> tuple[Array, Array]:
            metric = M.metric(c)
            return metric - 0.5 * _mean(xp, w[..., None], M.metric(0.5 * theta + 0.5 * c)), metric

        return SumOfDivergences(
            value, lambda c: _mean(xp, w, M.to_eta(c) - M.to_eta(0.5 * theta + 0.5 * c)), hessian,
            lambda c: xp.abs(M.to_eta(c)))

    start = _mean(xp, w, theta)
    for _ in range(FIXED if M.steep else 0):
        start = M.to_theta(_mean(xp, w, M.to_eta(0.5 * theta + 0.5 * start)))
    return least(M, xp, start, of, (theta, xp.broadcast_to(w, theta.shape[:-1])), "jensen_centroid", max_steps)


@takes(DuallyFlat)
def jensen_shannon_centroid(M: DuallyFlat, theta: Array, weights: Array | None = None, *, max_steps: int = 200) -> Array:
    """argmin over c of the mean Jensen–Shannon divergences Σ w_i JS(p_i, c) in a mixture family, shape (..., d).

    Mathematically, the `jensen_centroid` of φ: JS(p, c) = ½D(p‖m) + ½D(c‖m) with η_m = ½η_p + ½η_c, which is the mixture of p
    and c in `Categorical` and in `MixtureFamily`; in another family m stays in the family.

    Shapes: θ (n, ..., d); weights (n,) or (n, ...), which need not sum to 1.
    Raises: as `jensen_centroid`.
    Source: Nielsen, On a generalization of the Jensen–Shannon divergence and the Jensen–Shannon centroid, Entropy 22 (2020).

    Examples
    --------
    >>> M = ig.Categorical(3)
    >>> theta = M.theta_from(probabilities=[[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])
    >>> c = ig.jensen_shannon_centroid(M, theta)
    >>> M.parameters(c)["probabilities"].round(4)
    array([0.3865, 0.227 , 0.3865])
    """
    theta = M.domain.require("theta", theta)
    return M.to_theta(jensen_centroid(M.dual, M.to_eta(theta), weights, max_steps=max_steps))


@takes(DuallyFlat)
def total_bregman_centroid(M: DuallyFlat, theta: Array, weights: Array | None = None) -> Array:
    """argmin over c of Σ w_i B_ψ(c : θ_i) / √(1 + |η_i|²), shape (..., d): the right centroid with down-weighted steep points.

    Mathematically, η_c = Σ u_i η_i / Σ u_i with u_i = w_i / √(1 + |η_i|²).

    Shapes: θ (n, ..., d); weights (n,) or (n, ...), which need not sum to 1.
    Raises: DomainError, ShapeError.
    Source: Vemuri, Liu, Amari & Nielsen, Total Bregman divergence and its applications to DTI analysis, IEEE Trans. Med.
    Imaging 30 (2011).

    Examples
    --------
    >>> M = ig.Euclidean(1)
    >>> points = np.array([[0.0], [0.0], [0.0], [1000.0]])  # an outlier
    >>> ig.right_centroid(M, points)
    array([250.])
    >>> ig.total_bregman_centroid(M, points).round(3)
    array([0.333])
    """
    xp, theta, w = sample(M, theta, weights)
    eta = M.to_eta(theta)
    u = w / xp.sqrt(1.0 + xp.sum(eta**2, axis=-1))
    return M.to_theta(_mean(xp, u / xp.sum(u, axis=0), eta))


@takes(Riemannian)
def frechet_mean(M: Riemannian, points: Array, weights: Array | None = None, *, tol: float, max_steps: int = 200) -> Array:
    """argmin over x of Σ w_i d(x, x_i)², shape (..., d), with d the Riemannian (in a family the Fisher–Rao) distance.

    Mathematically, x ← exp_x(h Σ w_i log_x x_i) with h = 1, halved where the mean of the logarithms has not become shorter. The
    minimum is unique on a manifold of non-positive curvature, and elsewhere for points that are close together.

    Parameters
    ----------
    M : Riemannian
    points : array, shape (n, ..., d)
    weights : array, shape (n,) or (n, ...), optional
    tol : float
        A row is done when |Σ w_i log_x x_i| ≤ tol.

    Raises
    ------
    DomainError, ShapeError, ConvergenceError

    Source: Karcher, Riemannian center of mass and mollifier smoothing, Comm. Pure Appl. Math. 30 (1977).

    Examples
    --------
    >>> M = ig.Poisson()  # of arc length 2 √η
    >>> theta = M.theta_from(rate=[1.0, 9.0])
    >>> c = ig.frechet_mean(M, theta, tol=1e-12)
    >>> M.to_eta(c).round(9)  # ((√1 + √9) / 2)²
    array([4.])
    """
    xp, points, w = sample(M, points, weights)

    def mean_log(x: Array) -> tuple[Array, Array]:
        v = _mean(xp, w, M.log(x, points))
        return v, M.norm(x, v)

    x = _mean(xp, w, points)
    v, length = mean_log(x)
    h = xp.ones_like(length)
    for _ in range(max_steps):
        running = ~(length <= tol)
        if not xp.any(running):
            break
        trial = xp.where(running[..., None], M.exp(x, h[..., None] * v), x)
        v_new, length_new = mean_log(trial)
        shorter = running & (length_new < length)
        x, v = (xp.where(shorter[..., None], new, old) for new, old in ((trial, x), (v_new, v)))
        length, h = xp.where(shorter, length_new, length), xp.where(shorter, xp.minimum(2.0 * h, xp.ones_like(h)), 0.5 * h)
    require_converged("frechet_mean: the mean logarithm did not become as short as tol", length <= tol, length, x)
    return x
