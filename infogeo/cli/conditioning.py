"""``infogeo conditioning``."""
import argparse
from typing import Any

from .. import studies
from .options import Parser, add_common, chosen, number, positive, prepared, say, seed, whole

EXAMPLES = """examples:
  infogeo conditioning --probabilities 0.5 0.3 0.2 --quick
  infogeo conditioning --example horse_kicks --out study
  infogeo conditioning --counts horse_kicks.csv --column corps_years --out study
  infogeo conditioning --samples alpha_particles.csv --column particles \\
      --weights intervals --family poisson
  infogeo conditioning --family "Wishart(2)" \\
      --target degrees_of_freedom=5 "scale_matrix=[[1, 0.2], [0.2, 2]]"

The same command, given again after an interruption, goes on from what is in the
folder of --out."""


def reference(text: str) -> int | str:
    return text if text == "best" else whole(text, 0, "an outcome's index or 'best'")


def add(commands: Any) -> None:
    commands.add_parser(
        "conditioning", help="gradient descent in θ and in η, natural gradient and mirror descent on one target",
        description="How gradient descent in θ, gradient descent in η, natural gradient and mirror\n"
                    "descent converge, and why. θ are the natural, η the expectation parameters.",
        epilog=EXAMPLES, options=_options)


def _options(study: Parser) -> None:
    source = study.add_argument_group("target (one of)")
    source.add_argument("--example", metavar="NAME", help="a data set that comes with infogeo: " + ", ".join(studies.EXAMPLES))
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
    study.add_argument("--reference", type=reference, help="reference outcome of a categorical target, or 'best'")
    study.add_argument("--direction", choices=tuple(studies.DIRECTIONS),
                       help="minimise KL(q‖p) over p (default), as maximum likelihood does, or KL(p‖q), as variational inference "
                            "does")
    study.add_argument("--divergence", metavar="NAME", help="another one from p to q: alpha=0.5, renyi=0.5, hellinger, "
                       "bhattacharyya, chi-squared, jensen-shannon")
    study.add_argument("--starts", type=positive, metavar="N", help="random starts (default 100)")
    study.add_argument("--seed", type=seed, default=0, help="of all draws (default 0)")
    study.add_argument("--batch-size", type=positive, default=100, metavar="B",
                       help="draws in a mini-batch of the noise floor (default 100)")
    study.add_argument("--steps", type=positive, metavar="N", help="steps of every run of the learning-rate sweep (default 100)")
    study.add_argument("--affine", type=number, default=3.0, metavar="C", help="of the affine charts in which gradient descent "
                       "has the rates 2c and 2/c (default 3)")
    study.add_argument("--alpha", type=float, nargs="+", default=[], metavar="A",
                       help="α-charts of probabilities to descend in, too: -1 is η, 0 its square root")
    study.add_argument("--diagnose", action="store_true",
                       help="only how well conditioned the target is, chart by chart, and which coordinates to descend in")
    study.add_argument("--quick", action="store_true", help="a first look in seconds: 10 starts, 50 steps, shorter runs")
    add_common(study, "write tables (CSV), the result (JSON, NPZ) and figures (PNG) here")
    study.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    prepared(options)
    with chosen(options.backend):
        if options.targets is not None:
            return studies.follow_targets(**vars(options) | {"folder": options.out, "say": say})
        target = studies.described_target(**vars(options))
        if options.diagnose:
            found = studies.diagnose(target.family, target.theta, studies.alpha_charts(target.family, options.alpha))
            return studies.follow_diagnosis(found, target.source, options.out, say)
        run = studies.ConditioningRun(
            studies.described_problem(options.direction, options.divergence, target.family, target.theta), seed=options.seed,
            batch_size=options.batch_size, charts=studies.alpha_charts(target.family, options.alpha),
            starts=options.starts or (10 if options.quick else 100), steps=options.steps or (50 if options.quick else 100),
            affine=options.affine, effort=studies.QUICK if options.quick else studies.FULL)
        studies.follow_conditioning(run, target.source, options.out, options.progress, say)
