# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Fixtures of the browser tests.

    demo        the demo, started once by tests/demo/run; its clock and webhooks are put right again
                after a test that bent them
    browser     one Chromium, fresh before and judged after every test: no console error, no
                violation of the Content-Security-Policy, no request to a stranger
    visitor     a new person in front of that browser
    picture     picture("plans-dark"): the page as PNG in build/test/screenshots
"""
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(Path(__file__).parent), str(TESTS / "httpd"), str(TESTS)]

from chromium import DRIVER, PROGRAM, Browser  # noqa: E402
from demo_site import Demo  # noqa: E402
from harness import scratch, site as sites  # noqa: E402
from visitor import Visitor  # noqa: E402

PICTURES = scratch.ROOT / "build" / "test" / "screenshots"


@pytest.fixture(scope="session")
def demo():
    missing = sites.missing_build()
    if missing:
        pytest.fail(missing, pytrace=False)
    running = Demo()
    try:
        yield running.start()
    finally:
        status = running.stop()
    assert status == 0


@pytest.fixture(scope="session")
def _chromium():
    for program in (PROGRAM, DRIVER):
        if not Path(program).exists():
            pytest.fail(f"{program} is missing; run tools/deps test", pytrace=False)
    browser = Browser()
    yield browser
    browser.quit()


@pytest.fixture
def browser(_chromium, demo):
    _chromium.start_anew()
    yield _chromium
    problems = _chromium.complaints(demo.base, demo.stripe.base_url)
    problems += demo.log.judge()
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


@pytest.fixture
def visitor(browser, demo):
    return Visitor(browser, demo)


@pytest.fixture
def webhooks(demo):
    """Bends how the stand-in delivers: webhooks("lose"); afterwards as it was."""
    demo.stripe.forget_deliveries()
    yield lambda mode: demo.stripe.configure_deliveries(mode=mode)
    demo.stripe.configure_deliveries(mode="normal")
    demo.stripe.flush()


@pytest.fixture
def clock(demo):
    """The stand-in, whose clock this test moves; afterwards all of it begins anew."""
    yield demo.stripe
    demo.stripe.reset()


@pytest.fixture
def picture(browser):
    return lambda name: browser.picture(PICTURES / f"{name}.png")
