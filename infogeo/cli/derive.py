"""``infogeo derive``."""
import argparse
from typing import Any

from .. import symbolic
from .options import Parser, say

EXAMPLES = """examples:
  infogeo derive "log(1 + exp(t))"
  infogeo derive "-t1**2/(4*t2) - log(-2*t2)/2" --format latex"""


def add(commands: Any) -> None:
    commands.add_parser(
        "derive", help="closed forms of a dually flat manifold from the formula of its potential",
        description="Closed forms from a formula for ψ: η, metric, cubic tensor, connections,\ncurvature, the dual potential.",
        epilog=EXAMPLES, options=_options)


def _options(derivation: Parser) -> None:
    derivation.add_argument("formula", help='such as "-t1**2/(4*t2) - log(-2*t2)/2"')
    derivation.add_argument("--format", choices=("text", "latex", "json"), default="text")
    derivation.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    say(symbolic.derive(options.formula, options.format).rstrip())
