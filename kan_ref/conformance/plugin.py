"""A plugin of pytest: the fixture `conformance_case`, with the adapter from pytest's configuration.

    [tool.pytest.ini_options]
    conformance_adapter = "mine:Mine"

    def test_conformance(conformance_case):
        conformance_case.check()

pytest loads this module in every run on a machine where kan_ref is installed. Therefore it loads
the kit, and NumPy, only for a test that has the fixture.
"""

import importlib
from typing import Any

FIXTURE = "conformance_case"


def pytest_addoption(parser: Any) -> None:
    """Add the settings of the fixture to pytest's configuration."""
    parser.addini("conformance_adapter", f"module:Class of the adapter, for {FIXTURE}", default="")
    family = "basis functions of the adapter: bspline, gaussian, chebyshev, fourier or relu"
    parser.addini("conformance_family", family, default="bspline")
    for name, text in (
        ("only", "globs of cases or topics to run"),
        ("skip", "globs of cases or topics to leave out"),
        ("xfail", "globs of cases known to fail"),
    ):
        parser.addini(f"conformance_{name}", f"{text}, one on each line", "linelist", default=[])


def pytest_generate_tests(metafunc: Any) -> None:
    """Give a test with the fixture every case that the adapter has a method for."""
    if FIXTURE not in metafunc.fixturenames:
        return
    import pytest

    from kan_ref.conformance.suite import pytest_cases

    config = metafunc.config
    target = config.getini("conformance_adapter")
    module, _, name = target.partition(":")
    if not module or not name:
        raise pytest.UsageError(
            f"conformance_adapter is {target!r}, but {FIXTURE} needs module:Class in pytest's "
            'configuration, such as conformance_adapter = "mine:Mine"'
        )
    try:
        adapter = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise pytest.UsageError(
            f"conformance_adapter is {target!r}, which cannot be imported ({error}); its folder "
            "must be in pytest's setting `pythonpath`"
        ) from error
    globs = {part: config.getini(f"conformance_{part}") for part in ("only", "skip", "xfail")}
    family = config.getini("conformance_family")
    try:
        chosen = pytest_cases(adapter, **globs, family=family)
    except ValueError as error:
        raise pytest.UsageError(f"{FIXTURE} cannot be given cases: {error}") from error
    metafunc.parametrize(FIXTURE, chosen)
