"""The command line: ``infogeo conditioning …``, ``equivalence``, ``train``, ``boost``, ``infer``, ``policy``, ``derive``."""
# Long because the commands are many; each is its options and one call into the studies.
import argparse
import os
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from . import studies, symbolic
from .arrays.files import require_place
from .backend import use_backend
from .errors import InfogeoError
from .studies.naming import suggestion

__all__ = ["main"]


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line, which says what may have been meant."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"formatter_class": argparse.RawDescriptionHelpFormatter, **options})
        self.known: list[str] = []      # the options of this parser and of those below it

    def add_argument(self, *names: Any, **options: Any) -> argparse.Action:
        return self._noted(super().add_argument(*names, **options))

    def _noted(self, action: argparse.Action) -> argparse.Action:
        self.known = [*getattr(self, "known", []), *action.option_strings]
        return action

    def error(self, message: str) -> NoReturn:
        if found := re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message):
            message += suggestion(found[1], re.findall(r"[\w-]+", found[2]))
        elif found := re.search(r"unrecognized arguments: (\S+)", message):
            message += suggestion(found[1].partition("=")[0], self.known)
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


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a positive number; got {text}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="infogeo", description="Information-geometry studies.", epilog=EXAMPLES)
    parser.add_argument("--version", action="version", version=f"infogeo {sys.modules[__package__].__version__}")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser, metavar="COMMAND")
    _add_conditioning(commands)
    _add_equivalence(commands)
    _add_train(commands)
    _add_boost(commands)
    _add_infer(commands)
    _add_policy(commands)
    _add_derive(commands)
    for command in commands.choices.values():
        parser.known += command.known
    return parser


EXAMPLES = """examples:
  infogeo conditioning --probabilities 0.5 0.3 0.2 --quick
  infogeo equivalence --family normal "Categorical(4)"
  infogeo train --architecture autoencoder --optimiser kfac adam --out digits
  infogeo derive "log(1 + exp(t))"

"infogeo COMMAND --help" tells the options of a command, with examples."""

CONDITIONING_EXAMPLES = """examples:
  infogeo conditioning --probabilities 0.5 0.3 0.2 --quick
  infogeo conditioning --counts horse_kicks.csv --column corps_years --out study
  infogeo conditioning --samples alpha_particles.csv --column particles \\
      --weights intervals --family poisson
  infogeo conditioning --family "Wishart(2)" \\
      --target degrees_of_freedom=5 "scale_matrix=[[1, 0.2], [0.2, 2]]"

The same command, given again after an interruption, goes on from what is in the
folder of --out."""

EQUIVALENCE_EXAMPLES = """examples:
  infogeo equivalence --family normal "Categorical(4)" gamma
  infogeo equivalence --family normal --target mean=1 variance=4 --only P2 P10 P11
  infogeo equivalence --family "Wishart(2)" --objective wavy --step 0.2 0.1 0.05 \\
      --seed 0 1 2 --out equivalences
  infogeo equivalence --family gamma --targets shapes_and_rates.csv --out many"""

TRAIN_EXAMPLES = """examples:
  infogeo train --architecture classifier --optimiser kfac nesterov adam
  infogeo train --data table.csv --target kind --architecture 4-20-3 --steps 500
  infogeo train --architecture classifier --optimiser kfac --start digits/adam.npz"""


def _add_conditioning(commands: Any) -> None:
    study = commands.add_parser(
        "conditioning", help="gradient descent in θ and in η, natural gradient and mirror descent on one target",
        description="How gradient descent in θ, gradient descent in η, natural gradient and mirror\n"
                    "descent converge, and why. θ are the natural, η the expectation parameters.", epilog=CONDITIONING_EXAMPLES)
    source = study.add_argument_group("target (one of)")
    study.known += ["--counts", "--samples", "--probabilities", "--target", "--targets"]
    source.add_argument("--counts", metavar="FILE", help="table with a row for each outcome and a --column of counts")
    source.add_argument("--samples", metavar="FILE", help="table with a row for each observation, for the --family to fit")
    source.add_argument("--probabilities", type=float, nargs="+", metavar="P", help="of the outcomes, with sum 1")
    source.add_argument("--target", nargs="+", metavar="NAME=VALUE", help="the ordinary parameters of a point of the --family")
    source.add_argument("--targets", metavar="FILE", help="table with a row for each of many targets: probabilities or counts of "
                        "outcomes, or the ordinary parameters of the --family; spectra and steps of each, with --out")
    study.add_argument("--column", action="append", metavar="NAME", help="of the file, or its number where the file has no "
                       "header; give several for vectors and matrices, row by row")
    study.add_argument("--weights", metavar="COLUMN", help="how often each row of --samples was observed (frequency tables)")
    study.add_argument("--family", metavar="NAME", help="with its arguments: gamma, \"Wishart(2)\", \"Truncated(Poisson, 0)\"")
    study.add_argument("--reference", type=_reference, help="reference outcome of a categorical target, or 'best'")
    study.add_argument("--direction", choices=tuple(studies.DIRECTIONS),
                       help="minimise KL(q‖p) over p (default), as maximum likelihood does, or KL(p‖q), as variational inference "
                            "does")
    study.add_argument("--divergence", metavar="NAME", help="another one from p to q: alpha=0.5, renyi=0.5, hellinger, "
                       "bhattacharyya, chi-squared, jensen-shannon")
    study.add_argument("--starts", type=_positive, metavar="N", help="random starts (default 100)")
    study.add_argument("--seed", type=_seed, default=0, help="of all draws (default 0)")
    study.add_argument("--batch-size", type=_positive, default=100, metavar="B",
                       help="draws in a mini-batch of the noise floor (default 100)")
    study.add_argument("--steps", type=_positive, metavar="N", help="steps of every run of the learning-rate sweep (default 100)")
    study.add_argument("--affine", type=_number, default=3.0, metavar="C", help="of the affine charts in which gradient descent "
                       "has the rates 2c and 2/c (default 3)")
    study.add_argument("--alpha", type=float, nargs="+", default=[], metavar="A",
                       help="α-charts of probabilities to descend in, too: -1 is η, 0 its square root")
    study.add_argument("--diagnose", action="store_true",
                       help="only how well conditioned the target is, chart by chart, and which coordinates to descend in")
    study.add_argument("--quick", action="store_true", help="a first look in seconds: 10 starts, 50 steps, shorter runs")
    _add_common(study, "write tables (CSV), the result (JSON, NPZ) and figures (PNG) here")
    study.set_defaults(run=_conditioning)


def _add_equivalence(commands: Any) -> None:
    study = commands.add_parser(
        "equivalence", help="identities of natural gradient and mirror descent, measured",
        description="What natural gradient, mirror descent and divergences have to do with each\n"
                    "other: every identity with its error, and with which power of the step size\n"
                    "distances fall.", epilog=EQUIVALENCE_EXAMPLES)
    study.add_argument("--family", nargs="+", metavar="NAME",
                       help="with their arguments: gamma, \"Wishart(2)\" (default: normal, Categorical(3), gamma)")
    study.add_argument("--target", nargs="+", metavar="NAME=VALUE", help="the ordinary parameters of a point of the one --family")
    study.add_argument("--targets", metavar="FILE", help="table with a row for each of many targets: the ordinary parameters of "
                       "the one --family, or probabilities or counts of outcomes; can be gone on with; needs --out")
    study.add_argument("--objective", nargs="+", metavar="NAME", help="of " + ", ".join(studies.OBJECTIVES) + " (default: all)")
    study.add_argument("--step", nargs="+", type=_number, metavar="H",
                       help="step sizes, at most 1 (default 0.1 0.05 0.025 0.0125)")
    study.add_argument("--seed", nargs="+", type=_seed, metavar="N", help="of points and draws (default 0 1 2)")
    study.add_argument("--points", type=_positive, metavar="N", help="points of every kind (default 8)")
    study.add_argument("--only", nargs="+", default=[], metavar="P", help="identities by number, P1 … P23, or name")
    study.add_argument("--quick", action="store_true", help="a first look in seconds: 2 points, one seed, one objective")
    study.add_argument("--out", metavar="DIR", help="write report (TXT), table (CSV), all of it (JSON) and figure (PNG) here")
    study.add_argument("--progress", action=argparse.BooleanOptionalAction, help="show a progress bar (default: on a terminal)")
    study.set_defaults(run=_equivalence)


def _add_train(commands: Any) -> None:
    training = commands.add_parser(
        "train", help="K-FAC, Adam and other optimisers side by side on one data set",
        description="Train a network with several optimisers from the same weights; print and plot\n"
                    "loss against steps and time.", epilog=TRAIN_EXAMPLES)
    training.add_argument("--data", default="digits", metavar="NAME",
                          help="digits (default), or a file .csv, .tsv, .txt, each also .gz, or .npz (arrays x, y)")
    training.add_argument("--target", metavar="COLUMN", help="the column of a CSV file with classes or numbers to predict")
    training.add_argument("--architecture", default="autoencoder", metavar="NAME",
                          help="autoencoder (default), classifier, convnet, regression, or sizes such as 64-30-10")
    training.add_argument("--optimiser", nargs="+", default=["kfac", "adam"], metavar="NAME", help=", ".join(studies.OPTIMISERS))
    training.add_argument("--step-size", nargs="+", default=[], metavar="NAME=H", help="in place of an optimiser's own")
    training.add_argument("--steps", type=_positive, default=200, help="of every optimiser (default 200)")
    training.add_argument("--batch-size", type=_positive, metavar="B", help="size of mini-batches (default: all samples)")
    training.add_argument("--seed", type=_seed, default=0, help="of weights and mini-batches (default 0)")
    training.add_argument("--dtype", choices=("float32", "float64"), default="float64")
    training.add_argument("--start", metavar="FILE", help="begin with the weights of a model that an earlier run wrote")
    _add_common(training, "write the curves (CSV, JSON), a model of each optimiser (NPZ) and the figure (PNG) here")
    training.set_defaults(run=_train)


POLICY_EXAMPLES = """examples:
  infogeo policy --environment CartPole-v1 --method trpo npg --out cartpole
  infogeo policy --environment Acrobot-v1 --steps 102400 --seeds 5"""


def _add_policy(commands: Any) -> None:
    learning = commands.add_parser(
        "policy", help="natural policy gradient and others side by side in one environment",
        description="Learn a policy by several methods from several seeds; print and plot returns\n"
                    "against steps. Needs the extra infogeo[policy].", epilog=POLICY_EXAMPLES)
    learning.add_argument("--environment", default="CartPole-v1", metavar="NAME", help="of Gymnasium (default CartPole-v1)")
    learning.add_argument("--method", nargs="+", default=["trpo"], metavar="NAME", help=", ".join(studies.POLICY_METHODS))
    learning.add_argument("--steps", type=_positive, default=40960, help="in the environment (default 40960)")
    learning.add_argument("--batch", type=_positive, default=2048, help="steps in the environment for one of the solver (2048)")
    learning.add_argument("--seeds", type=_positive, default=3, metavar="K", help="how many: 0, 1, … (default 3)")
    _add_common(learning, "write the returns (CSV, JSON), the policies (NPZ) and the figure (PNG) here")
    learning.set_defaults(run=_policy)


def _policy(options: argparse.Namespace) -> None:
    _prepared(options)
    with _chosen(options.backend):
        studies.follow_policies(options.environment, options.method, options.out, options.progress, _say, steps=options.steps,
                                batch=options.batch, seeds=options.seeds)


BOOST_EXAMPLES = """examples:
  infogeo boost --data houses.csv --target price --family gamma --out prices
  infogeo boost --predict new_houses.csv --model prices/model.npz > prices.csv"""


def _add_boost(commands: Any) -> None:
    trees = commands.add_parser(
        "boost", help="predict the law of a column by the others, with boosted trees",
        description="Natural-gradient boosting of the parameters of a family; scores on held-out rows\n"
                    "beside the marginal law. Words are categories, empty cells are missing. Needs the\n"
                    "extra infogeo[boosting].", epilog=BOOST_EXAMPLES)
    trees.add_argument("--data", metavar="FILE", help="a table, .csv, .tsv or .txt, each also .gz")
    trees.add_argument("--target", metavar="COLUMN", help="the column to predict")
    trees.add_argument("--family", default="normal", metavar="NAME", help="of its laws (default normal)")
    trees.add_argument("--stages", type=_positive, default=1000, help="at most (default 1000)")
    trees.add_argument("--learning-rate", type=_number, default=0.05, metavar="H", help="(default 0.05)")
    trees.add_argument("--seed", type=_seed, default=0, help="of the rows that are held out (default 0)")
    trees.add_argument("--predict", metavar="FILE", help="a table to predict, as CSV to standard output, by --model")
    trees.add_argument("--model", metavar="FILE", help="model.npz of an earlier run")
    trees.add_argument("--out", metavar="DIR", help="write the scores (CSV, JSON), the model (NPZ) and the figure (PNG) here")
    trees.set_defaults(run=_boost, progress=False)


def _boost(options: argparse.Namespace) -> None:
    _prepared(options)
    given = [name for name in ("data", "target", "predict", "model") if getattr(options, name) is not None]
    if given == ["predict", "model"]:
        _say(studies.as_predictions(options.model, options.predict).rstrip())
    elif given == ["data", "target"]:
        studies.follow_boosting(options.data, options.target, options.family, options.out, _say, stages=options.stages,
                                learning_rate=options.learning_rate, seed=options.seed)
    else:
        raise studies.InputError("boost takes --data and --target, or --predict and --model; got "
                                 f"{', '.join('--' + name for name in given) or 'none of them'}")


INFER_EXAMPLES = """examples:
  infogeo infer --data tumours.csv --target malignant --out tumours
  infogeo infer --model poisson --data counts.csv --target count"""


def _add_infer(commands: Any) -> None:
    inference = commands.add_parser(
        "infer", help="the posterior of a regression by natural gradient, beside the exact one",
        description="The normal posterior of the weights of a regression, by natural gradient on the\n"
                    "bound on the evidence, beside the exact moments and evidence by draws.", epilog=INFER_EXAMPLES)
    inference.add_argument("--model", default="logistic", metavar="NAME", help=", ".join(studies.INFERENCE_MODELS))
    inference.add_argument("--data", metavar="FILE", required=True, help="a table, .csv, .tsv or .txt, each also .gz")
    inference.add_argument("--target", metavar="COLUMN", required=True, help="the column to predict: 0 and 1, or counts")
    inference.add_argument("--prior-precision", type=_number, default=1.0, metavar="T", help="of every weight (default 1)")
    inference.add_argument("--steps", type=_positive, default=100, help="at most (default 100)")
    inference.add_argument("--out", metavar="DIR", help="write the posterior (CSV, JSON, NPZ) and the figure (PNG) here, and "
                           "go on from the one that is there")
    inference.set_defaults(run=_infer, progress=False)


def _infer(options: argparse.Namespace) -> None:
    _prepared(options)
    studies.follow_posterior(options.data, options.target, options.model, options.out, _say, max_steps=options.steps,
                             prior_precision=options.prior_precision)


def _add_derive(commands: Any) -> None:
    derivation = commands.add_parser(
        "derive", help="closed forms of a dually flat manifold from the formula of its potential",
        description="Closed forms from a formula for ψ: η, metric, cubic tensor, connections,\ncurvature, the dual potential.",
        epilog='example:\n  infogeo derive "-t1**2/(4*t2) - log(-2*t2)/2" --format latex')
    derivation.add_argument("formula", help='such as "-t1**2/(4*t2) - log(-2*t2)/2"')
    derivation.add_argument("--format", choices=("text", "latex", "json"), default="text")
    derivation.set_defaults(run=_derive)


def _add_common(command: argparse.ArgumentParser, out: str) -> None:
    command.add_argument("--out", metavar="DIR", help=out)
    command.add_argument("--backend", choices=("numpy", "cupy"), default="numpy")
    command.add_argument("--progress", action=argparse.BooleanOptionalAction, help="show progress bars (default: on a terminal)")


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


def _prepared(options: argparse.Namespace) -> None:
    """What can be known before the work starts, and whether it is watched."""
    if options.out is not None:
        try:
            require_place(Path(options.out), directory=True)
        except OSError as error:
            raise studies.InputError(f"--out {options.out}: {error.filename}: {error.strerror}") from None
    needed = {"matplotlib": options.out is not None, "tqdm": bool(options.progress)}
    missing = [name for name, used in needed.items() if used and find_spec(name) is None]
    if missing:
        raise studies.InputError(f"{' and '.join(missing)} not installed: pip install 'infogeo[studies]'")
    if options.progress is None:
        options.progress = sys.stderr.isatty() and find_spec("tqdm") is not None


def _say(text: str) -> None:
    """To a pipe, too, as soon as it is known."""
    print(text, flush=True)


def _conditioning(options: argparse.Namespace) -> None:
    _prepared(options)
    with _chosen(options.backend):
        if options.targets is not None:
            return studies.follow_targets(**vars(options) | {"say": _say})
        target = studies.described_target(**vars(options))
        if options.diagnose:
            found = studies.diagnose(target.family, target.theta, studies.alpha_charts(target.family, options.alpha))
            return studies.follow_diagnosis(found, target.source, options.out, _say)
        run = studies.ConditioningRun(
            studies.described_problem(options.direction, options.divergence, target.family, target.theta), seed=options.seed,
            batch_size=options.batch_size, charts=studies.alpha_charts(target.family, options.alpha),
            starts=options.starts or (10 if options.quick else 100), steps=options.steps or (50 if options.quick else 100),
            affine=options.affine, effort=studies.QUICK if options.quick else studies.FULL)
        studies.follow_conditioning(run, target.source, options.out, options.progress, _say)


def _equivalence(options: argparse.Namespace) -> None:
    _prepared(options)
    if options.targets is not None:
        return _equivalence_of_many(options)
    families: list[Any] = list(options.family or ["normal", "Categorical(3)", "gamma"])
    target = None
    if options.target is not None:
        if len(families) > 1:
            raise studies.InputError(f"--target belongs to one --family; got {', '.join(families)}")
        found = studies.from_parameters(families[0], options.target, "--target")
        families, target = [found.family], found.theta
    objectives, seeds, points = (["wavy"], [0], 2) if options.quick else (list(studies.OBJECTIVES), [0, 1, 2], 8)
    result = studies.equivalence(
        *families, objectives=options.objective or objectives, steps=options.step or studies.STEPS, seeds=options.seed or seeds,
        points=options.points or points, target=target, only=options.only, progress=options.progress)
    _say(result.to_text().rstrip())
    if options.out is not None:
        result.write(options.out)


def _equivalence_of_many(options: argparse.Namespace) -> None:
    """--targets."""
    seeds, families = options.seed or [0], options.family or [None]
    for wrong, said in ((options.out is None, "needs --out"), (options.target is not None, "goes without --target"),
                        (len(families) > 1, "belongs to one --family"), (len(seeds) > 1, "takes one --seed")):
        if wrong:
            raise studies.InputError(f"--targets {said}")
    family, theta = studies.targets_of_table(options.targets, families[0])
    studies.follow_equivalence_of_many(
        family, theta, options.out, _say, objectives=options.objective or ["wavy"], steps=options.step or studies.STEPS,
        seed=seeds[0], points=options.points or 2, only=options.only, progress=options.progress)


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
    _prepared(options)
    step_sizes = _step_sizes(options)
    with _chosen(options.backend):
        data = studies.dataset(options.data, options.target)
        studies.follow_training(
            studies.task(options.architecture, data, options.dtype), data.name, options.optimiser, options.out, options.progress,
            _say, steps=options.steps, batch_size=options.batch_size, step_sizes=step_sizes, seed=options.seed,
            start=options.start)


def _derive(options: argparse.Namespace) -> None:
    print(symbolic.derive(options.formula, options.format).rstrip())


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns
    -------
    int
        0, or 2 for input that cannot be used: then one line on standard error says what is wrong and where; 130 where the user
        interrupts, and the line says what is kept; 141 where nobody reads the output.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("always", studies.InputWarning)
        warnings.showwarning = lambda message, *_: print(f"infogeo: note: {message}", file=sys.stderr)
        try:
            options = _parser().parse_args(argv)
            options.run(options)
        except InfogeoError as error:
            print(f"infogeo: {' '.join(str(error).split())}", file=sys.stderr)
            return 2
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())      # or the interpreter complains as it ends
            return 141
        except OSError as error:
            print(f"infogeo: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
            return 2
        except KeyboardInterrupt as words:
            print(f"infogeo: interrupted{f'; {words}' if str(words) else ''}", file=sys.stderr)
            return 130
        except SystemExit as done:      # --help
            return int(done.code or 0)
    return 0
