"""Sphinx configuration: ``sphinx-build -W -j 2 -b html docs docs/_build/html``."""
import re
import sys
from pathlib import Path

import infogeo
from infogeo.families.base import ExponentialFamily
from infogeo.families.data_sheet import stated
from infogeo.statistics import conjugacy
from infogeo.studies.catalogue import example_family, has_prior, made_from_numbers

sys.path.insert(0, str(Path(__file__).parent))         # example_runs, mathematics and these

import docstrings  # noqa: E402
import reference  # noqa: E402
import signatures  # noqa: E402
import tables  # noqa: E402

project = "infogeo"
author = "the infogeo contributors"
copyright = "the infogeo contributors"
version = release = infogeo.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "mathematics",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_static", "generated"]
default_role = "autolink"              # `name` links where the name is one of ours, and is a literal elsewhere: see `linked`
rst_prolog = ".. currentmodule:: infogeo\n"

nitpicky = True
nitpick_ignore_regex = [               # names that have no page
    (r"py:.*", r"(numpy|scipy|matplotlib|torch|jax|array_api_compat|abc|enum|collections|functools|itertools|sklearn|sympy)\..*"),
    (r"py:class", r"(?!infogeo\.).*"),                              # types in signatures, by the names that their files give them
    (r"py:obj", r"([A-Z]+|[a-z_]\w*)"),                             # methods, attributes and constants in the prose of docstrings
    (r"py:obj", "|".join(infogeo.__all__)),                       # public names in the docstrings of packages below the top level
    (r"py:class", r"infogeo(\.\w+){2,}\.\w+"),                      # base classes that are not public
]

autosummary_generate = True
autosummary_filename_map = reference.file_names()
autosummary_imported_members = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False    # the class template lists them
numpydoc_class_members_toctree = False
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "backreferences_dir": "gallery/backreferences",     # examples of a name, below it in the reference
    "doc_module": ("infogeo",),
    "parallel": True,                   # as many at a time as -j says
    "reset_modules": ("matplotlib", "example_runs.strict"),
    "reset_modules_order": "both",
    "image_scrapers": ("matplotlib", "example_runs.scrape"),
    "download_all_examples": False,
    "thumbnail_size": (640, 448),
    "write_computation_times": False,
    "show_memory": False,
    "remove_config_comments": True,
    "capture_repr": (),                 # what an example prints, and not what its last line happens to be
}

html_theme = "pydata_sphinx_theme"
html_title = f"infogeo {release}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_math_renderer = "mathml"
html_sidebars = {"index": []}          # a tree of the pages of its part beside every other page
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False}
html_show_sourcelink = False


def skip_foreign(app, what, name, obj, skip, options):
    """Methods that estimators inherit from scikit-learn, and functions of formulas from SymPy, are described there."""
    module = getattr(getattr(obj, "fget", obj), "__module__", None)
    return True if str(module).startswith(("sklearn", "sympy")) else None


# The table and the data sheets of the families, from the classes themselves

SHEET = ("support", "T(x)", "θ", "η")


def owner(manifold, method):
    """The manifold whose own formula a method is, behind those that hand it on."""
    while getattr(type(manifold), "_" + method).__qualname__.split(".")[0] in ("Transformed", "Scaled", "ProductManifold"):
        manifold = manifold.factors[0] if hasattr(manifold, "factors") else manifold.base
    return manifold


def inverse(manifold):
    """Whether θ of η is a formula: by what its evaluation calls."""
    called, eta = set(), manifold.to_eta(manifold.theta_domain.interior_point)
    sys.setprofile(lambda frame, event, found: called.add(frame.f_globals.get("__name__")))
    manifold.to_theta(eta)
    sys.setprofile(None)
    return "numeric" if called & {f"infogeo.numerics.{solver}" for solver in ("interior_point", "newton",
                                                                              "root")} else "closed form"


def raised(manifold):
    """How an index is raised."""
    found = type(owner(manifold, "sharp"))._sharp
    return "dense solve" if found is infogeo.Riemannian._sharp else "by structure"


def conjugate(manifold):
    if not has_prior(manifold):
        return "–"
    found = conjugacy(manifold)
    prior = getattr(found.prior, "family", found.prior)
    return f"`{type(prior).__name__}`: {found.parameter}"


def write_families(app):
    """``generated/*.inc``: the tables of the families, one purpose a table, and their data sheets."""
    plain = lambda text: re.sub(r"[|*_]", r"\\\g<0>", text)
    ordinary, charts, domains, solvers, sheets = [], [], [], [], []
    for family in made_from_numbers():
        (manifold, given), found = example_family(family), stated(family)
        base = getattr(manifold, "base", None)
        other = f"as `{type(base).__name__}`" if isinstance(base, ExponentialFamily) else "see its data sheet"
        link, shown = f"`{family.__name__}`", f"({', '.join(map(str, given))})" if given else ""
        support, *meanings = (plain(found.get(key, "")) or other for key in SHEET)
        ordinary.append((link, ", ".join(f"``{name}``" for name in manifold.ordinary), support, conjugate(manifold)))
        charts.append((link, *meanings))
        rules = (plain(domain.rule(name)) for domain, name in ((manifold.theta_domain, "θ"), (manifold.eta_domain, "η")))
        domains.append((f"{link}\\ {shown}" if shown else link, str(manifold.dim), *rules))
        solvers.append((link, inverse(manifold), raised(manifold)))
        sheets += [f".. autoclass:: {family.__name__}", "   :no-index:", ""]
    folder = Path(app.srcdir) / "generated"
    folder.mkdir(exist_ok=True)
    for name, text in (
            ("families", tables.table(("Family", "ordinary parameters", "support", "conjugate prior"), ordinary)),
            ("charts", tables.table(("Family", *SHEET[1:]), charts)),
            ("family_domains", tables.table(("Family", "d", "θ", "η"), domains)),
            ("family_solvers", tables.table(("Family", "θ of η", "sharp"), solvers)),
            ("sheets", sheets)):
        (folder / f"{name}.inc").write_text("\n".join(text) + "\n", encoding="utf-8")


def setup(app):
    app.connect("config-inited", reference.write)
    app.connect("builder-inited", write_families)
    app.connect("builder-inited", tables.write)
    app.connect("source-read", docstrings.link_page)
    app.connect("autodoc-process-signature", signatures.named)
    app.connect("autodoc-skip-member", skip_foreign)
    app.connect("autodoc-process-docstring", docstrings.escape_mathematics, priority=400)    # before numpydoc, at 500
