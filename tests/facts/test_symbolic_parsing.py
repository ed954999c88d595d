"""Formulas as text: what they mean, what is refused, and that no code runs."""
import json
import subprocess
from unittest import mock

import pytest
import sympy as sp

import infogeo as ig
from infogeo.symbolic.derive import derive
from infogeo.symbolic.functions import Log1pExp, LogSumExp, MultiGammaLn
from infogeo.symbolic.parsing import FUNCTIONS, FormulaError, parse

x, y = sp.symbols("x y", real=True)


@pytest.mark.parametrize("text, meant", [
    ("1 + 2*3", 7), ("2^3^2", 512), ("-2^2", -4), ("2^-1", sp.Rational(1, 2)), ("8/2/2", 2), ("1 - 2 - 3", -4), ("--x", x),
    ("0.1", sp.Rational(1, 10)), ("1.5e-3", sp.Rational(3, 2000)), (".5*x", x / 2), ("x**2", x**2), ("pi", sp.pi),
    ("exp(1) - E", 0),
    ("log(exp(x) + 1)", sp.log(1 + sp.exp(x))), ("logsumexp(0, x, y)", LogSumExp(0, x, y)), ("log1pexp(-x)", Log1pExp(-x)),
    ("multigammaln(x, 2)", MultiGammaLn(x, 2)), ("digamma(x) + trigamma(y)", sp.polygamma(0, x) + sp.polygamma(1, y)),
    ("-x^2/(4*y) - log(-2*y)/2", -x**2 / (4 * y) - sp.log(-2 * y) / 2), ("( x )", x), ("sqrt(x)", sp.sqrt(x)),
])
def test_meaning(text, meant):
    assert sp.simplify(parse(text) - meant) == 0


@pytest.mark.parametrize("text, words", [
    ("", "expected a number, a name or '\\(' at character 1, not 'the end'"), ("1 +", "at character 4"), ("(x", r"expected '\)'"),
    ("x y", "expected an operator or the end at character 3, not 'y'"), ("2x", "expected an operator"),
    ("x $ y", r"unexpected '\$' at character 3"),
    ("evil(x)", "unknown function 'evil' at character 1; known: abs, acos"), ("log()", "expected a number"),
    ("log(x, y)", "takes 1 arguments; got 2"), ("multigammaln(x, 1/2)", "positive whole number"), ("1/0", "division by zero"),
    ("0^-1", "division by zero"), ("x^10000", "an exponent may be 1000 at most"), ("9^9^9^9", "an exponent may be"),
    ("(" * 60 + "x" + ")" * 60, "may nest 50 deep"), ("-" * 60 + "x", "may nest 50 deep"),
    ("x+" * 2000 + "x", "2000 characters; got 4001"),
    ("log(0)", "no value"), ("1e9999", "expected an operator"),
])
def test_refused(text, words):
    with pytest.raises(FormulaError, match=words):
        parse(text)


ATTACKS = ["__import__('os').system('true')", "().__class__.__bases__[0]", "x.__class__", "x.diff(x)", "lambda: 0",
           "exec('1')", "eval(1)", "open(x)", "x; import os", "[x for x in (1,)]", "{x: 1}", "x if 1 else y", "x := 1", "'a'*10",
           "f'{x}'", "getattr(x, y)", "globals()", "Symbol(x)", "sympify(x)", "_x",
           "__name__", "x\\y", "x@y", "x and y(", "print(x)", "`x`",
           "x!", "#x", "x\x00", "ｅval(x)", "ｘ"]


@pytest.mark.parametrize("text", ATTACKS, ids=range(len(ATTACKS)))
def test_no_code_runs(text):
    """Each is refused by the grammar, and neither Python's compiler nor SymPy's parser, nor a shell, ever sees it."""
    with mock.patch("builtins.eval") as evaluate, mock.patch("builtins.exec") as execute, \
            mock.patch.object(subprocess, "Popen") as shell, mock.patch("os.system") as system, \
            mock.patch("sympy.parsing.sympy_parser.parse_expr") as sympy_parser, pytest.raises(FormulaError):
        parse(text)
    assert not any(f.called for f in (evaluate, execute, shell, system, sympy_parser))


def test_names_of_python_are_only_names():
    assert parse("eval + exec + os + S + N").free_symbols == set(sp.symbols("eval exec os S N", real=True))
    assert not {"eval", "exec", "sympify", "lambdify", "Symbol", "getattr"} & FUNCTIONS.keys()


def test_derive_as_json():
    table = json.loads(derive("-a^2/(4*b) - log(-2*b)/2", "json"))
    assert table["coordinates"] == ["a", "b"] and table["scalar_curvature"] == "-1"
    a, b = sp.symbols("a b", real=True)
    assert sp.simplify(sp.sympify(table["eta"][0], locals={"a": a, "b": b}) + a / (2 * b)) == 0
    assert [len(table["metric"]), len(table["cubic_tensor"][1][1]), len(table["theta_of_eta"])] == [2, 2, 2]


def test_derive_as_text_and_latex():
    text = derive("exp(t)")
    assert text.splitlines()[:2] == ["coordinates       t", "potential         exp(t)"] and "eta*(log(eta) - 1)" in text
    assert derive("exp(t)", "latex").startswith("\\begin{aligned}\n\\psi &= e^{t} \\\\\n")
    assert "theta_of_eta" not in derive("loggamma(t)")


def test_derive_refuses():
    with pytest.raises(ValueError, match="format must be one of text, latex, json; got 'xml'"):
        derive("exp(t)", "xml")
    with pytest.raises(FormulaError, match="has none"):
        derive("1 + 2")
    with pytest.raises(ig.DomainError, match="strictly convex"):
        derive("-x^2")
    with pytest.raises(TypeError, match="a formula is text; got int"):
        parse(3)
