# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Cancelling, taking it back, pausing: by buttons and by programs, told at once and done once."""
import re
import threading
import time

import pytest

from api import another_address, described, problem
from harness import catalogue, lifecycle
from harness.lifecycle import at_stripe, buy, changes, press, told
from stripe_double.client import Client

CATALOG = catalogue.default()
catalogue.plan(CATALOG, "pro")["pause"] = True
TEAM = "price_1SbTeamMonthEUR000001"
CATALOG["plans"].append({"plan": "team", "name": {"en": "Team", "de": "Team"}, "group": "teams", "rank": 40,
                         "pause": True, "prices": [{"interval": "month", "amount": 9900, "id": TEAM}]})

DATABASES = ("sqlite3", "pgsql", "mysql")
SITE = {"catalog": CATALOG, "people": [f"member{i}" for i in range(400)],
        "directives": {"SubbillRoute": "cancel /cancel-subscription"}}

_members = iter(SITE["people"])


@pytest.fixture(autouse=True)
def _own_address(site):
    with another_address(site):
        yield


@pytest.fixture
def member():
    return next(_members)


def post(site, user, action, status=200, **body):
    answer = site.client.user(user).post(f"/subbill/subscription/{action}", json=body)
    assert answer.status_code == status, answer.text
    return described(f"/subscription/{action}", "POST", answer)


# --- cancel --------------------------------------------------------------------------------------


def test_a_cancelled_subscriber_keeps_access_until_period_end(site, member):
    """A50, E9, C17, C18: at the end of the period by default; the clock ends it, not before."""
    ident = buy(site, member)
    before = told(site, member)
    document = post(site, member, "cancel")
    assert document["cancel_at"] == before["current_period_end"]
    assert (document["active"], document["reason"]) == (True, "ok")
    assert at_stripe(site, ident)["cancel_at_period_end"] is True
    assert site.client.user(member).get("/members/page.html").status_code == 200
    site.double.control.advance(days=33)
    site.double.control.flush()
    assert told(site, member)["reason"] == "ended"
    assert site.client.user(member).get("/members/page.html").status_code == 402


def test_an_immediate_cancellation_closes_the_door_before_the_webhook(site, member, held_back):
    """A50, E9, C14: at once means at once, also when no webhook has come."""
    buy(site, member)
    assert site.client.user(member).get("/members/page.html").status_code == 200
    document = post(site, member, "cancel", immediate=True)
    assert (document["active"], document["status"], document["reason"]) == (False, "canceled", "ended")
    assert site.client.user(member).get("/members/page.html").status_code == 402


BEARER = """
SetEnvIf Authorization "^Bearer token-of-([a-z]+)$" SB_WHO=$1
<Location "/cancel-subscription">
    AuthType None
    SubbillUser "%{env:SB_WHO}"
</Location>
"""


def test_the_old_address_with_its_query_works(make_site):
    """E9: POST /cancel-subscription?immediate=false, then true, with a bearer token and no body."""
    site = make_site(catalog=CATALOG, start=False,
                     directives={"SubbillRoute": "cancel /cancel-subscription"})
    site.reconfigure(graceful=False, extra=BEARER)
    site.start()
    ident = buy(site, "bob")
    bob = {"Authorization": "Bearer token-of-bob"}
    answer = site.client.post("/cancel-subscription?immediate=false", headers=bob)
    assert described("/subscription/cancel", "POST", answer)["cancel_at"]
    assert at_stripe(site, ident)["status"] == "active"
    answer = site.client.post("/cancel-subscription?immediate=maybe", headers=bob)
    problem("/subscription/cancel", "POST", answer, 400, "bad_request")
    answer = site.client.post("/cancel-subscription?immediate=true", headers=bob)
    assert described("/subscription/cancel", "POST", answer)["status"] == "canceled"
    assert site.client.post("/cancel-subscription").status_code == 401


def test_one_mount_is_not_the_other(site, member):
    """An action is found behind its route, not beside it."""
    assert site.client.user(member).post("/subbill/cancel", json={}).status_code == 404
    assert site.client.user(member).post("/subbill/subscription/cancel/", json={}).status_code == 404
    assert site.client.user(member).post("/subbill/subscription/cancel/more", json={}).status_code == 404
    assert site.client.user(member).get("/subbill/subscription/cancel").status_code == 405


def test_two_clicks_cancel_once(site, member):
    """F17, T11: both succeed, one call reaches Stripe under one key; a third click calls nobody."""
    ident = buy(site, member)
    site.double.control.forget_requests()
    answers = []
    clicks = [threading.Thread(target=lambda: answers.append(
        site.client.user(member).post("/subbill/subscription/cancel", json={}))) for _ in range(2)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert [answer.status_code for answer in answers] == [200, 200], [a.text for a in answers]
    keys = {call["headers"].get("Idempotency-Key") for call in changes(site, ident)}
    assert len(keys) <= 2 and all(key.startswith("subbill-act_") for key in keys)
    site.double.control.forget_requests()
    post(site, member, "cancel")
    assert not changes(site, ident)


def test_cancel_and_resume_in_turn_are_new_calls_each(site, member):
    """F17: Stripe repeats an answer for a day under its key; the same wish later has another one."""
    ident = buy(site, member)
    for _ in range(2):
        post(site, member, "cancel")
        assert at_stripe(site, ident)["cancel_at_period_end"] is True
        assert post(site, member, "resume")["cancel_at"] is None
        assert at_stripe(site, ident)["cancel_at_period_end"] is False


def test_a_lost_answer_is_asked_for_again(site, member):
    """F13, F17: Stripe did it, the answer got lost; the next click finds it done."""
    ident = buy(site, member)
    site.allow_log("SB")
    site.double.control.fault("drop", method="POST", path_prefix=f"/v1/subscriptions/{ident}",
                              times=-1, after_effect=True)
    try:
        answer = site.client.user(member).post("/subbill/subscription/cancel", json={})
    finally:
        site.double.control.clear_faults()
    problem("/subscription/cancel", "POST", answer, 503, "stripe_unavailable")
    assert at_stripe(site, ident)["cancel_at_period_end"] is True
    assert post(site, member, "cancel")["cancel_at"]


def test_a_lost_answer_to_an_immediate_cancellation_is_no_error(site, member, held_back):
    """F13, F17: the call is repeated, Stripe has nothing left to cancel, and the door is shut at once."""
    ident = buy(site, member)
    site.allow_log("SB")
    site.double.control.fault("drop", method="DELETE", path_prefix=f"/v1/subscriptions/{ident}",
                              after_effect=True)
    document = post(site, member, "cancel", immediate=True)
    assert (document["active"], document["status"]) == (False, "canceled")
    assert len(changes(site, ident)) >= 2, "repeated by the client itself"
    assert site.client.user(member).get("/members/page.html").status_code == 402


@pytest.mark.parametrize("named", [True, False])
def test_the_second_click_on_cancel_now_succeeds(site, member, named):
    """F17: it is over already, which is what was asked for; another wish finds nothing to cancel."""
    ident = buy(site, member)
    which = {"subscription": ident} if named else {}
    for _ in range(2):
        assert post(site, member, "cancel", immediate=True, **which)["status"] == "canceled"
    for action in ("resume", "pause"):
        answer = site.client.user(member).post(f"/subbill/subscription/{action}", json=which)
        problem(f"/subscription/{action}", "POST", answer, 404, "no_subscription")
    answer = site.client.user(member).post("/subbill/subscription/cancel", json={})
    problem("/subscription/cancel", "POST", answer, 404, "no_subscription")


def test_what_is_told_during_a_slow_call_is_not_undone(site, member, held_back):
    """F13, F24: taking back a planned change read the subscription before a webhook said past_due."""
    ident = buy(site, member, plan="pro")
    site.client.user(member).post("/subbill/subscription/change", json={"plan": "basic"})
    site.double.control.forget_requests()
    site.double.control.fault("slow", method="POST", path_prefix="/v1/subscription_schedules/", delay=3)
    answers = []
    click = threading.Thread(target=lambda: answers.append(
        site.client.user(member).post("/subbill/subscription/resume", json={})))
    click.start()
    while not site.double.control.requests("POST", "/v1/subscription_schedules/"):
        time.sleep(0.05)
    time.sleep(1.1)  # Stripe's clock counts seconds
    site.double.control.subscription(ident, "fail_payment")
    event = [each for each in site.double.control.events("customer.subscription.updated")
             if each["data"]["object"]["id"] == ident and each["data"]["object"]["status"] == "past_due"][-1]
    site.double.control.deliver(event["id"])
    assert told(site, member)["status"] == "past_due"
    assert not answers, "the call still waits"
    click.join()
    assert answers[0].status_code == 200, answers[0].text
    assert told(site, member)["status"] == "past_due"


@pytest.mark.parametrize("action", ["cancel", "resume", "pause"])
def test_whoever_has_several_names_the_one(site, member, action):
    """F17: without an id a second click would meet the other one; nothing is done to either."""
    idents = [buy(site, member, plan=plan) for plan in ("team", "pro")]
    site.double.control.forget_requests()
    for _ in range(2):
        answer = site.client.user(member).post(f"/subbill/subscription/{action}?immediate=true"
                                               if action == "cancel" else f"/subbill/subscription/{action}", json={})
        problem(f"/subscription/{action}", "POST", answer, 409, "several_subscriptions")
    assert not any(changes(site, ident) for ident in idents)
    assert post(site, member, "cancel", subscription=idents[0], immediate=True)
    assert [at_stripe(site, ident)["status"] for ident in idents] == ["canceled", "active"]
    assert post(site, member, "cancel")["cancel_at"], "the only one left needs no name"


def test_each_subscription_has_its_own_open_invoice(site, member):
    """C15, E16: two payments failed; each is shown with the page where it is paid, not only the later one."""
    idents = [buy(site, member, plan=plan) for plan in ("team", "pro")]
    for ident in idents:
        site.double.control.subscription(ident, "fail_payment")
    site.double.control.flush()
    open_ones = {invoice["hosted_invoice_url"] for invoice in site.double.control.objects("invoice")
                 if invoice["customer"] == at_stripe(site, idents[0])["customer"]
                 and invoice["status"] == "open"}
    html = lifecycle.page(site, member).text
    buttons = re.findall(r'<a class="button[^"]*" href="([^"]*/i/[^"]*)"', html)
    assert len(open_ones) == 2 and set(buttons) == open_ones


def test_the_buttons_name_their_subscription(site, member):
    """C17, F17: each form of the account page is about its own."""
    idents = {buy(site, member, plan=plan) for plan in ("team", "pro")}
    html = lifecycle.page(site, member).text
    forms = [form for form in re.findall(r"<form.*?</form>", html, re.S)
             if "/subscription/" in form or "/cancel-subscription" in form]
    assert len(forms) == 6, "cancel, pause and end, twice"
    named = [re.search(r'name="subscription" value="([^"]*)"', form).group(1) for form in forms]
    assert set(named) == idents and len(named) == 6


@pytest.mark.parametrize("action", ["cancel", "resume", "pause"])
def test_only_ones_own_subscription_can_be_touched(site, member, action):
    """T09: somebody else's id is no subscription of yours, and nobody's account is 404."""
    other = next(_members)
    ident = buy(site, other, plan="pro")
    site.double.control.forget_requests()
    for body in ({}, {"subscription": ident}):
        answer = site.client.user(member).post(f"/subbill/subscription/{action}", json=body)
        problem(f"/subscription/{action}", "POST", answer, 404, "no_subscription")
    assert not changes(site, ident)


@pytest.mark.parametrize("action", ["cancel", "resume", "pause"])
def test_a_foreign_page_cannot_do_it(site, member, action):
    """T25: a form without our token is refused, whoever is logged in."""
    ident = buy(site, member, plan="pro")
    site.double.control.forget_requests()
    answer = site.client.browser(member).post(f"/subbill/subscription/{action}", data={"x": ""},
                                              headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert site.client.post(f"/subbill/subscription/{action}", json={}).status_code == 401
    assert not changes(site, ident)


@pytest.mark.parametrize("body", [{"immediate": "yes"}, {"immediate": 1}, {"at": "once"},
                                  {"subscription": 7}], ids=str)
def test_what_is_not_understood_cancels_nothing(site, member, body):
    """T10: wrong types and unknown names are 400."""
    answer = site.client.user(member).post("/subbill/subscription/cancel", json=body)
    problem("/subscription/cancel", "POST", answer, 400, "bad_request")


# --- what Stripe does not know -------------------------------------------------------------------

ROUTES = {"cancel": {}, "resume": {}, "pause": {}, "change": {"plan": "pro"}}


def missing(site, method, path, param):
    site.double.control.fault("status", method=method, path_prefix=path, status=404, body={"error": {
        "type": "invalid_request_error", "code": "resource_missing", "param": param, "message": "No such thing"}})


@pytest.mark.parametrize("action", ROUTES)
def test_a_subscription_that_stripe_has_lost_is_told_so(site, member, action):
    """F24, C20: the account shows it, so "you have none" would be no answer; in both languages."""
    ident = buy(site, member, plan="team" if action == "pause" else "basic")
    for language, sentence in (("en", "no longer knows your subscription"), ("de", "kennt Dein Abo nicht mehr")):
        html = site.client.browser(member).get(f"/subbill/account?lang={language}").text
        missing(site, "GET", f"/v1/subscriptions/{ident}", "id")
        answer = site.client.browser(member).post(
            f"/subbill/subscription/{action}", headers={"Origin": site.url, "Accept-Language": language},
            data={"csrf": lifecycle.fields(html, "/subbill/portal")["csrf"], **ROUTES[action]})
        assert answer.status_code == 409 and sentence in answer.text
        assert 'href="/subbill/account"' in answer.text
    missing(site, "GET", f"/v1/subscriptions/{ident}", "id")
    answer = site.client.user(member).post(f"/subbill/subscription/{action}", json=ROUTES[action])
    problem(f"/subscription/{action}", "POST", answer, 409, "subscription_gone")


@pytest.mark.parametrize("action, body, param, status, code", [
    ("cancel", {"immediate": True}, "id", 409, "subscription_changed"),
    ("cancel", {}, "id", 409, "subscription_changed"),
    ("change", {"plan": "pro"}, "items[0][id]", 409, "subscription_changed"),
    ("change", {"plan": "pro"}, "items[0][price]", 400, "unknown_price"),
], ids=str)
def test_what_is_missing_in_the_middle_is_named(site, member, action, body, param, status, code):
    """F24, C20: it was changed elsewhere since it was read, or the catalogue names a price that Stripe has not."""
    site.allow_log("SB460")
    ident = buy(site, member)
    for _ in range(2 if body.get("immediate") else 1):
        missing(site, "DELETE" if body.get("immediate") else "POST", f"/v1/subscriptions/{ident}", param)
    answer = site.client.user(member).post(f"/subbill/subscription/{action}", json=body)
    site.double.control.clear_faults()
    problem(f"/subscription/{action}", "POST", answer, status, code)


def test_a_preview_of_a_price_that_stripe_has_not_says_so(site, member):
    """A48, C20."""
    buy(site, member)
    missing(site, "POST", "/v1/invoices/create_preview", "subscription_details[items][0][price]")
    answer = site.client.user(member).get("/subbill/subscription/change?plan=pro")
    problem("/subscription/change", "GET", answer, 400, "unknown_price")


def test_a_refusal_without_a_text_of_its_own_says_who_refused(site, member):
    """C20: whatever word Stripe has for it."""
    site.allow_log("SB")
    ident = buy(site, member)
    html = lifecycle.page(site, member).text
    site.double.control.fault("status", method="POST", path_prefix=f"/v1/subscriptions/{ident}", status=400, body={
        "error": {"type": "invalid_request_error", "code": "parameter_invalid_empty", "message": "Secret sk_1"}})
    answer = press(site, member, html, "/cancel-subscription")
    assert answer.status_code == 502
    assert "The payment service did not accept the request." in answer.text and "sk_1" not in answer.text


# --- resume and pause ----------------------------------------------------------------------------


def test_nothing_to_take_back_is_a_conflict(site, member):
    """A50: 409, and the second click of a resumption is not one."""
    buy(site, member)
    answer = site.client.user(member).post("/subbill/subscription/resume", json={})
    problem("/subscription/resume", "POST", answer, 409, "nothing_to_resume")
    post(site, member, "cancel")
    post(site, member, "resume")
    assert post(site, member, "resume")["cancel_at"] is None


@pytest.mark.parametrize("scheduled", [False, True])
@pytest.mark.parametrize("end", ["cancel_at", "cancel_at_period_end"])
def test_an_end_that_was_set_at_stripe_can_be_taken_back(site, member, held_back, end, scheduled):
    """A50, C17: by the Dashboard, as a day or as the period's end, or by a schedule that cancels: the button works."""
    ident = buy(site, member)
    stripe = Client(site.double.url)
    stripe.post(f"/v1/subscriptions/{ident}",
                {end: site.double.control.now() + 10 * 86400 if end == "cancel_at" else "true"})
    if scheduled:
        made = stripe.post("/v1/subscription_schedules", {"from_subscription": ident})
        assert made["end_behavior"] == "cancel"
    site.double.control.flush()
    assert told(site, member)["cancel_at"]
    answer = press(site, member, lifecycle.page(site, member).text, "/subbill/subscription/resume")
    assert (answer.status_code, answer.headers.get("Location")) == (303, "/subbill/account?done=resumed"), answer.text
    now = at_stripe(site, ident)
    assert (now["cancel_at"], now["cancel_at_period_end"], now["schedule"]) == (None, False, None)
    status = told(site, member)
    assert (status["cancel_at"], status["active"]) == (None, True)


def test_a_pause_closes_the_door_and_resuming_opens_it(site, member, held_back):
    """A50, B29: where the catalogue allows it; what was paid for is credited."""
    ident = buy(site, member, plan="pro")
    assert site.client.user(member).get("/workshop/page.html").status_code == 200
    document = post(site, member, "pause")
    assert (document["active"], document["status"], document["reason"]) == (False, "paused", "paused")
    assert site.client.user(member).get("/workshop/page.html").status_code == 402
    assert post(site, member, "pause")["status"] == "paused"
    document = post(site, member, "resume")
    assert (document["active"], document["status"]) == (True, "active")
    assert site.client.user(member).get("/workshop/page.html").status_code == 200
    last = next(invoice for invoice in site.double.control.objects("invoice")
                if invoice["id"] == at_stripe(site, ident)["latest_invoice"])
    assert last["amount_due"] < 100, "the unused time is credited"


def test_a_closed_door_leads_to_what_is_wrong(site, member):
    """C17, C20: whoever is paused resumes in the account, and is not asked to pay."""
    buy(site, member, plan="pro")
    post(site, member, "pause")
    door = site.client.browser(member).get("/workshop/page.html", follow_redirects=True)
    assert "Your subscription is paused" in door.text and "Resume it in your account" in door.text
    assert 'href="/subbill/account" rel="noreferrer">Go to your account' in door.text
    assert "Pay now" not in door.text


def test_a_resumption_that_is_not_paid_says_why_and_where_to_pay(site, member):
    """A50, C15, C17, C20: it stays paused; gate, account and JSON tell of the invoice, and paying it resumes."""
    ident = buy(site, member, plan="pro")
    site.double.control.advance(days=15)  # so that the credit does not pay for it
    post(site, member, "pause")
    stripe = Client(site.double.url)
    customer = at_stripe(site, ident)["customer"]
    card = stripe.post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", {"customer": customer})
    stripe.post(f"/v1/subscriptions/{ident}", {"default_payment_method": card["id"]})
    site.double.control.flush()
    html = lifecycle.page(site, member).text
    site.double.control.configure_deliveries(mode="hold")
    answer = press(site, member, html, "/subbill/subscription/resume")
    assert answer.status_code == 402
    assert "stays paused until its invoice is paid" in answer.text and 'href="/subbill/account"' in answer.text
    site.double.control.forget_requests()
    for heard in (False, True):  # of the invoice
        if heard:
            site.double.control.configure_deliveries(mode="normal")
            site.double.control.flush()
        answer = site.client.user(member).post("/subbill/subscription/resume", json={})
        document = problem("/subscription/resume", "POST", answer, 402, "resumption_unpaid")
        assert document["links"]["account"].endswith("/subbill/account")
        assert not changes(site, ident), "a second click makes no second invoice"
    status = told(site, member)
    assert (status["reason"], status["status"], status["active"]) == ("paused", "paused", False)
    assert status["pay_url"].startswith(f"{site.double.url}/i/")
    html = lifecycle.page(site, member).text
    assert status["pay_url"] in html and "As soon as its invoice is paid" in html
    assert 'action="/subbill/subscription/resume"' not in html
    assert "until you resume" not in html
    door = site.client.browser(member).get("/workshop/page.html", follow_redirects=True)
    assert "pay the invoice that is open there" in door.text
    assert f'href="{status["pay_url"]}" rel="noreferrer">Pay now' in door.text
    good = stripe.post("/v1/payment_methods/pm_card_visa/attach", {"customer": customer})
    stripe.post(f"/v1/invoices/{at_stripe(site, ident)['latest_invoice']}/pay", {"payment_method": good["id"]})
    site.double.control.flush()
    status = told(site, member)
    assert (status["reason"], status["pay_url"]) == ("ok", None)
    assert site.client.user(member).get("/workshop/page.html").status_code == 200


def test_a_pause_needs_a_plan_that_has_it(site, member):
    """A50: 409 with the reason."""
    ident = buy(site, member)
    site.double.control.forget_requests()
    answer = site.client.user(member).post("/subbill/subscription/pause", json={})
    problem("/subscription/pause", "POST", answer, 409, "pause_not_offered")
    assert not changes(site, ident)


def test_a_paused_subscription_can_only_end_at_once(site, member):
    """A50: there is no period to wait for."""
    buy(site, member, plan="pro")
    post(site, member, "pause")
    answer = site.client.user(member).post("/subbill/subscription/cancel", json={})
    problem("/subscription/cancel", "POST", answer, 409, "paused")
    assert post(site, member, "cancel", immediate=True)["status"] == "canceled"


def test_what_the_portal_did_is_seen_although_no_webhook_came(site, member, held_back):
    """F24: Stripe is asked before anything is done, so the tables need not be up to date."""
    ident = buy(site, member)
    site.double.control.subscription(ident, "cancel_at_period_end")
    assert told(site, member)["cancel_at"] is None
    assert post(site, member, "cancel")["cancel_at"]
    assert told(site, member)["cancel_at"]


# --- the account page ----------------------------------------------------------------------------


def test_the_account_page_cancels_and_takes_back(site, member):
    """A50, C17: buttons that work without a script, and a word about what was done."""
    ident = buy(site, member)
    html = lifecycle.page(site, member).text
    answer = press(site, member, html, "/cancel-subscription")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/subbill/account?done=canceled")
    html = lifecycle.page(site, member, answer.headers["Location"]).text
    assert "Your cancellation is noted." in html and "You keep access until" in html
    assert at_stripe(site, ident)["cancel_at_period_end"] is True
    answer = press(site, member, html, "/subbill/subscription/resume")
    html = lifecycle.page(site, member, answer.headers["Location"]).text
    assert "goes on as it was" in html and "You keep access until" not in html


def test_the_account_page_says_why_in_german_too(site, member):
    """A8: the buttons speak the reader's language."""
    buy(site, member, plan="pro")
    html = site.client.browser(member).get("/subbill/account?lang=de").text
    for text in ("Zum Ende der Laufzeit kündigen", "Pausieren", "Sofort beenden", "Tarif wechseln",
                 "Zahlungsart ändern"):
        assert text in html


def test_no_button_stands_without_its_route(make_site):
    """C17: the optional routes are not mounted, so no form leads nowhere."""
    routes = ("plans", "checkout", "return", "account", "portal", "webhook")
    site = make_site(catalog=CATALOG, routes="",
                     directives={"SubbillRoute": [f"{route} /subbill/{route}" for route in routes]})
    buy(site, "bob", plan="pro")
    html = lifecycle.page(site, "bob").text
    assert "Pro" in html and 'action=""' not in html
    for text in ("Pause",):
        assert text not in html


def test_a_button_says_what_it_is_about(site, member):
    """C17: two buttons with the same word are told apart by whoever hears them only."""
    for plan in ("team", "pro"):
        buy(site, member, plan=plan)
    buttons = re.findall(r"<button[^>]*>(.*?)</button>", lifecycle.page(site, member).text, re.S)
    for plan in ("Team", "Pro"):
        assert f'Pause<span class="hidden">: {plan}</span>' in buttons


def test_a_refusal_is_a_page_for_people(site, member):
    """A50: the reason in words and the way back to the account."""
    buy(site, member)
    html = lifecycle.page(site, member).text
    sent = lifecycle.fields(html, "/cancel-subscription")
    answer = site.client.browser(member).post("/subbill/subscription/pause", data=sent,
                                              headers={"Origin": site.url})
    assert answer.status_code == 409
    assert "This plan cannot be paused." in answer.text and 'href="/subbill/account"' in answer.text


def test_the_portal_opens_where_the_button_says(site, member):
    """C17, B40: deep links for card, change and cancel."""
    ident = buy(site, member)
    html = lifecycle.page(site, member).text
    for flow in ("payment_method_update", "subscription_update", "subscription_cancel"):
        assert f'name="flow" value="{flow}"' in html
        site.double.control.forget_requests()
        answer = press(site, member, html, "/subbill/portal", flow=flow)
        assert answer.status_code == 303, answer.text
        sent = site.double.control.requests("POST", "/v1/billing_portal/sessions")[0]["params"]
        assert sent["flow_data"]["type"] == flow
        if flow != "payment_method_update":
            assert sent["flow_data"][flow]["subscription"] == ident
