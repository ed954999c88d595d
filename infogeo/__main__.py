"""``python -m infogeo``."""
# PYTHON_ARGCOMPLETE_OK
import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
