"""Sphinx configuration: ``sphinx-build -W --keep-going -b html docs docs/_build/html``."""
import re

import infogeo

project = "infogeo"
author = "the infogeo contributors"
copyright = "the infogeo contributors"
version = release = infogeo.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build"]
default_role = "autolink"              # `name` links where the name is one of ours, and is a literal elsewhere
rst_prolog = ".. currentmodule:: infogeo\n"

nitpicky = True
nitpick_ignore_regex = [               # names that have no page
    (r"py:.*", r"(numpy|scipy|matplotlib|array_api_compat|abc|enum|collections)\..*"),
    (r"py:class", r"(ABC|IntEnum|Any|np\.ndarray|typing\..*)"),
    (r"py:obj", r"([A-Z]+|[a-z_]\w*)"),                             # methods, attributes and constants in the prose of docstrings
    (r"py:class", r"infogeo\.geometry\.separable\..*"),           # a base class that is not public
]

autosummary_generate = True
autosummary_imported_members = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False    # the class template lists them
numpydoc_class_members_toctree = False
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "backreferences_dir": None,
    "image_scrapers": ("matplotlib",),
    "download_all_examples": False,
    "write_computation_times": False,
    "show_memory": False,
}

html_theme = "pydata_sphinx_theme"
html_title = f"infogeo {release}"
html_static_path = ["_static"]
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False}
html_show_sourcelink = False


def escape_mathematics(app, what, name, obj, options, lines):
    """Docstrings are plain text: outside literals, the bars of |x| and the stars of (*shape, d) are no markup."""
    lines[:] = ["".join(part if part.startswith("`") else re.sub(r"[|*]", r"\\\g<0>", part)
                        for part in re.split(r"(``.*?``|`.*?`)", line)) for line in lines]


def setup(app):
    app.connect("autodoc-process-docstring", escape_mathematics, priority=400)    # before numpydoc, at 500
