"""A browser for the tests of the explorer and of the site's pages: Debian's chromium by its own driver."""

import shutil
from contextlib import contextmanager

import pytest
from selenium import webdriver

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = "headless no-sandbox disable-gpu disable-dev-shm-usage no-first-run disable-background-networking hide-scrollbars"


@contextmanager
def opened():
    """A browser that is closed at the end."""
    assert BROWSER, "these tests need the program chromium"
    assert DRIVER, "these tests need the program chromedriver"
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in FLAGS.split():
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=DRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.set_script_timeout(60)
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def chromium():
    with opened() as driver:
        yield driver
