"""How sphinx-gallery runs the examples: a warning is an error, and figures that are made without pyplot, as the studies make
them, are shown."""
import warnings
from contextlib import ExitStack
from weakref import WeakSet

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

_running = ExitStack()
_shown: WeakSet[Figure] = WeakSet()


def strict(gallery_conf, fname, when):
    """Before an example warnings become errors, of its code and of drawing its figures; after it they are what they were."""
    _running.close()
    if when == "before":
        _running.enter_context(warnings.catch_warnings(action="error"))


def scrape(block, block_vars, gallery_conf):
    """The figures among the variables of an example that no block before has shown."""
    paths = []
    for value in block_vars["example_globals"].values():
        if isinstance(value, Figure) and not hasattr(value, "number") and value not in _shown:
            _shown.add(value)
            paths.append(next(block_vars["image_path_iterator"]))
            value.savefig(paths[-1])
    return figure_rst(paths, gallery_conf["src_dir"])
