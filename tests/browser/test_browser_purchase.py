# Licensed under the Apache License, Version 2.0; see LICENSE.
"""From the closed page to the open one, as a buyer lives it: the demo in a real browser."""
import pytest
from selenium.webdriver.common.keys import Keys

from chromium import Browser
from visitor import DIARY, Visitor, buy_button


def test_a_closed_page_opens_after_login_plans_and_payment(visitor, browser, demo):
    """Closed page, login, plans, Checkout, card 4242, and back on the page, which is open; the site
    has the subscription, whose it is, and the events that told it.

    A38 A47 A54 B10 B26 B28 B32 C3 C14 C19 C39 E30 M7 M9
    """
    visitor.go("/members/").at("/login")
    assert not browser.has(DIARY)
    visitor.log_in().at("/subbill/plans?")
    assert "The page you asked for is for subscribers" in browser.text(".notice")
    assert not browser.has(DIARY)
    visitor.choose("basic")
    assert "14 days free" in browser.text()
    visitor.pay().at("/members/")
    assert "You are in" in browser.see(DIARY).text
    assert browser.url == f"{demo.base}/members/"
    assert visitor.subscriptions() == [("basic", "trialing")]
    events = demo.rows("SELECT type, state, source FROM event WHERE object_id = ?",
                       visitor.subscription_id())
    assert ("customer.subscription.created", "done", "webhook") in events
    owners = [customer["metadata"] for customer in demo.stripe.objects("customer")
              if customer["id"] == visitor.customer()]
    assert visitor.name in owners[0].values()


def test_who_asked_for_the_plans_first_ends_on_the_success_page(visitor, browser):
    """Nobody waits elsewhere, so the return page itself says what was bought; every price of a plan
    can be chosen. C2 C14 C19"""
    visitor.log_in("/subbill/account").go("/subbill/plans").choose("pro", "year").pay()
    visitor.at("/subbill/return?session_id=")
    assert browser.text("h1") == "Thank you, you are in"
    facts = browser.text(".facts")
    assert "Pro" in facts and "€99.90 per year" in facts
    assert visitor.subscriptions() == [("pro", "active")]
    assert visitor.may_read("/workshop/", "#workshop-only")


@pytest.mark.parametrize("card", ["4000 0025 0000 3155", "4000 0027 6000 3184"])
def test_3_d_secure_opens_the_page_once_the_bank_agrees(visitor, browser, demo, card):
    """A refused challenge leaves everything closed and says why; the next try goes through.

    A47 A54 C7 C39 E30
    """
    visitor.log_in().choose("basic")
    checkout = browser.url
    visitor.pay(card)
    browser.click("#challenge-fail")
    assert "unable to authenticate" in browser.see("#error").text
    assert not visitor.may_read()
    assert visitor.subscriptions() == []
    browser.open(checkout)
    visitor.pay(card)
    browser.click("#challenge-complete")
    visitor.at("/members/")
    browser.see(DIARY)
    assert visitor.subscriptions() == [("basic", "trialing")]


@pytest.mark.parametrize("card, words", [
    ("4000 0000 0000 0002", "Your card was declined."),
    ("4000 0000 0000 9995", "Your card has insufficient funds.")])
def test_a_declined_card_leaves_the_page_closed_and_says_so(visitor, browser, card, words):
    """The buyer reads why, goes back to the plans, where nothing was bought, and may try again with
    another card. A47 A54 C39 E30"""
    visitor.log_in().choose("pro").pay(card)
    assert words in browser.see("#error").text
    browser.click("#cancel")
    visitor.at("/subbill/plans?")
    assert "Nothing was bought" in browser.text(".notice")
    assert not visitor.may_read()
    assert visitor.subscriptions() == []
    visitor.choose("pro").pay().at("/members/")
    browser.see(DIARY)
    assert visitor.subscriptions() == [("pro", "active")]


@pytest.mark.parametrize("mode", ["lose", "hold"])
def test_a_buyer_who_is_faster_than_the_webhook_is_let_in(visitor, webhooks, demo, mode):
    """The return page asks Stripe itself; a webhook that never comes, or comes later, changes
    nothing. C14 C19"""
    webhooks(mode)
    visitor.buy()
    assert visitor.subscriptions() == [("basic", "trialing")]
    assert demo.stripe.deliveries(state="delivered") == []
    if mode == "hold":
        webhooks("normal")
        demo.stripe.flush()
        assert demo.stripe.deliveries(state="delivered", type="customer.subscription.created")
    assert visitor.may_read()
    assert visitor.subscriptions() == [("basic", "trialing")]


def test_a_purchase_needs_no_mouse(visitor, browser):
    """Tab, Enter and typing lead from the closed page to the open one, and what has the focus is
    always seen. A38 A47"""
    visitor.go("/members/").at("/login")
    browser.tab_to("#username")
    browser.keys(visitor.name).tab_to("#password")
    browser.keys(visitor.name).tab_to("#submit")
    browser.keys(Keys.ENTER)
    visitor.at("/subbill/plans")
    browser.keys(Keys.TAB)
    assert "Skip to content" in browser.focused().text
    browser.tab_to(buy_button("basic"))
    browser.keys(Keys.ENTER)
    visitor.at_stripe("/c/pay/")
    if browser.has("input#email"):
        browser.tab_to("#email")
        browser.keys("reader@example.com")
    browser.tab_to("#card-number")
    browser.keys("4242424242424242").tab_to("#pay")
    browser.keys(Keys.ENTER)
    visitor.at("/members/")
    browser.see(DIARY)


def test_a_purchase_in_german(visitor, browser):
    """Accept-Language: de, and every page of the way is German, prices with a comma, "Du".

    A8 A36 A37 A38
    """
    browser.language("de-DE,de;q=0.9,en;q=0.5")
    visitor.go("/members/").at("/login")
    assert browser.text("h1") == "Anmelden"
    visitor.log_in().at("/subbill/plans")
    assert browser.see("html").get_attribute("lang") == "de"
    page = " ".join(browser.text().split())
    for words in ("Tarife", "Basis", "Wähle einen Tarif, danach kommst Du gleich dorthin zurück.",
                  "2,99€ pro Monat", "29,90€ pro Jahr", "Die ersten 14 Tage gratis",
                  "Kostenlos testen", "Testmodus"):
        assert words in page, words
    visitor.choose("basic").pay().at("/members/")
    assert "Du bist drin" in browser.see(DIARY).text
    visitor.go("/subbill/account")
    page = browser.text()
    for words in ("Dein Konto", "Basis", "Testphase", "14 Tage"):
        assert words in page, words
    assert "Sie " not in page


def test_a_purchase_without_javascript(demo):
    """No page of the module needs a script. A38 A47"""
    browser = Browser(scripts=False)
    try:
        browser.open("data:text/html,<p id=p>off</p><script>p.textContent='on'</script>")
        assert browser.text("p") == "off"
        Visitor(browser, demo).buy()
        browser.open(demo.base + "/subbill/account")
        assert "Basic" in browser.text()
        assert browser.complaints(demo.base, demo.stripe.base_url) == []
    finally:
        browser.quit()
