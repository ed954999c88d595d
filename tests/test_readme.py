"""The code of the README, of the documentation pages and of docstrings does what the text around it says."""
import doctest
import inspect
import re
from configparser import ConfigParser
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import infogeo as ig
from infogeo.face.stubs import packages, public_names

ROOT = Path(__file__).parent.parent
PAGES = sorted(page for part in (".", "start", "guide", "reference") for page in (ROOT / "docs" / part).glob("*.rst"))


def place(page):
    return str(page.relative_to(ROOT / "docs"))


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_the_readme_has_four_snippets():
    assert len(blocks("python")) == len(blocks("text")) == 4


@pytest.mark.parametrize("code, printed", [*zip(blocks("python"), blocks("text"), strict=True)],
                         ids=("geometry", "equality", "statistics", "training"))
def test_snippets_of_the_readme_stand_alone(code, printed, capsys):
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out == printed


def test_links_of_the_readme_lead_somewhere():
    targets = re.findall(r"\]\(([^)#]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(targets) > 20 and not [target for target in targets if not (ROOT / target).exists()]


def test_the_readme_has_its_two_commands():
    """Continuous integration runs the marked block; here, that it is found and is two lines."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    marked = re.findall(r"^<!-- commands:.*-->\n```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(marked) == 1
    study, tests = marked[0].splitlines()
    assert study.startswith("pip install") and " && infogeo conditioning " in study
    assert tests.startswith("pip install") and tests.endswith("&& pytest -n auto --dist worksteal")
    assert re.search(r"--example (\S+)", study)[1] in ig.studies.EXAMPLES


@pytest.mark.parametrize("page", [page for page in PAGES if place(page) != "index.rst"], ids=place)
def test_a_page_begins_with_when_one_needs_it(page):
    title, line, _, first = page.read_text(encoding="utf-8").split("\n")[:4]
    assert line == "=" * len(title) and first.startswith("You need th")


def test_what_is_needed_is_on_the_page_on_installing():
    """Every extra has its row, with the oldest versions that a user may have; a package has the same in each extra."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    needs = {**setup["options.extras_require"], "itself": setup["options"]["install_requires"]}
    page = (ROOT / "docs/start/install.rst").read_text(encoding="utf-8")
    rows = re.findall(r"^   \* - (``.*)\n     - .*\n     - (.*)$", page, re.MULTILINE)
    said = {name: brings for names, brings in rows for name in re.findall("``(.*?)``", names)}
    said["itself"] = re.search("itself needs (.*)", page)[1]
    assert set(said) == set(needs)
    for name in set(said) - {"test", "docs", "dev"}:
        assert set(re.findall(r"[\d.]*\d", said[name])) == set(re.findall(r">=([\d.]+)", needs[name])), name
    floors = set(re.findall(r"([\w-]+)(?:\[.*\])?>=([\d.]+)", "\n".join(needs.values())))
    assert len(dict(floors)) == len(floors)


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_prompts_of_the_documentation(page):
    failed, _ = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert failed == 0


def test_prompts_of_docstrings():
    """Every public class and function has an example, and it is true."""
    runner, texts, without = doctest.DocTestRunner(), {}, []
    for package in packages():
        module = import_module(package)
        for name in module.__all__:
            thing = getattr(module, name)
            if ">>>" in (text := getattr(thing, "__doc__", None) or ""):
                texts[text] = f"{package}.{name}"
            elif callable(thing):
                without.append(f"{package}.{name}")
    for text, name in texts.items():
        runner.run(doctest.DocTestParser().get_doctest(text, {"ig": ig, "np": np}, name, None, 0))
    assert len(texts) > 700 and runner.failures == 0 and not without


def test_prompts_fit_their_box():
    """Which holds 113 columns in a window of 1400 pixels."""
    lines = {f"{place(page)}:{i}": line for page in PAGES
             for i, line in enumerate(page.read_text(encoding="utf-8").split("\n"), 1)}
    long = [where for where, line in lines.items() if line.startswith((">>> ", "... ")) and len(line) > 113]
    assert len(lines) > 1000 and not long, long


def test_the_documentation_has_prompts():
    """A page list that is empty would make the test above pass for nothing."""
    counts = {place(page): len(doctest.DocTestParser().get_examples(page.read_text(encoding="utf-8"))) for page in PAGES}
    assert {"index.rst", "start/notation.rst", "guide/solvers.rst", "guide/families.rst"} <= counts.keys()
    assert sum(counts.values()) > 50


def test_every_public_name_is_in_the_reference_once(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import reference

    listed = [name for package in packages() for _, names in reference.spoken(package) for name in names]
    left_out = set(public_names()) - set(listed)
    assert len(listed) == len(set(listed)) and all(inspect.ismodule(import_module(public_names()[name])) for name in left_out)
    for package in packages():
        if reference.spoken(package):
            assert all(f"   {name}\n" in reference.page(package) for _, names in reference.spoken(package) for name in names)


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_names_in_the_pages_exist(page):
    """A name in single backticks links to its reference; a misspelt one would silently stay plain text."""
    prose = re.sub(r"``.*?``|:[a-z:]+:`[^`]*`|`[^`]*`_", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for name in re.findall(r"`([^`]+)`", prose):
        name = public_names().get(name, name)
        found = ig if name != "numpy.random.Generator" else np.random.Generator
        for part in name.removeprefix("infogeo.").split(".") if found is ig else ():
            found = getattr(found, part)
