"""``infogeo families``."""
import argparse
from typing import Any

from .. import studies
from .options import Parser, say

EXAMPLES = """examples:
  infogeo families
  infogeo families gamma "Wishart(2)"
  infogeo families --format json"""


def add(commands: Any) -> None:
    commands.add_parser(
        "families", help="the families, their ordinary parameters and what they can do",
        description="All families in a line each, or the data sheets of those that are named.", epilog=EXAMPLES, options=_options)


def _options(listing: Parser) -> None:
    listing.add_argument("names", nargs="*", metavar="NAME", help="with its arguments: gamma, \"Wishart(2)\"")
    listing.add_argument("--format", choices=("text", "json"), default="text")
    listing.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    say(studies.families_text(options.names, options.format))
