"""Formulas as MathML, written when the pages are built: browsers draw it themselves, with no script and no network."""
from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.util import logging

CONVERTER = LatexToMathML()
JOINED = "&#8288;"                     # a word joiner: no line ends between a formula and the comma after it
LOG = logging.getLogger(__name__)


def mathml(node, display):
    r"""The formula of a node; one of several lines or with & is aligned, as under \begin{split} of LaTeX."""
    text = node.astext().strip()
    if display and (r"\\" in text or "&" in text) and r"\begin" not in text:
        text = rf"\begin{{aligned}}{text}\end{{aligned}}"
    try:
        return CONVERTER.convert_with_local_state(text, displaystyle=display)
    except LatexError as error:
        LOG.warning("no MathML of %s: %s", text, error, location=node)
        return ""


def visit_inline(translator, node):
    translator.body.append(f'<span class="math">{mathml(node, False)}</span>{JOINED}')
    raise nodes.SkipNode


def visit_block(translator, node):
    translator.body.append(f'<div class="math">{mathml(node, True)}</div>')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
