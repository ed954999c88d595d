"""The laws of a dually flat manifold, one a function; `DUALLY_FLAT_LAWS` is all of them by name."""
# Long because the laws are many; none of them knows another.
from collections.abc import Callable, Iterator

import numpy as np

from ..backend import Array
from ..domains.convex import ConvexDomain
from ..families.base import ExponentialFamily
from ..geometry.divergences.divergence import bregman, canonical_divergence, jeffreys
from ..geometry.manifolds.manifold import Dual, DuallyFlat
from .calculus import apply, condition, derivative, frame, in_frame, rounding, towards
from .formulas import arguments_at, derived, formulas, overridden
from .law import Sides, above, at_least, equal, title

__all__ = ["DUALLY_FLAT_LAWS"]

EPS = np.finfo(float).eps


# The metric

def metric_is_symmetric(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """G = Gᵀ."""
    metric = M.metric(theta)
    size = np.max(np.abs(metric), axis=(-2, -1), keepdims=True)
    yield equal("G", metric, "transposed", np.swapaxes(metric, -1, -2), 1e-13 * size)


def metric_is_not_negative(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """The eigenvalues of G, scaled to a unit diagonal so that only the angles of the axes are left, are not below −1e-15 dim."""
    metric = M.metric(theta)
    scale = np.sqrt(np.diagonal(metric, axis1=-2, axis2=-1))
    unit = metric / (scale[..., :, None] * scale[..., None, :])
    yield above("eigenvalue of the scaled G", np.linalg.eigvalsh(unit), "rounding", -1e-15 * M.dim)


def metric_is_positive_definite(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """vᵀGv > 0."""
    yield above("eigenvalue of G", np.linalg.eigvalsh(M.metric(theta)), "zero", 0.0)


def flat_is_the_matrix(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """flat(θ, v) = G v."""
    vector = np.linalg.solve(frame(M, theta), np.ones(theta.shape)[..., None])[..., 0]
    size = apply(np.abs(M.metric(theta)), np.abs(vector))
    yield equal("flat(v)", M.flat(theta, vector), "G v", apply(M.metric(theta), vector), 1e-12 * size)


def sharp_is_the_inverse_of_flat(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """sharp(flat(v)) = v and flat(sharp(c)) = c."""
    vector = frame(M, theta)[..., 0, :]
    tolerance = rounding(M, theta, 1e-14)[..., None] * np.linalg.norm(vector, axis=-1, keepdims=True)
    yield equal("sharp(flat(v))", M.sharp(theta, M.flat(theta, vector)), "v", vector, tolerance)
    yield equal("flat(sharp(c))", M.flat(theta, M.sharp(theta, vector)), "c", vector, tolerance)


def root_is_a_square_root(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """F Fᵀ = G for the F of root(θ, z) = F z."""
    metric = M.metric(theta)
    columns = M.root(theta[..., None, :], np.eye(M.dim))
    scale = np.sqrt(np.diagonal(metric, axis1=-2, axis2=-1))
    size = scale[..., :, None] * scale[..., None, :]
    yield equal("F Fᵀ", np.swapaxes(columns, -1, -2) @ columns, "G", metric, 1e-13 * M.dim * size)


def sharp_is_the_dense_solution(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """sharp(θ, c) = G⁻¹ c."""
    covector = np.ones(theta.shape)
    dense = np.linalg.solve(M.metric(theta), covector[..., None])[..., 0]
    size = np.linalg.norm(dense, axis=-1, keepdims=True)
    yield equal("sharp(c)", M.sharp(theta, covector), "G⁻¹ c", dense, rounding(M, theta, 1e-14)[..., None] * size)


def inner_product_and_norm(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """In an orthonormal basis ⟨e_a, e_b⟩ = δ_ab and |e_a| = 1."""
    rows, x = frame(M, theta), theta[..., None, :]
    gram = M.inner(x[..., None, :], rows[..., :, None, :], rows[..., None, :, :])
    tolerance = rounding(M, theta, 1e-14)[..., None]
    yield equal("inner(e_a, e_b)", gram, "δ_ab", np.eye(M.dim), tolerance[..., None])
    yield equal("norm(e_a)", M.norm(x, rows), "1", 1.0, tolerance)


# The potential and its derivatives, formed in an orthonormal basis of the tangent space, where G is the identity

def gradient_of_the_potential_is_eta(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """∇ψ = η."""
    rows = frame(M, theta)
    scale = 1 + np.abs(M.potential(theta))[..., None]
    yield equal("e_a ∇ψ (differences)", derivative(M.potential, theta, rows), "e_a η", apply(rows, M.to_eta(theta)), 1e-9 * scale)


def derivative_of_eta_is_the_metric(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """∇η = ∇²ψ = G."""
    rows = frame(M, theta)
    numeric = derivative(M.to_eta, theta, rows) @ np.swapaxes(rows, -1, -2)
    scale = 1 + np.linalg.norm(apply(rows, M.to_eta(theta)), axis=-1)[..., None, None]
    tolerance = (1e-10 + 1e-14 * condition(M, theta)[..., None, None]) * scale
    yield equal("e_a ∇η e_b (differences)", numeric, "e_a G e_b", np.eye(M.dim), tolerance)


def derivative_of_the_metric_is_the_cubic_tensor(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """∇G = ∇³ψ = T."""
    rows = frame(M, theta)
    change = derivative(M.metric, theta, rows)                               # (..., a, i, j)
    numeric = rows[..., None, :, :] @ change @ np.swapaxes(rows, -1, -2)[..., None, :, :]
    tensor = in_frame(rows, M.cubic_tensor(theta))
    largest = np.max(np.abs(tensor), axis=(-3, -2, -1), keepdims=True)
    allowed = rounding(M, theta, 1e-13)[..., None, None, None]
    yield equal("(∇G)(e_a, e_b, e_c) (differences)", numeric, "T(e_a, e_b, e_c)", tensor,
                1e-8 * (1 + np.abs(tensor)) + allowed * (1 + largest))


def cubic_tensor_is_symmetric(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """T_ijk = T_jik = T_ikj = T_kji."""
    tensor, allowed = M.cubic_tensor(theta), rounding(M, theta, 1e-15)[..., None, None, None]
    natural = np.linalg.norm(M.metric(theta), ord=2, axis=(-2, -1))**1.5            # T of unit skewness
    size = np.max(np.abs(tensor), axis=(-3, -2, -1), keepdims=True) + natural[..., None, None, None]
    for axes in [(-3, -2), (-2, -1), (-3, -1)]:
        yield equal("T", tensor, f"T with axes {axes} swapped", np.swapaxes(tensor, *axes), allowed * size)


def potential_and_eta_are_the_two(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """potential_and_eta(θ) = (ψ(θ), η(θ)), bit by bit."""
    potential, eta = M.potential_and_eta(theta)
    yield equal("potential_and_eta(θ)[0]", potential, "ψ(θ)", M.potential(theta))
    yield equal("potential_and_eta(θ)[1]", eta, "η(θ)", M.to_eta(theta))


# The two charts

def charts_are_inverse(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """θ(η(θ)) = θ within 1e-10 κ(G), relative to the size of θ."""
    size = np.max(np.abs(theta), axis=-1, keepdims=True)
    size = np.where(size > 0, size, 1.0)
    yield equal("to_theta(to_eta(θ))", M.to_theta(M.to_eta(theta)), "θ", theta, rounding(M, theta, 1e-10)[..., None] * size)


def _by_newton(M: DuallyFlat) -> bool:
    """Whether the inverse chart is the derived one."""
    primal: DuallyFlat = getattr(M, "primal", M)
    return type(primal)._to_theta is DuallyFlat._to_theta


def inversion_is_backward_stable(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """η(θ(η)) = η to 2000 ε, in the units of what an ε in θ does to it; by Newton's method, to its 1000 ε (1 + |η|), too."""
    eta = M.to_eta(theta)
    newton = _by_newton(M)
    sensitivity = np.linalg.norm(M.metric(theta), ord=2, axis=(-2, -1)) * np.linalg.norm(theta, axis=-1)
    error = np.linalg.norm(M.to_eta(M.to_theta(eta)) - eta, axis=-1)
    yield equal("|to_eta(to_theta(η)) − η|", error, "zero", 0.0,
                2000 * EPS * (np.linalg.norm(eta, axis=-1) + sensitivity + newton))


def images_lie_in_the_other_domain(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """η(Θ) lies in the domain of η, and Θ is the domain of the manifold."""
    yield equal("η_domain.contains(η(θ))", M.eta_domain.contains(M.to_eta(theta)), "true", True)
    yield equal("domain.contains(θ)", M.domain.contains(theta), "true", True)
    yield equal("domain == theta_domain", M.domain == M.theta_domain, "true", True)


def smooth_and_steep_as_said(M: DuallyFlat, p: Array, q: Array) -> Iterator[Sides]:
    """Where `smooth` says so, G is regular at the interior point of the domain, too; where `steep` does, a mean of two η is one.

    Mathematically, for a steep ψ the image of ∇ψ is convex.
    """
    if M.smooth:
        yield above("eigenvalue of G at the interior point", np.linalg.eigvalsh(M.metric(M.domain.interior_point)), "zero", 0.0)
    if M.steep:
        mean = 0.5 * (M.to_eta(p) + M.to_eta(q))
        yield equal("η_domain.contains(½ η_p + ½ η_q)", M.eta_domain.contains(mean), "true", True)
        yield equal("domain.contains(θ of it)", M.domain.contains(M.to_theta(mean)), "true", True)


# The dual manifold

def dual_methods_are_swapped(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """Every method of the dual is the other one of the manifold, bit by bit."""
    eta = M.to_eta(theta)
    vector, covector = np.ones(theta.shape), np.arange(1.0, 1.0 + M.dim)
    for own, other in (("potential", "dual_potential"), ("to_eta", "to_theta"), ("metric", "dual_metric"),
                       ("cubic_tensor", "dual_cubic_tensor")):
        yield equal(f"dual.{own}", getattr(M.dual, own)(eta), other, getattr(M, other)(eta))
        yield equal(f"dual.{other}", getattr(M.dual, other)(theta), own, getattr(M, own)(theta))
    for own, other in ("flat", "dual_flat"), ("sharp", "dual_sharp"):
        yield equal(f"dual.{own}", getattr(M.dual, own)(eta, vector), other, getattr(M, other)(eta, vector))
        yield equal(f"dual.{other}", getattr(M.dual, other)(theta, covector), own, getattr(M, own)(theta, covector))


def dual_metric_is_the_inverse(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """∇²φ(η) = G⁻¹."""
    dual, allowed = M.dual_metric(M.to_eta(theta)), rounding(M, theta, 1e-13)[..., None, None]
    size = np.max(np.abs(dual), axis=(-2, -1), keepdims=True)
    yield equal("dual_metric", dual, "G⁻¹", np.linalg.inv(M.metric(theta)), allowed * size)


def dual_flat_and_sharp_are_dense(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """dual_flat(η, v) = ∇²φ v and dual_sharp(η, c) = G c."""
    eta, vector, allowed = M.to_eta(theta), np.arange(1.0, 1.0 + M.dim), rounding(M, theta, 1e-13)[..., None]
    lowered, raised = apply(M.dual_metric(eta), vector), apply(M.metric(theta), vector)
    size: Callable[[Array], Array] = lambda x: np.linalg.norm(x, axis=-1, keepdims=True)
    yield equal("dual_flat(v)", M.dual_flat(eta, vector), "∇²φ v", lowered, allowed * size(lowered))
    yield equal("dual_sharp(c)", M.dual_sharp(eta, vector), "G c", raised, allowed * size(raised))


def dual_cubic_tensor_is_minus_the_cubic_tensor(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """With all indices raised: T*(Gu, Gv, Gw) = −T(u, v, w)."""
    metric, tensor = M.metric(theta), M.cubic_tensor(theta)
    lowered = in_frame(metric, M.dual_cubic_tensor(M.to_eta(theta)))
    size = np.max(np.abs(tensor), axis=(-3, -2, -1)) + np.linalg.norm(metric, ord=2, axis=(-2, -1))
    yield equal("T*(G·, G·, G·)", lowered, "−T", -tensor, (rounding(M, theta, 1e-13, 2) * size)[..., None, None, None])


def fenchel_young_equality(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """ψ(θ) + φ(η) = θ·η where the points correspond."""
    eta = M.to_eta(theta)
    size = 1 + np.abs(M.potential(theta)) + np.sum(np.abs(theta * eta), axis=-1)
    yield equal("ψ(θ) + φ(η)", M.potential(theta) + M.dual_potential(eta), "θ·η", np.sum(theta * eta, axis=-1),
                100 * EPS * size * np.sqrt(condition(M, theta)))


def fenchel_young_inequality(M: DuallyFlat, p: Array, q: Array) -> Iterator[Sides]:
    """ψ(θ_q) + φ(η_p) ≥ θ_q·η_p, and the gap is D(p‖q)."""
    eta = M.to_eta(p)
    total, product = M.potential(q) + M.dual_potential(eta), np.sum(q * eta, axis=-1)
    size = 1 + np.abs(M.potential(q)) + np.abs(M.dual_potential(eta)) + np.sum(np.abs(q * eta), axis=-1)
    yield at_least("ψ(θ_q) + φ(η_p)", total, "θ_q·η_p", product, 1e-12 * size)
    yield equal("ψ(θ_q) + φ(η_p) − θ_q·η_p", total - product, "D(p‖q)", M.divergence(p, q), 1e-11 * size)


# Divergences

def divergence_is_positive(M: DuallyFlat, p: Array, q: Array) -> Iterator[Sides]:
    """D(p‖q) > 0 where p and q differ, and finite."""
    divergence = canonical_divergence(M, p, q)
    yield equal("D(p‖q) is finite", np.isfinite(divergence), "true", True)
    yield equal("D(p‖q) > 0", divergence > 0, "p differs from q", np.any(p != q, axis=-1))


def divergence_is_zero_where_equal(M: DuallyFlat, theta: Array) -> Iterator[Sides]:
    """D(p‖p) = 0, exactly."""
    yield equal("D(p‖p)", canonical_divergence(M, theta, theta), "zero", 0.0)


def divergence_is_bregman_in_both_charts(M: DuallyFlat, p: Array, q: Array) -> Iterator[Sides]:
    """D(p‖q) = B_ψ(θ_q : θ_p) = B_φ(η_p : η_q), each from its definition."""
    eta_p, eta_q = M.to_eta(p), M.to_eta(q)
    in_theta = M.potential(q) - M.potential(p) - np.sum((q - p) * eta_p, axis=-1)
    in_eta = M.dual_potential(eta_p) - M.dual_potential(eta_q) - np.sum((eta_p - eta_q) * q, axis=-1)
    divergence = canonical_divergence(M, p, q)
    size = 1 + np.abs(M.potential(p)) + np.abs(M.potential(q))
    size = size + np.sum(np.abs(p * eta_p) + np.abs(q * eta_p) + np.abs(q * eta_q), axis=-1)
    yield equal("D(p‖q)", divergence, "ψ(θ_q) − ψ(θ_p) − (θ_q − θ_p)·η_p", in_theta, 1e-12 * size)
    yield equal("D(p‖q)", divergence, "φ(η_p) − φ(η_q) − (η_p − η_q)·θ_q", in_eta, 1e-12 * size)
    yield equal("D(p‖q)", divergence, "bregman(q, p)", bregman(M, q, p))


def divergence_of_the_dual_is_swapped(M: DuallyFlat, p: Array, q: Array) -> Iterator[Sides]:
    """D*(η_q‖η_p) = D(p‖q)."""
    divergence = canonical_divergence(M, p, q)
    swapped = canonical_divergence(M.dual, M.to_eta(q), M.to_eta(p))
    yield equal("D*(η_q‖η_p)", swapped, "D(p‖q)", divergence, 1e-9 * np.abs(divergence) + _where_it_cancels(M, p, q))


def divergence_of_near_points(M: DuallyFlat, p: Array, q: Array) -> Iterator[Sides]:
    """D(p‖p + δ) = D(p + δ‖p) = ½ δ·Gδ to a relative 1e-6 for points that are 1e-10 apart, the direction that of q.

    It applies to manifolds that override the divergence: the derived form cancels there. A dual manifold forms its divergence
    from the images of its points, whose rounding shows at that distance: its points are 1e-6 apart, where the term of third
    order is already 1e-6 of the whole.
    """
    if not keeps_digits(M):
        return
    distance, rtol = (1e-6, 5e-5) if isinstance(M, Dual) else (1e-10, 1e-6)
    near = p + distance * towards(M, p, q)
    step = near - p                                                 # the step as it is, after the rounding of the point
    quadratic = 0.5 * np.sum(step * apply(M.metric(p), step), axis=-1)
    yield equal("D(p‖p + δ)", canonical_divergence(M, p, near), "½ δ·Gδ", quadratic, rtol * quadratic)
    yield equal("D(p + δ‖p)", canonical_divergence(M, near, p), "½ δ·Gδ", quadratic, rtol * quadratic)


def keeps_digits(M: DuallyFlat) -> bool:
    """Whether the divergence is an override."""
    primal: DuallyFlat = getattr(M, "primal", M)
    owner = type(primal)
    if issubclass(owner, ExponentialFamily) and owner._divergence is ExponentialFamily._divergence:
        return owner._kl is not ExponentialFamily._kl
    return owner._divergence is not DuallyFlat._divergence


def _where_it_cancels(M: DuallyFlat, p: Array, q: Array) -> Array:
    """The rounding of a divergence in its derived form; none for an override."""
    if keeps_digits(M):
        return 0.0
    return 100 * EPS * (np.abs(M.potential(p)) + np.abs(M.potential(q)) + np.sum(np.abs((q - p) * M.to_eta(p)), axis=-1))


def jeffreys_divergence(M: DuallyFlat, p: Array, q: Array) -> Iterator[Sides]:
    """D(p‖q) + D(q‖p) = (θ_p − θ_q)·(η_p − η_q), symmetric."""
    J = jeffreys(M, p, q)
    eta_p, eta_q = M.to_eta(p), M.to_eta(q)
    size = np.sum(np.abs(p - q) * (np.abs(eta_p) + np.abs(eta_q)), axis=-1) + np.abs(M.potential(p)) * (not keeps_digits(M))
    yield equal("jeffreys(p, q)", J, "(θ_p − θ_q)·(η_p − η_q)", np.sum((p - q) * (eta_p - eta_q), axis=-1), 1e-12 * (size + J))
    yield equal("jeffreys(p, q)", J, "jeffreys(q, p)", jeffreys(M, q, p), 1e-12 * J)


def three_points(M: DuallyFlat, p: Array, q: Array, r: Array) -> Iterator[Sides]:
    """D(p‖q) + D(q‖r) − D(p‖r) = (η_p − η_q)·(θ_r − θ_q)."""
    D: Callable[[Array, Array], Array] = lambda a, b: canonical_divergence(M, a, b)
    eta_p, eta_q = M.to_eta(p), M.to_eta(q)
    size = D(p, q) + D(q, r) + D(p, r) + np.sum((np.abs(eta_p) + np.abs(eta_q)) * (np.abs(r) + np.abs(q)), axis=-1)
    yield equal("D(p‖q) + D(q‖r) − D(p‖r)", D(p, q) + D(q, r) - D(p, r),
                "(η_p − η_q)·(θ_r − θ_q)", np.sum((eta_p - eta_q) * (r - q), axis=-1), 1e-12 * size)


def local_expansion_of_the_divergence(M: DuallyFlat, p: Array, q: Array) -> Iterator[Sides]:
    """D(p‖p + δ) = ½ G δ² + ⅙ T δ³ and D(p + δ‖p) = ½ G δ² + ⅓ T δ³, up to order δ⁴.

    The coefficient of the third order is read off by extrapolating (D − ½ h²) / h³ to h = 0 along the unit vector towards q.
    """
    unit = towards(M, p, q)
    cubic = np.einsum("...ijk,...i,...j,...k->...", M.cubic_tensor(p), unit, unit, unit)
    cancelled = 1e-11 * (not keeps_digits(M)) * (1 + np.abs(M.potential(p))) / 0.0025**3
    for order, factor, name in (1, 1 / 6, "⅙ T"), (-1, 1 / 3, "⅓ T"):
        steps = [0.02 / 2**k for k in range(4)]
        table = [(M.divergence(*(p, p + h * unit)[::order]) - 0.5 * h**2) / h**3 for h in steps]
        for k in range(1, len(steps)):
            table = [(2**k * fine - coarse) / (2**k - 1) for coarse, fine in zip(table, table[1:])]
        side = "D(p‖p + δ)" if order == 1 else "D(p + δ‖p)"
        yield equal(f"third order of {side}", table[0], name, factor * cubic, 1e-5 + 1e-5 * np.abs(factor * cubic) + cancelled)


# Formulas and arrays

def overrides_are_the_derived_forms(M: DuallyFlat, p: Array, q: Array) -> Iterator[Sides]:
    """A closed form equals what it overrides: the derived methods of the base classes are the reference implementations."""
    for name, base in overridden(M):
        if "x" not in formulas(M)[name]:
            yield from override_is_the_derived_form(M, name, base, *arguments_at(M, formulas(M)[name], p, q))


def override_is_the_derived_form(M: DuallyFlat, name: str, base: type[DuallyFlat], *arguments: Array) -> Iterator[Sides]:
    """One method and one base class of those: equal to 1e-12 κ(G), or to less than a third where that is more."""
    own = getattr(M, name)(*arguments)
    inherited = derived(base, name)(M, *arguments)
    yield equal(f"axes of {name}", own.ndim, "axes of the derived form", inherited.ndim)
    yield equal(f"shape of {name}", own.shape, "shape of the derived form", inherited.shape)
    first = arguments[0] if formulas(M)[name][0] == "theta" else M.to_theta(arguments[0])
    entries = tuple(range(first.ndim - 1, own.ndim))
    allowed = np.reshape(rounding(M, first, 1e-12), (*first.shape[:-1], *(1,) * len(entries)))
    size = np.max(np.abs(inherited), axis=entries, keepdims=True)
    if not entries:                     # a divergence or a dual potential may be a difference of larger terms
        size = size + np.abs(M.potential(first)).max()
    if name == "to_theta":              # 5 ε of what the rounding of η does to it, where θ is 0
        eta = 1 + np.max(np.abs(arguments[0]), axis=-1, keepdims=True)
        size = np.maximum(size, 1e-3 * eta / np.min(np.linalg.eigvalsh(M.metric(first)), axis=-1, keepdims=True))
    yield equal(f"{name} of {type(M).__name__}", own, f"{name} of {base.__name__}", inherited, allowed * size)


def outside_is_nan(M: DuallyFlat, p: Array, q: Array) -> Iterator[Sides]:
    """Outside the domain a formula is NaN, never a plausible number, whichever of its points lies there; the other rows stay."""
    for shown, domain, inside in (("theta", M.theta_domain, p), ("eta", M.eta_domain, M.to_eta(p))):
        beyond = _beyond(domain, inside)
        if beyond is None:
            continue
        rows = np.stack([beyond, inside])
        for name, kinds in formulas(M).items():
            for place in [i for i, kind in enumerate(kinds) if kind == shown and "x" not in kinds]:
                arguments = arguments_at(M, kinds, p, q)
                arguments[place] = rows
                value = getattr(M, name)(*arguments)
                yield equal(f"NaN in {name} outside", np.mean(np.isnan(value[0])), "the whole", 1.0)
                arguments[place] = inside
                alone = getattr(M, name)(*arguments)
                tolerance = 1e-10 * np.abs(alone) + 1e-11 * np.max(np.abs(alone))
                yield equal(f"{name} of the row inside", value[1], "alone", alone, tolerance)


def _beyond(domain: ConvexDomain, inside: Array) -> Array | None:
    """Points outside on the lines from the domain's interior point through others; None where a line does not leave."""
    center, found = domain.interior_point, np.full_like(inside, np.nan)
    step = np.where(np.all(inside == center, axis=-1, keepdims=True), 1.0, inside - center)
    for sign in (1.0, -1.0):
        for t in sign * 2.0 ** np.arange(12):
            point = center + t * step
            leaves = np.isnan(found[..., 0]) & ~domain.contains(point)
            found = np.where(leaves[..., None], point + 0.5 * (point - center), found)
    return None if np.isnan(found).any() else found


def batches_are_rows(M: DuallyFlat, p: Array, q: Array) -> Iterator[Sides]:
    """Every formula of a batch is that of its rows."""
    pair, other = np.stack([p, q]), np.stack([q, p])
    for name, kinds in formulas(M).items():
        if "x" not in kinds:
            arguments = arguments_at(M, kinds, pair, other)
            whole = getattr(M, name)(*arguments)
            rows = np.stack([getattr(M, name)(*(x[i] for x in arguments)) for i in range(2)])
            yield equal(f"axes of {name} of a batch", np.ndim(whole), "of its rows", rows.ndim)
            yield equal(f"{name} of a batch", whole, "of its rows", rows, 1e-10 * np.abs(rows) + 1e-11 * np.max(np.abs(rows)))


def dtype_is_kept(M: DuallyFlat, p: Array, q: Array) -> Iterator[Sides]:
    """float32 in, float32 out, for every formula; the values are those in float64, to the rounding of float32 times κ(G)."""
    single = np.dtype(np.float32)
    p, q = p.astype(single).astype(float), q.astype(single).astype(float)
    for name, kinds in formulas(M).items():
        if "x" in kinds or not (np.all(M.theta_domain.contains(p)) and np.all(M.theta_domain.contains(q))):
            continue
        arguments = [x.astype(single) for x in arguments_at(M, kinds, p, q)]
        own, expected = getattr(M, name)(*arguments), getattr(M, name)(*(x.astype(float) for x in arguments))
        yield equal(f"bits of {name}(float32)", 8 * own.dtype.itemsize, "bits of float32", 32)
        size = np.max(np.abs(expected)) + np.max(np.abs(M.potential(p))) + (name == "log_volume_element")      # log of about 1
        if kinds[0] == "eta" and _by_newton(M):         # θ is as near as a residual of 1 + |η|, rounded, determines it
            eta = arguments[0].astype(float)
            size += (1 + np.max(np.abs(eta))) * np.max(np.abs(M.dual_metric(eta)))
        tolerance = np.max(rounding(M, np.stack([p, q]), 30 * float(np.finfo(single).eps))) * size
        yield equal(f"{name}(float32)", own, f"{name}(float64)", expected, tolerance)


DUALLY_FLAT_LAWS = {title(law): law for law in (
    metric_is_symmetric, metric_is_positive_definite, metric_is_not_negative, gradient_of_the_potential_is_eta,
    derivative_of_eta_is_the_metric, derivative_of_the_metric_is_the_cubic_tensor, cubic_tensor_is_symmetric,
    potential_and_eta_are_the_two, flat_is_the_matrix, root_is_a_square_root, sharp_is_the_inverse_of_flat,
    sharp_is_the_dense_solution, inner_product_and_norm, images_lie_in_the_other_domain, charts_are_inverse,
    inversion_is_backward_stable, smooth_and_steep_as_said,
    dual_metric_is_the_inverse, dual_flat_and_sharp_are_dense, dual_cubic_tensor_is_minus_the_cubic_tensor,
    dual_methods_are_swapped, fenchel_young_equality, fenchel_young_inequality, divergence_is_positive,
    divergence_is_zero_where_equal, divergence_of_near_points, divergence_is_bregman_in_both_charts,
    divergence_of_the_dual_is_swapped, jeffreys_divergence, three_points, local_expansion_of_the_divergence,
    overrides_are_the_derived_forms, outside_is_nan, batches_are_rows, dtype_is_kept)}
