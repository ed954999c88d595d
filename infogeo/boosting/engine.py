"""The trees: one LightGBM booster a coordinate, all on one binned data set."""
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import Array
from ..errors import from_extra

with from_extra("boosting needs LightGBM", "boosting"):
    import lightgbm

__all__ = ["Forest", "Trees", "booster_of"]

# Leaves are as large as gradients say, and rows count as their information says: LightGBM estimates how many rows a leaf has from
# the sum of their hessians, so a least number of rows would depend on the weights
COMMON = {"objective": "none", "verbosity": -1, "boost_from_average": False, "deterministic": True, "force_col_wise": True,
          "min_data_in_leaf": 0, "min_data_in_bin": 1, "feature_pre_filter": False}
MOST_LEAVES = 2**17         # of a tree that is to have no limit: LightGBM's own


def _no_step(scores: Array, _: Any) -> tuple[Array, Array]:
    return np.zeros_like(scores), np.ones_like(scores)


class Trees:
    """Grows the trees of d coordinates, and holds the sums of their leaves on the rows of the data.

    LightGBM is used by its public calls alone: `Booster.update` with a gradient of ours grows a tree, `eval_train` and
    `eval_valid` with a metric of ours read the sums that it keeps.

    Parameters
    ----------
    X, X_valid : arrays (n, p), or None for the second
    settings : sequence of dict
        LightGBM's parameters, one dict a coordinate.
    data : dict
        Those of the data set: bins, threads.
    categories : sequence of int
        The features that are categorical.
    grown : sequence of lightgbm.Booster, optional
        Trees that there are, to go on from.
    """

    def __init__(self, X: Array, X_valid: Array | None, settings: Sequence[dict[str, Any]], data: dict[str, Any],
                 categories: Sequence[int], grown: Sequence[Any] | None = None) -> None:
        self.categories = list(categories)
        self.rows, self.valid_rows = len(X), 0 if X_valid is None else len(X_valid)
        if grown is None:
            train = self._dataset(X, data)
            self.boosters = [lightgbm.Booster(COMMON | data | own, train) for own in settings]
            if X_valid is not None:
                valid = self._beside(train, X_valid)
                for booster in self.boosters:
                    booster.add_valid(valid, "validation")
        else:
            self.boosters = [self._continued(X, X_valid, COMMON | data | own, data, booster)
                             for own, booster in zip(settings, grown)]

    def _dataset(self, X: Array, data: dict[str, Any]) -> Any:
        own = {key: value for key, value in (COMMON | data).items() if key != "objective"}
        return lightgbm.Dataset(X, np.zeros(len(X)), params=own, categorical_feature=self.categories, free_raw_data=False)

    @staticmethod
    def _beside(train: Any, X: Array) -> Any:
        """A data set in the bins of another."""
        own = {key: value for key, value in train.get_params().items() if key != "categorical_feature"}
        return lightgbm.Dataset(X, np.zeros(len(X)), reference=train, params=own)

    def _continued(self, X: Array, X_valid: Array | None, parameters: dict[str, Any], data: dict[str, Any], grown: Any) -> Any:
        """A booster that has these trees, and behind them one that changes nothing: LightGBM continues with a first round."""
        train = self._dataset(X, data)
        valid = [] if X_valid is None else [self._beside(train, X_valid)]
        return lightgbm.train(parameters | {"objective": _no_step}, train, 1, valid_sets=valid,
                              valid_names=["validation"] * len(valid), init_model=grown, keep_training_booster=True)

    def scores(self) -> Array:
        """The sums of leaves on the rows, shape (n, d)."""
        return self._read("eval_train", self.rows)

    def valid_scores(self) -> Array:
        """On the rows of the validation set."""
        return self._read("eval_valid", self.valid_rows)

    def _read(self, method: str, rows: int) -> Array:
        out = np.empty((rows, len(self.boosters)))
        for j, booster in enumerate(self.boosters):
            def keep(scores: Array, _: Any, j: int = j) -> tuple[str, float, bool]:
                out[:, j] = scores
                return "read", 0.0, False

            getattr(booster, method)(feval=keep)
        return out

    def grow(self, gradient: Array, hessian: Array) -> bool:
        """One more tree a coordinate, where one has a leaf to split; whether any has. Shapes (n, d)."""
        def column(j: int) -> Any:
            return lambda scores, data: (gradient[:, j], hessian[:, j])

        stuck = [booster.update(fobj=column(j)) for j, booster in enumerate(self.boosters)]
        return not all(stuck)

    def counts(self) -> list[int]:
        """How many trees each coordinate has."""
        return [booster.num_trees() for booster in self.boosters]


class Forest:
    """The trees of a fitted model: what they say of new rows.

    Parameters
    ----------
    boosters : sequence of lightgbm.Booster
    counts : array (stages, d)
        How many trees of each coordinate there were after each stage: one that finds nothing to split grows none.
    threads : int
    """

    def __init__(self, boosters: Sequence[Any], counts: Array, threads: int) -> None:
        self.boosters, self.counts, self.threads = boosters, counts, threads

    def scores(self, X: Array, stages: int, after: int = 0) -> Array:
        """The sums of the leaves of the stages after the first `after`, shape (n, d)."""
        out = np.zeros((len(X), len(self.boosters)))
        if stages > after:
            first = self.counts[after - 1] if after else np.zeros(len(self.boosters), dtype=int)
            for j, (booster, start, stop) in enumerate(zip(self.boosters, first, self.counts[stages - 1])):
                if stop > start:
                    out[:, j] = booster.predict(X, start_iteration=int(start), num_iteration=int(stop - start), raw_score=True,
                                                num_threads=self.threads)
        return out

    def contributions(self, X: Array, stages: int) -> Array:
        """Shapley values of each feature and the mean, shape (n, d, p + 1); they sum to the scores."""
        d = len(self.boosters)
        if stages == 0:
            return np.zeros((len(X), d, X.shape[1] + 1))
        return np.stack([booster.predict(X, num_iteration=int(stop), pred_contrib=True, num_threads=self.threads)
                         for booster, stop in zip(self.boosters, self.counts[stages - 1])], axis=1)

    def gains(self, features: int, stages: int) -> Array:
        """The total gain of each feature, shape (d, p)."""
        if stages == 0:
            return np.zeros((len(self.boosters), features))
        return np.stack([booster.feature_importance("gain", iteration=int(stop))
                         for booster, stop in zip(self.boosters, self.counts[stages - 1])])


def booster_of(text: str) -> Any:
    """The booster of a text that LightGBM wrote."""
    return lightgbm.Booster(model_str=text)
