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


def prose_first(lines):
    """A docstring whose paragraphs after a list, as "Source: …" after the parameters, stand above the first list.

    numpydoc takes them for one more parameter.
    """
    heads = [i for i, under in enumerate(lines[1:]) if re.fullmatch("-{3,}", under)]
    lists, prose = [], []
    for start, end in zip(heads, [*heads[1:], len(lines)]):
        section = lines[start:end]
        begins = (i for i in range(3, len(section)) if not section[i - 1] and re.match(r"\S(?!.* : )", section[i]))
        at = len(section) if section[0] in ("Examples", "Notes", "References", "See Also") else next(begins, len(section))
        lists += [*section[:at], ""]
        prose += section[at:]
    return [*lines[:heads[0]], *prose, "", *lists] if heads else lines


def escape_mathematics(app, what, name, obj, options, lines):
    """Docstrings are plain text, and prompts, up to the next empty line, are code."""
    lines[:] = prose_first(lines)
    prompt = False
    for i, line in enumerate(lines):
        prompt = bool(line.strip()) and (prompt or line.lstrip().startswith(">>>"))
        if not prompt:
            lines[i] = linked(escaped(line))
