"""Formulas as text, by a grammar of names, numbers, operators and a white list of functions: nothing else, and no code."""
import re
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

import sympy as sp

from ..errors import InfogeoError
from .functions import Log1pExp, LogSumExp, MultiGammaLn

__all__ = ["FormulaError", "parse"]

CONSTANTS = {"pi": sp.pi, "E": sp.E}
# Name: (function, least and most arguments).
FUNCTIONS = {name: (getattr(sp, name), 1, 1) for name in (
    "exp", "log", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
    "gamma", "loggamma", "digamma", "erf")}
FUNCTIONS |= {"abs": (sp.Abs, 1, 1), "log1p": (lambda x: sp.log(1 + x), 1, 1), "trigamma": (lambda x: sp.polygamma(1, x), 1, 1),
              "log1pexp": (Log1pExp, 1, 1), "logsumexp": (LogSumExp, 1, 100), "multigammaln": (MultiGammaLn, 2, 2)}
LONGEST = 2000      # characters of a formula
DEEPEST = 50        # brackets, signs and powers within each other
LARGEST = 1000      # a whole number in an exponent: SymPy multiplies it out


class FormulaError(InfogeoError, ValueError):
    """A text that is not a formula; the message says where, and what was expected.

    Examples
    --------
    >>> try:
    ...     ig.symbolic.parse("log(1 + theta")
    ... except ig.symbolic.FormulaError as error:
    ...     print(error)
    expected ')' at character 14, not 'the end'
    """


class _Token(NamedTuple):
    kind: str
    text: str
    place: int


_TOKENS = re.compile(r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)|(?P<name>[A-Za-z][A-Za-z0-9_]*)"
                     r"|(?P<operator>\*\*|[-+*/^(),]))", re.ASCII)


def _tokens(text: str) -> Iterator[_Token]:
    place, text = 0, text.rstrip()
    while place < len(text):
        found = _TOKENS.match(text, place)
        if found is None:
            place += len(text[place:]) - len(text[place:].lstrip())
            raise FormulaError(f"unexpected {text[place]!r} at character {place + 1}: a formula has names, numbers, "
                               "+ - * / ^ ( ) and commas")
        kind = str(found.lastgroup)
        yield _Token(kind, found[kind], found.start(kind))
        place = found.end()
    yield _Token("end", "the end", len(text))


class _Parser:
    """Recursive descent: sum, product, sign, power, atom."""

    def __init__(self, text: str) -> None:
        self.tokens, self.place, self.depth = list(_tokens(text)), 0, 0
        self.symbols: dict[str, sp.Symbol] = {}

    @property
    def token(self) -> _Token:
        return self.tokens[self.place]

    def accept(self, *texts: str) -> str | None:
        token = self.token
        if token.kind == "operator" and token.text in texts:
            self.place += 1
            return token.text
        return None

    def expect(self, text: str) -> None:
        if not self.accept(text):
            self.fail(f"expected {text!r}")

    def fail(self, words: str) -> NoReturn:
        raise FormulaError(f"{words} at character {self.token.place + 1}, not {self.token.text!r}")

    def formula(self) -> sp.Expr:
        value = self.sum()
        if self.token.kind != "end":
            self.fail("expected an operator or the end")
        return value

    def sum(self) -> sp.Expr:
        value = self.product()
        while operator := self.accept("+", "-"):
            term = self.product()
            value = value + term if operator == "+" else value - term
        return value

    def product(self) -> sp.Expr:
        value = self.signed()
        while operator := self.accept("*", "/"):
            factor = self.signed()
            if operator == "/" and factor == 0:
                raise FormulaError(f"division by zero before character {self.token.place + 1}")
            value = value * factor if operator == "*" else value / factor
        return value

    def signed(self) -> sp.Expr:
        """−x^2 is −(x^2)."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise FormulaError(f"a formula may nest {DEEPEST} deep; this one goes deeper at character {self.token.place + 1}")
        sign = self.accept("-", "+")
        value = (-self.signed() if sign == "-" else self.signed()) if sign else self.power()
        self.depth -= 1
        return value

    def power(self) -> sp.Expr:
        base = self.atom()
        if not self.accept("**", "^"):
            return base
        exponent = self.signed()
        if exponent.is_number and not abs(exponent) <= LARGEST:
            raise FormulaError(f"an exponent may be {LARGEST} at most; got {exponent}")
        if base == 0 and exponent.is_number and exponent.is_negative:
            raise FormulaError(f"division by zero before character {self.token.place + 1}")
        return base**exponent

    def atom(self) -> sp.Expr:
        token = self.token
        if token.kind == "number":
            self.place += 1
            return sp.Rational(token.text)
        if token.kind == "name":
            self.place += 1
            return self.call(token) if self.accept("(") else CONSTANTS.get(token.text) or self.symbol(token.text)
        if self.accept("("):
            value = self.sum()
            self.expect(")")
            return value
        return self.fail("expected a number, a name or '('")

    def symbol(self, name: str) -> sp.Symbol:
        return self.symbols.setdefault(name, sp.Symbol(name, real=True))

    def call(self, token: _Token) -> sp.Expr:
        if token.text not in FUNCTIONS:
            raise FormulaError(f"unknown function {token.text!r} at character {token.place + 1}; "
                               f"known: {', '.join(sorted(FUNCTIONS))}")
        function, least, most = FUNCTIONS[token.text]
        arguments = [self.sum()]
        while self.accept(","):
            arguments.append(self.sum())
        self.expect(")")
        if not least <= len(arguments) <= most:
            raise FormulaError(f"{token.text} at character {token.place + 1} takes {least if least == most else 'one or more'} "
                               f"arguments; got {len(arguments)}")
        try:
            return function(*arguments)
        except ValueError as error:
            raise FormulaError(f"{token.text} at character {token.place + 1}: {error}") from None


def parse(text: str) -> sp.Expr:
    """The SymPy expression of a formula such as ``"-theta1^2/(4*theta2) - log(-2*theta2)/2"``; its names are real symbols.

    Mathematically, sum := product ((+|−) product)*, product := signed ((*|/) signed)*, signed := (+|−) signed | power,
    power := atom ((^|**) signed)?, atom := number | name | name(sum, …) | (sum). Numbers are exact: 0.1 is 1/10. `pi` and `E`
    are the numbers; functions are those of a white list.

    Raises
    ------
    FormulaError
        With the place and what was expected there.

    Examples
    --------
    >>> ig.symbolic.parse("log(1 + exp(theta)) + 0.5*theta^2")
    theta**2/2 + log(exp(theta) + 1)
    """
    if not isinstance(text, str):
        raise TypeError(f"a formula is text; got {type(text).__name__}")
    if len(text) > LONGEST:
        raise FormulaError(f"a formula may have {LONGEST} characters; got {len(text)}")
    value = _Parser(text).formula()
    if value.has(sp.nan, sp.zoo, sp.oo):
        raise FormulaError(f"the formula has no value: it is {value}")
    return value
