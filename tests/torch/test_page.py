"""The code of the page on modules of PyTorch runs, block after block."""
import re
from pathlib import Path
from textwrap import dedent

PAGE = Path(__file__).parent.parent.parent / "docs" / "guide" / "torch.rst"


def test_code_of_the_page():
    blocks = re.findall(r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(blocks) == 2
    names = {}
    for block in blocks:
        exec(dedent(block), names)
    before, after = (float(names["model"].loss(v, (names["x"], names["y"]))) for v in (names["w"], names["network"].weights()))
    assert after < before
