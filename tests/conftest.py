"""How often Hypothesis tries, HYPOTHESIS_PROFILE=dev (10 examples, the default), ci (200) or few (3), all the same in every run;
explore: 500 that are different in each run. One thread for BLAS. Ctrl-C works in programs that tests start.

Runs with fresh random cases (explore) have one seed for all tests, and for each failure the command that repeats it. Only tests with random
cases run: those of Hypothesis, and those that are parametrized by `"seed", range(n)`, which get other seeds. One number determines
everything: --hypothesis-seed, or one that is drawn and printed.
"""

import gc
import hashlib
import os
import secrets
import signal

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings
from hypothesis.internal.conjecture import providers

# before NumPy is imported: pytest runs one process per core, and sums have one order
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# what a shell starts in the background ignores Ctrl-C, and so would every program that a test starts
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "dev")
for profile, max_examples in {"dev": 10, "ci": 200, "few": 3}.items():
    settings.register_profile(profile, max_examples=max_examples, derandomize=True, deadline=None)
settings.register_profile(
    "explore",
    max_examples=500,
    derandomize=False,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(PROFILE)


def pytest_collection_finish(session):
    # modules and tests stay until the end: looking through them again and again takes a twentieth of the run
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    if PROFILE == "explore":
        begin(config)


# --- runs with fresh random cases


def begin(config):
    """Choose the seed of the run before Hypothesis's own plugin reads it; a worker of xdist gets that of its controller."""
    given = getattr(config, "workerinput", {}).get("exploring", config.option.hypothesis_seed)
    seed = secrets.randbelow(2**32) if given is None else int(given)
    config.option.hypothesis_seed = seed
    config.pluginmanager.register(Exploring(seed))


def fix_constants():
    """Let the constants that Hypothesis mixes into its cases be those of kan_ref, whatever else is loaded.

    It reads them from all modules that are loaded, so that a test alone would have other cases than among others.
    """
    import kan_ref as kr  # here: the controller of xdist runs no test

    for name in kr.__all__:
        getattr(kr, name)
    if hasattr(providers, "_get_local_constants"):  # older versions read none
        constants = providers._get_local_constants()
        providers._get_local_constants = lambda: constants


def fresh_seeds(item, seed):
    """Whether a test is parametrized by a range of seeds, which then become others."""
    for mark in item.iter_markers("parametrize"):
        if mark.args[0] == "seed" and isinstance(mark.args[1], range):
            text = f"{seed} {item.callspec.params['seed']}"
            digest = hashlib.sha256(text.encode()).digest()
            item.callspec.params["seed"] = int.from_bytes(digest[:4], "big")
            return True
    return False


class Exploring:
    """The plugin of a run with this seed."""

    def __init__(self, seed):
        self.seed = seed

    def repeat(self, nodeid):
        return f"HYPOTHESIS_PROFILE=explore .venv/bin/pytest -n 0 --hypothesis-seed={self.seed} '{nodeid}'"

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node):
        node.workerinput["exploring"] = self.seed

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session):
        if not session.config.pluginmanager.hasplugin("dsession"):
            fix_constants()  # before the tests are loaded

    def pytest_report_header(self):
        return f"exploring: --hypothesis-seed={self.seed}"

    def pytest_collection_modifyitems(self, config, items):
        chosen = [
            item for item in items if is_hypothesis_test(getattr(item, "obj", None)) or fresh_seeds(item, self.seed)
        ]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
        items[:] = chosen

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item):
        report = yield
        if report.failed:
            report.sections.append(("to repeat it", self.repeat(item.nodeid)))
        return report

    def pytest_terminal_summary(self, terminalreporter):
        failed = [report for kind in ("failed", "error") for report in terminalreporter.getreports(kind)]
        terminalreporter.section(f"explored with --hypothesis-seed={self.seed}")
        for report in failed:
            terminalreporter.write_line(self.repeat(report.nodeid))
