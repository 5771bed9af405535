# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Coupons, promotion codes, and the discounts they become on a subscription or invoice."""

import copy
import secrets

from . import periods
from .errors import invalid, refused
from .events import emit
from .lists import matching, page
from .params import merge_metadata
from .tables import (COUPON_CREATE, COUPON_LIST, COUPON_UPDATE, NOTHING, PROMOTION_CREATE,
                     PROMOTION_LIST, PROMOTION_UPDATE, RETRIEVE)


def create(state, params):
    if ("percent_off" in params) == ("amount_off" in params):
        raise invalid("You must pass either `amount_off` or `percent_off`, not both.",
                      "percent_off", "parameter_missing")
    if "amount_off" in params and "currency" not in params:
        raise invalid("You must pass currency when passing amount_off.", "currency",
                      "parameter_missing")
    if not 0 < params.get("percent_off", 1) <= 100:
        raise invalid("Invalid percent_off: must be between 0 and 100", "percent_off")
    duration = params.get("duration", "once")
    if duration == "repeating" and "duration_in_months" not in params:
        raise invalid("Missing required param: duration_in_months.", "duration_in_months",
                      "parameter_missing")
    ident = params.get("id") or secrets.token_urlsafe(6).replace("-", "x").replace("_", "y")
    if state.find("coupon", ident):
        raise refused("Coupon already exists.", "id", "resource_already_exists")
    percent = params.get("percent_off")
    coupon = {
        "id": ident, "object": "coupon", "amount_off": params.get("amount_off"),
        "created": state.now(), "currency": params.get("currency"), "duration": duration,
        "duration_in_months": params.get("duration_in_months"), "livemode": state.live,
        "max_redemptions": params.get("max_redemptions"),
        "metadata": params.get("metadata") or {}, "name": params.get("name"),
        "percent_off": int(percent) if percent and percent == int(percent) else percent,
        "redeem_by": params.get("redeem_by"), "times_redeemed": 0, "valid": True}
    state.add("coupon", coupon)
    emit(state, "coupon.created", coupon)
    return coupon


def update(state, params, id):
    coupon = state.fetch("coupon", id)
    before = copy.deepcopy(coupon)
    merge_metadata(coupon["metadata"], params.get("metadata"))
    coupon["name"] = params.get("name", coupon["name"])
    emit(state, "coupon.updated", coupon, before)
    return coupon


def delete(state, params, id):
    coupon = state.fetch("coupon", id)
    state.drop("coupon", id)
    emit(state, "coupon.deleted", coupon)
    return {"id": id, "object": "coupon", "deleted": True}


def create_promotion(state, params):
    if "coupon" not in params["promotion"]:
        raise invalid("Missing required param: promotion[coupon].", "promotion[coupon]",
                      "parameter_missing")
    coupon = state.fetch("coupon", params["promotion"]["coupon"], "promotion[coupon]")
    code = params.get("code") or secrets.token_hex(4).upper()
    if find_code(state, code):
        raise refused(f"An active promotion code with `code: {code}` already exists.", "code",
                      "resource_already_exists")
    limits = params.get("restrictions", {})
    promotion = {
        "id": state.new_id("promo_"), "object": "promotion_code",
        "active": params.get("active", True), "code": code, "created": state.now(),
        "customer": params.get("customer"), "customer_account": None,
        "expires_at": params.get("expires_at"), "livemode": state.live,
        "max_redemptions": params.get("max_redemptions"), "metadata": params.get("metadata", {}),
        "promotion": {"coupon": coupon["id"], "type": "coupon"},
        "restrictions": {
            "first_time_transaction": limits.get("first_time_transaction", False),
            "minimum_amount": limits.get("minimum_amount"),
            "minimum_amount_currency": limits.get("minimum_amount_currency")},
        "times_redeemed": 0}
    state.add("promotion_code", promotion)
    emit(state, "promotion_code.created", promotion)
    return promotion


def update_promotion(state, params, id):
    promotion = state.fetch("promotion_code", id)
    before = copy.deepcopy(promotion)
    promotion["active"] = params.get("active", promotion["active"])
    merge_metadata(promotion["metadata"], params.get("metadata"))
    emit(state, "promotion_code.updated", promotion, before)
    return promotion


def list_promotions(state, params):
    promotions = matching(state.all("promotion_code"), params, "active", "code", "customer")
    if "coupon" in params:
        promotions = [p for p in promotions if p["promotion"]["coupon"] == params["coupon"]]
    return page("/v1/promotion_codes", promotions, params)


# ---- redeeming ------------------------------------------------------------------------------


def usable(state, thing):
    """Whether a coupon or promotion code can still be redeemed."""
    end = thing.get("expires_at") or thing.get("redeem_by")
    limit = thing["max_redemptions"]
    return (thing.get("active", True) and (end is None or state.now() < end)
            and (limit is None or thing["times_redeemed"] < limit))


def find_code(state, code):
    """The usable promotion code that a buyer typed, or None."""
    for promotion in state.all("promotion_code"):
        if promotion["code"].lower() == code.lower() and usable(state, promotion):
            return promotion
    return None


def first_purchase_only(state, promotion, customer):
    """Whether `promotion` is for first purchases and `customer` has paid before."""
    if not promotion["restrictions"]["first_time_transaction"]:
        return False
    paid = matching(state.all("invoice"), {"customer": customer, "status": "paid"}, "customer",
                    "status")
    return any(invoice["amount_paid"] for invoice in paid)


def resolve(state, wanted, where="discounts"):
    """Turn `discounts[]` of a request into (coupon, promotion code or None) pairs."""
    pairs = []
    for index, each in enumerate(wanted or []):
        if "promotion_code" in each:
            name = f"{where}[{index}][promotion_code]"
            promotion = state.fetch("promotion_code", each["promotion_code"], name)
            coupon = state.find("coupon", promotion["promotion"]["coupon"])
            if coupon is None or not usable(state, promotion):
                raise refused("This promotion code is not active.", name)
            pairs.append((coupon, promotion))
        elif "coupon" in each:
            name = f"{where}[{index}][coupon]"
            coupon = state.fetch("coupon", each["coupon"], name)
            if not usable(state, coupon):
                raise refused(f"Coupon expired: {coupon['id']}", name, "coupon_expired")
            pairs.append((coupon, None))
        elif "discount" in each:
            discount = state.fetch("discount", each["discount"], f"{where}[{index}][discount]")
            pairs.append((state.find("coupon", discount["source"]["coupon"]), None))
    return pairs


def redeem(state, coupon, promotion, customer, subscription=None, session=None):
    """The discount object; counts the redemption."""
    end = None
    if coupon["duration"] == "repeating":
        end = periods.plus(state.now(), "month", coupon["duration_in_months"])
    coupon["times_redeemed"] += 1
    if promotion:
        promotion["times_redeemed"] += 1
    return state.add("discount", {
        "id": state.new_id("di_"), "object": "discount", "checkout_session": session,
        "customer": customer, "customer_account": None, "end": end, "invoice": None,
        "invoice_item": None, "promotion_code": promotion and promotion["id"],
        "source": {"coupon": coupon["id"], "type": "coupon"}, "start": state.now(),
        "subscription": subscription, "subscription_item": None})


def reduction(coupon, amount, currency):
    """What a coupon takes off `amount` minor units."""
    if amount <= 0:
        return 0
    if coupon["percent_off"]:
        return min(amount, round(amount * coupon["percent_off"] / 100))
    return min(amount, coupon["amount_off"]) if coupon["currency"] == currency else 0


ROUTES = [
    ("POST", "/v1/coupons", COUPON_CREATE, create),
    ("GET", "/v1/coupons", COUPON_LIST,
     lambda state, params: page("/v1/coupons", state.all("coupon"), params)),
    ("GET", "/v1/coupons/{id}", RETRIEVE, lambda state, params, id: state.fetch("coupon", id)),
    ("POST", "/v1/coupons/{id}", COUPON_UPDATE, update),
    ("DELETE", "/v1/coupons/{id}", NOTHING, delete),
    ("POST", "/v1/promotion_codes", PROMOTION_CREATE, create_promotion),
    ("GET", "/v1/promotion_codes", PROMOTION_LIST, list_promotions),
    ("GET", "/v1/promotion_codes/{id}", RETRIEVE,
     lambda state, params, id: state.fetch("promotion_code", id)),
    ("POST", "/v1/promotion_codes/{id}", PROMOTION_UPDATE, update_promotion),
]
