"""The data sheet of a family: what its docstring and its domains say, as entries, and as a table for notebooks."""
import inspect
import re
from html import escape
from typing import Any

__all__ = ["data_sheet", "sheet_html", "stated"]

_STATED = re.compile(r"(support|T\(\w\)|θ|η)(?: and ψ)?(_\w+)?\s*(?:=|in |:|\s)\s*(.*)")


def stated(cls: type) -> dict[str, str]:
    """The statements of a class's docstring: ``{"support": …, "T(x)": …, "θ": …, "η": …}``, as far as it has them."""
    items = re.split(r"\n- ", (inspect.getdoc(cls) or "").replace("``", "").replace("`", ""))[1:]
    parts = [" ".join(part.split()) for item in items for part in re.split(r";\s|\sand\s(?=η)", item.split("\n\n")[0])]
    found: dict[str, str] = {}
    for match, part in ((_STATED.match(part), part) for part in parts):
        if match:
            key = "T(x)" if match[1].startswith("T(") else match[1]
            found.setdefault(key, part if match[2] else match[3])
    return found


def data_sheet(family: Any) -> dict[str, str]:
    """What one asks of a family first, in this order: ordinary parameters and where they lie, support, statistics, charts.

    Examples
    --------
    >>> sheet = ig.Gamma().data_sheet()
    >>> sheet["ordinary parameters"], sheet["T(x)"]
    ('shape > 0, rate > 0', '(log x, x)')
    """
    told = stated(type(family))
    return {"ordinary parameters": ", ".join(domain.rule(name) for name, domain in family.ordinary.items()),
            "support": family.support.rule("x"),
            **{name: told[name] for name in ("T(x)", "θ", "η") if not told.get(name, "are").startswith("are")},
            "coordinates": str(family.dim),
            "domain of θ": family.theta_domain.rule("θ"),
            "domain of η": family.eta_domain.rule("η"),
            "laws on the boundary": "yes" if getattr(family, "has_limits", False) else "no"}


def sheet_html(family: Any) -> str:
    """The data sheet as a table of HTML, under the family as one writes it."""
    rows = "".join(f"<tr><th style='text-align:left'>{escape(name)}</th><td style='text-align:left'>{escape(text)}</td></tr>"
                   for name, text in data_sheet(family).items())
    return f"<table><caption style='text-align:left'><code>{escape(repr(family))}</code></caption>{rows}</table>"
