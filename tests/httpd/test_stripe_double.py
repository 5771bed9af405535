# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The Stripe double's API: keys, parameters, lists, idempotency, faults, the process.

No requirement's number stands here: what the stand-in can do says nothing about the module.
"""
import http.client
import json
import signal
import socket
import threading
import time
import urllib.error
import urllib.request

import pytest

from stripe_double import launch
from stripe_double.client import Client
from stripe_double.control import ControlError
from stripe_world import (BASIC, CATALOG, SUCCESS, api, bought, control, double,  # noqa: F401
                          page, running, session, status)


# ---- keys and the shape of answers ----------------------------------------------------------


@pytest.mark.parametrize("key, code", [
    (None, None), ("nonsense", None), ("sk_test_", None), ("pk_test_abc", "secret_key_required")])
def test_a_call_without_a_good_key_is_401(double, key, code):
    answer = Client(double.url, key).get("/v1/customers")
    assert answer.status == 401 and answer.error["type"] == "invalid_request_error"
    assert answer.error.get("code") == code


def test_objects_of_one_mode_do_not_exist_in_the_other(double, api):
    """The key's own prefix tells the mode."""
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
    """Unknown, missing and ill-typed parameters are 400 and name the parameter."""
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
    """Promotion codes and discounts; customer and customer_email."""
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
    """Created, stamped, found, changed, deleted."""
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
    """The catalogue seeds products and prices."""
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
    """A retried POST does its work once."""
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


# ---- faults ---------------------------------------------------------------------------------


@pytest.mark.parametrize("code, kind", [(429, "invalid_request_error"), (500, "api_error"),
                                        (503, "api_error"), (401, "invalid_request_error")])
def test_a_status_on_command(api, control, code, kind):
    """As often as asked, for the calls asked, with the headers asked."""
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


def test_a_500_is_kept_for_its_key(api, control):
    """F13: another key gets another try; a bad gateway is nobody's answer."""
    control.fault("status", "POST", "/v1/customers", status=500)
    answers = [api.post("/v1/customers", {"name": "a"}, Idempotency_Key=key)
               for key in ("one", "one", "two")]
    assert [answer.status for answer in answers] == [500, 500, 200]
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in answers[0].headers
    control.fault("status", "POST", "/v1/customers", status=502)
    answers = [api.post("/v1/customers", {"name": "a"}, Idempotency_Key="three")
               for _ in range(2)]
    assert [answer.status for answer in answers] == [502, 200]


@pytest.mark.parametrize("action", ["drop", "reset", "hang", "garbage", "truncate", "html"])
def test_an_answer_that_is_none(api, control, action):
    """Nothing of it can be read as an answer."""
    control.fault(action, delay=0.1 if action == "hang" else 0)
    with pytest.raises((ValueError, OSError, http.client.HTTPException)):
        api.get("/v1/customers")
    assert api.get("/v1/customers").status == 200


def test_a_slow_and_a_dribbling_answer(api, control):
    control.fault("slow", delay=0.4)
    began = time.monotonic()
    assert api.get("/v1/customers").status == 200 and time.monotonic() - began >= 0.4
    control.fault("dribble", delay=0.002)
    assert api.get("/v1/customers")["object"] == "list"


@pytest.mark.parametrize("action", ["drop", "status"])
def test_an_answer_lost_after_its_effect_is_replayed_on_retry(api, control, action):
    """The very case idempotency keys are for."""
    control.fault(action, "POST", after_effect=True)
    try:
        assert api.post("/v1/customers", {"name": "a"}, Idempotency_Key="lost").status == 500
    except (OSError, http.client.HTTPException):
        assert action == "drop"
    again = api.post("/v1/customers", {"name": "a"}, Idempotency_Key="lost")
    assert again.status == 200 and again.headers["Idempotent-Replayed"] == "true"
    assert len(control.objects("customer")) == 1


def test_one_key_of_several_can_be_refused(double, control):
    """Rotation; the other key still works."""
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
    with launch.start(state=kept, catalog=catalog) as first:
        api = Client(first.url)
        sub = bought(api, first.control)
        first.control.advance(days=3)
        still_open = session(api)["id"]
        began = time.monotonic()
        first.process.send_signal(signal.SIGINT)
        assert first.process.wait(3) == 0 and time.monotonic() - began < 2
        assert first.stop() == ""
    with launch.start(state=kept, catalog=catalog) as second:
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
