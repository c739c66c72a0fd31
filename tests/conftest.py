"""How often Hypothesis tries, HYPOTHESIS_PROFILE=dev (25 examples, the default), ci (200) or few (3); where coverage looks away.

Tracing lines makes tests twice as slow. What tests of programs around the package reach, and the longest of the random ones (marked
`no_cover` where they stand), is reached by others too: they run as ever, but nobody counts their lines.
"""

import os

import pytest
from hypothesis import settings
from site_build import build_once

UNTRACED = (
    "test_benchmarks",
    "test_conformance_mutants",
    "test_explorer",
    "test_figures",
    "test_site",
    "test_tutorials",
)

settings.register_profile("dev", max_examples=25, derandomize=True, deadline=None)
settings.register_profile("ci", max_examples=200, derandomize=True, deadline=None)
settings.register_profile(
    "few", max_examples=3, derandomize=True, deadline=None
)  # which lines a test runs, not what they give
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of whole files that coverage does not follow."""
    for item in items:
        if item.path.name.startswith(UNTRACED):
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The built site; processes that share the tests share one build."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return build_once(shared / "site")
