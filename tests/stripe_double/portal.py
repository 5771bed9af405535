# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The customer portal: configurations and sessions, and what a customer may do there."""

import copy

from . import billing, cards, customers, payments, subscriptions
from .errors import invalid, refused
from .events import emit
from .lists import matching, page
from .params import merge_metadata
from .tables import (PORTAL_CONFIGURATION_CREATE, PORTAL_CONFIGURATION_LIST,
                     PORTAL_CONFIGURATION_UPDATE, PORTAL_SESSION_CREATE, RETRIEVE)

LIFETIME = 3600  # seconds a portal address works

# ---- configurations -------------------------------------------------------------------------


def _features(wanted):
    """Every feature, switched off unless asked for."""
    def part(name, **defaults):
        return {**defaults, **copy.deepcopy(wanted.get(name, {}))}
    update = part("subscription_update", billing_cycle_anchor=None, default_allowed_updates=[],
                  enabled=False, proration_behavior="none",
                  schedule_at_period_end={"conditions": []}, trial_update_behavior="end_trial")
    for product in update.get("products") or []:
        product.setdefault("adjustable_quantity", {"enabled": False, "maximum": None,
                                                   "minimum": None})
    for key in ("products", "default_allowed_updates"):
        update[key] = update.get(key) or []
    cancel = part("subscription_cancel", enabled=False, mode="at_period_end",
                  proration_behavior="none", cancellation_reason={})
    cancel["cancellation_reason"] = {"enabled": False, "feedback_options": None, "options": [],
                                     **cancel["cancellation_reason"]}
    allowed = part("customer_update", allowed_updates=[], enabled=False)
    allowed["allowed_updates"] = allowed["allowed_updates"] or []
    return {
        "customer_update": allowed,
        "invoice_history": part("invoice_history", enabled=False),
        "payment_method_update": part("payment_method_update", enabled=False,
                                      payment_method_configuration=None),
        "subscription_cancel": cancel,
        "subscription_pause": {"enabled": False, "duration": {"interval_options": [],
                                                              "type": "indefinite"}},
        "subscription_update": update}


_DEFAULT_FEATURES = {
    "customer_update": {"allowed_updates": ["email", "name"], "enabled": True},
    "invoice_history": {"enabled": True}, "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": True},
    "subscription_update": {"enabled": True, "default_allowed_updates": ["price"],
                            "proration_behavior": "create_prorations"}}


def _build(state, params, default=False):
    profile = params.get("business_profile", {})
    login = params.get("login_page", {}).get("enabled", False)
    return state.add("billing_portal.configuration", {
        "id": state.new_id("bpc_"), "object": "billing_portal.configuration", "active": True,
        "application": None,
        "business_profile": {key: profile.get(key) or None for key in (
            "headline", "privacy_policy_url", "terms_of_service_url")},
        "created": state.now(), "default_return_url": params.get("default_return_url"),
        "features": _features(params["features"]), "is_default": default,
        "livemode": state.live,
        "login_page": {"enabled": login, "url": f"{state.base_url}/p/login" if login else None},
        "metadata": params.get("metadata", {}), "name": params.get("name"),
        "updated": state.now()})


def create_configuration(state, params):
    configuration = _build(state, params)
    emit(state, "billing_portal.configuration.created", configuration)
    return configuration


def update_configuration(state, params, id):
    configuration = state.fetch("billing_portal.configuration", id)
    before = copy.deepcopy(configuration)
    merge_metadata(configuration["metadata"], params.get("metadata"))
    for key in ("active", "default_return_url", "name"):
        if key in params:
            configuration[key] = params[key] if params[key] != "" else None
    for key, value in params.get("business_profile", {}).items():
        configuration["business_profile"][key] = value or None
    if "features" in params:
        merged = {**configuration["features"], **params["features"]}
        configuration["features"] = _features(merged)
    emit(state, "billing_portal.configuration.updated", configuration, before)
    return configuration


def _default(state):
    """The mode's default configuration: made on first use, unless the settings forbid it."""
    known = matching(state.all("billing_portal.configuration"), {"is_default": True},
                     "is_default")
    if known:
        return known[0]
    if not state.settings["portal_configured"]:
        mode = "live" if state.live else "test"
        raise refused(
            f"No configuration provided and your {mode} mode default configuration has not been "
            "created. Provide a configuration or create your default by saving your customer "
            f"portal settings in {mode} mode at "
            f"https://dashboard.stripe.com/{'' if state.live else 'test/'}settings/billing/"
            "portal.")
    return _build(state, {"features": _DEFAULT_FEATURES}, default=True)


# ---- sessions -------------------------------------------------------------------------------


def _flow(state, data, customer):
    kind = data["type"]
    after = data.get("after_completion", {"type": "portal_homepage"})
    flow = {
        "after_completion": {
            "hosted_confirmation": after.get("hosted_confirmation") and {
                "custom_message": after["hosted_confirmation"].get("custom_message")},
            "redirect": after.get("redirect"), "type": after["type"]},
        "customer_update": None, "subscription_cancel": None, "subscription_pause": None,
        "subscription_update": None, "subscription_update_confirm": None, "type": kind}
    if kind in ("payment_method_update", "customer_update"):
        return flow
    if kind not in data:
        raise invalid(f"Missing required param: flow_data[{kind}].", f"flow_data[{kind}]",
                      "parameter_missing")
    where = f"flow_data[{kind}][subscription]"
    subscription = state.fetch("subscription", data[kind]["subscription"], where)
    if subscription["customer"] != customer["id"]:
        raise refused(f"The subscription {subscription['id']} does not belong to the customer "
                      f"{customer['id']}.", where)
    flow[kind] = {"subscription": subscription["id"]}
    if kind == "subscription_cancel":
        if subscription["cancel_at"] or subscription["status"] in billing.FINAL:
            raise refused(f"The subscription {subscription['id']} is already set to be canceled.",
                          where)
        flow[kind]["retention"] = None
    if kind == "subscription_update_confirm":
        items = data[kind]["items"]
        subscriptions.planned_items(state, subscription, items)
        flow[kind].update(discounts=None, items=[
            {"id": each["id"], "price": each.get("price"), "quantity": each.get("quantity", 1)}
            for each in items])
    return flow


def create_session(state, params):
    if "customer" not in params:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = state.fetch("customer", params["customer"], "customer")
    if "configuration" in params:
        configuration = state.fetch("billing_portal.configuration", params["configuration"],
                                    "configuration")
    else:
        configuration = _default(state)
    token = state.new_id("test_" if not state.live else "live_")
    session = {
        "id": state.new_id("bps_"), "object": "billing_portal.session",
        "configuration": configuration["id"], "created": state.now(),
        "customer": customer["id"], "customer_account": None,
        "flow": _flow(state, params["flow_data"], customer) if "flow_data" in params else None,
        "livemode": state.live, "locale": params.get("locale"), "on_behalf_of": None,
        "return_url": params.get("return_url") or configuration["default_return_url"],
        "url": f"{state.base_url}/p/session/{token}"}
    state.private(session["id"])["token"] = token
    state.add("billing_portal.session", session)
    emit(state, "billing_portal.session.created", session)
    return session


def by_token(state, token):
    """The living session of an address of the current mode, or None."""
    for session in state.all("billing_portal.session"):
        if state.private(session["id"]).get("token") == token:
            return session if session["created"] + LIFETIME > state.now() else None
    return None


# ---- what the customer does -----------------------------------------------------------------


def running(state, session):
    """The customer's subscriptions that are not over, oldest first."""
    mine = matching(state.all("subscription"), {"customer": session["customer"]}, "customer")
    return [s for s in mine if s["status"] not in billing.FINAL]


def own(state, session, ident):
    """One of them by id; another customer's does not exist here."""
    for subscription in running(state, session):
        if subscription["id"] == ident:
            return subscription
    raise refused("This subscription is not yours.")


def features(state, session):
    return state.find("billing_portal.configuration", session["configuration"])["features"]


def offered(state, session, subscription):
    """Prices the customer may change to: those configured, else every active one."""
    wanted = features(state, session)["subscription_update"]["products"]
    ids = {price for product in wanted for price in product["prices"]}
    return [price for price in state.all("price")
            if price["active"] and price["recurring"] and (not ids or price["id"] in ids)
            and price["currency"] == subscription["currency"]]


def cancel(state, session, ident, feedback=None):
    subscription = own(state, session, ident)
    rule = features(state, session)["subscription_cancel"]
    details = {"feedback": feedback} if feedback else {}
    if rule["mode"] == "immediately":
        return billing.end(state, subscription, details=details)
    return subscriptions.update(state, {"cancel_at_period_end": True,
                                        "cancellation_details": details}, ident)


def keep(state, session, ident):
    """Take a planned cancellation back, or bring a paused subscription back."""
    subscription = own(state, session, ident)
    if subscription["status"] == "paused":
        return subscriptions.resume(state, {}, ident)
    change = {"cancel_at_period_end": False} if subscription["cancel_at_period_end"] else {
        "cancel_at": ""}
    return subscriptions.update(state, change, ident)


def change_plan(state, session, ident, price):
    subscription = own(state, session, ident)
    if price not in [each["id"] for each in offered(state, session, subscription)]:
        raise refused("This plan is not on offer.")
    behavior = features(state, session)["subscription_update"]["proration_behavior"]
    item = subscription["items"]["data"][0]
    return subscriptions.update(state, {
        "items": [{"id": item["id"], "price": price}], "proration_behavior": behavior}, ident)


def new_card(state, session, number, name=None, exp=(12, 2034), authenticated=False):
    """Save a card as the default of the customer and of what runs. "done" or "auth"."""
    digits = cards.read(number)
    if cards.CARDS[digits]["save"] == "auth" and not authenticated:
        return "auth"
    customer = state.find("customer", session["customer"])
    method = payments.build_method(state, digits, customer["email"], name or customer["name"],
                                   exp=exp)
    payments.attach(state, method, customer)
    payments.build_setup(state, customer["id"], method)
    settings = {**customer["invoice_settings"], "default_payment_method": method["id"]}
    customers.change(state, customer, invoice_settings=settings)
    for subscription in running(state, session):
        with billing.updating(state, subscription):
            subscription["default_payment_method"] = method["id"]
    return "done"


ROUTES = [
    ("POST", "/v1/billing_portal/configurations", PORTAL_CONFIGURATION_CREATE,
     create_configuration),
    ("GET", "/v1/billing_portal/configurations", PORTAL_CONFIGURATION_LIST,
     lambda state, params: page("/v1/billing_portal/configurations", matching(
         state.all("billing_portal.configuration"), params, "active", "is_default"), params)),
    ("GET", "/v1/billing_portal/configurations/{id}", RETRIEVE,
     lambda state, params, id: state.fetch("billing_portal.configuration", id)),
    ("POST", "/v1/billing_portal/configurations/{id}", PORTAL_CONFIGURATION_UPDATE,
     update_configuration),
    ("POST", "/v1/billing_portal/sessions", PORTAL_SESSION_CREATE, create_session),
]
