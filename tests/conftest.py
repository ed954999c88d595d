"""What all tests share: the backends, how many examples Hypothesis draws, how many processes there are."""
import gc
import os

# Before NumPy: processes side by side have one thread each, where threads of theirs would wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest  # noqa: E402
from hypothesis import find, settings, strategies  # noqa: E402

from .backends import BACKENDS, CHOSEN, is_small  # noqa: E402

# What only these libraries can do
ALONE = {"derivatives": ("torch", "jax"), "implicit_derivatives": ("torch", "jax"), "traced": ("jax",), "traced_runs": ("jax",)}
collect_ignore = [f"laws/test_{name}.py" for name, libraries in ALONE.items() if CHOSEN not in libraries]

# Numerical laws take as long as they take, so there is no deadline. Where CI is set, the same examples come every time;
# `--hypothesis-profile=ci` draws fifteen times as many.
settings.register_profile("default", deadline=None, max_examples=2, derandomize=bool(os.environ.get("CI")))
settings.register_profile("ci", deadline=None, max_examples=30, derandomize=True)
settings.load_profile("default")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Four at most: every process collects all cases, which takes it some seconds."""
    return min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def pytest_make_parametrize_id(val, argname):
    """No case is named by bytes: those of a file may hold the second of its making, and each process names its cases itself."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_modifyitems(config, items):
    """Of a run on one other library, what stands on it and what takes its arrays: the small profile, or all by ``-m arrays``."""
    if CHOSEN:
        mine = [item for item in items if "backend" in getattr(item, "fixturenames", ())]
        items[:] = mine if is_thorough(config) else [item for item in mine if item.path.parent.name == CHOSEN or is_small(item)]
        for item in items:
            item.add_marker("arrays")


if CHOSEN == "jax":
    import jax

    made = []                   # a program each

    def count(event, *_, **__):
        if "backend_compile" in event:
            made.append(event)

    jax.monitoring.register_event_duration_secs_listener(count)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown():
        """JAX forgets its programs after every 1000: the 13 500 of `test_arrays` took 5 GB."""
        if len(made) > 1000:
            made.clear()
            jax.clear_caches()


def is_thorough(config):
    return "arrays" in config.getoption("markexpr")


@pytest.fixture(scope="session")
def thorough(request):
    """Whether nothing is left out of a run on one other library."""
    return is_thorough(request.config)


def pytest_collection_finish():
    """The cases, some 20 000 objects that stay, are not looked through again and again: 7 % of the time of the laws.

    Hypothesis looks with the collector whether anybody holds the generator that it makes at its first draw, so that comes before.
    """
    find(strategies.none(), lambda _: True, settings=settings(database=None))
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


@pytest.fixture(params=BACKENDS, scope="session")
def backend(request):
    """Each array library in turn."""
    return request.param
