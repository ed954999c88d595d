"""``infogeo equivalence``."""
import argparse
from typing import Any

from .. import studies
from .options import Parser, number, positive, prepared, say, seed

EXAMPLES = """examples:
  infogeo equivalence --family normal "Categorical(4)" gamma
  infogeo equivalence --family normal --target mean=1 variance=4 --only P2 P10 P11
  infogeo equivalence --family "Wishart(2)" --objective wavy --step 0.2 0.1 0.05 \\
      --seed 0 1 2 --out equivalences
  infogeo equivalence --family gamma --targets shapes_and_rates.csv --out many"""


def add(commands: Any) -> None:
    commands.add_parser(
        "equivalence", help="identities of natural gradient and mirror descent, measured",
        description="What natural gradient, mirror descent and divergences have to do with each\n"
                    "other: every identity with its error, and with which power of the step size\n"
                    "distances fall.", epilog=EXAMPLES, options=_options)


def _options(study: Parser) -> None:
    study.add_argument("--family", nargs="+", metavar="NAME",
                       help="with their arguments: gamma, \"Wishart(2)\" (default: normal, Categorical(3), gamma)")
    study.add_argument("--target", nargs="+", metavar="NAME=VALUE", help="the ordinary parameters of a point of the one --family")
    study.add_argument("--targets", metavar="FILE", help="table with a row for each of many targets: the ordinary parameters of "
                       "the one --family, or probabilities or counts of outcomes; can be gone on with; needs --out")
    study.add_argument("--objective", nargs="+", metavar="NAME", help="of " + ", ".join(studies.OBJECTIVES) + " (default: all)")
    study.add_argument("--step", nargs="+", type=number, metavar="H",
                       help="step sizes, at most 1 (default 0.1 0.05 0.025 0.0125)")
    study.add_argument("--seed", nargs="+", type=seed, metavar="N", help="of points and draws (default 0 1 2)")
    study.add_argument("--points", type=positive, metavar="N", help="points of every kind (default 8)")
    study.add_argument("--only", nargs="+", default=[], metavar="P", help="identities by number, P1 … P23, or name")
    study.add_argument("--quick", action="store_true", help="a first look in seconds: 2 points, one seed, one objective")
    study.add_argument("--out", metavar="DIR", help="write report (TXT), table (CSV), all of it (JSON) and figure (PNG) here")
    study.add_argument("--progress", action=argparse.BooleanOptionalAction, help="show a progress bar (default: on a terminal)")
    study.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    prepared(options)
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
    say(result.to_text().rstrip())
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
        family, theta, options.out, say, objectives=options.objective or ["wavy"], steps=options.step or studies.STEPS,
        seed=seeds[0], points=options.points or 2, only=options.only, progress=options.progress)
