"""The command ``infogeo``: which commands there are, and how they end."""
import argparse
import os
import sys
import warnings
from collections.abc import Sequence

from .. import studies
from ..errors import InfogeoError
from . import boost, conditioning, derive, equivalence, families, infer, policy, train
from .options import Parser, say

__all__ = ["main"]

COMMANDS = {command.__name__.rpartition(".")[2]: command
            for command in (conditioning, equivalence, train, boost, infer, policy, families, derive)}
EXAMPLES = {name: command.EXAMPLES.splitlines()[1] for name, command in COMMANDS.items()}      # the first of each
MORE = '"infogeo COMMAND --help" tells the options of a command, with more examples.'


def _parser() -> Parser:
    parser = Parser(prog="infogeo", description="Information-geometry studies.",
                    epilog="\n".join(["examples:", *EXAMPLES.values(), "", MORE]))
    parser.add_argument("--version", action="version", version=f"infogeo {sys.modules['infogeo'].__version__}")
    commands = parser.add_subparsers(dest="command", parser_class=Parser, metavar="COMMAND")
    for command in COMMANDS.values():
        command.add(commands)
    parser.set_defaults(run=lambda options: say(_overview(commands)))
    return parser


def _overview(commands: "argparse._SubParsersAction[Parser]") -> str:
    """Every command with what it is for and its first example."""
    told = {choice.dest: choice.help for choice in commands._choices_actions}
    return "\n\n".join([*(f"{name}: {told[name]}\n{example}" for name, example in EXAMPLES.items()), MORE])


def _complete(parser: Parser) -> None:
    """Answers the shell and ends, where argcomplete asks by its variable: nothing of it is loaded otherwise."""
    if "_ARGCOMPLETE" in os.environ:
        from argcomplete import autocomplete
        parser.known()                  # has every command filled: argcomplete marks the options that there are
        autocomplete(parser)


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
            parser = _parser()
            _complete(parser)
            options = parser.parse_args(argv)
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
