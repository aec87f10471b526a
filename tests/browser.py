"""A real browser: Debian's Chromium, driven as a person would use it. Nothing is fetched for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait

SECONDS = 60
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=400,860",
)
"""The window of a phone; only this machine is reached."""


@dataclass(frozen=True)
class Browser:
    """What a person does and sees."""

    driver: Chrome

    def open(self, url: str) -> None:
        """Type an address."""
        self.driver.get(url)

    def fill(self, **fields: str) -> None:
        """Type into fields, found by their labels' ids."""
        for name, value in fields.items():
            self._by(By.ID, name).send_keys(value)

    def press(self, text: str) -> None:
        """Press the button or follow the link with the text; the next page is there afterwards."""
        pressed = self._by(By.XPATH, f"//main//*[self::button or self::a][contains(., '{text}')]")
        self._and_wait(pressed)

    def press_in_header(self, text: str) -> None:
        """The same above the page's own part."""
        self._and_wait(self._by(By.XPATH, f"//header//button[contains(., '{text}')]"))

    def tick(self, name: str) -> None:
        """Tick a box by its label."""
        self._by(By.CSS_SELECTOR, f"label[for='{name}']").click()

    def text(self, css: str = "main") -> str:
        """What is to be read there."""
        return self._by(By.CSS_SELECTOR, css).text

    @property
    def path(self) -> str:
        """Of the address that is shown."""
        return "/" + self.driver.current_url.partition("://")[2].partition("/")[2].partition("?")[0]

    def complaints(self) -> list[str]:
        """What the browser says in its console, such as a breach of the content security policy."""
        return [str(one["message"]) for one in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def wider_than_its_window(self) -> bool:
        """Whether somebody would have to scroll sideways."""
        return bool(
            self.driver.execute_script(
                "return document.documentElement.scrollWidth > document.documentElement.clientWidth"
            )
        )

    def _by(self, by: str, value: str) -> WebElement:
        return self.driver.find_element(by, value)

    def _and_wait(self, pressed: WebElement) -> None:
        before = self._by(By.TAG_NAME, "html")
        pressed.click()
        # Asked in the moment of the change, Chromium says that the node is of no document instead of that it is stale.
        waiting = WebDriverWait(self.driver, SECONDS, ignored_exceptions=[WebDriverException])
        waiting.until(staleness_of(before))
        waiting.until(lambda driver: driver.execute_script("return document.readyState") == "complete")


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A fresh browser; the test is skipped, and says so, where there is none."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no browser is installed (Debian: chromium, chromium-driver)")
    options = ChromeOptions()
    options.binary_location = chromium
    for one in (*_OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(one)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = Chrome(options=options, service=ChromeService(executable_path=driver))
    try:
        started.set_page_load_timeout(SECONDS)
        yield Browser(started)
    finally:
        started.quit()
