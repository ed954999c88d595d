"""The command line: ``infogeo conditioning …`` and the other commands, a file each."""
# PYTHON_ARGCOMPLETE_OK: its global completion reads this beginning of the module that the console script names
from .run import main

__all__ = ["main"]
