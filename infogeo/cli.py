"""The command line: ``infogeo conditioning …``, a thin face of `infogeo.studies`."""
import argparse
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from . import studies
from .backend import use_backend
from .errors import InfogeoError

__all__ = ["main"]


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message):
        raise studies.InputError(message)


def _reference(text):
    return text if text == "best" else int(text)


_reference.__name__ = "outcome index or 'best'"      # argparse names the type so where it does not fit


def _positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer; got {text}")
    return value


def _seed(text):
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be a non-negative integer; got {text}")
    return value


_positive.__name__ = "positive integer"
_seed.__name__ = "non-negative integer"


def _parser():
    parser = _Parser(prog="infogeo", description="Information-geometry studies.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    study = commands.add_parser(
        "conditioning", help="gradient descent in θ and in η, natural gradient and mirror descent on one target",
        description="How gradient descent in θ, gradient descent in η, natural gradient and mirror descent converge, and why.")
    source = study.add_argument_group("target (one of)")
    source.add_argument("--counts", metavar="FILE", help="CSV with a row for each outcome and a --column of counts")
    source.add_argument("--samples", metavar="FILE", help="CSV with a row for each observation, for the --family to fit")
    source.add_argument("--probabilities", type=float, nargs="+", metavar="P", help="of the outcomes, with sum 1")
    study.add_argument("--column", action="append", metavar="NAME", help="give several for multivariate_normal and dirichlet")
    study.add_argument("--family", choices=studies.FAMILIES, metavar="NAME", help=", ".join(studies.FAMILIES))
    study.add_argument("--reference", type=_reference, help="reference outcome of a categorical target, or 'best'")
    study.add_argument("--direction", choices=("forward", "reverse"), default="forward", help="KL(q‖p) (default) or KL(p‖q)")
    study.add_argument("--starts", type=_positive, default=100, help="random starts (default 100)")
    study.add_argument("--seed", type=_seed, default=0, help="of all draws (default 0)")
    study.add_argument("--noise", type=_positive, default=100, metavar="B", help="mini-batch size (default 100)")
    study.add_argument("--steps", type=_positive, default=100, help="steps of every run of the learning-rate sweep (default 100)")
    study.add_argument("--out", metavar="DIR", help="write tables (CSV), the result (JSON, NPZ) and figures (PNG) here")
    study.add_argument("--backend", choices=("numpy", "cupy"), default="numpy")
    study.add_argument("--progress", action=argparse.BooleanOptionalAction, default=False, help="show progress bars")
    return parser


def _target(options):
    """The target that the options describe.

    Raises
    ------
    InputError
    """
    sources = [name for name in ("counts", "samples", "probabilities") if getattr(options, name) is not None]
    if len(sources) != 1:
        got = " and ".join(f"--{name}" for name in sources) or "none"
        raise studies.InputError(f"one of --counts, --samples, --probabilities is needed; got {got}")
    source = sources[0]
    if source == "samples":
        if options.family is None:
            raise studies.InputError("--samples needs --family")
        return studies.from_samples(options.samples, _columns(options), options.family, options.reference)
    if options.family not in (None, "categorical"):
        raise studies.InputError(f"--{source} gives a categorical target; --family {options.family} needs --samples")
    if source == "probabilities":
        if options.column:
            raise studies.InputError("--column belongs to --counts and --samples")
        return studies.from_probabilities(options.probabilities, options.reference, "--probabilities")
    columns = _columns(options)
    if len(columns) > 1:
        raise studies.InputError(f"--counts takes one --column; got {', '.join(columns)}")
    return studies.from_counts(options.counts, columns[0], options.reference)


def _columns(options):
    if not options.column:
        raise studies.InputError("--column is needed: the name of a column in the header of the file")
    return options.column


@contextmanager
def _chosen(backend):
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


def _require(options):
    """What can be known before the work starts."""
    if options.out is not None and Path(options.out).exists() and not Path(options.out).is_dir():
        raise studies.InputError(f"--out {options.out}: exists and is not a directory")
    needed = {"matplotlib": options.out is not None, "tqdm": options.progress}
    missing = [name for name, used in needed.items() if used and find_spec(name) is None]
    if missing:
        raise studies.InputError(f"{' and '.join(missing)} not installed: pip install 'infogeo[studies]'")


def _conditioning(options):
    _require(options)
    with _chosen(options.backend):
        target = _target(options)
        result = studies.conditioning(
            target.family, target.theta, direction=options.direction, starts=options.starts, seed=options.seed,
            batch_size=options.noise, steps=options.steps, progress=options.progress)
        print(studies.report(result, target.source), end="")
        if options.out is not None:
            studies.write(result, options.out)


def main(argv=None):
    """Run a command.

    Returns
    -------
    int
        0, or 2 for input that cannot be used: then one line on standard error says what is wrong and where.
    """
    try:
        options = _parser().parse_args(argv)
        _conditioning(options)
    except InfogeoError as error:
        print(f"infogeo: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"infogeo: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 2
    except SystemExit as done:      # --help
        return int(done.code or 0)
    return 0
