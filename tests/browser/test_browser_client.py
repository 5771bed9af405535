# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The example client, conf/examples/client, as the demo serves it: a front end that speaks JSON with
the module under a policy that lets it do nothing else."""
import pytest


CLIENT = "/client/"
MONTHLY = {"basic": "price_1DemoBasicMonthEUR000001", "pro": "price_1DemoProMonthEUR00000001"}


def buy_button(plan):
    return f'#plans button[value="{MONTHLY[plan]}"]'


@pytest.fixture
def reader(visitor, browser):
    """Logged in by way of the client's own link, and back on it."""
    visitor.go(CLIENT)
    browser.click("#login a")
    visitor.at("/login")
    browser.fill("#username", visitor.name).fill("#password", visitor.name).click("#submit")
    visitor.at(CLIENT)
    return visitor


def shown(browser, selector):
    return [found.text for found in browser.all(selector) if found.is_displayed()]


def facts(browser):
    """{label: value} of the subscription that is shown."""
    browser.see("#facts dt")
    return {pair.find_element("tag name", "dt").text: pair.find_element("tag name", "dd").text
            for pair in browser.all("#facts > div")}


def test_a_subscription_is_bought_and_managed_in_the_example_client(reader, browser, picture):
    """No subscription; Basic bought with 4242 and back on the client, which tells plan, status and
    remaining days as GET subscription says them; POST portal as JSON opens the portal, where it is
    cancelled, and the client tells the end.

    B19 B2; E8 and C11 as far as this client goes: a session's cookie in place of the bearer token, and
    for the portal a return_url in place of the empty object.
    """
    assert browser.see("#plan-name").text == "No subscription"
    assert shown(browser, "#portal, #login") == []
    assert browser.text("#test-mode") == "Test mode No real money moves here."
    assert browser.see(buy_button("basic")).accessible_name == "Basic, €2.99 per month"
    browser.click(buy_button("basic"))
    reader.at_stripe("/c/pay/").pay().at(CLIENT)

    assert browser.see("#plan-name").text == "Basic"
    assert browser.text("#status") == "Trial"
    assert facts(browser)["Remaining"] == "14 days"
    assert "Thank you" in browser.text("#notice")
    assert shown(browser, "#plans .current") == ["Your plan"]
    assert browser.text("#plans .card:has(.current:not([hidden])) h3") == "Basic"
    assert not browser.has(buy_button("pro")), "a second one beside the first"
    assert reader.subscriptions() == [("basic", "trialing")]
    picture("client-bought")
    assert reader.may_read()

    reader.go(CLIENT)
    browser.click("#portal")
    reader.at_stripe("/p/session/")
    browser.click("#cancel-subscription").click("#confirm").see("#resume-subscription")
    browser.click("#return")
    reader.at(CLIENT)
    assert "Ends on" in facts(browser)


def test_the_example_client_shows_strangers_the_plans_and_the_way_in(visitor, browser):
    """Nobody is logged in: prices, no button that could only fail, and the login. B19"""
    visitor.go(CLIENT)
    assert browser.see("#login a").text == "Log in"
    assert "€2.99 per month" in browser.see("#plans").text
    assert not browser.has("#plans button")
    assert shown(browser, "#subscription, #problem, #notice") == []


def test_the_example_client_says_in_words_what_went_wrong(reader, browser, demo):
    """Left the checkout; bought elsewhere meanwhile; logged out meanwhile. B19"""
    browser.click(buy_button("pro"))
    reader.at_stripe("/c/pay/")
    browser.click("#cancel")
    reader.at(CLIENT)
    assert "Nothing was bought" in browser.see("#notice").text
    assert reader.subscriptions() == []

    browser.see(buy_button("pro"))
    page = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    reader.go("/subbill/plans").choose("pro").pay().at("/subbill/return")
    assert reader.subscriptions() == [("pro", "active")]
    browser.driver.close()
    browser.driver.switch_to.window(page)
    browser.expect_status(409)
    browser.click(buy_button("pro"))
    assert "already" in browser.see("#problem").text
    assert browser.see(buy_button("pro")).is_enabled()

    browser.cdp("Network.clearBrowserCookies")
    browser.click(buy_button("pro"))
    browser.see("#problem a").click()
    reader.at("/login")


def test_the_example_client_looks_right(reader, browser, picture):
    """Light and dark, wide and 360 pixels: nothing sticks out, every text has enough contrast,
    every control a name of its own. B19"""
    for scheme, width in (("light", 1200), ("dark", 360), ("dark", 1200), ("light", 360)):
        browser.scheme(scheme)
        browser.window(width, 780 if width < 600 else 900)
        browser.see(buy_button("basic"))
        look = f"client-{scheme}-{width}"
        picture(look)
        assert browser.overflow() <= 0, look
        assert browser.faint_texts() == [], look
    controls = browser.controls()
    assert all(name for _, name in controls)
    assert len(controls) == len(set(controls)), controls
    assert len(browser.all("h1")) == 1 and len(browser.all("main")) == 1


def test_the_demo_leads_to_the_example_client(visitor, browser, picture):
    """B19"""
    visitor.go("/")
    picture("client-front")
    browser.click("#go-client")
    visitor.at(CLIENT)
    browser.see("#plans")
