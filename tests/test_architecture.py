"""The house rules: who may import whom, where CuPy and SymPy are named, what an import of the package brings along."""
import ast
import enum
import importlib
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import infogeo
from infogeo.face.stubs import packages, sections

PACKAGE = Path(infogeo.__file__).parent

# The floors from the ground up: a module imports its own package and lower floors only. Packages of one floor are strangers, so
# the wings families, curvature and solvers never import each other, nor training and boosting.
FLOORS = [
    {"errors", "backend", "face"},
    {"arrays", "pictures"},
    {"numerics"},
    {"domains", "objectives"},
    {"operators", "networks"},
    {"geometry"},
    {"families", "curvature", "solvers"},
    {"statistics"},
    {"training", "boosting", "policy", "inference", "clustering", "symbolic", "testing"},
    {"studies"},
    {"cli", "__init__"},
    {"__main__"},
]
# What may be imported inside a function, as it need not be installed, and by which packages: scikit-learn's trees by one, its
# digits by another, the base classes of its estimators by a third.
OPTIONAL = {"argcomplete": {"cli"}, "cupy": {"backend"}, "cupyx": {"backend"}, "array_api_compat": {"backend"},
            "torch": {"arrays", "backend", "networks", "training"}, "jax": {"arrays", "backend"},
            "matplotlib": {"pictures", "studies"},
            "tqdm": {"solvers", "studies"}, "sklearn": {"boosting", "clustering", "studies", "training"},
            "lightgbm": {"boosting"}, "gymnasium": {"policy"}, "dask": {"arrays"}}


@cache
def modules():
    """(name relative to the package, parsed source) of every module."""
    paths = sorted(PACKAGE.rglob("*.py"))
    return [(path.relative_to(PACKAGE).with_suffix("").parts, ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


LOADERS = {"import_module", "__import__"}


def loaded(parts, call):
    """The target of a call of ``import_module`` with a literal name."""
    assert call.args and isinstance(call.args[0], ast.Constant), f"{'.'.join(parts)}:{call.lineno} imports what no reader can see"
    name = call.args[0].value
    level = len(name) - len(name.lstrip("."))
    names = name.lstrip(".").split(".")
    if level:
        return (*parts[:len(parts) - level], *names)
    return tuple(names[1:]) if names[0] == "infogeo" else names[0]


def imports(parts, tree):
    """(node, target) of every import; a target inside the package is a tuple of names, another one its first name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names = alias.name.split(".")
                yield node, tuple(names[1:]) or ("__init__",) if names[0] == "infogeo" else names[0]
        elif isinstance(node, ast.ImportFrom):
            names = node.module.split(".") if node.module else []
            if node.level:
                names = [*parts[:len(parts) - node.level], *names]
            elif names[0] == "infogeo":
                names = names[1:]
            else:
                yield node, names[0]
                continue
            for alias in node.names:
                path = PACKAGE.joinpath(*names, alias.name)
                is_module = path.is_dir() or path.with_suffix(".py").exists()
                yield node, (*names, alias.name) if is_module else tuple(names) or ("__init__",)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", None)) in LOADERS:
            yield node, loaded(parts, node)


def inside_functions(tree):
    """All nodes that lie in the body of a function."""
    functions = (f for f in ast.walk(tree) if isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return {id(node) for f in functions for node in ast.walk(f)}


def floor(name):
    return next(level for level, names in enumerate(FLOORS) if name in names)


def test_no_loose_module():
    """Every package, and every module at the root, has a floor."""
    known = set().union(*FLOORS)
    assert {parts[0] for parts, _ in modules()} <= known


def test_the_page_has_the_floors():
    """docs/reference/architecture.rst tells the same table, of the packages that there are."""
    text = (Path(__file__).parent.parent / "docs" / "reference" / "architecture.rst").read_text(encoding="utf-8")
    rows = re.findall(r"^   \* - (\d+)\n     - (.*)$", text, re.MULTILINE)
    there = {parts[0] for parts, _ in modules()}
    assert [int(number) for number, _ in rows] == list(range(len(FLOORS)))
    assert [set(re.findall(r"``(\w+)``", names)) for _, names in rows] == [names & there for names in FLOORS]


def test_imports_go_down():
    wrong = []
    for parts, tree in modules():
        for own, other in {(parts[0], target[0]) for _, target in imports(parts, tree) if isinstance(target, tuple)}:
            if own != other and floor(other) >= floor(own) and {own, other} != {"errors", "backend"}:
                wrong.append(f"{'.'.join(parts)} imports {other}")
    assert not wrong, wrong


def for_checkers(tree):
    """All nodes that only a type checker reads."""
    blocks = (node for node in ast.walk(tree) if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING")
    return {id(node) for block in blocks for node in ast.walk(block)}


def test_no_cycles():
    """Within a package, too: the graph of modules has an order. A module may name a later one of its package in annotations."""
    graph = {}
    for parts, tree in modules():
        unread = for_checkers(tree)
        graph[parts] = {target for node, target in imports(parts, tree) if isinstance(target, tuple) and id(node) not in unread}
    graph = {parts: {t if t in graph else (*t, "__init__") for t in targets} - {parts} for parts, targets in graph.items()}
    done = set()
    while len(done) < len(graph):
        free = {parts for parts, targets in graph.items() if parts not in done and targets <= done}
        assert free, f"a cycle among {sorted('.'.join(p) for p in set(graph) - done)}"
        done |= free


def needs_an_option(parts, tree):
    """Whether a module imports a library that need not be installed."""
    return any(parts[0] in OPTIONAL.get(target, ()) for _, target in imports(parts, tree) if isinstance(target, str))


def test_only_optional_imports_inside_functions():
    """Libraries that need not be installed, and the modules of the same package that stand on one."""
    parsed = list(modules())
    optional = {parts for parts, tree in parsed if needs_an_option(parts, tree)}
    wrong = []
    for parts, tree in parsed:
        hidden = inside_functions(tree)
        for node, target in imports(parts, tree):
            allowed = parts[0] in OPTIONAL.get(target, ()) or target in optional and target[0] == parts[0]
            if id(node) in hidden and not allowed:
                wrong.append(f"{'.'.join(parts)}:{node.lineno} imports {target} inside a function")
    assert not wrong, wrong


def test_only_the_backend_names_cupy():
    for parts, tree in modules():
        named = {target for _, target in imports(parts, tree)}
        named |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert parts[0] == "backend" or not named & {"cupy", "cupyx"}, f"{'.'.join(parts)} names cupy"


def test_only_the_symbolic_package_imports_sympy():
    for parts, tree in modules():
        assert parts[0] == "symbolic" or "sympy" not in {target for _, target in imports(parts, tree)}


def test_import_is_light():
    """A fresh interpreter that imports the package has loaded none of the heavy modules, and every public name is there."""
    heavy = ["sympy", "scipy.stats", "scipy.optimize", "scipy.integrate", "matplotlib", "cupy", "torch", "jax", "tqdm", "dask",
             "sklearn", "lightgbm"]
    script = f"import sys, infogeo; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert len(set(infogeo.__all__)) == len(infogeo.__all__) and set(infogeo.__all__) <= set(dir(infogeo))


def test_no_public_class_name_stands_twice():
    places = {}
    for parts, tree in modules():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(".".join(parts))
    assert not {name: where for name, where in places.items() if len(where) > 1}


def is_annotated(function):
    given = function.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    named = [argument for argument in arguments if argument is not None and argument.arg not in ("self", "cls")]
    return function.returns is not None and all(argument.annotation is not None for argument in named)


def test_every_function_is_annotated():
    wrong = [f"{'.'.join(parts)}:{node.lineno} {node.name}" for parts, tree in modules() for node in ast.walk(tree)
             if isinstance(node, ast.FunctionDef) and not is_annotated(node)]
    assert not wrong, wrong


def unannotated(cls):
    """The public attributes of a class that neither have their annotation there or in a base class nor are another library's."""
    said = set().union(*(vars(base).get("__annotations__", {}) if base.__module__.startswith("infogeo.") else dir(base)
                         for base in cls.__mro__))
    plain = {name for name, value in vars(cls).items() if not (name.startswith("_") or hasattr(value, "__get__"))}
    return plain - said


def test_every_attribute_of_a_public_class_is_annotated():
    """But the members of an enumeration, and what SymPy asks of a function."""
    public = {value for package in packages() for section in sections(package) for name in section.names
              if isinstance(value := getattr(importlib.import_module(package), name), type)}
    classes = {base for cls in public for base in cls.__mro__ if base.__module__.startswith("infogeo.")}
    wrong = {cls.__qualname__: found for cls in classes
             if not issubclass(cls, enum.Enum) and (found := unannotated(cls) - {"nargs"})}
    assert not wrong, wrong
