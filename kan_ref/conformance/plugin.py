"""A plugin of pytest: the fixture `conformance_case`, with the adapter from pytest's configuration.

    [tool.pytest.ini_options]
    conformance_adapter = "mine:Mine"

    def test_conformance(conformance_case):
        conformance_case.check()

pytest loads this module in every run on a machine where kan_ref is installed. Therefore it loads
the kit, and NumPy, only for a test that has the fixture.
"""

from typing import Any

FIXTURE = "conformance_case"
GLOBS = ("only", "skip", "xfail")


def pytest_addoption(parser: Any) -> None:
    """Add the settings of the fixture to pytest's configuration."""
    parser.addini("conformance_adapter", f"module:Class of the adapter, for {FIXTURE}", default="")
    parser.addini("conformance_family", "basis functions of the adapter", default="bspline")
    for name in GLOBS:
        text = f"globs of cases or topics, one on each line, as in --{name}"
        parser.addini(f"conformance_{name}", text, "linelist", default=[])


def pytest_generate_tests(metafunc: Any) -> None:
    """Give a test with the fixture every case that the adapter has a method for."""
    if FIXTURE not in metafunc.fixturenames:
        return
    import pytest

    from kan_ref.conformance.subjects import load_adapter
    from kan_ref.conformance.suite import pytest_cases

    setting = metafunc.config.getini
    try:
        adapter = load_adapter(setting("conformance_adapter"))
        globs = {name: setting(f"conformance_{name}") for name in GLOBS}
        chosen = pytest_cases(adapter, **globs, family=setting("conformance_family"))
    except (ImportError, AttributeError, ValueError) as error:
        raise pytest.UsageError(
            f"{FIXTURE} has no cases: {error}; it needs conformance_adapter = "
            '"module:Class" in pytest\'s configuration, and the folder of the module in '
            "`pythonpath`"
        ) from error
    metafunc.parametrize(FIXTURE, chosen)
