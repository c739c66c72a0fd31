"""A browser for the tests of the explorer and of the site's pages: Debian's chromium by its own driver."""

import shutil
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = "headless no-sandbox disable-gpu disable-dev-shm-usage no-first-run disable-background-networking hide-scrollbars"
IN_PAGE = Path(__file__).with_name("in_page.js").read_text(encoding="utf-8")


@contextmanager
def opened():
    """A browser that is closed at the end."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium, which these tests need"
    for flag in FLAGS.split():
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.set_script_timeout(60)
        yield driver
    finally:
        driver.quit()


class Page:
    """A page in a window of one size and one colour scheme, freshly loaded."""

    def __init__(self, driver, address, size=(1200, 900), scheme="light"):
        self.driver = driver
        (width, height), features = size, [{"name": "prefers-color-scheme", "value": scheme}]
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        driver.get("about:blank")
        driver.get_log("browser")  # of other pages
        driver.get(address)
        self.until(lambda: self.run("return document.readyState") == "complete")

    def until(self, condition):
        WebDriverWait(self.driver, 60, poll_frequency=0.05).until(lambda _: condition())

    def run(self, code, *given):
        return self.driver.execute_script(code, *given)

    def call(self, name, *given):
        """What a function of in_page.js returns."""
        return self.run(f"{IN_PAGE}\nreturn {name}(...arguments)", *given)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, name):
        return self.one(f"#{name}").text.replace("\N{MINUS SIGN}", "-")

    def lines(self, selector):
        """The paths of lines in pictures."""
        return [line.get_attribute("d") for line in self.all(selector)]

    def spline(self):
        """Knots, coefficients, degree and x as the explorer holds them."""
        return self.run("return {...KAN.splineState.state};")

    def set(self, name, value, event="input"):
        return self.call("setControl", name, value, event)

    def click(self, name):
        self.run("document.getElementById(arguments[0]).click()", name)

    def complaints(self):
        """What the browser's console says, and the explorer itself."""
        told = [entry["message"] for entry in self.driver.get_log("browser")]
        return told + [one.text for one in self.all("#trouble") if one.is_displayed()]
