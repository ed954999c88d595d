"""Sphinx configuration: ``sphinx-build -W --keep-going -b html docs docs/_build/html``."""
import inspect
import re
import sys
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path

import infogeo
from infogeo.families.base import ExponentialFamily, conjugacy

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
exclude_patterns = ["_build", "_static"]
default_role = "autolink"              # `name` links where the name is one of ours, and is a literal elsewhere
rst_prolog = ".. currentmodule:: infogeo\n"

nitpicky = True
nitpick_ignore_regex = [               # names that have no page
    (r"py:.*", r"(numpy|scipy|matplotlib|array_api_compat|abc|enum|collections|itertools)\..*"),
    (r"py:class", r"(ABC|IntEnum|Any|np\.ndarray|typing\..*)"),
    (r"py:obj", r"([A-Z]+|[a-z_]\w*)"),                             # methods, attributes and constants in the prose of docstrings
    (r"py:class", r"infogeo\.geometry\.separable\..*"),           # base classes that are not public
    (r"py:class", r"infogeo\.families\.\w+\.(_\w+|Counts|DirectDensity|Image|StateFamily)"),
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
    """Docstrings are plain text: outside literals, the bars of |x| and the stars of (*shape, d) are no markup.

    Nor does a bracket after a name keep it from being a link: `Beta`(α, β).
    """
    escaped = ("".join(part if part.startswith("`") else re.sub(r"[|*]", r"\\\g<0>", part)
                       for part in re.split(r"(``.*?``|`.*?`)", line)) for line in lines)
    lines[:] = [re.sub(r"(?<=`)(?=\()", r"\\ ", line) for line in escaped]


# The table and the data sheets of the families, from the classes themselves

EXAMPLES = {                           # families whose arguments are neither numbers nor optional
    "Hierarchical": ((2, 2), ((0, 1),)),
    "LogLinear": ([[0.0], [1.0], [2.0]],),
    "MultivariateNormalKnownCovariance": ([[1.0]],),
    "MatrixNormalKnownCovariances": ([[1.0]], [[1.0]]),
}
HEADS = ("Family", "support", "T(x)", "θ", "η", "ordinary parameters", "inverse", "conjugate prior")


def families():
    """The public exponential families that are made from numbers; compositions of families have no row of their own."""
    for name in infogeo.__all__:
        found = getattr(infogeo, name)
        if inspect.isclass(found) and issubclass(found, ExponentialFamily) and not inspect.isabstract(found):
            if is_dataclass(found) and not any(field.name == "family" for field in fields(found)):
                yield found


def example(family):
    if family.__name__ in EXAMPLES:
        return family(*EXAMPLES[family.__name__])
    required = [field for field in fields(family) if field.default is MISSING]
    return family(*({"int": 3, int: 3, "float": 1.5, float: 1.5}[field.type] for field in required))


def sheet(family):
    """The parts of a data sheet's list, without the markup of a docstring: {"T(x)": "x", "θ": "μ / v", …}."""
    items = re.split(r"\n- ", inspect.getdoc(family).replace("``", "").replace("`", ""))[1:]
    parts = [" ".join(part.split()) for item in items for part in re.split(r";\s|\sand\s(?=η)", item.split("\n\n")[0])]
    found = {}
    for part in parts:
        match = re.match(r"(support|T\(\w\)|θ|η)(_\w+)?\s*(?:=|in |:|\s)\s*(.*)", part)
        if match:
            key = {"T(s)": "T(x)", "T(X)": "T(x)"}.get(match[1], match[1])
            found.setdefault(key, part if match[2] else match[3])
    return found


def inverse(manifold):
    """Whether θ of η is a formula: a module that solves for it also says what happens when the solver fails."""
    while type(manifold).to_theta.__qualname__.split(".")[0] in ("Transformed", "Scaled", "ProductManifold"):
        manifold = manifold.factors[0] if hasattr(manifold, "factors") else manifold.base
    module = sys.modules[type(manifold).to_theta.__module__]
    solvers = ("ConvergenceError", "minimize", "inverse_digamma", "inverse_bessel_ratio", "shape_from_log_gap",
               "shape_from_gap")
    return "numeric" if any(hasattr(module, name) for name in solvers) else "closed form"


def conjugate(family, manifold):
    if conjugacy.dispatch(family) is conjugacy.dispatch(object):
        return ""
    return f"`{type(manifold.conjugate_prior()).__name__}`"


def write_families(app):
    """``generated/families.inc``, the table, and ``generated/sheets.inc``, which :doc:`families` includes."""
    rows, sheets = [HEADS], []
    plain = lambda text: re.sub(r"[|*_]", r"\\\g<0>", text)
    for family in families():
        manifold, found = example(family), sheet(family)
        base = getattr(manifold, "base", None)
        other = f"as `{type(base).__name__}`" if isinstance(base, ExponentialFamily) else "–"
        names = ", ".join(f"``{name}``" for name in manifold.ordinary)
        cells = (plain(found.get(key, "")) or other for key in HEADS[1:5])
        rows.append((f"`{family.__name__}`", *cells, names, inverse(manifold), conjugate(family, manifold) or "–"))
        sheets += [f".. autoclass:: {family.__name__}", "   :no-index:", ""]
    lines = [".. list-table::", "   :header-rows: 1", "   :class: families", ""]
    lines += [f"   {'*' if i == 0 else ' '} - {cell}" for row in rows for i, cell in enumerate(row)]
    folder = Path(app.srcdir) / "generated"
    folder.mkdir(exist_ok=True)
    for name, text in (("families.inc", lines), ("sheets.inc", sheets)):
        (folder / name).write_text("\n".join(text) + "\n", encoding="utf-8")


def setup(app):
    app.connect("builder-inited", write_families)
    app.connect("autodoc-process-docstring", escape_mathematics, priority=400)    # before numpydoc, at 500
