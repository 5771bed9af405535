# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The double against the specification of the newest version, where that lies beside us.

One life of everything the double can make, then every object, event, error and request it saw is
held against the closed schemas. Where the file is absent the tests say so and are skipped.
"""
import pytest

from stripe_double import conformance, launch, tables
from stripe_double.client import Client

pytestmark = pytest.mark.skipif(conformance.missing() is not None,
                                reason=conformance.missing() or "")

CATALOG = {"currency": "eur", "plans": [
    {"plan": "basic", "name": "Basic", "product": "prod_ConfBasic0001",
     "entitlements": ["api_access"],
     "prices": [{"interval": "month", "amount": 900, "id": "price_1ConfBasicMonth00001"},
                {"interval": "year", "amount": 9000, "id": "price_1ConfBasicYear000001"}]},
    {"plan": "pro", "name": "Pro", "product": "prod_ConfPro000001",
     "prices": [{"interval": "month", "amount": 2900, "id": "price_1ConfProMonth000001"}]}],
    "packs": [{"pack": "tokens", "name": "Tokens", "product": "prod_ConfTokens0001",
               "prices": [{"amount": 1900, "id": "price_1ConfTokens00000001"}]}]}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The double after everything that it can do was done once."""
    with launch.start() as double:
        double.control.seed(CATALOG)
        api = Client(double.url)
        _catalogue(api)
        _subscriptions(api, double.control)
        _payments(api, double.control)
        yield double, api


def _session(api, price, **more):
    return api.post("/v1/checkout/sessions", {
        "mode": "subscription", "line_items": [{"price": price, "quantity": 1}],
        "success_url": "http://127.0.0.1/ok?s={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1/no", **more})


def _catalogue(api):
    product = api.post("/v1/products", {"name": "Extra", "marketing_features": [{"name": "a"}],
                                        "default_price_data": {
                                            "currency": "eur", "unit_amount": 500,
                                            "recurring": {"interval": "month"}}})
    api.post(f"/v1/products/{product['id']}", {"description": "More", "url": ""})
    price = api.post("/v1/prices", {"currency": "usd", "unit_amount": 100, "lookup_key": "one",
                                    "product": product["id"]})
    api.post(f"/v1/prices/{price['id']}", {"active": False, "metadata": {"a": "b"}})
    api.post("/v1/coupons", {"percent_off": 50, "duration": "once", "id": "HALF"})
    api.post("/v1/promotion_codes", {"promotion": {"type": "coupon", "coupon": "HALF"},
                                     "code": "HALFOFF"})
    api.post("/v1/webhook_endpoints", {"url": "http://127.0.0.1:9/hook",
                                       "enabled_events": ["invoice.paid"]})
    api.post("/v1/billing_portal/configurations", {"features": {
        "subscription_cancel": {"enabled": True}, "invoice_history": {"enabled": True}}})
    api.post("/v1/entitlements/features", {"lookup_key": "extra", "name": "Extra"})


def _subscriptions(api, control):
    customer = api.post("/v1/customers", {
        "email": "zoe@example.com", "name": "Zoë", "metadata": {"subbill_user": "zoe"},
        "address": {"country": "DE", "city": "Berlin"}})
    basic, pro = "price_1ConfBasicMonth00001", "price_1ConfProMonth000001"
    trial = _session(api, basic, customer=customer["id"], allow_promotion_codes=True,
                     subscription_data={"trial_period_days": 14, "metadata": {"u": "zoe"}})
    sub = control.complete(trial["id"], promotion_code="HALFOFF")["session"]["subscription"]
    control.advance(days=15)
    item = api.get(f"/v1/subscriptions/{sub}")["items"]["data"][0]["id"]
    api.post(f"/v1/subscriptions/{sub}", {"items": [{"id": item, "price": pro}],
                                          "proration_behavior": "always_invoice"})
    api.post("/v1/invoices/create_preview", {"subscription": sub, "subscription_details": {
        "items": [{"id": item, "price": basic}]}})
    control.subscription(sub, "fail_payment")
    control.subscription(sub, "pay")
    api.post(f"/v1/subscriptions/{sub}", {"pause_collection": {"behavior": "void"}})
    api.post(f"/v1/subscriptions/{sub}", {"pause_collection": ""})
    api.post(f"/v1/subscriptions/{sub}/pause", {
        "type": "subscription", "bill_for": {"unused_time_from": {"type": "now"}},
        "invoicing_behavior": "pending_invoice_item"})
    api.post(f"/v1/subscriptions/{sub}/resume", {"billing_cycle_anchor": {"type": "now"}})
    _schedules(api, control, sub, basic, pro)
    for flow in (None, {"type": "subscription_cancel", "subscription_cancel": {
            "subscription": sub}}):
        api.post("/v1/billing_portal/sessions", {"customer": customer["id"], "return_url":
                                                 "http://127.0.0.1/back",
                                                 **({"flow_data": flow} if flow else {})})
    api.post(f"/v1/subscriptions/{sub}", {"cancel_at_period_end": True})
    control.advance(days=40)
    _odd_ends(api, control, customer["id"], basic, pro)


def _schedules(api, control, sub, basic, pro):
    """Planned and taken back, planned and carried out."""
    for keep in (False, True):
        schedule = api.post("/v1/subscription_schedules", {"from_subscription": sub})
        now = schedule["phases"][0]
        api.post(f"/v1/subscription_schedules/{schedule['id']}", {
            "end_behavior": "release", "proration_behavior": "none", "phases": [
                {"start_date": now["start_date"], "end_date": now["end_date"],
                 "items": [{"price": pro, "quantity": 1}]},
                {"duration": {"interval": "month", "interval_count": 1},
                 "proration_behavior": "none", "items": [{"price": basic, "quantity": 1}]}]})
        if not keep:
            api.post(f"/v1/subscription_schedules/{schedule['id']}/release")
    api.get("/v1/subscription_schedules", {"limit": 1})
    control.advance(days=32)
    assert api.get(f"/v1/subscriptions/{sub}")["items"]["data"][0]["price"]["id"] == basic
    api.post(f"/v1/subscription_schedules/{schedule['id']}/release")


def _odd_ends(api, control, customer, basic, pro):
    """Paused without a card, incomplete, expired, pending updates, 3-D Secure at renewal."""
    cardless = _session(api, basic, customer=customer, payment_method_collection="if_required",
                        subscription_data={"trial_period_days": 3, "trial_settings": {
                            "end_behavior": {"missing_payment_method": "pause"}}})
    paused = control.complete(cardless["id"])["session"]["subscription"]
    control.advance(days=4)
    secure = _session(api, basic, customer=customer)
    strict = control.complete(secure["id"], "4000002760003184", authenticate=True)
    control.advance(days=32)
    item = api.get(f"/v1/subscriptions/{strict['session']['subscription']}")["items"]["data"][0]
    api.post(f"/v1/subscriptions/{strict['session']['subscription']}", {
        "items": [{"id": item["id"], "price": pro}], "proration_behavior": "always_invoice",
        "payment_behavior": "pending_if_incomplete"})
    api.post("/v1/subscriptions", {"customer": customer, "items": [{"price": pro}],
                                   "payment_behavior": "default_incomplete"})
    control.advance(days=2)
    card = api.post("/v1/payment_methods/pm_card_visa/attach", {"customer": customer})
    api.post(f"/v1/customers/{customer}", {"invoice_settings": {
        "default_payment_method": card["id"]}})
    api.post(f"/v1/subscriptions/{paused}/resume")
    control.complete(_session(api, basic, expires_at=control.now() + 3600)["id"],
                     "4000000000000002")
    control.advance(days=1)


def _payments(api, control):
    tokens = {"mode": "payment", "line_items": [{"price": "price_1ConfTokens00000001",
                                                 "quantity": 2}],
              "success_url": "http://127.0.0.1/ok"}
    for card, extra in (("4242424242424242", {}),
                        ("4000000000005126", {"customer_creation": "always",
                                              "invoice_creation": {"enabled": True}}),
                        ("4000000000007726", {})):
        session = api.post("/v1/checkout/sessions", {**tokens, **extra})
        done = control.complete(session["id"], card, email="bob@example.com")["session"]
        api.post("/v1/refunds", {"payment_intent": done["payment_intent"], "amount": 1900})
    setup = api.post("/v1/checkout/sessions", {"mode": "setup", "currency": "eur",
                                               "customer_creation": "always",
                                               "success_url": "http://127.0.0.1/ok"})
    saved = control.complete(setup["id"])["session"]["customer"]
    control.advance(seconds=120)
    api.delete(f"/v1/customers/{saved}")


def test_every_object_the_double_keeps_fits_the_closed_schemas(world):
    """What a client reads here is what it would read from Stripe."""
    double, api = world
    problems, kinds = [], set()
    for kind, things in double.control.state()["test"].items():
        if kind == "event":
            continue
        kinds.add(kind)
        for thing in things:
            problems += conformance.check_object(thing)
    assert sorted(set(problems)) == []
    assert {"checkout.session", "subscription", "invoice", "charge", "refund", "setup_intent",
            "billing_portal.session", "invoice_payment", "discount"} <= kinds


def test_every_event_fits_and_carries_the_object_of_its_type(world):
    """Webhook bodies have the newest shapes."""
    double, _ = world
    events = double.control.events()
    problems = [problem for event in events for problem in conformance.check_event(event)]
    assert sorted(set(problems)) == []
    types = {event["type"] for event in events}
    assert {"customer.subscription.paused", "customer.subscription.resumed", "invoice.upcoming",
            "customer.subscription.pending_update_expired", "invoice.payment_action_required",
            "checkout.session.expired", "refund.failed", "customer.deleted",
            "entitlements.active_entitlement_summary.updated", "subscription_schedule.created",
            "subscription_schedule.updated", "subscription_schedule.released"} <= types


@pytest.mark.parametrize("path", [
    "/v1/customers", "/v1/products", "/v1/prices", "/v1/coupons", "/v1/promotion_codes",
    "/v1/checkout/sessions", "/v1/billing_portal/configurations",
    "/v1/subscriptions?status=all", "/v1/subscription_schedules", "/v1/invoices", "/v1/invoice_payments",
    "/v1/payment_intents", "/v1/setup_intents", "/v1/charges", "/v1/refunds", "/v1/events",
    "/v1/webhook_endpoints", "/v1/entitlements/features"])
def test_every_list_answers_in_the_shape_of_its_operation(world, path):
    _, api = world
    answer = api.get(path)
    operation = conformance.operation("GET", path.partition("?")[0])
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert conformance._value(schema, answer.body, path) == []
    assert answer["data"], path


def test_expanded_objects_fit_too(world):
    _, api = world
    found = api.get("/v1/subscriptions", {"status": "all", "expand": [
        "data.customer", "data.latest_invoice.payments", "data.default_payment_method",
        "data.items.data.price"]})
    assert conformance.check_object(found.body) == []
    sessions = api.get("/v1/checkout/sessions", {"limit": 100, "expand": [
        "data.line_items", "data.subscription", "data.customer", "data.invoice"]})
    assert conformance.check_object(sessions.body) == []


def test_errors_have_the_shape_and_the_codes_of_stripe(world):
    _, api = world
    for answer in (api.get("/v1/customers/cus_none"), api.post("/v1/customers", {"foo": "1"}),
                   api.post("/v1/checkout/sessions", {"mode": "x"}), api.get("/v1/nothing"),
                   Client(api.url, "sk_wrong").get("/v1/customers")):
        assert answer.status >= 400
        assert conformance.check_object(answer.body, "error") == []


def test_every_request_the_double_accepted_is_one_the_specification_knows(world):
    """The tables of the double are no wider than Stripe's on what was sent here."""
    double, _ = world
    accepted = [each for each in double.control.requests() if each["status"] == 200]
    problems = [f"{each['method']} {each['path']} {problem}" for each in accepted
                for problem in conformance.check_request(each["method"], each["path"],
                                                         each["params"])]
    assert accepted and problems == []


def test_check_request_finds_what_is_wrong():
    assert conformance.check_request("POST", "/v1/checkout/sessions", {
        "mode": "subscription", "success_url": "x"}) == []
    for params in ({"foo": "1"}, {"mode": "free"}, {"line_items": "x"},
                   {"line_items": [{"quantity": "one"}]}, {"expires_at": "soon"},
                   {"payment_method_types": ["card"]}, {"automatic_tax": {}}):
        assert conformance.check_request("POST", "/v1/checkout/sessions", params), params
    assert conformance.check_request("PUT", "/v1/customers", {})


def test_check_object_finds_what_is_wrong(world):
    _, api = world
    good = api.get("/v1/subscriptions", {"status": "all"})["data"][0]
    for change in ({"status": "great"}, {"customer": 7}, {"items": None}, {"extra": 1},
                   {"cancel_at_period_end": "false"}):
        assert conformance.check_object({**good, **change}), change
    assert conformance.check_object({key: value for key, value in good.items()
                                     if key != "status"}) == ["subscription.status: missing"]


def _names(table, schema, where, problems):
    """Fields of our tables that the specification does not list."""
    schema = conformance._resolved(schema)
    for each in schema.get("anyOf", []):
        if each.get("type") in ("object", "array") or "$ref" in each:
            schema = conformance._resolved(each)
    if table["type"] == "object":
        fields = schema.get("properties", {})
        for name, inner in table["fields"].items():
            if name not in fields:
                problems.append(f"{where}[{name}]")
            else:
                _names(inner, fields[name], f"{where}[{name}]", problems)
    elif table["type"] == "array" and "items" in schema:
        _names(table["of"], schema["items"], f"{where}[]", problems)
    elif table["type"] == "enum" and "enum" in schema:
        problems += [f"{where}={word}" for word in table["words"] if word not in schema["enum"]]


def test_the_parameter_tables_name_nothing_that_stripe_does_not_know():
    """The double refuses at least what Stripe refuses as unknown."""
    from stripe_double.api import ROUTES
    problems, unknown = [], []
    for _, method, pattern, table, _ in ROUTES:
        path = pattern.pattern.replace("[^/]+", "x")
        path = "".join("x" if part.startswith("(?P") else part
                       for part in _split(path))
        operation = conformance.operation(method, path)
        if operation is None:
            unknown.append(f"{method} {path}")
            continue
        fields = {each["name"]: each["schema"] for each in operation.get("parameters", [])
                  if each["in"] == "query"}
        for content in operation.get("requestBody", {}).get("content", {}).values():
            fields.update(conformance._resolved(content["schema"]).get("properties", {}))
        for name, inner in table["fields"].items():
            if name not in fields:
                problems.append(f"{method} {path} {name}")
            else:
                _names(inner, fields[name], f"{method} {path} {name}", problems)
    assert problems == []
    assert unknown == []


def _split(pattern):
    import re
    return re.split(r"(\(\?P<\w+>x\))", pattern)


def test_event_types_of_the_tables_are_stripe_s():
    known = set(conformance.spec()["components"]["schemas"]["event"]["x-event-types"])
    assert [kind for kind in tables.EVENT_TYPES if kind not in known] == []
