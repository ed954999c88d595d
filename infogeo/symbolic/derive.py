"""The table of closed forms of a potential that is given as text."""
import json
from typing import Any, TypeAlias

import sympy as sp

from .functions import defined
from .manifold import SymbolicManifold
from .parsing import FormulaError, parse

__all__ = ["derive"]

Rows: TypeAlias = list[tuple[str, str, Any]]        # name, left side in LaTeX, expression


def _as_text(manifold: SymbolicManifold, rows: Rows) -> str:
    table = {"coordinates": ", ".join(map(str, manifold.theta))} | {name: _plain(name, value) for name, _, value in rows}
    width = max(map(len, table))
    return "\n".join(f"{name.ljust(width)}  {text}" for name, text in table.items())


def _as_latex(manifold: SymbolicManifold, rows: Rows) -> str:
    lines = [rf"{left} &= {sp.latex(value)}" for _, left, value in rows]
    return r"\begin{aligned}" + "\n" + " \\\\\n".join(lines) + "\n" + r"\end{aligned}"


def _as_json(manifold: SymbolicManifold, rows: Rows) -> str:
    table = {"coordinates": [str(t) for t in manifold.theta]} | {name: _nested(name, value) for name, _, value in rows}
    return json.dumps(table, indent=2)


def _plain(name: str, value: Any) -> str:
    nested = _nested(name, value)
    return nested if isinstance(nested, str) else json.dumps(nested).replace('"', "")


def _nested(name: str, value: Any) -> Any:
    """An expression as text, an array of them as nested lists, the coordinates of a point as one list."""
    if name in ("eta", "theta_of_eta"):
        return [str(x) for x in value]
    return _strings(value.tolist()) if hasattr(value, "tolist") else str(value)


def _strings(xs: Any) -> Any:
    return [_strings(x) for x in xs] if isinstance(xs, list) else str(xs)


FORMATS = {"text": _as_text, "latex": _as_latex, "json": _as_json}


def derive(text: str, format: str = "text") -> str:
    """The closed forms of the potential ψ that a formula says, as a table of text, LaTeX or JSON.

    Mathematically, η = ∇ψ, G = ∇²ψ and its inverse, T = ∇³ψ, θ(η) and φ where there is a closed form, the Christoffel symbols and
    the scalar curvature of the Levi-Civita connection. The coordinates are the names in the formula, sorted.

    Raises
    ------
    FormulaError
        For a text that is no formula, or one without names.
    DomainError
        If the potential is not strictly convex anywhere that was looked.
    ValueError
        For an unknown format.

    Examples
    --------
    >>> print(ig.symbolic.derive("exp(theta)"))
    coordinates       theta
    potential         exp(theta)
    eta               [exp(theta)]
    metric            [[exp(theta)]]
    inverse_metric    [[exp(-theta)]]
    cubic_tensor      [[[exp(theta)]]]
    theta_of_eta      [log(eta)]
    dual_potential    eta*(log(eta) - 1)
    christoffel       [[[1/2]]]
    scalar_curvature  0
    """
    if format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}; got {format!r}")
    potential = defined(parse(text))
    theta = sorted(potential.free_symbols, key=lambda t: t.name)
    if not theta:
        raise FormulaError(f"a potential is a function of names; {text!r} has none")
    manifold = SymbolicManifold(theta, potential)
    return FORMATS[format](manifold, manifold.closed_forms())
