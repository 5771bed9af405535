# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The pages themselves: markup that stays text, looks in light and dark, wide and narrow, and what
a screen reader hears. Pictures of all of them lie in build/test/screenshots afterwards."""
import pytest

from harness import catalogue, scratch
from harness.site import Site
from visitor import Visitor

HOSTILE = "<img src=x onerror=alert(1)>&amp;\"'<b>eve"
CLOSER = "</h2><script>alert(1)</script>{{csrf}}"


@pytest.fixture
def hostile_site():
    """A site whose plans, features and one of whose readers are named in markup."""
    plans = catalogue.default()
    basic = catalogue.plan(plans, "basic")
    basic["name"] = {"en": CLOSER, "de": CLOSER}
    basic["description"] = {"en": HOSTILE}
    basic["features"] = [{"en": HOSTILE}, {"en": "{{{t.brand}}}"}]
    site = Site("hostile", catalog=plans, people=[HOSTILE])
    try:
        yield site.start()
        assert site.httpd.judge() == []
    finally:
        site.stop()
        site.discard()


def test_names_with_markup_stay_text(browser, hostile_site):
    """User, plan, description and feature: each is shown as written, on every page. T27"""
    home, stripe = hostile_site.url, hostile_site.double.url
    browser.basic_login(HOSTILE)
    browser.open(f"{home}/subbill/plans?login=1")
    assert browser.text(".who").endswith(HOSTILE)
    assert browser.all(".plan h2")[1].text == CLOSER
    assert browser.all(".plan .description")[0].text == HOSTILE
    assert [item.text for item in browser.all(".plan .features li")][:2] == [
        HOSTILE, "{{{t.brand}}}"]
    browser.click("form:has(input[value=basic]) button").arrive(stripe)
    browser.fill("#email", "eve@example.com") if browser.has("input#email") else None
    browser.fill("#card-number", "4242424242424242").click("#pay")
    browser.arrive(f"{home}/subbill/return")
    assert CLOSER in browser.text(".facts")
    browser.open(f"{home}/subbill/account")
    assert browser.text(".subscription h3") == CLOSER
    assert HOSTILE in browser.text(".lead")
    browser.expect_status(403)
    browser.open(f"{home}/workshop/")
    assert browser.text(".who").endswith(HOSTILE)
    assert not browser.has("main img, main script, b")
    assert browser.complaints(home, stripe) == []


def test_a_reader_named_in_markup_can_log_in_and_buy_at_the_demo(browser, demo):
    """The name passes form login, session, purchase and the site's own pages unharmed. T27"""
    visitor = Visitor(browser, demo, HOSTILE).buy("basic")
    assert browser.text(".who").endswith(HOSTILE)
    visitor.go("/subbill/account")
    assert HOSTILE in browser.text(".lead")
    assert not browser.has("img")


def test_the_browser_complains_of_what_these_tests_rely_on(browser, demo):
    """An inline script, a request to a stranger and a page of status 404 are each noticed;
    otherwise silence would prove nothing."""
    page = demo.root / "htdocs" / "noisy.html"
    scratch.write(page, '<!DOCTYPE html><html lang="en"><title>x</title>'
                        '<script>document.title = "ran"</script>'
                        '<a id="out" href="http://elsewhere.invalid/">out</a></html>')
    browser.open(demo.base + "/noisy.html")
    assert browser.driver.title == "x"
    browser.click("#out")
    browser.open(demo.base + "/nothing-here")
    found = "\n".join(browser.complaints(demo.base, demo.stripe.base_url))
    page.unlink()
    assert "Content Security Policy" in found
    assert "asked a stranger: http://elsewhere.invalid/" in found
    assert "status of 404" in found


def test_our_pages_stand_in_no_frame(browser, demo):
    """A page of another site cannot show ours inside its own. T26"""
    scratch.write(demo.root / "htdocs" / "frame.html",
                  '<!DOCTYPE html><html lang="en"><title>frame</title>'
                  '<iframe src="/subbill/plans"></iframe></html>')
    browser.open(demo.base + "/frame.html")
    browser.driver.switch_to.frame(0)
    assert not browser.has(".plans")
    browser.driver.switch_to.default_content()
    refused = browser.complaints(demo.base, demo.stripe.base_url)
    (demo.root / "htdocs" / "frame.html").unlink()
    assert any("frame" in line.lower() for line in refused), refused


# --- looks -----------------------------------------------------------------------------------

# Every pair of language, scheme and width in as few pictures as possible.
LOOKS = (("en", "light", 1200), ("en", "dark", 360), ("de", "light", 360), ("de", "dark", 1200))


def each_look(browser, demo, picture, name, path):
    """Opens a page in both languages, schemes and widths; takes its picture and measures it."""
    shown = None
    for language, scheme, width in LOOKS:
        browser.scheme(scheme)
        browser.window(width, 780 if width < 600 else 900)
        if language != shown:
            browser.language(language)
            browser.open(demo.base + path)
            shown = language
        look = f"{name}-{language}-{scheme}-{width}"
        picture(look)
        assert browser.driver.find_element("css selector", "html").get_attribute(
            "lang") == language, look
        assert browser.overflow() <= 0, f"{look}: {browser.overflow()} pixels too wide"
        assert browser.faint_texts() == [], look
        if (language, scheme, width) == LOOKS[0]:
            judge_structure(browser, look)


def judge_structure(browser, look):
    """What somebody who listens to the page needs."""
    assert len(browser.all("h1")) == 1, look
    assert len(browser.all("main")) == 1, look
    assert browser.driver.title.endswith(" · Reedbed"), look
    controls = browser.controls()
    assert [role for role, name in controls if not name] == [], f"{look}: a control has no name"
    buttons = [name for role, name in controls if role == "button"]
    assert len(buttons) == len(set(buttons)), f"{look}: buttons of one name: {buttons}"


def test_the_plans_page_looks_right(browser, demo, picture):
    """Logged in and not, both languages, light and dark, wide and 360 pixels: nothing sticks out,
    every text has enough contrast, every control a name of its own. A38"""
    each_look(browser, demo, picture, "plans-anonymous", "/subbill/plans")
    browser.start_anew()
    Visitor(browser, demo, "robin").log_in()
    each_look(browser, demo, picture, "plans", "/subbill/plans")
    each_look(browser, demo, picture, "plans-closed", "/members/")


def test_account_and_upgrade_pages_look_right(visitor, browser, demo, picture):
    """Account of a subscriber and of somebody without, the refusal of too low a plan. A39"""
    visitor.log_in("/subbill/account")
    each_look(browser, demo, picture, "account-none", "/subbill/account")
    browser.start_anew()
    visitor.log_in().choose("pro").pay().at("/members/")
    each_look(browser, demo, picture, "account", "/subbill/account")
    each_look(browser, demo, picture, "plans-subscribed", "/subbill/plans")
    each_look(browser, demo, picture, "upcoming", "/subbill/invoices/upcoming")
    each_look(browser, demo, picture, "change", "/subbill/subscription/change?plan=basic")
    other = Visitor(browser, demo)
    browser.start_anew()
    other.buy("basic").cancel_in_portal()
    each_look(browser, demo, picture, "account-cancelled", "/subbill/account")
    browser.expect_status(403)
    each_look(browser, demo, picture, "refused-403", "/workshop/")


def test_return_and_402_pages_look_right(visitor, browser, demo, picture):
    """The way back from Checkout when paid, unknown or left, and the page that asks for money. C19"""
    visitor.log_in("/subbill/account").go("/subbill/plans").choose("pro").pay()
    visitor.at("/subbill/return")
    each_look(browser, demo, picture, "return", browser.url.removeprefix(demo.base))
    browser.expect_status(404, 402)
    each_look(browser, demo, picture, "return-unknown", "/subbill/return?session_id=cs_test_x")
    each_look(browser, demo, picture, "plans-left", "/subbill/plans?canceled=1")
    browser.start_anew()
    browser.expect_status(402)
    browser.basic_login(demo.new_person())
    each_look(browser, demo, picture, "refused-402", "/dav/welcome.txt")
