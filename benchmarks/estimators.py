"""Classifiers without a setting touched and scikit-learn's, as it comes and tuned: held-out accuracy, log score, CPU seconds.

    python benchmarks/estimators.py [--splits 5]
    python benchmarks/estimators.py --splits 10 --calibration

Digits, breast cancer and wine of scikit-learn, 70 % for training, one hidden layer of 50 units, features standardised by each.
The grid of `MLPClassifier` (Adam): step sizes .001, .003, .01 and penalties 1e-4, 1e-2, 1; that of K-FAC: prior precisions .3, 1,
3, 10; both by the log score in three folds. The seconds of a tuned one are those of its last fit alone. The second command is of
K-FAC alone, with and without the temperature, on small sets, too: iris, 60 and 100 rows of breast cancer, 200 of moons.
"""
import argparse
import warnings
from time import process_time

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from infogeo.training import Adam, NaturalGradientClassifier

DATA = {"digits": load_digits, "breast cancer": load_breast_cancer, "wine": load_wine}
GRID = {"mlpclassifier__learning_rate_init": [1e-3, 3e-3, 1e-2], "mlpclassifier__alpha": [1e-4, 1e-2, 1.0]}


def peer(seed):
    """Scikit-learn's network."""
    return make_pipeline(StandardScaler(), MLPClassifier((50,), activation="tanh", max_iter=500, random_state=seed))


def ours(seed):
    return NaturalGradientClassifier(random_state=seed)


def tuned(model, grid, X, y):
    """The model with the best settings of a grid."""
    return model.set_params(**GridSearchCV(model, grid, cv=3, scoring="neg_log_loss", refit=False).fit(X, y).best_params_)


CONTESTANTS = {
    "K-FAC, as it comes": lambda seed, X, y: ours(seed),
    "without temperature": lambda seed, X, y: ours(seed).set_params(calibrate=False),
    "K-FAC, tuned": lambda seed, X, y: tuned(ours(seed), {"prior_precision": [0.3, 1.0, 3.0, 10.0]}, X, y),
    "Adam in its place": lambda seed, X, y: ours(seed).set_params(optimiser=Adam, step=0.01, max_iter=500),
    "MLPClassifier, as it comes": lambda seed, X, y: peer(seed),
    "MLPClassifier, tuned": lambda seed, X, y: tuned(peer(seed), GRID, X, y),
}


def measured(model, train, held_out):
    """(accuracy, log score, CPU seconds of the fit)."""
    start = process_time()
    model.fit(*train)
    seconds = process_time() - start
    p = model.predict_proba(held_out[0])
    return accuracy_score(held_out[1], np.argmax(p, axis=1)), log_loss(held_out[1], p), seconds


def calibration(splits):
    """The log scores with and without the temperature."""
    def moons(return_X_y):
        return make_moons(2000, noise=0.3, random_state=0)

    print(f"{'':24}log score  without     T   means of {splits} splits")
    for name, load, rows in (("wine", load_wine, 0.7), ("breast cancer", load_breast_cancer, 0.7), ("iris", load_iris, 0.7),
                             ("60 of breast cancer", load_breast_cancer, 60), ("100 of breast cancer", load_breast_cancer, 100),
                             ("200 of moons", moons, 200)):
        X, y = load(return_X_y=True)
        found = []
        for seed in range(splits):
            X_train, X_held, y_train, y_held = train_test_split(X, y, train_size=rows, random_state=seed, stratify=y)
            model = ours(seed).fit(X_train, y_train)
            p = model.predict_proba(X_held)**model.temperature_
            without = log_loss(y_held, p / p.sum(axis=1, keepdims=True))
            found.append((model.log_score(X_held, y_held), without, model.temperature_))
        print("{:24}{:9.4f}{:9.4f}{:6.2f}".format(name, *np.mean(found, axis=0)), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--calibration", action="store_true")
    options = parser.parse_args()
    splits = options.splits
    if options.calibration:
        return calibration(splits)
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(f"{'':15}{'':28}accuracy  log score  seconds   means of {splits} splits")
    for name, load in DATA.items():
        X, y = load(return_X_y=True)
        found = {contestant: [] for contestant in CONTESTANTS}
        for seed in range(splits):
            X_train, X_held, y_train, y_held = train_test_split(X, y, test_size=0.3, random_state=seed, stratify=y)
            for contestant, make in CONTESTANTS.items():
                model = make(seed, X_train, y_train)
                found[contestant].append(measured(model, (X_train, y_train), (X_held, y_held)))
        for contestant, rows in found.items():
            accuracy, score, seconds = np.mean(rows, axis=0)
            print(f"{name:15}{contestant:28}{accuracy:8.4f}  {score:9.4f}  {seconds:7.2f}", flush=True)


if __name__ == "__main__":
    main()
