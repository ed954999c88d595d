"""Distances, geodesics, Chernoff information and centroids beside geomstats and pyBregMan, each in an environment of its own.

    python benchmarks/peers.py PEERS
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/geometry.py --peers PEERS

Rows: Fisher–Rao distance of 10 000 pairs of univariate normals and of normals in three dimensions, midpoints of geodesics
between pairs of Dirichlet(3), Chernoff information of 10 000 pairs of univariate normals, left, right and Fréchet centroids of
100 000 univariate normals. A library that loops is timed on fewer and multiplied (marked x…); a dash is what it does not have.
Seconds are wall time, the best of the rounds; beside them a mean of the results, of the fewer where there are fewer, which should
agree with the others where all points were done. geomstats has the distance of normals in p > 1 dimensions for equal means or
equal covariances only, and else an approximation by numerical geodesics, which is not run here.
"""
import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROWS = ("distance, Normal", "distance, MultivariateNormal(3)", "geodesic, Dirichlet(3)", "Chernoff, Normal",
        "right centroid, Normal", "left centroid, Normal", "Fréchet mean, Normal")
PAIRS, POINTS = 10_000, 100_000


def draw(path):
    rng = np.random.default_rng(0)
    root = rng.standard_normal((2, PAIRS, 3, 3))
    np.savez(path, mean=rng.standard_normal((2, PAIRS)), deviation=np.exp(0.5 * rng.standard_normal((2, PAIRS))),
             means=rng.standard_normal((2, PAIRS, 3)), covariances=root @ root.swapaxes(-1, -2) + 0.5 * np.eye(3),
             concentration=np.exp(0.7 * rng.standard_normal((2, PAIRS, 3))) + 0.3,
             cloud_mean=rng.standard_normal(POINTS), cloud_deviation=np.exp(0.5 * rng.standard_normal(POINTS)))


def best(run, rounds, share=1):
    """(seconds, mean of the result) of the best round, times `share`."""
    result, seconds = run(), []
    for _ in range(rounds):
        start = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - start)
    return min(seconds) * share, float(np.mean(result)), share


def infogeo(data, rounds):
    import infogeo as ig
    normal, mvn, dirichlet = ig.Normal(), ig.MultivariateNormal(3), ig.Dirichlet(3)
    p, q = (normal.theta_from(mean=data["mean"][e], variance=data["deviation"][e] ** 2) for e in (0, 1))
    P, Q = (mvn.theta_from(mean=data["means"][e], covariance=data["covariances"][e]) for e in (0, 1))
    a, b = (dirichlet.theta_from(concentration=data["concentration"][e]) for e in (0, 1))
    cloud = normal.theta_from(mean=data["cloud_mean"], variance=data["cloud_deviation"] ** 2)

    def mean(theta):
        return normal.parameters(theta)["mean"]

    return {
        "distance, Normal": best(lambda: ig.riemannian_distance(normal, p, q), rounds),
        "distance, MultivariateNormal(3)": best(lambda: ig.riemannian_distance(mvn, P, Q), 1),
        "geodesic, Dirichlet(3)": best(
            lambda: dirichlet.parameters(ig.riemannian_geodesic(dirichlet, a, b, 0.5))["concentration"][..., 0], 1),
        "Chernoff, Normal": best(lambda: ig.chernoff_information(normal, p, q).value, rounds),
        "right centroid, Normal": best(lambda: mean(ig.right_centroid(normal, cloud)), rounds),
        "left centroid, Normal": best(lambda: mean(ig.left_centroid(normal, cloud)), rounds),
        "Fréchet mean, Normal": best(lambda: mean(ig.frechet_mean(normal, cloud, tol=1e-8)), 1),
    }


def geomstats(data, rounds):
    from geomstats.information_geometry.dirichlet import DirichletDistributions
    from geomstats.information_geometry.normal import UnivariateNormalDistributions
    from geomstats.learning.frechet_mean import FrechetMean
    space = UnivariateNormalDistributions()
    p, q = (np.stack([data["mean"][e], data["deviation"][e]], axis=-1) for e in (0, 1))
    cloud = np.stack([data["cloud_mean"], data["cloud_deviation"]], axis=-1)
    dirichlet, few = DirichletDistributions(3), 5
    a, b = (data["concentration"][e][:few] for e in (0, 1))
    out = {"distance, Normal": best(lambda: space.metric.dist(p, q), rounds),
           "geodesic, Dirichlet(3)": best(lambda: [dirichlet.metric.geodesic(initial_point=x, end_point=y)(0.5)[0, 0]
                                                   for x, y in zip(a, b)], 1, PAIRS // few)}
    estimator, some = FrechetMean(space), 1000
    out["Fréchet mean, Normal"] = best(lambda: estimator.fit(cloud[:some]).estimate_[0], 1, POINTS // some)
    return out


def bregman(data, rounds):
    from bregman.application.distribution.exponential_family.gaussian.gaussian import GaussianManifold
    from bregman.barycenter.bregman import BregmanBarycenter
    from bregman.base import LAMBDA_COORDS, DualCoords, Point
    from bregman.dissimilarity.bregman import ChernoffInformation
    manifold, few = GaussianManifold(1), 100
    p, q = ([Point(LAMBDA_COORDS, np.array([m, s * s])) for m, s in zip(data["mean"][e][:few], data["deviation"][e][:few])]
            for e in (0, 1))
    out = {}
    try:
        chernoff = ChernoffInformation(manifold)
        out["Chernoff, Normal"] = best(lambda: [chernoff(x, y) for x, y in zip(p, q)], 1, PAIRS // few)
    except Exception as error:
        print(f"pyBregMan, Chernoff: {type(error).__name__}: {str(error)[:100]}", file=sys.stderr)
    some = 1000
    cloud = [Point(LAMBDA_COORDS, np.array([m, s * s]))
             for m, s in zip(data["cloud_mean"][:some], data["cloud_deviation"][:some])]
    for name, coords in (("right centroid, Normal", DualCoords.ETA), ("left centroid, Normal", DualCoords.THETA)):
        try:
            barycenter = BregmanBarycenter(manifold, coords)
            out[name] = best(lambda: manifold.convert_coord(LAMBDA_COORDS, barycenter(cloud)).data[0], 1, POINTS // some)
        except Exception as error:
            print(f"pyBregMan, {name}: {type(error).__name__}: {str(error)[:100]}", file=sys.stderr)
    return out


LIBRARIES = {"infogeo": infogeo, "geomstats": geomstats, "bregman": bregman}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, help="the folder that benchmarks/peers.py made")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", choices=LIBRARIES, help=argparse.SUPPRESS)
    parser.add_argument("--data", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        print(json.dumps(LIBRARIES[options.work](dict(np.load(options.data)), options.rounds)))
        return
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "points.npz"
        draw(path)
        for name in LIBRARIES:
            python = sys.executable if name == "infogeo" else options.peers and options.peers / name / "bin" / "python"
            if not python or not Path(python).exists():
                print(f"{name}: not there; benchmarks/peers.py makes it", file=sys.stderr)
                continue
            command = [str(python), __file__, "--work", name, "--data", str(path), "--rounds", str(options.rounds)]
            done = subprocess.run(command, capture_output=True, text=True)
            sys.stderr.write("".join(line + "\n" for line in done.stderr.splitlines()[-3:]))
            results[name] = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {}
    print(f"{'seconds':34}" + "".join(f"{name:>28}" for name in results))
    for row in ROWS:
        cells = []
        for found in results.values():
            if row not in found:
                cells.append(f"{'-':>28}")
            else:
                seconds, check, share = found[row]
                cells.append(f"{seconds:12.4g}{f' x{share}' if share > 1 else '':>6}{check:10.5f}")
        print(f"{row:34}" + "".join(cells))


if __name__ == "__main__":
    main()
