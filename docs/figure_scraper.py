"""Figures of the examples that are made without pyplot, as the studies make them, for sphinx-gallery."""
from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

_shown: set[int] = set()


def scrape(block, block_vars, gallery_conf):
    """The figures among the variables of an example that no block before has shown."""
    paths = []
    for value in block_vars["example_globals"].values():
        if isinstance(value, Figure) and not hasattr(value, "number") and id(value) not in _shown:
            _shown.add(id(value))
            paths.append(next(block_vars["image_path_iterator"]))
            value.savefig(paths[-1])
    return figure_rst(paths, gallery_conf["src_dir"])
