"""The Stripe double keeps Stripe's promises: API, pages, webhooks, clock, faults."""
import hashlib
import hmac
import http.client
import json
import re
import signal
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stripe_double import launch, sign
from stripe_double.client import Client
from stripe_double.control import ControlError

SECRET = "whsec_double_test_0123456789abcdef"
BASIC, PRO, YEARLY = ("price_1DoubleBasicMonth001", "price_1DoubleProMonth00001",
                      "price_1DoubleBasicYear0001")
CATALOG = {"currency": "eur", "plans": [
    {"plan": "basic", "name": {"en": "Basic", "de": "Basis"}, "product": "prod_DoubleBasic1",
     "prices": [{"interval": "month", "amount": 900, "id": BASIC, "lookup_key": "basic"},
                {"interval": "year", "amount": 9000, "id": YEARLY}]},
    {"plan": "pro", "name": "Pro", "product": {"test": "prod_DoublePro001", "live": "prod_L1"},
     "prices": [{"interval": "month", "amount": 2900, "id": PRO},
                {"interval": "month", "amount": 3900, "currency": "usd",
                 "id": {"live": "price_1DoubleLiveOnly0001"}}]}]}
SUCCESS = "http://127.0.0.1:9/ok?session_id={CHECKOUT_SESSION_ID}"
DECLINED, POOR = "4000000000000002", "4000000000009995"
SECURE_ONCE, SECURE_ALWAYS, FAILS_LATER = ("4000002500003155", "4000002760003184",
                                           "4000000000000341")


class Sink:
    """A webhook receiver that keeps what it gets; `plan` holds statuses for the next ones."""

    def __init__(self):
        self.got, self.plan = [], []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = sink.plan.pop(0) if sink.plan else 200
                sink.got.append((dict(self.headers), body, status))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(b'{"result":"seen"}')

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def types(self, status=200):
        return [json.loads(body)["type"] for _, body, code in self.got if code == status]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def running():
    with launch.start() as handle:
        yield handle


@pytest.fixture
def double(running):
    running.control.reset()
    running.control.seed(CATALOG)
    return running


@pytest.fixture
def control(double):
    return double.control


@pytest.fixture
def api(double):
    return Client(double.url)


@pytest.fixture
def sink(control):
    made = Sink()
    control.set_endpoint(made.url, SECRET)
    control.configure_deliveries(retry_delays=[0.05])
    yield made
    made.close()


def session(api, price=BASIC, **more):
    made = api.post("/v1/checkout/sessions", {
        "mode": "subscription", "line_items": [{"price": price, "quantity": 1}],
        "success_url": SUCCESS, "cancel_url": "http://127.0.0.1:9/no", **more})
    assert made.status == 200, made.body
    return made


def bought(api, control, card="4242424242424242", price=BASIC, **more):
    done = control.complete(session(api, price, **more)["id"], card, email="zoe@example.com",
                            authenticate=True)
    assert done["outcome"] == "complete", done
    return done["session"]["subscription"]


def status(api, subscription):
    return api.get(f"/v1/subscriptions/{subscription}")["status"]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def page(url, form=None):
    """(status, text, Location) of a hosted page."""
    data = urllib.parse.urlencode(form).encode() if form is not None else None
    opener = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}))
    try:
        answer = opener.open(url, data, 10)
    except urllib.error.HTTPError as problem:
        answer = problem
    with answer:
        return answer.status, answer.read().decode(), answer.headers.get("Location")


def card_form(number, **more):
    return {"number": number, "exp": "12 / 34", "cvc": "123", "name": "Zoë",
            "email": "zoe@example.com", **more}


# ---- keys and the shape of answers ----------------------------------------------------------


@pytest.mark.parametrize("key, code", [
    (None, None), ("nonsense", None), ("sk_test_", None), ("pk_test_abc", "secret_key_required")])
def test_a_call_without_a_good_key_is_401(double, key, code):
    answer = Client(double.url, key).get("/v1/customers")
    assert answer.status == 401 and answer.error["type"] == "invalid_request_error"
    assert answer.error.get("code") == code


def test_objects_of_one_mode_do_not_exist_in_the_other(double, api):
    """C24, T15: the key's own prefix tells the mode."""
    customer = api.post("/v1/customers", {"email": "a@example.com"})
    live = Client(double.url, "rk_live_restricted1")
    answer = live.get(f"/v1/customers/{customer['id']}")
    assert answer.status == 404 and answer.error["code"] == "resource_missing"
    assert "a similar object exists in test mode" in answer.error["message"]
    assert live.get("/v1/prices/price_1DoubleLiveOnly0001")["livemode"] is True


def test_answers_carry_request_id_version_and_key(api):
    answer = api.post("/v1/customers", {}, Idempotency_Key="k1",
                      Stripe_Version="2026-10-28.endive")
    assert answer.headers["Request-Id"].startswith("req_")
    assert answer.headers["Idempotency-Key"] == "k1"
    assert answer.headers["Stripe-Version"] == "2026-10-28.endive"
    assert api.get("/v1/customers", Stripe_Version="yesterday").status == 400


def test_the_log_keeps_what_was_asked_but_never_a_whole_key(double, api, control):
    api.post("/v1/customers", {"metadata": {"0": "x", "1": "y"}, "preferred_locales": ["de"]},
             Idempotency_Key="k2")
    entry = control.requests("POST", "/v1/customers")[-1]
    assert entry["params"] == {"metadata": {"0": "x", "1": "y"}, "preferred_locales": ["de"]}
    assert entry["headers"]["Idempotency-Key"] == "k2" and entry["status"] == 200
    assert entry["key"] == "sk_test_...0001"
    assert api.key not in json.dumps(control.requests())


# ---- parameters -----------------------------------------------------------------------------


@pytest.mark.parametrize("change, param, code", [
    ({"foo": "1"}, "foo", "parameter_unknown"),
    ({"subscription_data": {"foo": "1"}}, "subscription_data[foo]", "parameter_unknown"),
    ({"payment_method_types": ["card"]}, "payment_method_types", "parameter_unknown"),
    ({"mode": "free"}, "mode", None),
    ({"ui_mode": "hosted"}, "ui_mode", None),
    ({"ui_mode": "embedded_page"}, "success_url", None),
    ({"line_items": [{"price": BASIC, "quantity": "one"}]}, "line_items[0][quantity]",
     "parameter_invalid_integer"),
    ({"line_items": [{"price": BASIC}]}, "line_items[0][quantity]", "parameter_missing"),
    ({"line_items": [{"price": "price_none", "quantity": 1}]}, "line_items[0][price]",
     "resource_missing"),
    ({"allow_promotion_codes": "yes"}, "allow_promotion_codes", None),
    ({"customer_email": "nobody"}, "customer_email", "email_invalid"),
    ({"customer_email": ""}, "customer_email", "parameter_invalid_empty"),
    ({"success_url": "ok"}, "success_url", "url_invalid"),
    ({"client_reference_id": "x" * 201}, "client_reference_id", None),
    ({"customer_update": {"address": "auto"}}, "customer_update", None),
    ({"subscription_data": {"trial_period_days": 0}}, "subscription_data[trial_period_days]",
     "parameter_invalid_integer"),
    ({"subscription_data": {"trial_end": int(time.time()) + 3600}},
     "subscription_data[trial_end]", None),
    ({"expires_at": int(time.time()) + 60}, "expires_at", None),
    ({"metadata": {"k" * 41: "v"}}, "metadata", None),
    ({"metadata": {"k": "v" * 501}}, "metadata[k]", None),
    ({"automatic_tax": {"liability": {"type": "self"}}}, "automatic_tax[enabled]",
     "parameter_missing"),
])
def test_checkout_refuses_what_stripe_refuses(api, change, param, code):
    """C28, T10: unknown, missing and ill-typed parameters are 400 and name the parameter."""
    answer = api.post("/v1/checkout/sessions", {
        "mode": "subscription", "line_items": [{"price": BASIC, "quantity": 1}],
        "success_url": SUCCESS, **change})
    assert answer.status == 400, answer.body
    assert (answer.error["param"], answer.error.get("code")) == (param, code)


@pytest.mark.parametrize("missing", ["mode", "line_items", "success_url"])
def test_checkout_needs_its_parameters(api, missing):
    params = {"mode": "subscription", "line_items": [{"price": BASIC, "quantity": 1}],
              "success_url": SUCCESS}
    del params[missing]
    answer = api.post("/v1/checkout/sessions", params)
    assert (answer.status, answer.error["code"]) == (400, "parameter_missing")
    assert answer.error["param"] == missing


def test_checkout_parameters_that_exclude_each_other(api):
    """C6: promotion codes and discounts; customer and customer_email."""
    customer = api.post("/v1/customers", {"email": "a@example.com"})["id"]
    api.post("/v1/coupons", {"id": "TEN", "percent_off": 10})
    for both in ({"customer": customer, "customer_email": "b@example.com"},
                 {"allow_promotion_codes": True, "discounts": [{"coupon": "TEN"}]}):
        answer = api.post("/v1/checkout/sessions", {
            "mode": "subscription", "line_items": [{"price": BASIC, "quantity": 1}],
            "success_url": SUCCESS, **both})
        assert answer.status == 400 and "only specify one" in answer.error["message"]


def test_the_mode_and_the_prices_have_to_agree(api):
    once = api.post("/v1/prices", {"currency": "eur", "unit_amount": 100,
                                   "product": "prod_DoubleBasic1"})["id"]
    for mode, price in (("subscription", once), ("payment", BASIC)):
        answer = api.post("/v1/checkout/sessions", {
            "mode": mode, "line_items": [{"price": price, "quantity": 1}],
            "success_url": SUCCESS})
        assert answer.status == 400 and answer.error["param"] == "line_items"


def test_a_json_body_is_refused(double):
    request = urllib.request.Request(
        double.url + "/v1/customers", b'{"email":"a@example.com"}', method="POST",
        headers={"Authorization": "Bearer sk_test_x1", "Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    assert caught.value.code == 400
    caught.value.close()


# ---- customers, lists, search, expand -------------------------------------------------------


def test_a_customer_lives_and_dies(api, control):
    """B10: created, stamped, found, changed, deleted."""
    made = api.post("/v1/customers", {"email": "zoe@example.com", "name": "Zoë ✓",
                                      "metadata": {"subbill_user": "zoe"}})
    path = f"/v1/customers/{made['id']}"
    assert api.get("/v1/customers", {"email": "zoe@example.com"})["data"][0]["name"] == "Zoë ✓"
    found = api.get("/v1/customers/search", {"query": 'metadata["subbill_user"]:"zoe"'})
    assert [each["id"] for each in found["data"]] == [made["id"]]
    api.post(path, {"metadata": {"subbill_user": "", "a": "b"}, "name": ""})
    assert api.get(path)["metadata"] == {"a": "b"} and api.get(path)["name"] is None
    assert api.delete(path).body == {"id": made["id"], "object": "customer", "deleted": True}
    assert api.get(path)["deleted"] is True
    assert api.post(path, {"name": "x"}).status == 404
    answer = api.post("/v1/checkout/sessions", {
        "mode": "subscription", "customer": made["id"], "success_url": SUCCESS,
        "line_items": [{"price": BASIC, "quantity": 1}]})
    assert (answer.status, answer.error["code"], answer.error["param"]) == (
        400, "resource_missing", "customer")
    assert [event["type"] for event in control.events()] == [
        "customer.created", "customer.updated", "customer.deleted"]
    assert control.events("customer.deleted")[0]["data"]["object"]["email"] == "zoe@example.com"


def test_lists_are_newest_first_and_paged_both_ways(api):
    ids = [api.post("/v1/customers", {"name": str(n)})["id"] for n in range(5)][::-1]
    first = api.get("/v1/customers", {"limit": 2})
    assert [each["id"] for each in first["data"]] == ids[:2] and first["has_more"] is True
    rest = api.get("/v1/customers", {"limit": 3, "starting_after": ids[1]})
    assert [each["id"] for each in rest["data"]] == ids[2:] and rest["has_more"] is False
    back = api.get("/v1/customers", {"limit": 2, "ending_before": ids[4]})
    assert [each["id"] for each in back["data"]] == ids[2:4] and back["has_more"] is True
    assert api.get("/v1/customers", {"limit": 101}).status == 400


def test_prices_are_found_by_lookup_key(api):
    """A10: the catalogue seeds products and prices."""
    found = api.get("/v1/prices", {"lookup_keys": ["basic"], "active": True})
    assert [(each["id"], each["unit_amount"]) for each in found["data"]] == [(BASIC, 900)]
    assert api.get("/v1/products/prod_DoubleBasic1")["name"] == "Basic"
    assert len(api.get("/v1/prices", {"recurring": {"interval": "month"}})["data"]) == 2


def test_expand_puts_objects_in_place_of_ids(api, control):
    sub = bought(api, control)
    found = api.get(f"/v1/subscriptions/{sub}", {"expand": [
        "customer", "latest_invoice.payments", "items.data.price.product"]})
    assert found["customer"]["email"] == "zoe@example.com"
    assert found["latest_invoice"]["payments"]["data"][0]["status"] == "paid"
    assert found["items"]["data"][0]["price"]["product"]["name"] == "Basic"
    assert api.get(f"/v1/subscriptions/{sub}", {"expand": ["status"]}).status == 400
    assert api.get("/v1/subscriptions", {"expand": ["total_count"]}).status == 400


# ---- idempotency ----------------------------------------------------------------------------


def test_the_same_key_replays_the_first_answer(api, control):
    """F15: a retried POST does its work once."""
    first = api.post("/v1/customers", {"name": "one"}, Idempotency_Key="same")
    again = api.post("/v1/customers", {"name": "one"}, Idempotency_Key="same")
    assert again.body == first.body and again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert len(control.objects("customer")) == 1
    other = api.post("/v1/customers", {"name": "two"}, Idempotency_Key="same")
    assert (other.status, other.error["type"]) == (400, "idempotency_error")


def test_an_answer_to_bad_parameters_is_not_kept(api):
    assert api.post("/v1/customers", {"foo": "1"}, Idempotency_Key="retry").status == 400
    assert api.post("/v1/customers", {"name": "1"}, Idempotency_Key="retry").status == 200


def test_a_key_in_use_is_409(api, control):
    control.fault("slow", "POST", "/v1/customers", delay=0.6)
    slow = threading.Thread(target=api.post, args=("/v1/customers", {"name": "1"}),
                            kwargs={"Idempotency_Key": "busy"})
    slow.start()
    time.sleep(0.2)
    answer = api.post("/v1/customers", {"name": "1"}, Idempotency_Key="busy")
    slow.join()
    assert (answer.status, answer.error["code"]) == (409, "idempotency_key_in_use")
    assert api.post("/v1/customers", {"name": "1"}, Idempotency_Key="busy").status == 200


# ---- the hosted page ------------------------------------------------------------------------


def test_a_buyer_pays_on_the_hosted_page(api, control, sink):
    """A47, A54, C19, C14: 4242 pays, the events are there before the buyer is back."""
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
    """A54, C39: the message is shown, nothing is sold, another card may be tried."""
    made = session(api)
    code, text, _ = page(made["url"], card_form(card))
    error = re.search(r'<p id="error" role="alert">([^<]*)', text)
    assert code == 200 and words in error.group(1).replace("&#x27;", "'")
    assert control.objects("subscription") == []
    assert api.get(f"/v1/checkout/sessions/{made['id']}")["status"] == "open"
    assert page(made["url"], card_form("4242424242424242"))[0] == 303


@pytest.mark.parametrize("card", [SECURE_ONCE, SECURE_ALWAYS])
def test_three_d_secure_asks_first(api, control, card):
    """C7, E30: the challenge can be failed and be completed."""
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
    """C6: typed on the page, counted, refused when wrong."""
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


def portal(api, sub, **more):
    customer = api.get(f"/v1/subscriptions/{sub}")["customer"]
    return api.post("/v1/billing_portal/sessions", {
        "customer": customer, "return_url": "http://127.0.0.1:9/back", **more})


def test_cancelling_in_the_portal_keeps_access_until_the_period_ends(api, control):
    """A50, C4: cancel, think again, cancel, end."""
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
    """A48: the difference waits for the next invoice."""
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
    """B40: Stripe's own sentence when nobody has set the portal up."""
    sub = bought(api, control)
    control.settings(portal_configured=False)
    answer = portal(api, sub)
    assert answer.status == 400 and "default configuration" in answer.error["message"]


# ---- the clock ------------------------------------------------------------------------------


def test_a_trial_ends_with_notice_and_a_paid_invoice(api, control):
    """C18: trial_will_end three days before, active at once, the invoice an hour later."""
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
    """C17: 0341 attaches and fails later; the retries run; the account's setting decides."""
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
    """E30: 3184 at renewal; the hosted invoice page settles it."""
    strict, once = (bought(api, control, card) for card in (SECURE_ALWAYS, SECURE_ONCE))
    control.advance(days=32)
    assert (status(api, strict), status(api, once)) == ("past_due", "active")
    asked = control.events("invoice.payment_action_required")[0]["data"]["object"]
    assert page(asked["hosted_invoice_url"], card_form("4242424242424242"))[0] == 303
    assert status(api, strict) == "active"


def test_months_keep_their_day_and_renew_in_order(api, control):
    from stripe_double import periods
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
    """A48, A49: always_invoice charges what the preview said."""
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


def verify(headers, body, secret=SECRET):
    parts = dict(item.split("=", 1) for item in headers["Stripe-Signature"].split(","))
    wanted = hmac.new(secret.encode(), f"{parts['t']}.".encode() + body,
                      hashlib.sha256).hexdigest()
    return parts["v1"] == wanted and abs(int(parts["t"]) - time.time()) < 5


def test_the_signature_is_the_published_one():
    """A17: known vectors."""
    secret = "whsec_test_0123456789abcdefghijklmnopqrstuv"
    assert sign(b'{"id":"evt_test_1","object":"event"}', secret, 1793610000) == (
        "t=1793610000,v1="
        "5cad137340bac29107b26f3a94805fa6d69baef5aea29a78538d68a07773f7aa")
    assert sign('{"name":"Zoë 🙂"}\n'.encode(), "whsec_Ünïcode", 1793610001).endswith(
        "baa374c8f04c4600c457d1af0b7db19305c5ee1c82ccfc214aa83bd97e47567c")


def test_every_delivery_is_signed_over_its_very_bytes(api, control, sink):
    """A17: pretty and compact bodies, with characters beyond ASCII."""
    api.post("/v1/customers", {"name": "Zoë 🙂"})
    control.configure_deliveries(format="compact")
    api.post("/v1/customers", {"name": "Ünï"})
    control.flush()
    assert all(verify(headers, body) for headers, body, _ in sink.got)
    assert [body.startswith(b'{\n  "id"') for _, body, _ in sink.got] == [True, False]
    assert "Zoë 🙂".encode() in sink.got[0][1]


def test_a_refused_delivery_is_tried_again_until_it_is_taken(api, control, sink):
    """F36: 500, 302, then 200; pending_webhooks says so meanwhile; the body never changes."""
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


def test_an_endpoint_hears_what_it_asked_for_and_tells_its_secret_once(api, control):
    """B13, B5: webhook endpoints through the API."""
    receiver = Sink()
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
    receiver.close()


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


# ---- faults ---------------------------------------------------------------------------------


@pytest.mark.parametrize("code, kind", [(429, "invalid_request_error"), (500, "api_error"),
                                        (503, "api_error"), (401, "invalid_request_error")])
def test_a_status_on_command(api, control, code, kind):
    """F15: as often as asked, for the calls asked, with the headers asked."""
    control.fault("status", "POST", "/v1/customers", times=2, status=code,
                  headers={"Stripe-Should-Retry": "false", "Retry-After": "7"})
    assert api.get("/v1/customers").status == 200
    for _ in range(2):
        answer = api.post("/v1/customers")
        assert (answer.status, answer.error["type"]) == (code, kind)
        assert answer.headers["Stripe-Should-Retry"] == "false"
    assert api.post("/v1/customers").status == 200
    assert [entry["status"] for entry in control.requests("POST")] == [code, code, 200]
    assert len(control.objects("customer")) == 1


@pytest.mark.parametrize("action", ["drop", "reset", "hang", "garbage", "truncate", "html"])
def test_an_answer_that_is_none(api, control, action):
    """F13, F16: nothing of it can be read as an answer."""
    control.fault(action, delay=0.1 if action == "hang" else 0)
    with pytest.raises((ValueError, OSError, http.client.HTTPException)):
        api.get("/v1/customers")
    assert api.get("/v1/customers").status == 200


def test_a_slow_and_a_dribbling_answer(api, control):
    """F14"""
    control.fault("slow", delay=0.4)
    began = time.monotonic()
    assert api.get("/v1/customers").status == 200 and time.monotonic() - began >= 0.4
    control.fault("dribble", delay=0.002)
    assert api.get("/v1/customers")["object"] == "list"


@pytest.mark.parametrize("action", ["drop", "status"])
def test_an_answer_lost_after_its_effect_is_replayed_on_retry(api, control, action):
    """F15: the very case idempotency keys are for."""
    control.fault(action, "POST", after_effect=True)
    try:
        assert api.post("/v1/customers", {"name": "a"}, Idempotency_Key="lost").status == 500
    except (OSError, http.client.HTTPException):
        assert action == "drop"
    again = api.post("/v1/customers", {"name": "a"}, Idempotency_Key="lost")
    assert again.status == 200 and again.headers["Idempotent-Replayed"] == "true"
    assert len(control.objects("customer")) == 1


def test_one_key_of_several_can_be_refused(double, control):
    """A21: rotation; the other key still works."""
    control.fault("status", status=401, key_suffix="old1", times=-1)
    assert Client(double.url, "sk_test_old1").get("/v1/customers").status == 401
    assert Client(double.url, "sk_test_new1").get("/v1/customers").status == 200
    with pytest.raises(ControlError):
        control.fault("explode")


# ---- the process ----------------------------------------------------------------------------


def test_the_state_outlives_the_process_and_the_end_is_quick_and_silent(tmp_path):
    """A second start keeps its data; open sessions move to the new address."""
    kept, catalog = tmp_path / "state.json", tmp_path / "catalog.json"
    catalog.write_text(json.dumps(CATALOG))
    first = launch.start(state=kept, catalog=catalog)
    api = Client(first.url)
    sub = bought(api, first.control)
    first.control.advance(days=3)
    still_open = session(api)["id"]
    began = time.monotonic()
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(3) == 0 and time.monotonic() - began < 2
    assert first.stop() == ""
    second = launch.start(state=kept, catalog=catalog)
    api = Client(second.url)
    assert status(api, sub) == "active"
    assert second.control.now() > time.time() + 2.9 * 86400
    assert len(api.get("/v1/prices")["data"]) == 3
    url = api.get(f"/v1/checkout/sessions/{still_open}")["url"]
    assert url.startswith(second.url) and page(url)[0] == 200
    assert second.stop() == ""


def test_keys_of_a_file_are_the_only_ones(tmp_path):
    (tmp_path / "keys").write_text("sk_test_onlythis1\n")
    with launch.start(key_file=tmp_path / "keys") as double:
        assert Client(double.url, "sk_test_onlythis1").get("/v1/events").status == 200
        assert Client(double.url, "sk_test_another01").get("/v1/events").status == 401


def test_a_port_that_is_taken_is_said_in_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(RuntimeError) as caught:
            launch.start(taken.getsockname()[1])
    assert "cannot listen on 127.0.0.1" in str(caught.value)
    assert "Traceback" not in str(caught.value)
