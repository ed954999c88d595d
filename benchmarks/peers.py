"""Virtual environments of the libraries that the benchmarks stand beside: each has requirements that the others exclude.

    python benchmarks/peers.py FOLDER [--python312 PATH]

makes FOLDER/efax (needs Python 3.12), FOLDER/bregman (NumPy < 2), FOLDER/geomstats (NumPy < 2.4), FOLDER/boosting (scikit-learn
< 1.7); what exists is kept. With `--only NAME` that one alone.
"""
import argparse
import shutil
import subprocess
import sys
from pathlib import Path

PEERS = {"efax": ["efax"], "bregman": ["pyBregMan", "numpy<2", "autograd"], "geomstats": ["geomstats", "numpy<2.4"],
         "boosting": ["ngboost", "catboost", "lightgbm"]}


def interpreter(folder, name):
    return Path(folder) / name / "bin" / "python"


def make(folder, name, python):
    if interpreter(folder, name).exists():
        return
    subprocess.run([python, "-m", "venv", str(Path(folder) / name)], check=True)
    subprocess.run([str(interpreter(folder, name)), "-m", "pip", "install", "--quiet", *PEERS[name]], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python312", default=shutil.which("python3.12"), help="a Python 3.12, which efax needs")
    parser.add_argument("--only", choices=PEERS)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in [arguments.only] if arguments.only else PEERS:
        python = arguments.python312 if name == "efax" else sys.executable
        if python is None:
            print(f"{name}: no Python 3.12 found; give it with --python312")
            continue
        make(arguments.folder, name, python)
        print(f"{name}: {interpreter(arguments.folder, name)}")


if __name__ == "__main__":
    main()
