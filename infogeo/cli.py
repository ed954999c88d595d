"""The command line: ``infogeo conditioning …``, ``infogeo train …`` and ``infogeo derive …``."""
import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from . import studies, symbolic
from .arrays.files import require_place
from .backend import use_backend
from .errors import InfogeoError

__all__ = ["main"]


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        raise studies.InputError(message)


def _reference(text: str) -> int | str:
    return text if text == "best" else _whole(text, 0, "an outcome's index or 'best'")


def _positive(text: str) -> int:
    return _whole(text, 1, "a positive integer")


def _seed(text: str) -> int:
    return _whole(text, 0, "a non-negative integer")


def _whole(text: str, least: int, rule: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"must be {rule}; got {text}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="infogeo", description="Information-geometry studies.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    _add_conditioning(commands)
    _add_train(commands)
    _add_derive(commands)
    return parser


def _add_conditioning(commands: Any) -> None:
    study = commands.add_parser(
        "conditioning", help="gradient descent in θ and in η, natural gradient and mirror descent on one target",
        description="How gradient descent in θ, gradient descent in η, natural gradient and mirror descent converge, and why.")
    source = study.add_argument_group("target (one of)")
    source.add_argument("--counts", metavar="FILE", help="CSV with a row for each outcome and a --column of counts")
    source.add_argument("--samples", metavar="FILE", help="CSV with a row for each observation, for the --family to fit")
    source.add_argument("--probabilities", type=float, nargs="+", metavar="P", help="of the outcomes, with sum 1")
    source.add_argument("--target", nargs="+", metavar="NAME=VALUE", help="the ordinary parameters of a point of the --family")
    study.add_argument("--column", action="append", metavar="NAME", help="give several for vectors and matrices, row by row")
    study.add_argument("--family", metavar="NAME", help="with its arguments: gamma, \"Wishart(2)\", \"Truncated(Poisson, 0)\"")
    study.add_argument("--reference", type=_reference, help="reference outcome of a categorical target, or 'best'")
    study.add_argument("--direction", choices=tuple(studies.DIRECTIONS), default="forward", help="KL(q‖p) (default) or KL(p‖q)")
    study.add_argument("--starts", type=_positive, default=100, help="random starts (default 100)")
    study.add_argument("--seed", type=_seed, default=0, help="of all draws (default 0)")
    study.add_argument("--noise", type=_positive, default=100, metavar="B", help="mini-batch size (default 100)")
    study.add_argument("--steps", type=_positive, default=100, help="steps of every run of the learning-rate sweep (default 100)")
    _add_common(study, "write tables (CSV), the result (JSON, NPZ) and figures (PNG) here")
    study.set_defaults(run=_conditioning)


def _add_train(commands: Any) -> None:
    training = commands.add_parser(
        "train", help="K-FAC, Adam and other optimisers side by side on one data set",
        description="Train a network with several optimisers from the same weights; print and plot loss against steps and time.")
    training.add_argument("--data", default="digits", metavar="NAME", help="digits (default), or a file .csv, .npz (arrays x, y)")
    training.add_argument("--target", metavar="COLUMN", help="the column of a CSV file with classes or numbers to predict")
    training.add_argument("--architecture", default="autoencoder", metavar="NAME",
                          help="autoencoder (default), classifier, convnet, regression, or sizes such as 64-30-10")
    training.add_argument("--optimiser", nargs="+", default=["kfac", "adam"], metavar="NAME", help=", ".join(studies.OPTIMISERS))
    training.add_argument("--step-size", nargs="+", default=[], metavar="NAME=H", help="in place of an optimiser's own")
    training.add_argument("--steps", type=_positive, default=200, help="of every optimiser (default 200)")
    training.add_argument("--batch", type=_positive, metavar="M", help="size of mini-batches (default: all samples)")
    training.add_argument("--seed", type=_seed, default=0, help="of weights and mini-batches (default 0)")
    training.add_argument("--dtype", choices=("float32", "float64"), default="float64")
    _add_common(training, "write the curves (CSV, JSON), the weights (NPZ) and the figure (PNG) here")
    training.set_defaults(run=_train)


def _add_derive(commands: Any) -> None:
    derivation = commands.add_parser(
        "derive", help="closed forms of a dually flat manifold from the formula of its potential",
        description="Closed forms from a formula for ψ: η, metric, cubic tensor, connections, curvature, the dual potential.")
    derivation.add_argument("formula", help='such as "-t1**2/(4*t2) - log(-2*t2)/2"')
    derivation.add_argument("--format", choices=("text", "latex", "json"), default="text")
    derivation.set_defaults(run=_derive)


def _add_common(command: argparse.ArgumentParser, out: str) -> None:
    command.add_argument("--out", metavar="DIR", help=out)
    command.add_argument("--backend", choices=("numpy", "cupy"), default="numpy")
    command.add_argument("--progress", action=argparse.BooleanOptionalAction, default=False, help="show progress bars")


def _target(options: argparse.Namespace) -> "studies.Target":
    """The target that the options describe.

    Raises
    ------
    InputError
    """
    sources = [name for name in ("counts", "samples", "probabilities", "target") if getattr(options, name) is not None]
    if len(sources) != 1:
        got = " and ".join(f"--{name}" for name in sources) or "none"
        raise studies.InputError(f"one of --counts, --samples, --probabilities, --target is needed; got {got}")
    source = sources[0]
    if source in ("samples", "target") and options.family is None:
        raise studies.InputError(f"--{source} needs --family")
    if source == "samples":
        return studies.from_samples(options.samples, _columns(options), options.family, options.reference)
    if source in ("probabilities", "target") and options.column:
        raise studies.InputError("--column belongs to --counts and --samples")
    if source == "target":
        if options.reference is not None:
            raise studies.InputError("--target: the reference is an argument of the family, as in Categorical(3, reference=0)")
        return studies.from_parameters(options.family, options.target, "--target")
    if options.family not in (None, "categorical"):
        raise studies.InputError(f"--{source} gives a categorical target; --family {options.family} needs --samples or --target")
    if source == "probabilities":
        return studies.from_probabilities(options.probabilities, options.reference, "--probabilities")
    columns = _columns(options)
    if len(columns) > 1:
        raise studies.InputError(f"--counts takes one --column; got {', '.join(columns)}")
    return studies.from_counts(options.counts, columns[0], options.reference)


def _columns(options: argparse.Namespace) -> list[str]:
    if not options.column:
        raise studies.InputError("--column is needed: the name of a column in the header of the file")
    return list(options.column)


@contextmanager
def _chosen(backend: str) -> Iterator[None]:
    """`use_backend`, with a backend that cannot be had as an `InputError`."""
    context = use_backend(backend)
    try:
        context.__enter__()
    except (ImportError, RuntimeError) as error:
        raise studies.InputError(f"--backend {backend}: {error}") from None
    try:
        yield
    finally:
        context.__exit__(None, None, None)


def _require(options: argparse.Namespace) -> None:
    """What can be known before the work starts."""
    if options.out is not None:
        try:
            require_place(Path(options.out), directory=True)
        except OSError as error:
            raise studies.InputError(f"--out {options.out}: {error.filename}: {error.strerror}") from None
    needed = {"matplotlib": options.out is not None, "tqdm": options.progress}
    missing = [name for name, used in needed.items() if used and find_spec(name) is None]
    if missing:
        raise studies.InputError(f"{' and '.join(missing)} not installed: pip install 'infogeo[studies]'")


def _conditioning(options: argparse.Namespace) -> None:
    _require(options)
    with _chosen(options.backend):
        target = _target(options)
        problem = studies.DIRECTIONS[options.direction](target.family, target.theta)
        result = studies.conditioning(problem, starts=options.starts, seed=options.seed, batch_size=options.noise,
                                      steps=options.steps, progress=options.progress)
        print(studies.report(result, target.source), end="")
        if options.out is not None:
            studies.write(result, options.out)


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


def _train(options: argparse.Namespace) -> None:
    _require(options)
    step_sizes = _step_sizes(options)
    with _chosen(options.backend):
        data = studies.dataset(options.data, options.target)
        study = studies.train(
            studies.task(options.architecture, data, options.dtype), data.name, options.optimiser, steps=options.steps,
            batch_size=options.batch, step_sizes=step_sizes, seed=options.seed, progress=options.progress)
        print(studies.report_training(study), end="")
        if options.out is not None:
            studies.write_training(study, options.out)


def _derive(options: argparse.Namespace) -> None:
    print(symbolic.derive(options.formula, options.format).rstrip())


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns
    -------
    int
        0, or 2 for input that cannot be used: then one line on standard error says what is wrong and where; 130 where the user
        interrupts.
    """
    try:
        options = _parser().parse_args(argv)
        options.run(options)
    except InfogeoError as error:
        print(f"infogeo: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"infogeo: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("infogeo: interrupted", file=sys.stderr)
        return 130
    except SystemExit as done:      # --help
        return int(done.code or 0)
    return 0
