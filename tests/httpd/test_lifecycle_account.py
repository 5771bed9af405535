# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Invoices, trials, free plans and early access: what the account says and what it does not offer."""
import re
import time

import pytest

from api import another_address, described, problem
from harness import catalogue, lifecycle
from harness.lifecycle import at_stripe, buy, told
from stripe_double.client import Client

CATALOG = catalogue.default(trial_days=14)
catalogue.plan(CATALOG, "pro").update(trial_days=7, trial_card="none")
CATALOG["plans"].append({"plan": "founder", "name": {"en": "Founder's Access", "de": "Gründerzugang"},
                         "group": "beta", "early_access": True})

DATABASES = ("sqlite3", "pgsql", "mysql")
SITE = {"catalog": CATALOG, "people": [f"guest{i}" for i in range(400)]}

_guests = iter(SITE["people"])


@pytest.fixture(autouse=True)
def _own_address(site):
    with another_address(site):
        yield


@pytest.fixture
def guest():
    return next(_guests)


def get(site, user, path, status=200):
    answer = site.client.user(user).get(f"/subbill/{path}")
    assert answer.status_code == status, answer.text
    return described("/" + path.partition("?")[0], "GET", answer)


def session_sent(site):
    return [request for request in site.double.control.requests("POST", "/v1/checkout/sessions")
            if request["path"] == "/v1/checkout/sessions"][-1]["params"]


# --- invoices ------------------------------------------------------------------------------------


def test_invoices_come_with_their_pages_and_pdfs(site, guest):
    """E10, E23, E29: newest first, as many as asked for, with both addresses."""
    ident = buy(site, guest)
    for _ in range(3):
        site.double.control.subscription(ident, "renew")
    site.double.control.flush()
    invoices = get(site, guest, "invoices")["invoices"]
    assert len(invoices) >= 3
    assert [each["created"] for each in invoices] == sorted(
        (each["created"] for each in invoices), reverse=True)
    assert all(each["hosted_url"] and each["pdf_url"] for each in invoices)
    assert get(site, guest, "invoices?limit=1")["invoices"] == invoices[:1]
    assert get(site, guest, "invoices?limit=100")["invoices"] == invoices


def test_nobody_sees_the_invoices_of_another(site, guest):
    """T09, E10."""
    buy(site, guest)
    assert get(site, next(_guests), "invoices") == {"invoices": []}
    assert site.client.get("/subbill/invoices").status_code == 401


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "1&limit=2", "99999999999999999999"])
def test_a_limit_that_makes_no_sense_is_refused(site, guest, limit):
    """E10, T10."""
    answer = site.client.user(guest).get(f"/subbill/invoices?limit={limit}")
    assert answer.status_code == 400
    described("/invoices", "GET", answer)


def test_a_browser_is_taken_to_the_list(site, guest):
    """E10: the account page shows it."""
    answer = site.client.browser(guest).get("/subbill/invoices")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/subbill/account#invoices")


def test_the_next_invoice_is_stripes_own_preview(site, guest):
    """E23, C20: amount and day, asked for at once; none after a cancellation, none without a purchase."""
    answer = site.client.user(guest).get("/subbill/invoices/upcoming")
    problem("/invoices/upcoming", "GET", answer, 404, "no_upcoming_invoice")
    ident = buy(site, guest, plan="basic", trial_days=0)
    upcoming = get(site, guest, "invoices/upcoming")
    assert (upcoming["subscription"], upcoming["amount_due"], upcoming["currency"]) == (ident, 900, "eur")
    assert upcoming["date"] >= told(site, guest)["current_period_end"]
    assert sum(line["amount"] for line in upcoming["lines"]) == 900
    site.client.user(guest).post("/subbill/subscription/cancel", json={})
    answer = site.client.user(guest).get("/subbill/invoices/upcoming")
    problem("/invoices/upcoming", "GET", answer, 404, "no_upcoming_invoice")


def test_the_next_invoice_is_a_page_for_people(site, guest):
    """E23, C20: linked from the account while there will be one; what, how much and when, in the reader's words."""
    browser = site.client.browser(guest)
    link = 'href="/subbill/invoices/upcoming"'
    assert link not in lifecycle.page(site, guest).text
    buy(site, guest, plan="basic", trial_days=0)
    assert link in lifecycle.page(site, guest).text
    answer = browser.get("/subbill/invoices/upcoming")
    described("/invoices/upcoming", "GET", answer)
    day = time.gmtime(get(site, guest, "invoices/upcoming")["date"])
    assert f"€9.00 on {day.tm_mday} {time.strftime('%B %Y', day)}" in answer.text
    assert "Your next invoice" in answer.text
    german = browser.get("/subbill/invoices/upcoming?lang=de")
    assert "Deine nächste Rechnung" in german.text and "9,00€ am" in german.text
    site.client.user(guest).post("/subbill/subscription/cancel", json={})
    assert link not in lifecycle.page(site, guest).text
    answer = browser.get("/subbill/invoices/upcoming?lang=en")
    assert answer.status_code == 404 and "Nothing to come" in answer.text


def test_a_payment_problem_comes_with_its_link(site, guest):
    """C15, C20, E16: the reason and where to pay, in the document and on the page."""
    ident = buy(site, guest, plan="basic", trial_days=0)
    site.double.control.subscription(ident, "fail_payment")
    site.double.control.flush()
    status = told(site, guest)
    assert (status["reason"], status["active"]) == ("past_due", False)
    assert status["pay_url"].startswith(f"{site.double.url}/i/")
    assert status["pay_url"] in lifecycle.page(site, guest).text


# --- trials --------------------------------------------------------------------------------------


def test_a_trial_is_offered_once_in_a_life(site, guest):
    """B8, B9, B27, E20: the ledger is ours; after the trial no plan offers another, nor gives one."""
    page = lifecycle.page(site, guest, "/subbill/plans").text
    assert "First 14 days free" in page and "Start free trial" in page
    ident = buy(site, guest)
    assert at_stripe(site, ident)["status"] == "trialing"
    site.client.user(guest).post("/subbill/subscription/cancel", json={"immediate": True})
    page = lifecycle.page(site, guest, "/subbill/plans").text
    assert "days free" not in page and "Start free trial" not in page and "Pay monthly" in page
    plans = get(site, guest, "plans")["plans"]
    assert {plan["trial_days"] for plan in plans} == {0}
    ident = buy(site, guest)
    assert at_stripe(site, ident)["status"] == "active" and at_stripe(site, ident)["trial_end"] is None


def test_a_request_may_shorten_the_trial_and_not_lengthen_it(site, guest):
    """B8, E20, T10."""
    answer = site.client.user(guest).post("/subbill/checkout", json={"plan": "basic", "trial_days": 15})
    problem("/checkout", "POST", answer, 400, "bad_trial")
    buy(site, guest, plan="basic", trial_days=3)
    assert session_sent(site)["subscription_data"]["trial_period_days"] == "3"
    assert told(site, guest)["days_remaining"] == 3


def test_the_catalogue_says_whether_a_trial_needs_a_card(site, guest):
    """E20, B8: "trial_card": "none" asks for none and ends by itself; the second time a card is asked for."""
    site.client.user(guest).post("/subbill/checkout", json={"plan": "basic"})
    assert "payment_method_collection" not in session_sent(site)
    ident = buy(site, guest, plan="pro")
    sent = session_sent(site)
    assert sent["payment_method_collection"] == "if_required"
    assert sent["subscription_data"]["trial_settings"]["end_behavior"]["missing_payment_method"] == "cancel"
    assert at_stripe(site, ident)["status"] == "trialing"
    site.client.user(guest).post("/subbill/subscription/cancel", json={"immediate": True})
    site.client.user(guest).post("/subbill/checkout", json={"plan": "pro"})
    assert "payment_method_collection" not in session_sent(site)


# --- free plans ----------------------------------------------------------------------------------


def rows(site, user):
    return sorted(row[0] for row in site.database.rows(
        f"SELECT plan FROM membership WHERE user_name = '{user}'"))


@pytest.mark.parametrize("path", ["account", "subscription", "plans"])
def test_early_access_is_activated_at_first_sight(site, guest, path):
    """A9: after registration, by itself, without a card and without any object at Stripe."""
    site.double.control.forget_requests()
    assert rows(site, guest) == []
    get(site, guest, path)
    assert rows(site, guest) == ["founder", "free"]
    status = told(site, guest)
    assert (status["plan"], status["free"], status["active"]) in (
        ("founder", True, False), ("free", True, False))
    assert abs(status["since"] - site.double.control.now()) < 400 * 86400
    assert status["reason"] == "no_subscription" and status["subscription"] is None
    assert site.double.control.requests() == []
    first = status["since"]
    get(site, guest, path)
    assert told(site, guest)["since"] == first


def test_the_gate_writes_nothing(site, guest):
    """A9: a request for a page makes no account."""
    site.client.user(guest).get("/members/page.html")
    assert rows(site, guest) == []
    assert site.database.rows(f"SELECT 1 FROM account WHERE user_name = '{guest}'") == []


def test_the_account_page_says_since_when(site, guest):
    """A9, C17: name and day of the free plan, in both languages."""
    html = lifecycle.page(site, guest).text
    assert re.search(r"(Yours since|Free during early access)", html)
    assert re.search(r"(Deiner seit|Aufbauphase)", lifecycle.page(site, guest, "/subbill/account?lang=de").text)
    plans = lifecycle.page(site, guest, "/subbill/plans?lang=en").text
    assert "Included for everyone who is logged in." in plans and "Free during early access, for" in plans


def test_whoever_buys_keeps_the_free_plan_of_another_group(site, guest):
    """A9: the subscription is told, the early access stays."""
    get(site, guest, "account")
    buy(site, guest)
    status = told(site, guest)
    assert (status["plan"], status["free"]) == ("basic", False)
    assert rows(site, guest) == ["founder", "free"]


# --- a second one --------------------------------------------------------------------------------


def test_a_second_subscription_leads_to_a_change_of_the_first(site, guest):
    """C27, C17: 409 with the links; the page leads to the plans, where one can switch, and not to the portal."""
    ident = buy(site, guest)
    answer = site.client.user(guest).post("/subbill/checkout", json={"plan": "pro"})
    document = problem("/checkout", "POST", answer, 409, "already_subscribed")
    assert document["links"] == {"portal": f"{site.url}/subbill/portal", "account": f"{site.url}/subbill/account",
                                 "change": f"{site.url}/subbill/subscription/change"}
    html = lifecycle.page(site, guest).text
    csrf = lifecycle.fields(html, "/subbill/portal")["csrf"]
    page = site.client.browser(guest).post("/subbill/checkout", data={"csrf": csrf, "plan": "pro"},
                                           headers={"Origin": site.url})
    assert page.status_code == 409 and "already" in page.text
    assert 'action="/subbill/portal"' not in page.text
    assert re.search(r'<a class="button" href="/subbill/plans[^"]*">Switch plan</a>', page.text)
    assert "You can switch from the plan you have" in page.text
    assert Client(site.double.url).get(f"/v1/subscriptions/{ident}")["status"] == "trialing"
