# Licensed under the Apache License, Version 2.0; see LICENSE.
"""A subscription's life on the Stripe double: pages, portal, clock, changes, webhooks.

No requirement's number stands here: what the stand-in can do says nothing about the module.
"""
import json
import re
import time

import pytest

from stripe_double import periods, sign
from stripe_double.control import ControlError
from stripe_world import (BASIC, DECLINED, FAILS_LATER, POOR, PRO, SECRET,  # noqa: F401
                          SECURE_ALWAYS, SECURE_ONCE, SUCCESS, Sink, api, bought, card_form,
                          control, double, page, portal, running, session, sink, status, verify)


# ---- the hosted page ------------------------------------------------------------------------


def test_a_buyer_pays_on_the_hosted_page(api, control, sink):
    """4242 pays, the events are there before the buyer is back."""
    made = session(api, client_reference_id="zoe", metadata={"cart": "1"},
                   subscription_data={"metadata": {"subbill_user": "zoe"}})
    code, text, _ = page(made["url"])
    assert code == 200 and "Basic" in text and "€9.00 / month" in text
    for name in ("card-number", "card-exp", "card-cvc", "pay", "cancel", "email"):
        assert f'id="{name}"' in text
    code, _, location = page(made["url"], card_form("4242 4242 4242 4242"))
    assert (code, location) == (303, SUCCESS.replace("{CHECKOUT_SESSION_ID}", made["id"]))
    assert sink.types() == [
        "customer.created", "payment_method.attached", "customer.subscription.created",
        "invoice.created", "invoice.finalized", "payment_intent.created", "charge.succeeded",
        "payment_intent.succeeded", "invoice.paid", "invoice.payment_succeeded",
        "invoice_payment.paid", "checkout.session.completed"]
    done = api.get(f"/v1/checkout/sessions/{made['id']}", {"expand": ["subscription"]})
    assert (done["status"], done["payment_status"], done["url"]) == ("complete", "paid", None)
    assert done["subscription"]["metadata"] == {"subbill_user": "zoe"}
    assert done["metadata"] == {"cart": "1"} and done["subscription"]["status"] == "active"
    code, text, _ = page(made["url"], card_form("4242424242424242"))
    assert code == 410 and "already been used" in text
    assert len(control.objects("subscription")) == 1


@pytest.mark.parametrize("card, words", [
    (DECLINED, "Your card was declined."), (POOR, "Your card has insufficient funds."),
    ("4242424242424241", "Your card number is incorrect."), ("4242", "incomplete")])
def test_a_declined_card_stays_on_the_page(api, control, card, words):
    """The message is shown, nothing is sold, another card may be tried."""
    made = session(api)
    code, text, _ = page(made["url"], card_form(card))
    error = re.search(r'<p id="error" role="alert">([^<]*)', text)
    assert code == 200 and words in error.group(1).replace("&#x27;", "'")
    assert control.objects("subscription") == []
    assert api.get(f"/v1/checkout/sessions/{made['id']}")["status"] == "open"
    assert page(made["url"], card_form("4242424242424242"))[0] == 303


@pytest.mark.parametrize("card", [SECURE_ONCE, SECURE_ALWAYS])
def test_three_d_secure_asks_first(api, control, card):
    """The challenge can be failed and be completed."""
    made = session(api)
    for outcome, expected in (("fail", 200), ("complete", 303)):
        code, text, _ = page(made["url"], card_form(card))
        assert code == 200 and 'id="challenge-complete"' in text and 'id="challenge-fail"' in text
        assert control.objects("subscription") == []
        code, text, _ = page(made["url"] + "/challenge", {"outcome": outcome})
        assert code == expected
        assert ("unable to authenticate" in text) == (outcome == "fail")
    assert control.objects("charge")[0]["payment_method_details"]["card"]["three_d_secure"][
        "result"] == "authenticated"


def test_a_trial_charges_nothing_and_says_so(api, control):
    made = session(api, subscription_data={"trial_period_days": 14})
    text = page(made["url"])[1]
    assert "14 days free" in text and "Start trial" in text
    done = control.complete(made["id"], email="a@example.com")["session"]
    assert done["payment_status"] == "no_payment_required" and done["amount_total"] == 0
    sub = api.get(f"/v1/subscriptions/{done['subscription']}")
    assert sub["status"] == "trialing" and control.objects("charge") == []
    assert sub["trial_end"] - sub["trial_start"] == 14 * 86400


def test_a_promotion_code_lowers_the_price(api, control):
    """Typed on the page, counted, refused when wrong."""
    api.post("/v1/coupons", {"id": "HALF", "percent_off": 50, "duration": "once"})
    code = api.post("/v1/promotion_codes", {"promotion": {"type": "coupon", "coupon": "HALF"},
                                            "code": "HALFOFF"})
    made = session(api, allow_promotion_codes=True)
    assert "This code is invalid." in page(made["url"] + "/code", {"code": "WRONG"})[1]
    assert "-€4.50" in page(made["url"] + "/code", {"code": "halfoff"})[1]
    page(made["url"], card_form("4242424242424242"))
    done = api.get(f"/v1/checkout/sessions/{made['id']}")
    assert done["amount_total"] == 450 and done["total_details"]["amount_discount"] == 450
    assert control.objects("charge")[0]["amount"] == 450
    assert api.get(f"/v1/promotion_codes/{code['id']}")["times_redeemed"] == 1


def test_a_session_ends_after_a_day_or_on_request(api, control):
    late, early = session(api), session(api)
    assert api.post(f"/v1/checkout/sessions/{early['id']}/expire")["status"] == "expired"
    assert api.post(f"/v1/checkout/sessions/{early['id']}/expire").status == 400
    assert control.advance(days=1)["steps"] == 1
    assert api.get(f"/v1/checkout/sessions/{late['id']}")["status"] == "expired"
    code, text, _ = page(late["url"])
    assert code == 410 and "expired" in text
    assert control.complete(late["id"])["outcome"] == "refused"
    assert len(control.events("checkout.session.expired")) == 2


def test_one_time_goods_are_paid_without_a_subscription(api, control):
    made = api.post("/v1/checkout/sessions", {
        "mode": "payment", "success_url": SUCCESS, "line_items": [{"quantity": 2, "price_data": {
            "currency": "jpy", "unit_amount": 6000, "product_data": {"name": "Fan"}}}]})
    done = control.complete(made["id"], email="yuki@example.com")["session"]
    assert (done["amount_total"], done["customer"], done["subscription"]) == (12000, None, None)
    part = api.post("/v1/refunds", {"payment_intent": done["payment_intent"], "amount": 4000})
    charge = api.get(f"/v1/charges/{part['charge']}")
    assert (charge["amount_refunded"], charge["refunded"]) == (4000, False)
    api.post("/v1/refunds", {"charge": charge["id"]})
    assert api.get(f"/v1/charges/{charge['id']}")["refunded"] is True
    assert api.post("/v1/refunds", {"charge": charge["id"]}).error["code"] == \
        "charge_already_refunded"


# ---- the portal -----------------------------------------------------------------------------


def test_cancelling_in_the_portal_keeps_access_until_the_period_ends(api, control):
    """Cancel, think again, cancel, end."""
    sub = bought(api, control)
    url = portal(api, sub)["url"]
    assert 'id="return" href="http://127.0.0.1:9/back"' in page(url)[1]
    assert 'id="confirm"' in page(url + "/cancel", {"subscription": sub})[1]
    assert page(url + "/cancel", {"subscription": sub, "confirm": "yes"})[0] == 303
    found = api.get(f"/v1/subscriptions/{sub}")
    end = found["items"]["data"][0]["current_period_end"]
    assert (found["status"], found["cancel_at_period_end"], found["cancel_at"]) == (
        "active", True, end)
    assert page(url + "/resume", {"subscription": sub})[0] == 303
    assert api.get(f"/v1/subscriptions/{sub}")["cancel_at"] is None
    page(url + "/cancel", {"subscription": sub, "confirm": "yes"})
    assert 'id="resume-subscription"' in page(url)[1]
    control.advance_to(end - 5)
    assert status(api, sub) == "active"
    control.advance(seconds=6)
    assert status(api, sub) == "canceled"
    last = control.events("customer.subscription.deleted")[0]["data"]["object"]
    assert last["ended_at"] == end
    previous = [event["data"]["previous_attributes"]
                for event in control.events("customer.subscription.updated")]
    assert previous[0]["cancel_at_period_end"] is False and previous[0]["cancel_at"] is None


def test_changing_the_plan_in_the_portal_prorates(api, control):
    """The difference waits for the next invoice."""
    sub = bought(api, control)
    url = portal(api, sub)["url"]
    assert page(url + "/change", {"subscription": sub, "price": PRO})[0] == 303
    found = api.get(f"/v1/subscriptions/{sub}")
    assert found["items"]["data"][0]["price"]["id"] == PRO
    control.advance(days=32)
    lines = api.get(f"/v1/subscriptions/{sub}", {"expand": ["latest_invoice"]})[
        "latest_invoice"]["lines"]["data"]
    assert [line["amount"] for line in lines][1:] == [2900, 2900] and lines[0]["amount"] == -900


def test_a_new_card_becomes_the_default(api, control):
    sub = bought(api, control)
    url = portal(api, sub, flow_data={"type": "payment_method_update", "after_completion": {
        "type": "redirect", "redirect": {"return_url": "http://127.0.0.1:9/done"}}})["url"]
    assert "Your card was declined." in page(url + "/card", card_form(DECLINED))[1]
    assert page(url + "/card", card_form("5555555555554444"))[2] == "http://127.0.0.1:9/done"
    found = api.get(f"/v1/subscriptions/{sub}", {"expand": ["default_payment_method"]})
    assert found["default_payment_method"]["card"]["last4"] == "4444"


def test_the_portal_needs_a_default_configuration(api, control):
    """Stripe's own sentence when nobody has set the portal up."""
    sub = bought(api, control)
    control.settings(portal_configured=False)
    answer = portal(api, sub)
    assert answer.status == 400 and "default configuration" in answer.error["message"]


# ---- the clock ------------------------------------------------------------------------------


def test_a_trial_ends_with_notice_and_a_paid_invoice(api, control):
    """Trial_will_end three days before, active at once, the invoice an hour later."""
    sub = bought(api, control, subscription_data={"trial_period_days": 14})
    control.advance(days=11, seconds=60)
    assert len(control.events("customer.subscription.trial_will_end")) == 1
    control.advance(days=3)
    found = api.get(f"/v1/subscriptions/{sub}", {"expand": ["latest_invoice"]})
    assert (found["status"], found["latest_invoice"]["status"]) == ("active", "draft")
    control.advance(seconds=3600)
    found = api.get(f"/v1/subscriptions/{sub}", {"expand": ["latest_invoice"]})
    assert found["latest_invoice"]["status"] == "paid"
    item = found["items"]["data"][0]
    assert item["current_period_start"] == found["trial_end"] == found["billing_cycle_anchor"]


@pytest.mark.parametrize("choice, expected", [
    ("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")])
def test_a_trial_without_a_card_ends_as_asked(api, control, choice, expected):
    made = session(api, payment_method_collection="if_required", subscription_data={
        "trial_period_days": 3,
        "trial_settings": {"end_behavior": {"missing_payment_method": choice}}})
    assert 'id="card-number"' not in page(made["url"])[1]
    sub = control.complete(made["id"], email="a@example.com")["session"]["subscription"]
    control.advance(days=3, seconds=3700)
    assert status(api, sub) == expected


@pytest.mark.parametrize("setting, final", [
    ("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due")])
def test_a_failed_renewal_is_past_due_then_what_the_account_says(api, control, setting, final):
    """0341 attaches and fails later; the retries run; the account's setting decides."""
    control.settings(after_retries=setting)
    sub = bought(api, control, FAILS_LATER, subscription_data={"trial_period_days": 1})
    control.advance(days=1, seconds=3700)
    assert status(api, sub) == "past_due"
    failed = control.events("invoice.payment_failed")[0]["data"]["object"]
    assert failed["attempt_count"] == 1 and failed["next_payment_attempt"] > control.now()
    control.advance(days=16)
    assert status(api, sub) == final
    assert len(control.events("invoice.payment_failed")) == 4
    assert control.events("invoice.payment_failed")[-1]["data"]["object"][
        "next_payment_attempt"] is None


def test_a_good_card_recovers_an_overdue_subscription(api, control):
    sub = bought(api, control)
    assert control.subscription(sub, "fail_payment")["status"] == "past_due"
    invoice = api.get(f"/v1/subscriptions/{sub}")["latest_invoice"]
    answer = api.post(f"/v1/invoices/{invoice}/pay")
    assert (answer.status, answer.error["code"]) == (402, "card_declined")
    assert control.subscription(sub, "pay")["status"] == "active"
    assert api.post(f"/v1/invoices/{invoice}/pay").error["code"] == "invoice_already_paid"


def test_a_card_that_always_asks_makes_renewals_wait_for_the_customer(api, control):
    """3184 at renewal; the hosted invoice page settles it."""
    strict, once = (bought(api, control, card) for card in (SECURE_ALWAYS, SECURE_ONCE))
    control.advance(days=32)
    assert (status(api, strict), status(api, once)) == ("past_due", "active")
    asked = control.events("invoice.payment_action_required")[0]["data"]["object"]
    assert page(asked["hosted_invoice_url"], card_form("4242424242424242"))[0] == 303
    assert status(api, strict) == "active"


def test_months_keep_their_day_and_renew_in_order(api, control):
    jan31 = 1801353600  # 2027-01-31T00:00:00Z
    feb = periods.plus(jan31, "month", 1, jan31)
    assert time.gmtime(feb)[:3] == (2027, 2, 28)
    assert time.gmtime(periods.plus(feb, "month", 1, jan31))[:3] == (2027, 3, 31)
    sub = bought(api, control)
    control.advance(days=100)
    made = [event["created"] for event in control.events()]
    assert made == sorted(made)
    assert len(api.get("/v1/invoices", {"subscription": sub, "status": "paid"})["data"]) == 4
    with pytest.raises(ControlError):
        control.advance(seconds=-1)


# ---- subscriptions through the API ----------------------------------------------------------


def test_an_upgrade_is_previewed_charged_and_told(api, control):
    """Always_invoice charges what the preview said."""
    sub = bought(api, control)
    control.advance(days=10)
    item = api.get(f"/v1/subscriptions/{sub}")["items"]["data"][0]["id"]
    change = {"items": [{"id": item, "price": PRO}], "proration_behavior": "always_invoice"}
    seen = api.post("/v1/invoices/create_preview", {
        "subscription": sub, "subscription_details": change})
    assert seen["id"].startswith("upcoming_in_") and 1000 < seen["amount_due"] < 2000
    done = api.post(f"/v1/subscriptions/{sub}", {**change, "expand": ["latest_invoice"]})
    assert abs(done["latest_invoice"]["amount_paid"] - seen["amount_due"]) <= 1
    event = control.events("customer.subscription.updated")[-1]["data"]
    assert event["previous_attributes"]["items"]["data"][0]["price"]["id"] == BASIC
    assert api.post(f"/v1/subscriptions/{sub}", {"items": [{"price": PRO}]}).status == 400


def test_an_update_that_cannot_be_paid_waits_or_fails_as_asked(api, control):
    sub = bought(api, control)
    control.subscription(sub, "fail_payment")
    item = api.get(f"/v1/subscriptions/{sub}")["items"]["data"][0]["id"]
    change = {"items": [{"id": item, "price": PRO}], "proration_behavior": "always_invoice"}
    control.advance(days=3)
    answer = api.post(f"/v1/subscriptions/{sub}", {**change,
                                                   "payment_behavior": "error_if_incomplete"})
    assert (answer.status, answer.error["type"]) == (402, "card_error")
    waiting = api.post(f"/v1/subscriptions/{sub}", {
        **change, "payment_behavior": "pending_if_incomplete"})
    assert waiting["items"]["data"][0]["price"]["id"] == BASIC
    assert waiting["pending_update"]["subscription_items"][0]["price"]["id"] == PRO
    control.subscription(sub, "pay")
    found = api.get(f"/v1/subscriptions/{sub}")
    assert found["items"]["data"][0]["price"]["id"] == PRO and found["pending_update"] is None
    assert len(control.events("customer.subscription.pending_update_applied")) == 1


def test_cancel_at_is_set_and_taken_back(api, control):
    sub = bought(api, control)
    when = control.now() + 5 * 86400
    assert api.post(f"/v1/subscriptions/{sub}", {"cancel_at": when})["cancel_at"] == when
    assert api.post(f"/v1/subscriptions/{sub}", {"cancel_at": ""})["cancel_at"] is None
    assert api.delete(f"/v1/subscriptions/{sub}")["status"] == "canceled"
    assert api.delete(f"/v1/subscriptions/{sub}").status == 404
    customer = {"customer": control.objects("customer")[0]["id"]}
    assert api.get("/v1/subscriptions", customer)["data"] == []
    assert len(api.get("/v1/subscriptions", {**customer, "status": "ended"})["data"]) == 1


# ---- webhooks -------------------------------------------------------------------------------


def test_the_signature_is_the_published_one():
    """Known vectors."""
    secret = "whsec_test_0123456789abcdefghijklmnopqrstuv"
    assert sign(b'{"id":"evt_test_1","object":"event"}', secret, 1793610000) == (
        "t=1793610000,v1="
        "5cad137340bac29107b26f3a94805fa6d69baef5aea29a78538d68a07773f7aa")
    assert sign('{"name":"Zoë 🙂"}\n'.encode(), "whsec_Ünïcode", 1793610001).endswith(
        "baa374c8f04c4600c457d1af0b7db19305c5ee1c82ccfc214aa83bd97e47567c")


def test_every_delivery_is_signed_over_its_very_bytes(api, control, sink):
    """Pretty and compact bodies, with characters beyond ASCII."""
    api.post("/v1/customers", {"name": "Zoë 🙂"})
    control.configure_deliveries(format="compact")
    api.post("/v1/customers", {"name": "Ünï"})
    control.flush()
    assert all(verify(headers, body) for headers, body, _ in sink.got)
    assert [body.startswith(b'{\n  "id"') for _, body, _ in sink.got] == [True, False]
    assert "Zoë 🙂".encode() in sink.got[0][1]


def test_a_refused_delivery_is_tried_again_until_it_is_taken(api, control, sink):
    """500, 302, then 200; pending_webhooks says so meanwhile; the body never changes."""
    control.configure_deliveries(retry_delays=[30])
    sink.plan = [500]
    made = api.post("/v1/customers", {"name": "a"})
    event = api.get("/v1/events", {"type": "customer.created"})["data"][0]
    time.sleep(0.1)
    assert event["data"]["object"]["id"] == made["id"] and event["pending_webhooks"] == 1
    missed = api.get("/v1/events", {"delivery_success": False, "types": ["customer.created"]})
    assert [each["id"] for each in missed["data"]] == [event["id"]]
    sink.plan = [302]
    control.flush()
    control.flush()
    assert [code for *_, code in sink.got] == [500, 302, 200]
    assert len({body for _, body, _ in sink.got}) == 1
    assert api.get(f"/v1/events/{event['id']}")["pending_webhooks"] == 0
    entry = control.deliveries("delivered")[0]
    assert entry["attempts"][-1]["body"] == '{"result":"seen"}'
    assert [attempt["status"] for attempt in entry["attempts"]] == [500, 302, 200]


def test_deliveries_can_be_held_lost_doubled_and_turned_round(api, control, sink):
    def names(*wanted):
        for name in wanted:
            api.post("/v1/customers", {"name": name})

    def received():
        control.flush()
        got = [json.loads(body)["data"]["object"]["name"] for _, body, _ in sink.got]
        sink.got.clear()
        return got

    names("a", "b")
    assert received() == ["a", "b"]
    control.configure_deliveries(mode="hold")
    names("c")
    time.sleep(0.1)
    assert sink.got == []
    assert received() == ["c"]
    control.configure_deliveries(mode="lose")
    names("d")
    control.configure_deliveries(mode="duplicate")
    names("e")
    assert received() == ["e", "e"]
    control.configure_deliveries(mode="reverse")
    names("f", "g", "h")
    assert received() == ["h", "g", "f"]
    control.configure_deliveries(mode="shuffle")
    names("i", "j", "k")
    assert sorted(received()) == ["i", "j", "k"]
    assert [entry["state"] for entry in control.deliveries("lost")] == ["lost"]


def test_an_endpoint_hears_what_it_asked_for_and_tells_its_secret_once(api, control,
                                                                        request):
    """Webhook endpoints through the API."""
    receiver = Sink()
    request.addfinalizer(receiver.close)
    made = api.post("/v1/webhook_endpoints", {
        "url": receiver.url, "enabled_events": ["customer.updated"],
        "api_version": "2026-10-28.endive"})
    path = f"/v1/webhook_endpoints/{made['id']}"
    assert "secret" not in api.get(path).body
    assert "secret" not in api.get("/v1/webhook_endpoints")["data"][0]
    customer = api.post("/v1/customers", {"name": "a"})["id"]
    api.post(f"/v1/customers/{customer}", {"name": "b"})
    control.flush()
    assert receiver.types() == ["customer.updated"], control.deliveries()
    assert verify(*receiver.got[0][:2], secret=made["secret"])
    assert api.post(path, {"disabled": True})["status"] == "disabled"
    api.post(f"/v1/customers/{customer}", {"name": "c"})
    control.flush()
    assert len(receiver.got) == 1
    assert api.delete(path)["deleted"] is True
    assert api.post("/v1/webhook_endpoints", {
        "url": receiver.url, "enabled_events": ["customer.teleported"]}).status == 400


def test_any_event_can_be_sent_again_and_any_bytes_signed(api, control, sink):
    api.post("/v1/customers", {"name": "a"})
    control.flush()
    event = control.events()[0]["id"]
    assert control.deliver(event)[0]["status"] == 200
    control.deliver(body="not json", t=1000)
    control.deliver({"object": "event", "id": "evt_made_up"}, signature="t=1,v1=00")
    assert sink.got[0][1] == sink.got[1][1] and verify(*sink.got[1][:2])
    assert sink.got[2][1] == b"not json"
    assert sink.got[2][0]["Stripe-Signature"] == sign(b"not json", SECRET, 1000)
    assert sink.got[3][0]["Stripe-Signature"] == "t=1,v1=00"


def test_an_event_names_the_request_that_caused_it(api, control):
    made = api.post("/v1/customers", {"name": "a"}, Idempotency_Key="mine")
    event = control.events()[0]
    assert event["request"] == {"id": made.headers["Request-Id"], "idempotency_key": "mine"}
    control.complete(session(api)["id"], email="a@example.com")
    assert control.events()[-1]["request"] == {"id": None, "idempotency_key": None}
