"""``infogeo train``."""
import argparse
import json
from typing import Any

from .. import studies
from .options import Parser, add_common, chosen, number, positive, prepared, say, seed

EXAMPLES = """examples:
  infogeo train --architecture classifier --optimiser kfac nesterov adam
  infogeo train --data wine.csv --target kind --standardise --out wine
  infogeo train --data counts.csv --target visits --family poisson --standardise
  infogeo train --data table.csv --target kind --architecture 4-20-3 --steps 500
  infogeo train --architecture classifier --optimiser kfac --start digits/adam.npz
  infogeo train --resume wine"""


def add(commands: Any) -> None:
    commands.add_parser(
        "train", help="K-FAC, Adam and other optimisers side by side on one data set",
        description="Train a network with several optimisers from the same weights; print and plot\n"
                    "loss against steps and time, and what they predict of rows that are held out.",
        epilog=EXAMPLES, options=_options)


def _options(training: Parser) -> None:
    training.add_argument("--data", default="digits", metavar="NAME",
                          help="digits (default), or a file .csv, .tsv, .txt, each also .gz, or .npz (arrays x, y)")
    training.add_argument("--target", metavar="COLUMN",
                          help="the column of a CSV file with classes, as numbers or words, or with numbers to predict")
    training.add_argument("--architecture", metavar="NAME",
                          help="autoencoder, classifier, convnet, regression, or sizes such as 64-30-10 (default: autoencoder "
                          "without targets and of the digits, or else as the targets are)")
    training.add_argument("--family", metavar="NAME", help="law of the targets in a regression, such as normal, poisson, "
                          "gamma (default: normal of variance 1)")
    training.add_argument("--standardise", action="store_true",
                          help="inputs, and targets of normal laws, with mean 0 and variance 1")
    training.add_argument("--held-out", type=_share, default=0.2, metavar="SHARE",
                          help="of the rows, for the log score and the accuracy (default 0.2; 0 for none)")
    training.add_argument("--optimiser", nargs="+", default=["kfac", "adam"], metavar="NAME",
                          help=", ".join(studies.OPTIMISERS))
    training.add_argument("--step-size", nargs="+", default=[], metavar="NAME=H", help="in place of an optimiser's own")
    training.add_argument("--damping", nargs="+", default=[], metavar="NAME=X",
                          help="in place of an optimiser's own; of K-FAC and its kin the one before the first step")
    training.add_argument("--steps", type=positive, default=200, help="of every optimiser (default 200)")
    training.add_argument("--batch-size", type=positive, metavar="B", help="size of mini-batches (default: all rows)")
    training.add_argument("--seed", type=seed, default=0, help="of weights, held-out rows and mini-batches (default 0)")
    training.add_argument("--dtype", choices=("float32", "float64"), default="float64")
    training.add_argument("--start", metavar="FILE", help="begin with the weights of a model that an earlier run wrote")
    training.add_argument("--checkpoint", type=positive, metavar="N",
                          help="with --out, steps from one checkpoint to the next (default: two seconds)")
    training.add_argument("--resume", metavar="DIR", help="go on with the command that was interrupted there, all other options "
                          "being those that it was given")
    add_common(training, "write the curves (CSV, JSON), a model of each optimiser (NPZ) and the figure (PNG) here")
    training.set_defaults(run=run)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < 1.0:
        raise argparse.ArgumentTypeError(f"must be a share of the rows, in [0, 1); got {text}")
    return value


def _by_optimiser(options: argparse.Namespace, name: str) -> dict[str, float]:
    """--step-size NAME=H …, or --damping NAME=X …, by optimiser."""
    found = {}
    for text in getattr(options, name):
        of, equals, value = text.partition("=")
        try:
            found[of] = number(value)
        except argparse.ArgumentTypeError:
            equals = ""
        if not equals or of not in options.optimiser:
            form = "NAME=H" if name == "step_size" else "NAME=X"
            raise studies.InputError(f"--{name.replace('_', '-')} {text}: the form is {form}, of an --optimiser, a positive "
                                     "number")
    return found


def _resumed(options: argparse.Namespace) -> argparse.Namespace:
    """The options of the command that was interrupted."""
    text = studies.unfinished_command(options.resume)
    if text is None:
        raise studies.InputError(f"--resume {options.resume}: nothing is unfinished there; --start {options.resume}/kfac.npz "
                                 "begins with the weights that K-FAC found")
    return argparse.Namespace(**{**vars(options), **json.loads(text), "out": options.resume})


def run(options: argparse.Namespace) -> None:
    options = options if options.resume is None else _resumed(options)
    prepared(options)
    command = {name: value for name, value in vars(options).items()
               if name not in ("run", "out", "progress", "resume", "command")}
    settings = {"step_sizes": _by_optimiser(options, "step_size"), "damping": _by_optimiser(options, "damping")}
    with chosen(options.backend):
        data = studies.dataset(options.data, options.target)
        family = None if options.family is None else studies.named_family(options.family)
        task = studies.task(options.architecture, data, options.dtype, family=family, standardise=options.standardise,
                            held_out=options.held_out, seed=options.seed)
        studies.follow_training(
            task, data.name, options.optimiser, options.out, options.progress, say, command=json.dumps(command),
            checkpoint=options.checkpoint, steps=options.steps, batch_size=options.batch_size, seed=options.seed,
            start=options.start, **settings)
