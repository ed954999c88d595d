"""Which tests see a slip in a formula: single changes of the core, one by one, each against the tests that should see it.

    python benchmarks/mutants.py                    # all of benchmarks/mutants.txt, and docs/_static/mutants.rst
    python benchmarks/mutants.py 20 40              # some of them, by their numbers in the file

A line of the list is ``file :: old text => new text :: tests``, the file below infogeo/, the tests below tests/ as pytest takes
them. The old text is found by what it says, and must stand in the file; the first place of several is changed. The change is
made in a copy of the tree. A change that no test sees is named at the end, and is the exit status.
"""
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
LIST, TABLE = ROOT / "benchmarks/mutants.txt", ROOT / "docs/_static/mutants.rst"
LIMIT = 300             # seconds: an iteration that no longer ends is seen, too


class Mutant(NamedTuple):
    file: str
    old: str
    new: str
    tests: str

    def __str__(self):
        return f"{self.file}: {self.old} → {self.new}"


def read(path=LIST):
    """The mutants of a list; empty lines and lines that begin with # are left out."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    parts = (line.split(" :: ") for line in lines if line and not line.startswith("#"))
    return [Mutant(file, *change.split(" => "), tests) for file, change, tests in parts]


def caught_by(mutant, tree):
    """The first test that fails with the change, or None."""
    path = tree / "infogeo" / mutant.file
    text = path.read_text(encoding="utf-8")
    if mutant.old not in text:
        raise SystemExit(f"{mutant.file} has no {mutant.old!r}")
    path.write_text(text.replace(mutant.old, mutant.new, 1), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(tree), "CI": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    tests = shlex.split(mutant.tests)
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider", *tests]
    try:
        run = subprocess.run(command, cwd=tree / "tests", env=environment, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return "the time limit"
    finally:
        path.write_text(text, encoding="utf-8")
    if run.returncode not in (0, 1, 2):            # 2: an import fails
        raise SystemExit(f"{mutant}\n{run.stdout}{run.stderr}")
    failed = [line.split(" - ")[0].split(" ", 1)[1] for line in run.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return None if run.returncode == 0 else failed[0] if failed else "an error at import"


def table(rows):
    """The rows (mutant, caught by, seconds) as a table for the documentation."""
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 16 54 30", "",
             "   * - file", "     - change", "     - seen by"]
    for mutant, seen, _ in rows:
        lines += [f"   * - ``{mutant.file}``", f"     - ``{mutant.old}`` → {f'``{mutant.new}``' if mutant.new else 'left out'}",
                  f"     - ``{seen}``" if seen else "     - **nothing**"]
    return "\n".join(lines) + "\n"


def main(first=0, last=None):
    mutants = read()
    rows = []
    with tempfile.TemporaryDirectory() as place:
        tree = copytree(ROOT, Path(place) / "tree", ignore=ignore_patterns(".git", "_build", "gallery", "*.egg-info"))
        for i, mutant in enumerate(mutants[first:last], first):
            start = time.perf_counter()
            seen = caught_by(mutant, tree)
            rows.append((mutant, seen, time.perf_counter() - start))
            print(f"{i:3d} {rows[-1][2]:5.1f} s  {mutant}\n            {seen or 'SURVIVES'}", flush=True)
    survivors = [mutant for mutant, seen, _ in rows if seen is None]
    print(f"{len(rows)} changes, {len(survivors)} survive", *survivors, sep="\n")
    if len(rows) == len(mutants):
        TABLE.write_text(table(rows), encoding="utf-8")
    return bool(survivors)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
