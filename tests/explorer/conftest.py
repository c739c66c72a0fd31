"""The browser of the tests of a module."""

import pytest
from browser_page import opened


@pytest.fixture(scope="module")
def chromium():
    with opened() as driver:
        yield driver
