"""``infogeo train``."""
import argparse
from typing import Any

from .. import studies
from .options import add_common, chosen, positive, prepared, say, seed

EXAMPLES = """examples:
  infogeo train --architecture classifier --optimiser kfac nesterov adam
  infogeo train --data table.csv --target kind --architecture 4-20-3 --steps 500
  infogeo train --architecture classifier --optimiser kfac --start digits/adam.npz"""


def add(commands: Any) -> None:
    training = commands.add_parser(
        "train", help="K-FAC, Adam and other optimisers side by side on one data set",
        description="Train a network with several optimisers from the same weights; print and plot\n"
                    "loss against steps and time.", epilog=EXAMPLES)
    training.add_argument("--data", default="digits", metavar="NAME",
                          help="digits (default), or a file .csv, .tsv, .txt, each also .gz, or .npz (arrays x, y)")
    training.add_argument("--target", metavar="COLUMN", help="the column of a CSV file with classes or numbers to predict")
    training.add_argument("--architecture", default="autoencoder", metavar="NAME",
                          help="autoencoder (default), classifier, convnet, regression, or sizes such as 64-30-10")
    training.add_argument("--optimiser", nargs="+", default=["kfac", "adam"], metavar="NAME", help=", ".join(studies.OPTIMISERS))
    training.add_argument("--step-size", nargs="+", default=[], metavar="NAME=H", help="in place of an optimiser's own")
    training.add_argument("--steps", type=positive, default=200, help="of every optimiser (default 200)")
    training.add_argument("--batch-size", type=positive, metavar="B", help="size of mini-batches (default: all samples)")
    training.add_argument("--seed", type=seed, default=0, help="of weights and mini-batches (default 0)")
    training.add_argument("--dtype", choices=("float32", "float64"), default="float64")
    training.add_argument("--start", metavar="FILE", help="begin with the weights of a model that an earlier run wrote")
    add_common(training, "write the curves (CSV, JSON), a model of each optimiser (NPZ) and the figure (PNG) here")
    training.set_defaults(run=run)


def _step_sizes(options: argparse.Namespace) -> dict[str, float]:
    """--step-size NAME=H … by optimiser."""
    found = {}
    for text in options.step_size:
        name, equals, value = text.partition("=")
        try:
            found[name] = float(value)
        except ValueError:
            equals = ""
        if not equals or name not in options.optimiser or not found[name] > 0:
            raise studies.InputError(f"--step-size {text}: the form is NAME=H, of an --optimiser, H a positive number")
    return found


def run(options: argparse.Namespace) -> None:
    prepared(options)
    step_sizes = _step_sizes(options)
    with chosen(options.backend):
        data = studies.dataset(options.data, options.target)
        studies.follow_training(
            studies.task(options.architecture, data, options.dtype), data.name, options.optimiser, options.out, options.progress,
            say, steps=options.steps, batch_size=options.batch_size, step_sizes=step_sizes, seed=options.seed,
            start=options.start)
