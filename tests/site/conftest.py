"""One build of the site for all its tests."""

from pathlib import Path

import pytest
from checkout import ROOT, SHARED, build_site


def pytest_xdist_auto_num_workers():
    """Return 0, no worker processes: each would build the site, and one build uses two processes."""
    return 0


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The built site."""
    target = Path(SHARED) if SHARED else tmp_path_factory.mktemp("site")
    target.mkdir(exist_ok=True)
    return build_site(ROOT, target)
