"""The code of the README and of the documentation pages as files for a type checker: ``python tests/typing/snippets.py FOLDER``.

Prompts that are there to show an error are left out.
"""
import doctest
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
# A page evaluates expressions and defines names again; a manifold of one's own may say `dim` as an attribute, where ours has a
# property.
HEAD = """# pyright: standard, reportUnusedExpression=false, reportRedeclaration=false, reportIncompatibleMethodOverride=false
from typing import Any


def anything(x: Any) -> Any:
    return x


"""


def readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))


def prompts(page):
    examples = doctest.DocTestParser().get_examples(page.read_text(encoding="utf-8"))
    return "".join(example.source for example in examples if example.exc_msg is None)


def typed(code):
    """Keyword arguments that are kept in a dict are of any type: a checker joins their types otherwise. So are data of
    scikit-learn, which its stubs take for frames and arrays at once, and sizes of chunks, which Dask does not annotate."""
    code = re.sub(r"= (load_\w+\(.*\))$", r"= anything(\1)", code, flags=re.MULTILINE)
    code = re.sub(r"chunks=([\d_]+)", r"chunks=anything(\1)", code)
    return re.sub(r"^(\w+) = dict\((?=\w+=)", r"\1: dict[str, Any] = dict(", code, flags=re.MULTILINE)


def main(folder):
    Path(folder).mkdir(parents=True, exist_ok=True)
    folders = [ROOT / "docs", *(ROOT / "docs" / part for part in ("start", "guide", "reference"))]
    pages = {f"{page.parent.name}_{page.stem}": prompts(page) for folder in folders for page in sorted(folder.glob("*.rst"))}
    for name, code in {"readme": readme(), **pages}.items():
        if code:
            (Path(folder) / f"{name}.py").write_text(HEAD + typed(code), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
