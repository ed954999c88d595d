"""``infogeo boost``."""
import argparse
from typing import Any

from .. import studies
from .options import Parser, number, positive, prepared, say, seed

EXAMPLES = """examples:
  infogeo boost --data houses.csv --target price --family gamma --out prices
  infogeo boost --predict new_houses.csv --model prices/model.npz > prices.csv"""


def add(commands: Any) -> None:
    commands.add_parser(
        "boost", help="predict the law of a column by the others, with boosted trees",
        description="Natural-gradient boosting of the parameters of a family; scores on held-out rows\n"
                    "beside the marginal law. Words are categories, empty cells are missing. Needs the\n"
                    "extra infogeo[boosting].", epilog=EXAMPLES, options=_options)


def _options(trees: Parser) -> None:
    trees.add_argument("--data", metavar="FILE", help="a table, .csv, .tsv or .txt, each also .gz")
    trees.add_argument("--target", metavar="COLUMN", help="the column to predict")
    trees.add_argument("--family", default="normal", metavar="NAME", help="of its laws (default normal)")
    trees.add_argument("--stages", type=positive, default=1000, help="at most (default 1000)")
    trees.add_argument("--learning-rate", type=number, default=0.05, metavar="H", help="(default 0.05)")
    trees.add_argument("--seed", type=seed, default=0, help="of the rows that are held out (default 0)")
    trees.add_argument("--predict", metavar="FILE", help="a table to predict, as CSV to standard output, by --model")
    trees.add_argument("--model", metavar="FILE", help="model.npz of an earlier run")
    trees.add_argument("--out", metavar="DIR", help="write the scores (CSV, JSON), the model (NPZ) and the figure (PNG) here")
    trees.set_defaults(run=run, progress=False)


def run(options: argparse.Namespace) -> None:
    prepared(options)
    given = [name for name in ("data", "target", "predict", "model") if getattr(options, name) is not None]
    if given == ["predict", "model"]:
        say(studies.as_predictions(options.model, options.predict).rstrip())
    elif given == ["data", "target"]:
        studies.follow_boosting(options.data, options.target, options.family, options.out, say, stages=options.stages,
                                learning_rate=options.learning_rate, seed=options.seed)
    else:
        raise studies.InputError("boost takes --data and --target, or --predict and --model; got "
                                 f"{', '.join('--' + name for name in given) or 'none of them'}")
