"""A virtual environment of the PyTorch libraries that `benchmarks/curvature.py` stands beside; they share one PyTorch.

    python benchmarks/curvature_peers.py FOLDER

makes FOLDER/torch; what exists is kept.
"""
import argparse
import subprocess
import sys
from pathlib import Path

PACKAGES = ["torch", "numpy", "backpack-for-pytorch", "curvlinops-for-pytorch", "nngeometry"]


def interpreter(folder):
    return Path(folder) / "torch" / "bin" / "python"


def make(folder):
    if interpreter(folder).exists():
        return
    subprocess.run([sys.executable, "-m", "venv", str(Path(folder) / "torch")], check=True)
    subprocess.run([str(interpreter(folder)), "-m", "pip", "install", "--quiet", *PACKAGES], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    make(arguments.folder)
    print(interpreter(arguments.folder))


if __name__ == "__main__":
    main()
