"""Signatures as they are written: to Python `Array` is Any, and a class that makes itself in ``__new__`` takes anything."""
import ast
import inspect
import re
import textwrap
from functools import cache

from sphinx.util.inspect import stringify_signature


@cache
def written(obj):
    """{argument or field: its annotation as text} of a function or class, from its source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(obj))).body[0]
    except (OSError, TypeError, SyntaxError):
        return {}
    parts = [node for node in ast.walk(tree) if isinstance(node, ast.arg) and node.annotation]
    fields = [node for node in getattr(tree, "body", []) if isinstance(node, ast.AnnAssign)]
    found = {node.arg: node.annotation for node in parts} | {node.target.id: node.annotation for node in fields}
    found["return"] = getattr(tree, "returns", None) or ast.Name("Any")
    return {name: ast.unparse(annotation) for name, annotation in found.items()}


def named(app, what, name, obj, options, signature, returned):
    """The signature with the annotation of the source wherever Python has lost it to Any."""
    if what not in ("class", "function", "method") or signature is None:
        return None
    if what == "class":
        try:
            signature = stringify_signature(inspect.signature(obj), show_return_annotation=False, unqualified_typehints=True)
        except (ValueError, TypeError):
            return None
    found = written(inspect.unwrap(obj))
    text = re.sub(r"\b(\w+): ['\"]?(?:~?typing\.)?Any\b['\"]?", lambda hit: f"{hit[1]}: {found.get(hit[1], 'Any')}", signature)
    return text, found.get("return") if str(returned).endswith("Any") else returned
