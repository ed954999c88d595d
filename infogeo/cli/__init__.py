"""The command line: ``infogeo conditioning …`` and the other commands, a file each."""
from .run import main

__all__ = ["main"]
