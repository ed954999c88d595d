"""
Score matching by curvature propagation
=======================================

An unnormalised log density, here :math:`\\log \\tilde p(x; \\beta) = -\\|x\\|^2 / 2\\sigma^2 + \\beta \\cdot \\varphi(x)` with
features :math:`\\varphi` of a network, cannot be fitted by maximum likelihood without its normalising constant. Score matching
(Hyvärinen 2005) needs the derivatives in x alone: it minimises

.. math:: J(\\beta) = \\mathrm{E}\\Bigl[\\tfrac12 \\|\\nabla_x \\log \\tilde p\\|^2 + \\Delta_x \\log \\tilde p\\Bigr]
          = \\tfrac12 \\mathrm{E} \\|\\nabla_x \\log \\tilde p - \\nabla_x \\log p\\|^2 + \\text{const},

over the data. The Laplacian is the trace of a Hessian in the input, which curvature propagation estimates with the work of two
gradients, whatever the dimension of x is (Martens, Sutskever & Swersky 2012); exactly, it takes a Hessian product for each
dimension. As :math:`\\log \\tilde p` is linear in :math:`\\beta`, J is a quadratic function of it with the minimum in closed
form, and the estimate of the Laplacian enters the linear term only.
"""

# %%
# Data in the plane: two interlaced half circles.
import matplotlib.pyplot as plt
import numpy as np

from infogeo.curvature import input_gradient, input_hessian_diagonal
from infogeo.curvature import SignNoise, UnitVectors
from infogeo.networks import Tanh
from infogeo.networks import Dense
from infogeo.networks import Sequential

rng = np.random.default_rng(0)


def half_circles(n):
    angle, upper = np.pi * rng.random(n), rng.random(n) < 0.5
    arcs = np.where(upper, 1.0, -1.0)[:, None] * np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], axis=-1)
    return 1.5 * arcs + 0.3 * rng.standard_normal((n, 2))


train, held_out = half_circles(800), half_circles(800)

# %%
# The features: two layers with random weights, wide enough to bend around the arcs. A covector for each of the features, on a
# leading axis, gives the gradients and the Laplacians of all of them at once.
sigma, n_hidden, n_features = 2.0, 24, 64
network = Sequential([Dense(2, n_hidden), Tanh(), Dense(n_hidden, n_features), Tanh()], (2,))
w = rng.standard_normal(network.size)
for W, scale in zip(network.blocks(w), (1.0, None, 0.3)):
    if W is not None:
        W *= scale
each = np.eye(n_features)[:, None, :]


def gradients(x):
    """∇φ, shape (features, n, 2)."""
    return input_gradient(network, w, x, each)


def laplacians(x, noise):
    """Δφ, shape (features, n)."""
    return input_hessian_diagonal(network, w, x, each, noise).sum(axis=-1)


def exact_laplacians(x):
    """The same from unit vectors, one for each unit of the network, feature by feature to save memory."""
    return np.stack([input_hessian_diagonal(network, w, x, g, UnitVectors()).sum(axis=-1) for g in each])


def quadratic(x, laplacian):
    """A and b with J(β) = ½ β·Aβ + b·β + const, from the data x."""
    D = gradients(x)
    A = np.einsum("knd,lnd->kl", D, D) / len(x)
    return A, np.mean(laplacian - np.einsum("knd,nd->kn", D, x) / sigma**2, axis=-1)


# %%
# Estimates from 1, 2, 4, … draws of ±1 noise beside the exact Laplacians. The ridge of each fit is chosen on held-out data, by J.
A, b = quadratic(train, exact_laplacians(train))
A_held, b_held = quadratic(held_out, exact_laplacians(held_out))
draws = 2 ** np.arange(7)
single = np.array([quadratic(train, laplacians(train, SignNoise(rng)))[1] for _ in range(draws[-1])])
estimates = [single[:m].mean(axis=0) for m in draws]
ridges = np.logspace(-8, 0, 33)


def fit(b):
    """β, and J on the held-out data."""
    betas = np.array([np.linalg.solve(A + c * np.eye(n_features), -b) for c in ridges])
    J = 0.5 * np.einsum("ri,ij,rj->r", betas, A_held, betas) + betas @ b_held
    return betas[np.argmin(J)], J.min()


beta, J = fit(b)
fits = [fit(estimate) for estimate in estimates]
print(f"exact Laplacian: J on held-out data {J:.3f}")
for m, estimate, (_, J_m) in zip(draws, estimates, fits):
    print(f"{m:3d} draws: J {J_m:8.3f}, distance of the linear term {np.linalg.norm(estimate - b) / np.linalg.norm(b):.3f}")

assert np.linalg.norm(estimates[-1] - b) < 0.3 * np.linalg.norm(estimates[0] - b)        # an eighth, on average

# %%
# With enough draws the fit is as good as the exact one, whose own linear term has the sampling error of 800 points.
# The densities, normalised on a grid, with the score field of the second one.
side = np.linspace(-3.2, 3.2, 129)
grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)


def density(beta):
    log_p = network.forward(w, grid) @ beta - np.sum(grid**2, axis=-1) / (2 * sigma**2)
    p = np.exp(log_p - log_p.max())
    return (p / (p.sum() * (side[1] - side[0]) ** 2)).reshape(len(side), len(side))


fig, axes = plt.subplots(1, 3, figsize=(13.0, 4.2))
for ax, (title, vector) in zip(axes, [("exact Laplacian", beta), (f"{draws[-1]} draws", fits[-1][0])]):
    ax.contourf(side, side, density(vector), levels=20, cmap="Blues")
    ax.plot(*held_out[:400].T, ".", color="tab:orange", markersize=2)
    ax.set(title=title, xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
arrows = grid.reshape(129, 129, 2)[4::8, 4::8].reshape(-1, 2)
score = np.einsum("knd,k->nd", gradients(arrows), fits[-1][0]) - arrows / sigma**2
score /= 1.0 + np.linalg.norm(score, axis=-1, keepdims=True)
axes[1].quiver(*arrows.T, *score.T, color="0.3", scale=30, width=0.003)
axes[2].semilogx(draws, [J_m for _, J_m in fits], "-o", base=2, label="curvature propagation")
axes[2].axhline(J, color="0.4", ls="--", label="exact Laplacian")
axes[2].set(xlabel="draws of ±1 noise", ylabel="$J$ on held-out data")
axes[2].legend()
fig.tight_layout()
plt.show()
