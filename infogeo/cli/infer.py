"""``infogeo infer``."""
import argparse
from typing import Any

from .. import studies
from .options import Parser, number, positive, prepared, say

EXAMPLES = """examples:
  infogeo infer --data tumours.csv --target malignant --out tumours
  infogeo infer --model poisson --data counts.csv --target count
  infogeo infer --model normal --data prices.csv --target price
  infogeo infer --model softmax --data iris.csv --target species"""


def add(commands: Any) -> None:
    commands.add_parser(
        "infer", help="the posterior of a regression by natural gradient, beside the exact one",
        description="The variational posterior of a regression, by natural gradient on the bound on the\n"
                    "evidence, beside exact moments and evidence: by quadrature for a normal regression\n"
                    "with unknown variance, by weighted draws for the others.", epilog=EXAMPLES, options=_options)


def _options(inference: Parser) -> None:
    inference.add_argument("--model", default="logistic", metavar="NAME", help=", ".join(studies.INFERENCE_MODELS))
    inference.add_argument("--data", metavar="FILE", required=True, help="a table, .csv, .tsv or .txt, each also .gz")
    inference.add_argument("--target", metavar="COLUMN", required=True, help="the column to predict: 0 and 1, counts, numbers "
                           "(normal), labels (softmax)")
    inference.add_argument("--prior-precision", type=number, default=1.0, metavar="T", help="of every weight (default 1)")
    inference.add_argument("--steps", type=positive, default=100, help="at most (default 100)")
    inference.add_argument("--out", metavar="DIR", help="write the posterior (CSV, JSON, NPZ) and the figure (PNG) here, and "
                           "go on from the one that is there")
    inference.set_defaults(run=run, progress=False)


def run(options: argparse.Namespace) -> None:
    prepared(options)
    studies.follow_posterior(options.data, options.target, options.model, options.out, say, max_steps=options.steps,
                             prior_precision=options.prior_precision)
