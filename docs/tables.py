"""Tables of the reference, a quantity a table, from the figures that the benchmarks leave in ``docs/_static``."""
import csv
import re
from collections import defaultdict
from pathlib import Path

from infogeo.face.stubs import public_names

QUANTITIES = {                         # as accuracy.csv names them: the method, and what it is
    "psi": ("``log_partition``", "ψ(θ)"), "eta": ("``to_eta``", "η = ∇ψ(θ)"),
    "theta": ("``to_theta``", "In units of what rounding η costs."),
    "phi": ("``dual_potential``", "φ(η)"), "metric": ("``metric``", "G(θ)"), "kl": ("``kl``", "Of points of the region."),
    "kl near": ("``kl`` of near points", "1e-10 apart, relative to the value and nothing else."),
    "entropy": ("``entropy``", ""), "log density": ("``log_density``", ""),
}
REGIONS = ("bulk", "edge", "extreme")
KINDS = {"fit": "``fit`` of narrow samples", "end": "``log_density`` at an end of the support",
         "boundary": "Laws on the boundary", "ratio": "Extreme ratios", "quantile": "Quantiles"}


def figures(folder, name):
    with open(folder / f"{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def table(heads, rows):
    lines = [".. list-table::", "   :header-rows: 1", ""]
    cells = [(i, " ".join(cell.split())) for row in (heads, *rows) for i, cell in enumerate(row)]
    return lines + [f"   {'*' if i == 0 else ' '} - {cell}".rstrip() for i, cell in cells] + [""]


def section(title, text="", mark="~"):
    return [title, mark * len(title), "", *([text, ""] if text else [])]


def accuracy(rows):
    """A table a quantity: the families by the regions, and SciPy's figures where it has the quantity."""
    found = defaultdict(dict)
    for row in rows:
        found[row["quantity"], row["family"]][row["library"], row["region"]] = row["error"]
    families, lines = list(dict.fromkeys(row["family"] for row in rows)), []
    for quantity, (title, meaning) in QUANTITIES.items():
        peer = any(row["library"] == "scipy" and row["quantity"] == quantity for row in rows)
        columns = [(library, region) for region in REGIONS for library in ("infogeo", "scipy")[:1 + peer]]
        heads = ("Family", *("SciPy" if library == "scipy" else region for library, region in columns))
        cells = [(f"``{family}``", *(found[quantity, family].get(column, "") for column in columns)) for family in families]
        lines += section(title, meaning) + table(heads, cells)
    return lines


def distribution(rows):
    lines = []
    for quantity in dict.fromkeys(row["quantity"] for row in rows):
        cells = [(f"``{row['family']}``", *(row[key] for key in ("points", "infogeo", "scipy"))) for row in rows
                 if row["quantity"] == quantity]
        lines += section(f"``{quantity}``") + table(("Family", "points", "infogeo", "SciPy"), cells)
    return lines


def edges(rows):
    lines = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        cells = [(f"``{row['case']}``", row["infogeo"], row["scipy"]) for row in rows if row["kind"] == kind]
        lines += section(KINDS.get(kind, kind.capitalize())) + table(("Case", "infogeo", "SciPy"), cells)
    return lines


def arrays(rows):
    """What the classes of the table lack on each library, the methods that go through the host, and by which functions."""
    literal = lambda text, keep=(): " ".join(word if word in keep else f"``{word}``" for word in text.split())
    lacks = lambda cell: literal(cell, {"all", "none", "but"})
    host = lambda cell: "; ".join(f"{literal(method)}: {literal(names)}" for method, _, names in
                                  (part.partition(" ") for part in cell.split("; ") if part))
    ways = {"torch": "PyTorch", "jax": "JAX", "jit": "``jax.jit``", "compile": "``torch.compile``"}
    ways = {key: head for key, head in ways.items() if key in rows[0]}
    heads = ("Class", "Formulas", *ways.values(), "Not under ``jax.jit``", "Through the host")
    cells = lambda row: (lacks(row[key]) for key in ways)
    return table(heads, [(f"`{row['family']}`", row["formulas"], *cells(row), literal(row["beside"]), host(row["host"]))
                         for row in rows])


def arrays_host(rows):
    """The special functions that each library lacks."""
    return table(("Library", "Functions of SciPy that its arrays go to the host for"),
                 [(row["library"], ", ".join(f"``{name}``" for name in row["functions"].split())) for row in rows])


def changelog(text):
    """The Markdown of the changelog as reStructuredText: headings, links and names, of which the public ones link."""
    homes = public_names()
    name = lambda text: f":py:obj:`{text} <{homes[text]}>`" if text in homes else f"``{text}``"
    named = lambda found: name(found[1]) + (f"\\ {found[2]}" if found[2] else "")          # `Stream`s
    version = lambda found: "\n".join(section(f"{found[1]}, {found[2]}", mark="-"))
    body = re.sub(r"`([^`]+)`(\w?)", named, text[text.index("\n## ["):])
    body = re.sub(r"\[([^]]+)\]\((https?://[^)]+)\)", r"`\1 <\2>`__", body)
    body = re.sub(r"^## \[(.*?)\] - (.*)$", version, body, flags=re.MULTILINE)
    return re.sub(r"^### (.*)$", lambda found: "\n".join(section(found[1])), body, flags=re.MULTILINE)


def write(app):
    """``generated/accuracy.inc`` and the others, before pages are read."""
    source, target = Path(app.srcdir) / "_static", Path(app.srcdir) / "generated"
    target.mkdir(exist_ok=True)
    made_of = {"accuracy": accuracy, "accuracy_distribution": distribution, "accuracy_edges": edges, "arrays": arrays,
               "arrays_host": arrays_host}
    for name, made in made_of.items():
        (target / f"{name}.inc").write_text("\n".join(made(figures(source, name))), encoding="utf-8")
    text = (Path(app.srcdir).parent / "CHANGELOG.md").read_text(encoding="utf-8")
    (target / "changelog.inc").write_text(changelog(text), encoding="utf-8")
