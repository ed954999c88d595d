"""Families on 100 000 points beside efax, pyBregMan and geomstats, each in a virtual environment of its own.

    python benchmarks/peers.py PEERS
    python benchmarks/families.py --peers PEERS
    python benchmarks/families.py --peers PEERS --out docs/_static      # the table of the documentation, too
    taskset -c 0 python benchmarks/families.py --peers PEERS --cpu      # the work alone, where others use the machine, too

The same points go to every library. The libraries take turns, round after round, in processes of their own; a figure is the best
of the rounds, and of a fifth of a second at the least, in milliseconds. Where JAX and PyTorch are installed beside infogeo, its
methods on their arrays take part, those of JAX compiled. pyBregMan works point by point in Python: it is timed on
a thousand points and multiplied by 100 (marked x100). A dash is a quantity that a library does not have. geomstats has Fisher
metrics in its own charts. Each library uses the cores that it takes by itself, ours and efax (by JAX) all of them;
OMP_NUM_THREADS=1 leaves ours one. With NumPy `to_theta` of Categorical(10) cannot come to 1.5 times efax's 0.40 ms: its sum,
quotient and logarithm, in 14 blocks on two threads and nothing else, take 0.69, the logarithm alone 0.31.
The last table is the structured `sharp` against building and solving the dense metric.
"""
import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np

QUANTITIES = ("to_eta", "to_theta", "potential", "kl", "metric", "sharp")
FAMILIES = ("Categorical(10)", "Gamma", "Dirichlet(5)", "MultivariateNormal(3)", "Normal")


def draw(path, count):
    """Ordinary parameters of two points each, and covectors."""
    rng = np.random.default_rng(0)

    def spd():
        root = rng.standard_normal((count, 3, 3))
        return root @ root.transpose(0, 2, 1) + 0.5 * np.eye(3)

    points = {}
    for end in "pq":
        points[f"categorical_{end}"] = rng.dirichlet(np.ones(10), count)
        points[f"gamma_{end}"] = np.exp(rng.standard_normal((count, 2)))
        points[f"dirichlet_{end}"] = np.exp(rng.standard_normal((count, 5)))
        points[f"mean_{end}"], points[f"covariance_{end}"] = rng.standard_normal((count, 3)), spd()
        points[f"normal_{end}"] = np.stack([rng.standard_normal(count), np.exp(rng.standard_normal(count))], axis=-1)
    for name, d in zip(FAMILIES, (9, 2, 5, 9, 2)):
        points[f"covector_{name}"] = rng.standard_normal((count, d))
    np.savez(path, **points)


def best(run, rounds):
    clock = time.process_time if "--cpu" in sys.argv else time.perf_counter
    run()
    seconds = []
    while len(seconds) < rounds or sum(seconds) < 0.2:
        start = clock()
        run()
        seconds.append(clock() - start)
    return min(seconds)


def measured(library, name, runs, clock):
    """The seconds of each quantity; one that fails is reported and left out."""
    seconds = {}
    for quantity, run in runs.items():
        try:
            seconds[quantity] = clock(run)
        except Exception as error:
            print(f"{library}, {name}, {quantity}: {type(error).__name__}: {str(error)[:160]}", file=sys.stderr)
    return seconds


def infogeo(data, rounds, array=lambda x: x, ready=lambda f: f):
    """Ours on the arrays that `array` makes, `ready` what is made of a method before it is timed."""
    import infogeo as ig
    cases = {
        "Categorical(10)": (ig.Categorical(10), lambda e: dict(probabilities=data[f"categorical_{e}"])),
        "Gamma": (ig.Gamma(), lambda e: dict(shape=data[f"gamma_{e}"][:, 0], rate=data[f"gamma_{e}"][:, 1])),
        "Dirichlet(5)": (ig.Dirichlet(5), lambda e: dict(concentration=data[f"dirichlet_{e}"])),
        "MultivariateNormal(3)": (ig.MultivariateNormal(3),
                                  lambda e: dict(mean=data[f"mean_{e}"], covariance=data[f"covariance_{e}"])),
        "Normal": (ig.Normal(), lambda e: dict(mean=data[f"normal_{e}"][:, 0], variance=data[f"normal_{e}"][:, 1])),
    }
    out = {}
    for name, (family, ordinary) in cases.items():
        p, q = family.theta_from(**ordinary("p")), family.theta_from(**ordinary("q"))
        eta, p, q, covector = map(array, (family.to_eta(p), p, q, data[f"covector_{name}"]))
        given = {"to_eta": (p,), "to_theta": (eta,), "potential": (p,), "kl": (p, q), "metric": (p,), "sharp": (p, covector)}
        made = {quantity: ready(getattr(family, quantity)) for quantity in given}
        out[name] = {quantity: best(lambda: made[quantity](*xs), rounds) for quantity, xs in given.items()}   # noqa: B023
        out[name]["check"] = float(made["kl"](p, q).mean())
    return out


def infogeo_jax(data, rounds):
    import jax
    jax.config.update("jax_enable_x64", True)

    def compiled(f):
        program = jax.jit(f)
        return lambda *xs: jax.block_until_ready(program(*xs))

    return infogeo(data, rounds, jax.numpy.asarray, compiled)


def infogeo_torch(data, rounds):
    import torch
    return infogeo(data, rounds, torch.asarray)


def efax(data, rounds):
    import efax as ef
    import jax
    import jax.numpy as jnp
    jax.config.update("jax_enable_x64", True)
    j = lambda x: jnp.asarray(x)

    def normal(e):
        mean, variance = data[f"normal_{e}"].T
        return ef.NormalNP(j(mean / variance), j(-0.5 / variance))

    def multivariate(e):
        precision = np.linalg.inv(data[f"covariance_{e}"])
        return ef.MultivariateNormalNP(j((precision @ data[f"mean_{e}"][..., None])[..., 0]), j(-0.5 * precision))

    def categorical(e):
        p = data[f"categorical_{e}"]
        return ef.CategoricalNP(j(np.log(p[:, :-1] / p[:, -1:])))

    cases = {
        "Categorical(10)": categorical,
        "Gamma": lambda e: ef.GammaNP(j(-data[f"gamma_{e}"][:, 1]), j(data[f"gamma_{e}"][:, 0] - 1.0)),
        "Dirichlet(5)": lambda e: ef.DirichletNP(j(data[f"dirichlet_{e}"] - 1.0)),
        "MultivariateNormal(3)": multivariate,
        "Normal": normal,
    }
    out = {}
    for name, make in cases.items():
        p, q = make("p"), make("q")
        to_exp, to_nat = jax.jit(lambda p: p.to_exp()), jax.jit(lambda e: e.to_nat())
        potential, kl = jax.jit(lambda p: p.log_normalizer()), jax.jit(lambda p, q: p.kl_divergence(q))
        metric = jax.jit(lambda p: p._fisher_information_matrix())
        eta = to_exp(p)
        wait = jax.block_until_ready
        runs = {"to_eta": lambda: wait(to_exp(p)), "to_theta": lambda: wait(to_nat(eta)), "potential": lambda: wait(potential(p)),
                "kl": lambda: wait(kl(p, q)), "metric": lambda: wait(metric(p))}
        covector = j(data[f"covector_{name}"])
        if name != "MultivariateNormal(3)":      # its flattened coordinates have 12 entries for 9 parameters: a singular metric
            sharp = jax.jit(lambda p, c: jnp.linalg.solve(p._fisher_information_matrix(), c[..., None])[..., 0])
            runs["sharp"] = lambda: wait(sharp(p, covector))
        out[name] = measured("efax", name, runs, lambda run: best(run, rounds))
        out[name]["check"] = float(jnp.mean(kl(p, q)))
    return out


def bregman(data, rounds):
    from bregman.application.distribution.exponential_family.categorical.categorical import CategoricalManifold
    from bregman.application.distribution.exponential_family.gaussian.gaussian import GaussianManifold
    from bregman.base import LAMBDA_COORDS, Point
    count = 1000
    cases = {
        "Categorical(10)": (CategoricalManifold(10), lambda e, i: data[f"categorical_{e}"][i, :-1]),
        "MultivariateNormal(3)": (GaussianManifold(3), lambda e, i: np.concatenate([data[f"mean_{e}"][i],
                                                                                   data[f"covariance_{e}"][i].ravel()])),
        "Normal": (GaussianManifold(1), lambda e, i: data[f"normal_{e}"][i]),
    }
    out = {}
    for name, (manifold, ordinary) in cases.items():
        p, q = ([Point(LAMBDA_COORDS, ordinary(e, i)) for i in range(count)] for e in "pq")
        theta = [manifold._lambda_to_theta(x.data) for x in p]
        eta = [manifold._theta_to_eta(x) for x in theta]
        runs = {"to_eta": lambda: [manifold._theta_to_eta(x) for x in theta],
                "to_theta": lambda: [manifold._eta_to_theta(x) for x in eta],
                "potential": lambda: [manifold.theta_generator(x) for x in theta],
                "kl": lambda: [manifold.kl_divergence(x, y) for x, y in zip(p, q)],
                "metric": lambda: [manifold.theta_generator.hess(x) for x in theta]}
        out[name] = measured("pyBregMan", name, runs, lambda run: 100 * best(run, 1))
    return out


def geomstats(data, rounds):
    from geomstats.information_geometry.categorical import CategoricalDistributions
    from geomstats.information_geometry.dirichlet import DirichletDistributions
    from geomstats.information_geometry.gamma import GammaDistributions
    from geomstats.information_geometry.normal import UnivariateNormalDistributions
    cases = {
        "Categorical(10)": (CategoricalDistributions(9), data["categorical_p"]),
        "Gamma": (GammaDistributions(), data["gamma_p"]),
        "Dirichlet(5)": (DirichletDistributions(5), data["dirichlet_p"]),
        "Normal": (UnivariateNormalDistributions(), data["normal_p"]),
    }
    out = {}
    for name, (space, points) in cases.items():
        metric = lambda: space.metric.metric_matrix(points)
        out[name] = measured("geomstats", name, {"metric": metric}, lambda run: best(run, rounds))
    return out


LIBRARIES = {"infogeo": infogeo, "infogeo, jax.jit": infogeo_jax, "infogeo, torch": infogeo_torch,
             "efax": efax, "bregman": bregman, "geomstats": geomstats}


def work(library, path, rounds):
    """The child's part: print the seconds of one round as JSON."""
    print(json.dumps(LIBRARIES[library](dict(np.load(path)), rounds)))


def run(python, library, path, rounds):
    command = [str(python), __file__, "--work", library, "--data", str(path), "--rounds", str(rounds),
               *(["--cpu"] if "--cpu" in sys.argv else [])]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(f"{library}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return {}
    sys.stderr.write(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def merge(into, seconds):
    for name, row in seconds.items():
        for quantity, value in row.items():
            known = into.setdefault(name, {}).get(quantity, np.inf)
            into[name][quantity] = min(known, value) if quantity != "check" else value


def table(results):
    for name in FAMILIES:
        print(f"\n{name:24}" + "".join(f"{q:>12}" for q in QUANTITIES) + f"{'mean KL':>14}")
        for library, result in results.items():
            row = result.get(name, {})
            cells = "".join(f"{row[q] * 1e3:12.2f}" if q in row else f"{'-':>12}" for q in QUANTITIES)
            title = library + (" (x100)" if library == "bregman" else "")
            print(f"  {title:22}" + cells + (f"{row['check']:14.9f}" if "check" in row else ""))


def write(results, points, path):
    """The table of the documentation: a row for each quantity of a family."""
    titles = {name: name.replace(",", " and") for name in results} | {"bregman": "pyBregMan"}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    lines = [f".. csv-table:: Milliseconds for {points} points ({cores} cores, Python {platform.python_version()}, NumPy "
             f"{np.__version__})",
             f"   :header: Family, Quantity, {', '.join(titles[library] for library in results)}", ""]
    for name in FAMILIES:
        for quantity in QUANTITIES:
            row = [result.get(name, {}).get(quantity) for result in results.values()]
            cells = ", ".join("" if seconds is None else f"{seconds * 1e3:.3g}" if seconds < 0.1 else f"{seconds * 1e3:.0f}"
                              for seconds in row)
            lines.append(f"   {name if quantity == 'to_eta' else ''}, ``{quantity}``, {cells}")
    path.write_text("\n".join(lines) + "\n")


def structured():
    """`sharp` of one point, structured, against building and solving the dense metric."""
    import infogeo as ig
    rng = np.random.default_rng(0)
    print(f"\n{'sharp of one point':24}{'structured us':>16}{'dense us':>16}{'ratio':>10}")
    for family in (ig.Categorical(1000), ig.MultivariateNormal(50)):
        theta, c = family.theta_domain.sample(rng, scale=0.3), rng.standard_normal(family.dim)
        fast = best(lambda: family.sharp(theta, c), 20)
        dense = best(lambda: np.linalg.solve(family.metric(theta), c), 3)
        print(f"  {str(family)[:22]:22}{fast * 1e6:16.1f}{dense * 1e6:16.1f}{dense / fast:10.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, help="the folder that benchmarks/peers.py made")
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--cpu", action="store_true", help="CPU time in the place of wall time")
    parser.add_argument("--out", type=Path, help="the folder for speed.rst")
    parser.add_argument("--work", choices=LIBRARIES, help=argparse.SUPPRESS)
    parser.add_argument("--data", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        return work(arguments.work, arguments.data, arguments.rounds)
    pythons = {"infogeo": sys.executable}
    own = {"jax": "jax.jit", "torch": "torch"}
    pythons |= {f"infogeo, {title}": sys.executable for name, title in own.items() if find_spec(name)}
    for name in ("efax", "bregman", "geomstats"):
        python = arguments.peers and arguments.peers / name / "bin" / "python"
        if python and python.exists():
            pythons[name] = python
        else:
            print(f"{name} is left out: benchmarks/peers.py makes its environment")
    results = {name: {} for name in pythons}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "points.npz"
        draw(path, arguments.points)
        for turn in range(arguments.turns):
            for name, python in pythons.items():
                if turn == 0 or name not in ("bregman", "geomstats"):
                    merge(results[name], run(python, name, path, arguments.rounds))
    print(f"\nmilliseconds for {arguments.points} points")
    table(results)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        write(results, arguments.points, arguments.out / "speed.rst")
    structured()


if __name__ == "__main__":
    main()
