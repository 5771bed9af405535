# Licensed under the Apache License, Version 2.0; see LICENSE.
"""After the purchase: account, portal, upgrade, overdue payments and the end."""
from visitor import DIARY, HIDE


def test_a_cancelled_subscriber_keeps_access_until_the_period_ends(visitor, browser, clock):
    """Cancelled in the portal: the account names the last day, the page stays open; when the period
    is over and Stripe says so, it closes and the plans are offered again.

    A50 B31 C4 E16
    """
    visitor.buy("pro")
    visitor.cancel_in_portal()
    assert "Cancelled. You keep access until" in browser.text(".subscription")
    assert visitor.may_read()
    clock.advance(days=27)
    clock.flush()
    assert visitor.may_read()
    clock.advance(days=5)
    clock.flush()
    assert not visitor.may_read()
    visitor.at("/subbill/plans?")
    assert visitor.subscriptions() == [("pro", "canceled")]
    assert "Ended" in visitor.go("/subbill/account").browser.text(".subscription .badge")


def test_a_cancellation_can_be_taken_back(visitor, browser):
    """Resumed in the portal before the end: the account no longer speaks of one. C4 B31"""
    visitor.buy("pro").cancel_in_portal()
    visitor.open_portal().browser.click("#resume-subscription")
    browser.see("#cancel-subscription")
    browser.click("#return")
    visitor.at("/subbill/account")
    assert "Cancelled" not in browser.text(".subscription")
    assert "Renews on" in browser.text(".subscription")
    assert visitor.may_read()


def test_a_plan_that_is_too_low_leads_to_the_upgrade(visitor, browser, demo):
    """403 with a way up: the plans, what it costs today, another plan; and the door is open.

    A48 B31 C4
    """
    visitor.buy("basic")
    browser.expect_status(403)
    assert not visitor.may_read("/workshop/", HIDE)
    assert browser.text("h1") == "This needs a higher plan"
    assert browser.text(".button:not(.plain)") == "Upgrade your plan"
    browser.click(".button:not(.plain)")
    visitor.at("/subbill/plans?")
    assert "page you asked for needs a higher plan" in browser.text(".notice")
    assert browser.text(".plan.current h2") == "Basic"
    browser.click('a[href*="/subscription/change?plan=pro"]')
    visitor.at("/subbill/subscription/change")
    assert browser.text("h1") == "Change to Pro"
    assert "ends your trial" in browser.text("main")  # the wanted plan gives none
    assert browser.text('form[action$="/subscription/change"] .button:not(.plain)') == "Change now and pay €9.99"
    browser.click('form[action$="/subscription/change"] .button:not(.plain)')
    visitor.at("/subbill/account")
    assert visitor.subscriptions()[0][0] == "pro"
    assert visitor.may_read("/workshop/", HIDE)


def test_the_account_shows_plan_remaining_days_and_invoices(visitor, browser, demo):
    """Plan, status, price, days that remain, and each invoice with its page and PDF.

    A39 C20 E16
    """
    visitor.buy("pro").go("/subbill/account")
    subscription = browser.text(".subscription")
    for words in ("Pro", "Active", "€9.99 per month", "Renews on", "days"):
        assert words in subscription.replace("\n", " "), words
    days = int(subscription.partition(" days")[0].split()[-1])
    assert 27 <= days <= 31
    row = browser.see("tbody tr")
    assert "€9.99" in row.text and "Paid" in row.text
    links = [link.get_attribute("href") for link in browser.all("tbody .links a")]
    assert len(links) == 2 and all(link.startswith(demo.stripe.base_url) for link in links)
    browser.click('a[href$="/invoices/upcoming"]')
    visitor.at("/subbill/invoices/upcoming")
    assert "€9.99 on" in browser.text(".lead")
    browser.click(".actions a")
    visitor.at("/subbill/account").browser.click("tbody .links a")
    visitor.at_stripe("/i/")
    browser.read("#status", "paid")


def test_an_overdue_payment_closes_and_paying_it_opens(visitor, browser, clock):
    """A failed renewal: the gate closes with a word about the payment, the account leads to the
    open invoice, and once that is paid the page opens again. A16 C4 E16"""
    visitor.buy("pro")
    clock.subscription(visitor.subscription_id(), "fail_payment")
    clock.flush()
    assert visitor.subscriptions() == [("pro", "past_due")]
    assert not visitor.may_read()
    assert "did not go through" in browser.text("main")
    visitor.go("/subbill/account")
    assert "Your last payment did not go through" in browser.text(".notice.warning")
    browser.click(".notice.warning a.button")
    visitor.at_stripe("/i/").pay()
    browser.read("#status", "paid")
    clock.flush()
    assert visitor.may_read()
    browser.see(DIARY)
    assert visitor.subscriptions() == [("pro", "active")]


def test_a_portal_that_is_not_set_up_is_said_to_buyer_and_administrator(visitor, browser, demo):
    """The buyer gets a page with a sentence, the log names what to enable in Stripe's Dashboard.

    B40
    """
    visitor.buy("basic")
    demo.stripe.settings(portal_configured=False)
    demo.log.expect(r"(?i)portal.*dashboard|dashboard.*portal")
    browser.expect_status(502, 503)
    try:
        visitor.go("/subbill/account").browser.click('form[action$="/subbill/portal"] button')
        visitor.at("/subbill/portal")
        assert "Subscriptions cannot be managed here yet." in browser.text("main")
        assert visitor.may_read()
    finally:
        demo.stripe.settings(portal_configured=True)
