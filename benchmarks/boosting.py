"""Natural-gradient boosting beside ngboost, CatBoost's uncertainty and LightGBM's point prediction, on the same rows.

    python benchmarks/peers.py FOLDER                       # once: FOLDER/boosting has the others
    OPENBLAS_NUM_THREADS=1 python benchmarks/boosting.py FOLDER [--only reg10k] [--write]

Every contestant runs in a process of its own, one after the other, with one thread. A time is the CPU time (user and system) of
`fit` over its stages, without imports; memory is the most that the process held. `--write` puts the tables in
docs/_static/boosting.rst.
"""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs/_static/boosting.rst"


# The data

def heteroscedastic(n_train, n_test=5000, seed=0):
    """Ten features; a mean and a standard deviation that depend on several of them."""
    rng, n = np.random.default_rng(seed), n_train + n_test
    X = rng.uniform(-1, 1, (n, 10))
    mean = np.sin(3 * X[:, 0]) + X[:, 1] * X[:, 2] + 2 * np.abs(X[:, 3]) + 0.5 * X[:, 4]
    y = mean + np.exp(-1 + X[:, 5] + 0.5 * np.sin(4 * X[:, 0])) * rng.standard_normal(n)
    return dict(X=X[:n_train], y=y[:n_train], X_test=X[n_train:], y_test=y[n_train:])


def diabetes(fold):
    from sklearn.datasets import load_diabetes
    from sklearn.model_selection import KFold
    X, y = load_diabetes(return_X_y=True)
    train, test = list(KFold(10, shuffle=True, random_state=0).split(X))[fold]
    return dict(X=X[train], y=y[train], X_test=X[test], y_test=y[test])


def cancer():
    from sklearn.datasets import load_breast_cancer
    X, y = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    train, test = order[:int(0.75 * len(y))], order[int(0.75 * len(y)):]
    return dict(X=X[train], y=y[train], X_test=X[test], y_test=y[test])


def five_classes(n_train=4000, n_test=4000):
    rng, n = np.random.default_rng(1), n_train + n_test
    X = rng.uniform(-1, 1, (n, 8))
    score = np.stack([2 * X[:, 0], 2 * np.sin(3 * X[:, 1]), X[:, 2] * X[:, 3] * 4, 2 * np.abs(X[:, 4]), 0.5 * X[:, 5]], axis=1)
    y = np.argmax(score + rng.gumbel(size=score.shape), axis=1)
    return dict(X=X[:n_train], y=y[:n_train], X_test=X[n_train:], y_test=y[n_train:])


def pairs(n_train=4000, n_test=4000):
    """Two outputs whose correlation turns with a feature."""
    rng, n = np.random.default_rng(2), n_train + n_test
    X = rng.uniform(-1, 1, (n, 6))
    z = rng.standard_normal((n, 2))
    rho = 0.9 * np.sin(2 * X[:, 2])
    y = np.stack([np.sin(3 * X[:, 0]) + 0.5 * z[:, 0],
                  X[:, 1] + np.exp(-1 + 0.5 * X[:, 3]) * (rho * z[:, 0] + np.sqrt(1 - rho**2) * z[:, 1])], axis=1)
    return dict(X=X[:n_train], y=y[:n_train], X_test=X[n_train:], y_test=y[n_train:])


# The contestants: a fit, and what it predicts of the test rows, as a dict of arrays

def infogeo_normal(data, stages, lr, depth, leaf, form="Pointwise"):
    import infogeo.boosting as b
    model = b.NaturalGradientBoostingRegressor(max_iter=stages, learning_rate=lr, max_depth=depth, min_samples_leaf=leaf,
                                               leaf=getattr(b, form), early_stopping=False)

    def predict():
        law = model.predict_dist(data["X_test"])
        return dict(mean=law.mean, sd=np.sqrt(law.variance))
    return (lambda: model.fit(data["X"], data["y"])), predict


def infogeo_classes(data, stages, lr, depth, leaf, form="LeafMetric"):
    import infogeo.boosting as b
    model = b.NaturalGradientBoostingClassifier(max_iter=stages, learning_rate=lr, max_depth=depth, min_samples_leaf=leaf,
                                                leaf=getattr(b, form), early_stopping=False)
    return (lambda: model.fit(data["X"], data["y"])), lambda: dict(p=model.predict_proba(data["X_test"]))


def infogeo_pairs(data, stages, lr, depth, leaf):
    import infogeo as ig
    model = ig.boosting.NaturalGradientBoostingRegressor(
        ig.MultivariateNormal(2), max_iter=stages, learning_rate=lr, max_depth=depth, min_samples_leaf=leaf, early_stopping=False)

    def predict():
        found = model.predict_dist(data["X_test"]).parameters
        return dict(mean=found["mean"], covariance=found["covariance"])
    return (lambda: model.fit(data["X"], data["y"])), predict


def _learner(depth, leaf):
    from sklearn.tree import DecisionTreeRegressor
    return DecisionTreeRegressor(criterion="friedman_mse", max_depth=depth, min_samples_leaf=leaf)


def ngboost_normal(data, stages, lr, depth, leaf):
    from ngboost import NGBRegressor
    model = NGBRegressor(Base=_learner(depth, leaf), n_estimators=stages, learning_rate=lr, verbose=False, random_state=0)

    def predict():
        law = model.pred_dist(data["X_test"])
        return dict(mean=law.params["loc"], sd=law.params["scale"])
    return (lambda: model.fit(data["X"], data["y"])), predict


def ngboost_classes(data, stages, lr, depth, leaf):
    from ngboost import NGBClassifier
    from ngboost.distns import k_categorical
    model = NGBClassifier(Dist=k_categorical(int(data["y"].max()) + 1), Base=_learner(depth, leaf), n_estimators=stages,
                          learning_rate=lr, verbose=False, random_state=0)
    return (lambda: model.fit(data["X"], data["y"])), lambda: dict(p=model.predict_proba(data["X_test"]))


def ngboost_pairs(data, stages, lr, depth, leaf):
    from ngboost import NGBRegressor
    from ngboost.distns import MultivariateNormal
    model = NGBRegressor(Dist=MultivariateNormal(2), Base=_learner(depth, leaf), n_estimators=stages, learning_rate=lr,
                         verbose=False, random_state=0)

    def predict():
        law = model.pred_dist(data["X_test"])
        return dict(mean=law.loc, covariance=law.cov)
    return (lambda: model.fit(data["X"], data["y"])), predict


def catboost_normal(data, stages, lr, depth, leaf):
    from catboost import CatBoostRegressor
    model = CatBoostRegressor(loss_function="RMSEWithUncertainty", iterations=stages, learning_rate=lr, depth=depth,
                              thread_count=1, verbose=False, allow_writing_files=False, random_seed=0)

    def predict():
        found = model.predict(data["X_test"])
        return dict(mean=found[:, 0], sd=np.sqrt(found[:, 1]))
    return (lambda: model.fit(data["X"], data["y"])), predict


def lightgbm_point(data, stages, lr, depth, leaf):
    import lightgbm
    settings = dict(objective="l2", learning_rate=lr, max_depth=depth, num_leaves=2**depth, min_data_in_leaf=leaf, num_threads=1,
                    verbosity=-1)
    found = {}

    def fit():
        found["model"] = lightgbm.train(settings, lightgbm.Dataset(data["X"], data["y"]), stages)
    return fit, lambda: dict(mean=found["model"].predict(data["X_test"]))


def one(name, settings, source, target):
    """A contestant in this process: what it predicts and what it took."""
    data = dict(np.load(source))
    fit, predict = globals()[name](data, **settings)
    start = time.process_time()
    fit()
    took = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    np.savez(target, took=took / settings["stages"], peak=peak, **predict())


# Scores, by the same lines for all

def scores(found, y):
    if "p" in found:
        p = found["p"][np.arange(len(y)), y.astype(int)]
        return {"NLL": -np.mean(np.log(p)), "accuracy": np.mean(np.argmax(found["p"], axis=1) == y)}
    if "covariance" in found:
        gap, V = y - found["mean"], found["covariance"]
        square = np.einsum("ni,nij,nj->n", gap, np.linalg.inv(V), gap)
        values = 0.5 * square + 0.5 * np.linalg.slogdet(V)[1] + np.log(2 * np.pi)
        return {"NLL": np.mean(values), "RMSE": np.sqrt(np.mean(gap**2))}
    out = {"RMSE": np.sqrt(np.mean((y - found["mean"]) ** 2))}
    if "sd" in found:
        from scipy.stats import norm
        z, s = (y - found["mean"]) / found["sd"], found["sd"]
        out["NLL"] = np.mean(0.5 * z**2 + np.log(s) + 0.5 * np.log(2 * np.pi))
        out["CRPS"] = np.mean(s * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi)))
        out["90 %"] = np.mean(np.abs(z) < norm.ppf(0.95))
    return out


def settings(stages, lr, depth=3, leaf=20, **more):
    return dict(stages=stages, lr=lr, depth=depth, leaf=leaf, **more)


# (title, data sets, [(label, contestant, settings)]); times of ngboost at 100 000 rows are those of fewer stages
STUDIES = {
    "reg10k": ("10 000 rows, 10 features, 500 stages", [lambda: heteroscedastic(10_000)], [
        ("ngboost, learning rate .01", "ngboost_normal", settings(500, 0.01, leaf=1)),
        ("infogeo, learning rate .01", "infogeo_normal", settings(500, 0.01)),
        ("infogeo, learning rate .0156", "infogeo_normal", settings(500, 0.0156)),
        ("infogeo, learning rate .0156, LeafMetric", "infogeo_normal", settings(500, 0.0156, form="LeafMetric")),
        ("CatBoost, RMSEWithUncertainty, .0156", "catboost_normal", settings(500, 0.0156)),
        ("LightGBM, mean alone, .0156", "lightgbm_point", settings(500, 0.0156))]),
    "rows100k": ("100 000 rows, 10 features, 20 stages, learning rate .1", [lambda: heteroscedastic(100_000)], [
        ("ngboost", "ngboost_normal", settings(20, 0.1, leaf=1)),
        ("infogeo", "infogeo_normal", settings(20, 0.1)),
        ("infogeo, learning rate .156", "infogeo_normal", settings(20, 0.156))]),
    "diabetes": ("Diabetes, 442 rows, ten folds, 300 stages, learning rate .01", [lambda k=k: diabetes(k) for k in range(10)], [
        ("ngboost, leaves of 1", "ngboost_normal", settings(300, 0.01, leaf=1)),
        ("ngboost, leaves of 20", "ngboost_normal", settings(300, 0.01)),
        ("infogeo", "infogeo_normal", settings(300, 0.01)),
        ("infogeo, LeafMetric", "infogeo_normal", settings(300, 0.01, form="LeafMetric")),
        ("CatBoost, RMSEWithUncertainty", "catboost_normal", settings(300, 0.01))]),
    "cancer": ("Breast cancer, 569 rows, leaves of 5", [cancer], [
        ("ngboost, .01 × 300", "ngboost_classes", settings(300, 0.01, leaf=5)),
        ("infogeo, .01 × 300", "infogeo_classes", settings(300, 0.01, leaf=5)),
        ("infogeo, .01 × 300, Pointwise", "infogeo_classes", settings(300, 0.01, leaf=5, form="Pointwise")),
        ("infogeo, .1 × 500", "infogeo_classes", settings(500, 0.1, leaf=5))]),
    "classes": ("Five classes, 4000 rows, 100 stages, learning rate .05", [five_classes], [
        ("ngboost", "ngboost_classes", settings(100, 0.05)),
        ("infogeo", "infogeo_classes", settings(100, 0.05)),
        ("infogeo, Pointwise", "infogeo_classes", settings(100, 0.05, form="Pointwise"))]),
    "pairs": ("Two correlated outputs, 4000 rows, 100 stages, learning rate .05", [pairs], [
        ("ngboost", "ngboost_pairs", settings(100, 0.05)),
        ("infogeo", "infogeo_pairs", settings(100, 0.05))]),
}


# Every family on data of its own

def own_families():
    import infogeo as ig
    return [ig.Normal(), ig.LogNormal(), ig.Gamma(), ig.Beta(), ig.InverseGaussian(), ig.InverseGamma(), ig.LogitNormal(),
            ig.Exponential(), ig.Erlang(3), ig.Rayleigh(), ig.Weibull(1.7), ig.HalfNormal(), ig.ChiSquared(), ig.Chi(),
            ig.Pareto(2.0), ig.Laplace(0.5), ig.Gumbel(1.0), ig.NormalKnownVariance(1.0), ig.NormalKnownMean(1.5),
            ig.ContinuousBernoulli(), ig.Poisson(), ig.Geometric(), ig.NegativeBinomial(7), ig.Binomial(7), ig.Bernoulli(),
            ig.LogSeries(), ig.Zeta(),
            ig.VonMises(), ig.Truncated(ig.Poisson(), 0)]


def on_its_own_data(M, in_chart=None):
    """NLL of the true law, of the marginal fit and of the boosted one on 2000 rows, and the stages that 1000 others chose."""
    from infogeo.boosting import NaturalGradientBoostingRegressor, default_chart
    rng, chart = np.random.default_rng(0), default_chart(M)
    X = rng.uniform(-1, 1, (5000, 5))
    waves = np.stack([np.sin(3 * X[:, 0]) + X[:, 1], X[:, 2] - np.cos(2 * X[:, 0])], axis=-1)[:, :M.dim]
    theta = chart.to_theta(chart.from_theta(M.theta_domain.interior_point[None]) + waves)
    y = np.asarray(M.sample(rng, theta), dtype=float)
    model = NaturalGradientBoostingRegressor(M, chart=in_chart, learning_rate=0.05)
    start = time.process_time()
    model.fit(X[:2000], y[:2000], X_val=X[2000:3000], y_val=y[2000:3000])
    took, rest = time.process_time() - start, slice(3000, None)
    true, marginal = (-np.mean(M.log_density(law, y[rest])) for law in (theta[rest], model.base_theta_))
    return true, marginal, model.log_score(X[rest], y[rest]), model.n_iter_, 1e3 * took / len(model.train_score_)


def families_table():
    title = "Families on data of their own: 2000 rows, stages chosen by 1000 further ones, scores on 2000"
    lines = [f".. list-table:: {title}", "   :header-rows: 1", "",
             "   * - family",
             *(f"     - {name}" for name in ("true law", "marginal", "boosted", "share of the way", "stages", "ms a stage"))]
    from infogeo.boosting import ExpectationChart
    rows = [(M, None) for M in own_families()]
    rows.insert(3, (rows[2][0], ExpectationChart))          # of the gamma law both charts
    for M, chart in rows:
        true, marginal, ours, stages, took = on_its_own_data(M, chart)
        name = f"``{M!r}``" + ("" if chart is None else ", chart of η")
        lines += [f"   * - {name}", f"     - {true:.3f}", f"     - {marginal:.3f}", f"     - {ours:.3f}",
                  f"     - {(marginal - ours) / (marginal - true):.2f}", f"     - {stages}", f"     - {took:.2f}"]
    text = "\n".join(lines) + "\n"
    print(text, flush=True)
    return text


def python_of(contestant, folder):
    return sys.executable if contestant.startswith("infogeo") else str(Path(folder) / "boosting" / "bin" / "python")


def measured(contestant, chosen, sets, folder):
    """Means over the data sets; None where the other cannot run."""
    rows = []
    with tempfile.TemporaryDirectory() as where:
        for make in sets:
            data, source, target = make(), f"{where}/data.npz", f"{where}/found.npz"
            np.savez(source, **data)
            command = [python_of(contestant, folder), __file__, "--one", contestant, json.dumps(chosen), source, target]
            environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            run = subprocess.run(command, env=environment, capture_output=True, text=True)
            if run.returncode:
                print(run.stderr.strip().splitlines()[-1])
                return None
            found = dict(np.load(target))
            rows.append(scores(found, data["y_test"]) | {"ms": 1e3 * float(found["took"]), "MB": float(found["peak"])})
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


def table(name, folder):
    """The rows of a study as reStructuredText; the first contestant is what times stand beside."""
    title, sets, contestants = STUDIES[name]
    found = {label: measured(contestant, chosen, sets, folder) for label, contestant, chosen in contestants}
    base = found[contestants[0][0]]
    columns = [key for key in ("NLL", "RMSE", "CRPS", "90 %", "accuracy") if any(row and key in row for row in found.values())]
    lines = [f".. list-table:: {title}", "   :header-rows: 1", "", "   * - contestant", "     - CPU ms a stage",
             "     - times faster", "     - MB", *(f"     - {key}" for key in columns)]
    for label, row in found.items():
        if row is None:
            continue
        ratio = f"{base['ms'] / row['ms']:.3g}" if base else ""
        lines += [f"   * - {label}", f"     - {row['ms']:.3g}", f"     - {ratio}", f"     - {row['MB']:.0f}",
                  *(f"     - {row[key]:.4g}" if key in row else "     -" for key in columns)]
    text = "\n".join(lines) + "\n"
    print(text, flush=True)
    return text


def versions(folder):
    """What ran, and on what."""
    script = "import importlib.metadata as m; print(', '.join(f'{n} {m.version(n)}' for n in %r))"
    own = [sys.executable, "-c", script % (["numpy", "lightgbm", "scikit-learn"],)]
    others = [python_of("ngboost", folder), "-c", script % (["ngboost", "catboost", "numpy", "scikit-learn"],)]
    here, there = (subprocess.run(command, capture_output=True, text=True).stdout.strip() for command in (own, others))
    return f"Measured with {here}; the others in an environment of their own with {there}. One thread, CPU time.\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--only", choices=[*STUDIES, "families"], action="append")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        name, chosen, source, target = arguments.one
        return one(name, json.loads(chosen), source, target)
    chosen = arguments.only or [*STUDIES, "families"]
    tables = [families_table() if name == "families" else table(name, arguments.folder) for name in chosen]
    if arguments.write:
        TABLE.write_text("\n".join([*tables, versions(arguments.folder)]), encoding="utf-8")


if __name__ == "__main__":
    main()
