"""A thousand natural-gradient steps on Categorical(10): one trajectory, and 4096 at once, ours beside hand-written loops.

Every contestant minimises the same cross-entropy from the same points and keeps its value at every step. The rounds go through
all contestants in turn; a figure is the median over the rounds, a ratio is taken within a round.

    OPENBLAS_NUM_THREADS=1 python benchmarks/ngd_loop.py

JAX is a contestant where it is installed (``pip install jax``); ``--backend cupy`` adds ours on a GPU.
"""
import argparse
import time

import numpy as np

import infogeo as ig

FAMILY, H = ig.Categorical(10), 0.05


def hand_dense(theta, target, steps):
    """The textbook: a dense Fisher matrix and a solve."""
    values = np.empty((steps + 1, *theta.shape[:-1]))
    for k in range(steps + 1):
        top = np.maximum(np.max(theta, axis=-1, keepdims=True), 0.0)
        weight, base = np.exp(theta - top), np.exp(-top)
        total = np.sum(weight, axis=-1, keepdims=True) + base
        eta = weight / total
        values[k] = (top + np.log(total))[..., 0] - np.sum(theta * target, axis=-1)
        if k < steps:
            metric = np.eye(theta.shape[-1]) * eta[..., None] - eta[..., :, None] * eta[..., None, :]
            theta = theta - H * np.linalg.solve(metric, (eta - target)[..., None])[..., 0]
    return theta, values


def hand_structured(theta, target, steps):
    """The O(d) inverse of the Fisher matrix, for a batch; as fast as its memory order."""
    values = np.empty((steps + 1, *theta.shape[:-1]))
    for k in range(steps + 1):
        top = np.maximum(theta.max(-1), 0.0)
        weight, base = np.exp(theta - top[:, None]), np.exp(-top)
        total = weight.sum(-1) + base
        eta = weight / total[:, None]
        values[k] = top + np.log(total) - (theta * target).sum(-1)
        if k < steps:
            c = eta - target
            theta = theta - H * (c / eta + (c.sum(-1) * total / base)[:, None])
    return theta, values


def hand_tightened(theta, target, steps):
    """The same for one trajectory, with plain numbers for the sums: nothing left to take out."""
    values = np.empty(steps + 1)
    for k in range(steps + 1):
        top = max(theta.max(), 0.0)
        weight, base = np.exp(theta - top), np.exp(-top)
        total = weight.sum() + base
        eta = weight / total
        values[k] = top + np.log(total) - theta.dot(target)
        if k < steps:
            c = eta - target
            theta = theta - H * (c / eta + c.sum() * total / base)
    return theta, values


def ours(theta, target, steps):
    result = ig.descend(ig.CrossEntropy(FAMILY, target), theta, geometry=FAMILY, update=ig.NaturalUpdate(), step=ig.Constant(H),
                        max_steps=steps, record="values")
    return result.x, result.values


def ours_on_gpu(theta, target, steps):
    import cupy
    x, values = ours(cupy.asarray(theta), cupy.asarray(target), steps)
    cupy.cuda.Device().synchronize()
    return x, values


def jax_contestant():
    """``jax.jit`` of a ``lax.scan`` over steps; the batch is an axis of the arrays."""
    import jax
    import jax.numpy as jnp
    jax.config.update("jax_enable_x64", True)

    def run(theta, target, steps):
        def step(theta, _):
            top = jnp.maximum(theta.max(-1, keepdims=True), 0.0)
            weight, base = jnp.exp(theta - top), jnp.exp(-top)
            total = weight.sum(-1, keepdims=True) + base
            eta = weight / total
            value = (top + jnp.log(total))[..., 0] - (theta * target).sum(-1)
            c = eta - target
            return theta - H * (c / eta + c.sum(-1, keepdims=True) * total / base), value

        return jax.lax.scan(step, theta, None, length=steps + 1)

    compiled = jax.jit(run, static_argnums=2)

    def contestant(theta, target, steps):
        x, values = compiled(theta, target, steps)
        return x.block_until_ready(), values

    return contestant


def measure(contestants, theta, target, steps, rounds):
    """Seconds of every contestant in every round, after one round to warm up that also checks that they agree."""
    reference = None
    for name, run in contestants.items():
        values = np.asarray(ig.backend.to_numpy(run(theta, target, steps)[1]))
        reference = values if reference is None else reference
        np.testing.assert_allclose(values, reference, rtol=1e-9, atol=1e-12, err_msg=name)
    seconds = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            start = time.perf_counter()
            run(theta, target, steps)
            seconds[name].append(time.perf_counter() - start)
    return {name: np.array(s) for name, s in seconds.items()}


def report(title, seconds, unit, scale, baseline):
    print(f"\n{title}")
    print(f"  {'':34}{unit:>12}   ratio to {baseline}")
    for name, s in seconds.items():
        ratio = np.median(s / seconds[baseline])
        print(f"  {name:34}{np.median(s) * scale:12.2f}{ratio:10.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--backend", choices=("numpy", "cupy"), default="numpy")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    target = FAMILY.eta_domain.sample(rng)
    steps, batch = arguments.steps, arguments.batch
    extra = {}
    try:
        extra["jax.jit of lax.scan"] = jax_contestant()
    except ImportError:
        print("JAX is not installed: it is left out")
    if arguments.backend == "cupy":
        extra["infogeo on CuPy"] = ours_on_gpu

    one = {"NumPy, dense": hand_dense, "NumPy, hand-tightened": hand_tightened, "infogeo": ours} | extra
    seconds = measure(one, np.zeros(FAMILY.dim), target, steps, arguments.rounds)
    report(f"one trajectory, {steps} steps", seconds, "us a step", 1e6 / steps, "NumPy, hand-tightened")

    start = 0.5 * rng.standard_normal((batch, FAMILY.dim))
    columns = np.asfortranarray(start)
    many = {"NumPy, structured, Fortran order": lambda x, t, n: hand_structured(columns, t, n),
            "NumPy, structured, C order": hand_structured, "infogeo": ours} | extra
    seconds = measure(many, start, target, steps, max(1, arguments.rounds // 2))
    report(f"{batch} trajectories, {steps} steps", seconds, "ns a step", 1e9 / steps / batch, "NumPy, structured, Fortran order")
    dense = measure({"NumPy, dense": hand_dense, "infogeo": ours}, start, target, max(1, steps // 50), 3)
    report(f"{batch} trajectories, {max(1, steps // 50)} steps", dense, "ns a step", 1e9 / max(1, steps // 50) / batch, "infogeo")


if __name__ == "__main__":
    main()
