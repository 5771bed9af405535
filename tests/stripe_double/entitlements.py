# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Feature keys a customer holds through the products of running subscriptions."""

from .errors import refused
from .events import emit
from .lists import envelope, matching, page
from .tables import ACTIVE_ENTITLEMENT_LIST, FEATURE_CREATE, FEATURE_LIST, RETRIEVE

_GRANTING = ("trialing", "active", "past_due")


def _feature(state, key, name=None, metadata=None):
    known = matching(state.all("entitlements.feature"), {"lookup_key": key}, "lookup_key")
    return known[0] if known else state.add("entitlements.feature", {
        "id": state.new_id("feat_"), "object": "entitlements.feature", "active": True,
        "livemode": state.live, "lookup_key": key, "metadata": metadata or {},
        "name": name or key})


def active(state, customer):
    """The active entitlements of a customer, in key order; ids stay the same over calls."""
    keys = set()
    for sub in matching(state.all("subscription"), {"customer": customer}, "customer"):
        if sub["status"] in _GRANTING:
            for item in sub["items"]["data"]:
                keys.update(state.private(item["price"]["product"]).get("entitlements", []))
    ids = state.private(customer).setdefault("entitlement_ids", {})
    return [{"id": ids.setdefault(key, state.new_id("ent_")),
             "object": "entitlements.active_entitlement",
             "feature": _feature(state, key)["id"], "livemode": state.live, "lookup_key": key}
            for key in sorted(keys)]


def refresh(state, customer):
    """Tell when the set of a customer is no longer what was told last."""
    now = active(state, customer)
    keys = [each["lookup_key"] for each in now]
    notes = state.private(customer)
    if notes.get("entitled", []) == keys:
        return
    notes["entitled"] = keys
    url = f"/v1/customer/{customer}/entitlements"
    emit(state, "entitlements.active_entitlement_summary.updated", {
        "object": "entitlements.active_entitlement_summary", "customer": customer,
        "entitlements": envelope(url, now), "livemode": state.live})


def listed(state, params):
    state.fetch("customer", params["customer"], "customer")
    return page("/v1/entitlements/active_entitlements",
                list(reversed(active(state, params["customer"]))), params)


def create_feature(state, params):
    if matching(state.all("entitlements.feature"), params, "lookup_key"):
        raise refused(f"A feature already uses the lookup key: {params['lookup_key']}",
                      "lookup_key")
    return _feature(state, params["lookup_key"], params["name"], params.get("metadata"))


ROUTES = [
    ("GET", "/v1/entitlements/active_entitlements", ACTIVE_ENTITLEMENT_LIST, listed),
    ("POST", "/v1/entitlements/features", FEATURE_CREATE, create_feature),
    ("GET", "/v1/entitlements/features", FEATURE_LIST, lambda state, params: page(
        "/v1/entitlements/features",
        matching(state.all("entitlements.feature"), params, "lookup_key"), params)),
    ("GET", "/v1/entitlements/features/{id}", RETRIEVE,
     lambda state, params, id: state.fetch("entitlements.feature", id)),
]
