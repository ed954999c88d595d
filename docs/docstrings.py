"""Docstrings as Sphinx takes them: names that link, mathematics that is no markup, and prompts as they are."""
import re

from infogeo.face.stubs import public_names


def linked(text):
    """`MLP` links to infogeo.networks.MLP from wherever it stands: public names are one of a kind."""
    homes = public_names()
    link = lambda found: f":py:obj:`{found[1]} <{homes[found[1]]}>`" if found[1] in homes else found[0]
    return re.sub(r"(?<![`:\w<])`(\w+)`(?![`_])", link, text)


def link_page(app, name, source):
    source[0] = linked(source[0])


def escaped(line):
    """A line without markup: outside literals, the bars of |x| and the stars of (*shape, d) are themselves.

    Nor does a bracket after a name keep it from being a link: `Beta`(α, β).
    """
    parts = re.split(r"(``.*?``|`.*?`)", line)              # the odd ones are literals
    parts[::2] = [re.sub(r"[|*]", r"\\\g<0>", part) for part in parts[::2]]
    parts[2::2] = [f"\\ {part}" if part.startswith("(") else part for part in parts[2::2]]
    return "".join(parts)


def escape_mathematics(app, what, name, obj, options, lines):
    """Docstrings are plain text, and prompts, up to the next empty line, are code."""
    prompt = False
    for i, line in enumerate(lines):
        prompt = bool(line.strip()) and (prompt or line.lstrip().startswith(">>>"))
        if not prompt:
            lines[i] = linked(escaped(line))
