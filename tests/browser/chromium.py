# Licensed under the Apache License, Version 2.0; see LICENSE.
"""One headless Chromium and what it complains about.

It resolves no name and uses no proxy, so it cannot leave this machine; that it did not even try is
read from its network log. Everything the browser says by itself (console errors, violations of the
Content-Security-Policy, requests to strangers) is collected by complaints(), which the tests ask
after every test, so that a page that only looks right does not pass.
"""
import base64
import json
import re
import shutil
import tempfile
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

PROGRAM = "/usr/bin/chromium"
DRIVER = "/usr/bin/chromedriver"
PATIENCE = 15  # seconds until something that has to appear is given up

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--disable-extensions", "--disable-dev-shm-usage",
    "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--hide-scrollbars", "--force-device-scale-factor=1")

_INNER = ("data:", "about:", "blob:", "chrome:", "chrome-error:")
_STATUS = re.compile(r"^(\S+) - Failed to load resource: .* status of (\d+)")
_CONTRAST = (Path(__file__).parent / "contrast.js").read_text()


class Browser:
    """scripts=False switches JavaScript off for every page."""

    def __init__(self, scripts=True):
        self.profile = tempfile.mkdtemp(prefix="sb-chromium-")
        options = Options()
        options.binary_location = PROGRAM
        for flag in (*FLAGS, f"--user-data-dir={self.profile}"):
            options.add_argument(flag)
        preferences = {"credentials_enable_service": False, "translate.enabled": False}
        if not scripts:
            preferences["profile.managed_default_content_settings.javascript"] = 2
        options.add_experimental_option("prefs", preferences)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service(DRIVER), options=options)
        self.driver.set_page_load_timeout(30)
        self._agent = self.driver.execute_cdp_cmd("Browser.getVersion", {})["userAgent"]
        self.start_anew()

    def quit(self):
        try:
            self.driver.quit()
        finally:
            shutil.rmtree(self.profile, ignore_errors=True)

    def start_anew(self):
        """As if just installed: no cookies, English, light, a common window, nobody logged in."""
        self._expected = []
        self._requested = []
        self.driver.get("about:blank")
        self.cdp("Network.enable")
        self.cdp("Network.clearBrowserCookies")
        self.cdp("Network.setExtraHTTPHeaders", headers={})
        self.language("en")
        self.scheme("light")
        self.window(1200, 900)
        self.driver.get_log("browser")
        self.driver.get_log("performance")

    def cdp(self, command, **parameters):
        """A command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(command, parameters)

    # --- how the buyer's browser is set up -----------------------------------------------------

    def language(self, accept):
        """What Accept-Language says."""
        self.cdp("Network.setUserAgentOverride", userAgent=self._agent, acceptLanguage=accept)

    def scheme(self, name):
        """"light" or "dark"; and nothing moves, so that pictures show the end of each change."""
        self.cdp("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": name},
            {"name": "prefers-reduced-motion", "value": "reduce"}])

    def window(self, width, height=900):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=False)

    def basic_login(self, name):
        """Sends Basic credentials with every request, as after the browser's own dialogue."""
        token = base64.b64encode(f"{name}:{name}".encode()).decode()
        self.cdp("Network.setExtraHTTPHeaders", headers={"Authorization": f"Basic {token}"})

    # --- looking -------------------------------------------------------------------------------

    @property
    def url(self):
        return self.driver.current_url

    def open(self, url):
        self.driver.get(url)
        return self

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def has(self, selector):
        return bool(self.all(selector))

    def see(self, selector):
        """The first element of this kind; waits until it is there and visible."""
        return self._wait(lambda: next(
            (found for found in self.all(selector) if found.is_displayed()), None),
            f"did not see {selector}")

    def text(self, selector="body"):
        """The texts of one page; asked again where another page came between two of them."""
        for _ in range(20):
            try:
                return " ".join(found.text for found in self.all(selector))
            except StaleElementReferenceException:
                continue
        raise AssertionError(f"no page stays long enough to read {selector}; on {self.url}")

    def read(self, selector, text):
        """Waits until the elements say exactly this."""
        self._wait(lambda: self.text(selector) == text, f"did not read {text!r} in {selector}")
        return self

    def arrive(self, prefix):
        """Waits until the address begins like this."""
        self._wait(lambda: self.url.startswith(prefix), f"did not arrive at {prefix}")
        return self

    def leave(self, prefix):
        """Waits until the address no longer begins like this."""
        self._wait(lambda: not self.url.startswith(prefix), f"did not leave {prefix}")

    def _wait(self, condition, problem):
        try:
            # An element of the page before is no answer yet.
            return WebDriverWait(self.driver, PATIENCE, 0.05, (
                StaleElementReferenceException,)).until(lambda _: condition())
        except TimeoutException:
            raise AssertionError(f"{problem}; on {self.url}:\n{self.text()[:800]}") from None

    # --- acting --------------------------------------------------------------------------------

    def click(self, selector):
        self.see(selector).click()
        return self

    def fill(self, selector, text):
        field = self.see(selector)
        field.clear()
        field.send_keys(text)
        return self

    def keys(self, *pressed):
        """Keys as typed, to whatever has the focus."""
        ActionChains(self.driver, duration=0).send_keys(*pressed).perform()
        return self

    def focused(self):
        return self.driver.switch_to.active_element

    def tab_to(self, selector, most=60):
        """Presses Tab until the element has the focus, which must then be seen; how often."""
        wanted = self.see(selector)
        for pressed in range(most):
            if self.focused() == wanted:
                outline = wanted.value_of_css_property("outline-style")
                assert outline != "none", f"nothing shows that {selector} has the focus"
                return pressed
            self.keys(Keys.TAB)
        raise AssertionError(f"{most} times Tab do not lead to {selector} on {self.url}")

    # --- pictures and measures -----------------------------------------------------------------

    def picture(self, path):
        """The whole page, however long, as PNG."""
        size = self.cdp("Page.getLayoutMetrics")["cssContentSize"]
        shot = self.cdp("Page.captureScreenshot", captureBeyondViewport=True, clip={
            "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1})
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def overflow(self):
        """By how many pixels the page is wider than the window."""
        return self.driver.execute_script(
            "return document.documentElement.scrollWidth - window.innerWidth")

    def faint_texts(self):
        """Texts whose contrast with what lies behind them is below WCAG 2 AA, as sentences."""
        return self.driver.execute_script(_CONTRAST)

    def controls(self):
        """(role, name) of everything that can be pressed or filled, as a screen reader hears it."""
        self.cdp("Accessibility.enable")
        nodes = self.cdp("Accessibility.getFullAXTree")["nodes"]
        self.cdp("Accessibility.disable")
        return [(node["role"]["value"], node.get("name", {}).get("value", "").strip())
                for node in nodes if not node.get("ignored") and node["role"]["value"] in (
                    "button", "link", "textbox", "combobox", "checkbox")]

    # --- complaints ----------------------------------------------------------------------------

    def expect_status(self, *statuses):
        """Pages of these statuses come; the console calls each of them an error."""
        self._expected += [str(status) for status in statuses]

    def requests(self):
        """Addresses asked for since the start, pages and everything they need."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self._requested.append(message["params"]["request"]["url"])
        return self._requested

    def complaints(self, *homes):
        """What the browser found wrong; homes are the addresses that may be asked."""
        found = []
        for entry in self.driver.get_log("browser"):
            status = _STATUS.match(entry["message"])
            if status and status[2] in self._expected:
                continue
            found.append(f"console: {entry['level']} {entry['message']}")
        found += [f"asked a stranger: {url}" for url in self.requests()
                  if not url.startswith((*homes, *_INNER))]
        self._requested = []
        return found
