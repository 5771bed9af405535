# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Subscriptions: the object, and what the API lets one do to it."""

import copy

from . import billing, coupons, invoices, payments, periods, prices
from .errors import ApiError, invalid, missing, refused
from .events import emit
from .lists import envelope, in_range, matching, page, search
from .params import merge_metadata
from .tables import (RETRIEVE, SUBSCRIPTION_CANCEL, SUBSCRIPTION_CREATE, SUBSCRIPTION_LIST,
                     SUBSCRIPTION_PAUSE, SUBSCRIPTION_RESUME, SUBSCRIPTION_SEARCH,
                     SUBSCRIPTION_UPDATE)

# ---- the object -----------------------------------------------------------------------------


def plan_of(price):
    """The old `plan` shape that still sits in each item beside `price`."""
    recurring = price["recurring"]
    return {
        "id": price["id"], "object": "plan", "active": price["active"],
        "amount": price["unit_amount"], "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"], "created": price["created"],
        "currency": price["currency"], "interval": recurring["interval"],
        "interval_count": recurring["interval_count"], "livemode": price["livemode"],
        "metadata": dict(price["metadata"]), "meter": None, "nickname": price["nickname"],
        "product": price["product"], "tiers_mode": None, "transform_usage": None,
        "trial_period_days": None, "usage_type": recurring["usage_type"]}


def build_item(state, subscription_id, price, quantity, metadata=None):
    return {
        "id": state.new_id("si_"), "object": "subscription_item", "billing_thresholds": None,
        "created": state.now(), "current_period_end": 0, "current_period_start": 0,
        "current_trial": None, "discounts": [], "metadata": dict(metadata or {}),
        "plan": plan_of(price), "price": copy.deepcopy(price), "quantity": quantity,
        "subscription": subscription_id, "tax_rates": []}


def build(state, customer, items, params, trial_end=None):
    """`items`: (price, quantity, metadata). Not announced yet: the caller knows the status."""
    ident, now = state.new_id("sub_"), state.now()
    missing_method = (params.get("trial_settings", {}).get("end_behavior", {})
                      .get("missing_payment_method", "create_invoice"))
    subscription = {
        "id": ident, "object": "subscription", "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": trial_end or now, "billing_cycle_anchor_config": None,
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible",
                         "updated_at": now},
        "billing_schedules": [], "billing_thresholds": None, "cancel_at": None,
        "cancel_at_period_end": False, "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "feedback_option": None,
                                 "reason": None},
        "collection_method": params.get("collection_method", "charge_automatically"),
        "created": now, "currency": items[0][0]["currency"], "customer": customer["id"],
        "customer_account": None, "days_until_due": params.get("days_until_due"),
        "default_payment_method": params.get("default_payment_method"), "default_source": None,
        "default_tax_rates": [], "description": params.get("description"), "discounts": [],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "custom_fields": None,
                             "description": None, "footer": None, "issuer": {"type": "self"}},
        "items": envelope(f"/v1/subscription_items?subscription={ident}",
                          [build_item(state, ident, *each) for each in items]),
        "latest_invoice": None, "livemode": state.live, "managed_payments": None,
        "metadata": dict(params.get("metadata") or {}),
        "next_pending_invoice_item_invoice": None, "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {"payment_method_options": None, "payment_method_types": None,
                             "save_default_payment_method": "off"},
        "pending_invoice_item_interval": None, "pending_setup_intent": None,
        "pending_update": None, "schedule": None, "start_date": now,
        "status": "trialing" if trial_end else "active", "test_clock": None,
        "transfer_data": None, "trial_end": trial_end,
        "trial_settings": {"end_behavior": {"billing_cycle_anchor": None,
                                            "missing_payment_method": missing_method}},
        "trial_start": now if trial_end else None}
    if params.get("billing_mode", {}).get("type") == "classic":
        subscription["billing_mode"] = {"flexible": None, "type": "classic"}
    billing.set_period(subscription, now, trial_end)
    state.add("subscription", subscription)
    if customer["currency"] is None:
        customer["currency"] = subscription["currency"]
    return subscription


def recurring_price(state, each, where):
    """The price of one `items[]` entry, refused unless it recurs and is active."""
    if "price_data" in each:
        return prices.from_price_data(state, each["price_data"], f"{where}[price_data]")
    if "price" not in each:
        raise invalid(f"Missing required param: {where}[price].", f"{where}[price]",
                      "parameter_missing")
    price = state.fetch("price", each["price"], f"{where}[price]")
    if not price["recurring"]:
        raise refused("The price specified is set to `type=one_time` but this field only "
                      "accepts prices with `type=recurring`.", f"{where}[price]")
    if not price["active"]:
        raise refused("The price specified is inactive. This field only accepts active prices.",
                      f"{where}[price]")
    return price


def one_currency(customer, currencies):
    """All items share a currency, and the customer keeps the one they began with."""
    if len(currencies) > 1:
        raise refused("All prices on a subscription must have the same `currency`.", "items")
    wanted = next(iter(currencies))
    if customer and customer["currency"] not in (None, wanted):
        raise refused("You cannot combine currencies on a single customer. This customer has an "
                      "active subscription, subscription schedule, discount, quote, or invoice "
                      f"item with currency {customer['currency']}.")


# ---- create ---------------------------------------------------------------------------------


def create(state, params):
    for name in ("customer", "items"):
        if not params.get(name):
            raise invalid(f"Missing required param: {name}.", name, "parameter_missing")
    customer = state.fetch("customer", params["customer"], "customer")
    items = [(recurring_price(state, each, f"items[{index}]"), each.get("quantity", 1),
              each.get("metadata") or {}) for index, each in enumerate(params["items"])]
    one_currency(customer, {price["currency"] for price, _, _ in items})
    if params.get("default_payment_method"):
        state.fetch("payment_method", params["default_payment_method"],
                    "default_payment_method")
    trial_end = params.get("trial_end")
    if "trial_period_days" in params:
        if params["trial_period_days"] < 1:
            raise invalid("Invalid trial_period_days: must be at least 1", "trial_period_days")
        trial_end = state.now() + params["trial_period_days"] * periods.DAY
    trial_end = None if trial_end in ("now", "") else trial_end
    pairs = coupons.resolve(state, params.get("discounts"))
    settings = customer["invoice_settings"]
    has_card = params.get("default_payment_method") or settings["default_payment_method"]
    behavior = params.get("payment_behavior", "allow_incomplete")
    free = all((price["unit_amount"] or 0) == 0 for price, _, _ in items)
    by_card = params.get("collection_method") != "send_invoice"
    if by_card and not has_card and not trial_end and not free \
            and behavior != "default_incomplete":
        raise ApiError(400, "This customer has no attached payment source or default payment "
                            "method. Please consider adding a default payment method.",
                       code="resource_missing")
    subscription = build(state, customer, items, params, trial_end)
    for coupon, promotion in pairs:
        discount = coupons.redeem(state, coupon, promotion, customer["id"], subscription["id"])
        subscription["discounts"].append(discount["id"])
    _first_payment(state, subscription, behavior, by_card)
    if params.get("cancel_at_period_end") or params.get("cancel_at"):
        with billing.updating(state, subscription):
            _set_cancellation(state, subscription, params)
    return subscription


def _first_payment(state, subscription, behavior, by_card):
    """Invoice the first period; a first payment that fails leaves it `incomplete`."""
    invoice = billing.first_invoice(state, subscription)
    invoices.finalize(state, invoice)
    if invoice["amount_due"] == 0 or not by_card:
        announce(state, subscription)
        if invoice["amount_due"] == 0:
            billing.collect(state, invoice)
        return
    method = billing.method_of(state, subscription)
    outcome = "none"
    if behavior == "default_incomplete" or method is None:
        invoices.intent_for(state, invoice)
    else:
        outcome = payments.outcome_of(state, method["id"], False, False)
    if outcome != "ok" and behavior == "error_if_incomplete":
        reason = "authentication_required" if outcome == "auth" else "generic_decline"
        state.drop("subscription", subscription["id"])
        from .cards import card_error
        raise card_error(reason)
    if outcome != "ok":
        subscription["status"] = "incomplete"
    announce(state, subscription)
    if behavior != "default_incomplete" and method is not None:
        billing.collect(state, invoice)


def announce(state, subscription):
    emit(state, "customer.subscription.created", subscription)
    billing.entitlements.refresh(state, subscription["customer"])


# ---- update ---------------------------------------------------------------------------------


def _unscheduled(subscription):
    if subscription["schedule"]:
        raise refused(f"The subscription is managed by the subscription schedule "
                      f"`{subscription['schedule']}`, and updating any cancelation behavior "
                      "directly is not allowed. Please update the schedule instead.")


def _set_cancellation(state, subscription, params):
    _unscheduled(subscription)
    if "cancel_at_period_end" in params and params.get("cancel_at"):
        raise invalid("You may only specify one of these parameters: cancel_at, "
                      "cancel_at_period_end.", "cancel_at")
    now = state.now()
    if "cancel_at_period_end" in params:
        wanted = params["cancel_at_period_end"]
        subscription["cancel_at_period_end"] = wanted
        subscription["cancel_at"] = billing.period_end(subscription) if wanted else None
    elif "cancel_at" in params:
        at = params["cancel_at"]
        ends = [item["current_period_end"] for item in subscription["items"]["data"]]
        if at == "min_period_end":
            at = min(ends)
        elif isinstance(at, str) and at:
            at = max(ends)
        if at and at <= now:
            raise invalid("cancel_at must be a future timestamp.", "cancel_at")
        subscription.update(cancel_at=at or None, cancel_at_period_end=False)
    if subscription["cancel_at"]:
        subscription["canceled_at"] = subscription["canceled_at"] or now
        subscription["cancellation_details"]["reason"] = "cancellation_requested"
    else:
        subscription["canceled_at"] = None
        subscription["cancellation_details"]["reason"] = None


def planned_items(state, subscription, wanted):
    """The items after a change: [(item or None, price, quantity, metadata)] and what leaves."""
    kept = {item["id"]: item for item in subscription["items"]["data"]}
    planned, leaving = {}, []
    for ident, item in kept.items():
        planned[ident] = (item, item["price"], item["quantity"], None)
    for index, each in enumerate(wanted):
        where = f"items[{index}]"
        ident = each.get("id")
        if ident is None:
            price = recurring_price(state, each, where)
            if any(price["id"] == item["price"]["id"] for item in kept.values()):
                raise refused(f"Cannot add multiple subscription items with the same plan: "
                              f"{price['id']}", f"{where}[price]")
            planned[f"new{index}"] = (None, price, each.get("quantity", 1),
                                      each.get("metadata"))
            continue
        if ident not in kept:
            raise missing("subscription_item", ident, f"{where}[id]")
        item = kept[ident]
        if each.get("deleted"):
            leaving.append(item)
            del planned[ident]
            continue
        price = item["price"]
        if "price" in each or "price_data" in each:
            price = recurring_price(state, each, where)
        planned[ident] = (item, price, each.get("quantity", item["quantity"]),
                          each.get("metadata"))
    if not planned:
        raise refused("A subscription must have at least one active plan.", "items")
    return list(planned.values()), leaving


def interval_changes(planned):
    return any(item and item["price"]["recurring"]["interval"] != price["recurring"]["interval"]
               or item and item["price"]["recurring"]["interval_count"]
               != price["recurring"]["interval_count"] for item, price, _, _ in planned)


def change_lines(state, subscription, planned, leaving, now, whole):
    """Proration lines of a change; `whole` charges full new periods (the cycle starts anew)."""
    lines = []
    for item in leaving:
        lines += invoices.proration_lines(state, subscription, item, None, 0, now)
    for item, price, quantity, _ in planned:
        if item is None:
            model = subscription["items"]["data"][0]
            stub = {**model, "price": {**model["price"], "unit_amount": 0}, "quantity": 1}
            if not whole:
                lines += invoices.proration_lines(state, subscription, stub, price, quantity,
                                                  now)
        elif price["id"] != item["price"]["id"] or quantity != item["quantity"] or whole:
            lines += invoices.proration_lines(state, subscription, item,
                                              None if whole else price, quantity, now)
    return lines


def applied(state, subscription, planned, start_now):
    """The new item objects."""
    model = subscription["items"]["data"][0]
    items = []
    for item, price, quantity, metadata in planned:
        if item is None:
            item = build_item(state, subscription["id"], price, quantity, metadata)
            item.update(current_period_start=model["current_period_start"],
                        current_period_end=model["current_period_end"])
        else:
            item = copy.deepcopy(item)
            item.update(price=copy.deepcopy(price), plan=plan_of(price), quantity=quantity)
            merge_metadata(item["metadata"], metadata)
        if start_now:
            item["current_period_start"] = state.now()
            item["current_period_end"] = periods.price_end(state.now(), price)
        items.append(item)
    return items


def ends_trial(subscription, params):
    """Whether a change cuts the trial short, so that the first paid period begins with it."""
    return subscription["status"] == "trialing" and params.get("trial_end") == "now"


def _change_items(state, subscription, params):
    """Apply `items[]`; returns the lines to invoice and whether at once."""
    planned, leaving = planned_items(state, subscription, params["items"])
    one_currency(None, {price["currency"] for _, price, _, _ in planned})
    behavior = params.get("proration_behavior", "create_prorations")
    trialing = subscription["status"] == "trialing"
    anchor_now = params.get("billing_cycle_anchor", {}).get("type") == "now"
    restart = ends_trial(subscription, params) or \
        not trialing and (anchor_now or interval_changes(planned))
    now = params.get("proration_date") or state.now()
    lines = []
    if not trialing and behavior != "none":
        lines = change_lines(state, subscription, planned, leaving, now, restart)
    items = applied(state, subscription, planned, restart)
    if restart:
        for item in items:
            lines.append(invoices.line(state, subscription, item, state.now(),
                                       item["current_period_end"]))
    at_once = restart or behavior == "always_invoice"
    return items, lines, at_once, restart


def update(state, params, id):
    subscription = state.fetch("subscription", id)
    if subscription["status"] in billing.FINAL:
        only = set(params) - {"metadata", "cancellation_details", "expand"}
        if only:
            raise refused("A canceled subscription can only update its cancellation_details and "
                          "metadata.")
    if params.get("default_payment_method"):
        state.fetch("payment_method", params["default_payment_method"],
                    "default_payment_method")
    if isinstance(params.get("trial_end"), int) and params["trial_end"] <= state.now():
        raise invalid("Invalid timestamp: must be in the future", "trial_end")
    pairs = coupons.resolve(state, params.get("discounts") or [])
    change = _change_items(state, subscription, params) if params.get("items") else None
    if change and params.get("payment_behavior") in ("pending_if_incomplete",
                                                     "error_if_incomplete"):
        method = billing.method_of(state, subscription)
        outcome = method and payments.outcome_of(state, method["id"], False, False)
        due = sum(line["amount"] for line in change[1])
        if change[2] and due > 0 and outcome != "ok":
            return _not_paid(state, subscription, params, change)
    with billing.updating(state, subscription):
        _apply_plain(state, subscription, params, pairs)
        if change:
            items, _, _, restart = change
            subscription["items"]["data"] = items
            if restart:
                subscription["billing_cycle_anchor"] = state.now()
            if ends_trial(subscription, params):
                subscription["status"] = "active"
            if subscription["cancel_at_period_end"]:
                subscription["cancel_at"] = billing.period_end(subscription)
        if "cancel_at_period_end" in params or "cancel_at" in params:
            _set_cancellation(state, subscription, params)
    if change and change[1]:
        if change[2]:
            billing.bill(state, subscription, change[1], "subscription_update")
        else:
            state.private(id).setdefault("pending_lines", []).extend(change[1])
    return subscription


def _not_paid(state, subscription, params, change):
    """`pending_if_incomplete`: the wish waits for its invoice; `error_if_incomplete`: 402."""
    if params["payment_behavior"] == "error_if_incomplete":
        from .cards import card_error
        raise card_error("generic_decline")
    items, lines, _, _ = change
    invoice = invoices.create(
        state, billing.customer_of(state, subscription), subscription["currency"], lines,
        "subscription_update", subscription)
    invoices.finalize(state, invoice)
    with billing.updating(state, subscription):
        subscription["pending_update"] = {
            "billing_cycle_anchor": None, "cancel_at_period_end": None, "discount": None,
            "discounts": None, "expires_at": state.now() + billing.FIRST_PAYMENT_WINDOW,
            "metadata": None, "subscription_items": copy.deepcopy(items),
            "trial_end": state.now() if ends_trial(subscription, params) else None,
            "trial_from_plan": None}
    state.private(subscription["id"])["pending"] = {"invoice": invoice["id"], "items": items}
    billing.collect(state, invoice)
    return subscription


def _apply_plain(state, subscription, params, pairs):
    merge_metadata(subscription["metadata"], params.get("metadata"))
    for key in ("default_payment_method", "description", "days_until_due",
                "collection_method"):
        if key in params:
            subscription[key] = params[key] or None
    if "discounts" in params:
        subscription["discounts"] = [
            coupons.redeem(state, coupon, promotion, subscription["customer"],
                           subscription["id"])["id"] for coupon, promotion in pairs]
    if "pause_collection" in params:
        pause = params["pause_collection"]
        subscription["pause_collection"] = pause and {
            "behavior": pause["behavior"], "resumes_at": pause.get("resumes_at")} or None
    for key, value in params.get("cancellation_details", {}).items():
        subscription["cancellation_details"][key] = value or None
    if "trial_settings" in params:
        subscription["trial_settings"]["end_behavior"].update(
            params["trial_settings"]["end_behavior"])
    if "trial_end" in params:
        _move_trial(state, subscription, params["trial_end"])


def _move_trial(state, subscription, trial_end):
    """Cut a trial short (`now`) or set its end; the clock's own work does the rest."""
    now = state.now()
    if trial_end == "now":
        if subscription["status"] == "trialing":
            subscription["trial_end"] = now
            billing.set_period(subscription, subscription["trial_start"], now)
        return
    subscription.update(status="trialing", trial_end=trial_end, billing_cycle_anchor=trial_end,
                        trial_start=subscription["trial_start"] or now)
    billing.set_period(subscription, now, trial_end)


def cancel(state, params, id):
    subscription = state.fetch("subscription", id)
    if subscription["status"] in billing.FINAL:
        raise missing("subscription", id)
    if params.get("prorate"):
        lines = [line for item in subscription["items"]["data"] for line in
                 invoices.proration_lines(state, subscription, item, None, 0, state.now())]
        if lines and params.get("invoice_now"):
            billing.bill(state, subscription, lines, "subscription_update")
    details = {key: value or None for key, value in params.get("cancellation_details",
                                                               {}).items()}
    return billing.end(state, subscription, details=details)


def pause(state, params, id):
    subscription = state.fetch("subscription", id)
    if subscription["status"] not in ("active", "past_due", "trialing", "unpaid"):
        raise refused(f"This subscription cannot be paused because it is {subscription['status']}.")
    _unscheduled(subscription)
    credit = params.get("bill_for", {}).get("unused_time_from", {}).get("type", "none")
    if credit == "now" and subscription["status"] == "active":
        lines = [line for item in subscription["items"]["data"] for line in
                 invoices.proration_lines(state, subscription, item, None, 0, state.now())]
        if params.get("invoicing_behavior") == "invoice":
            billing.bill(state, subscription, lines, "subscription_update")
        else:
            state.private(id).setdefault("pending_lines", []).extend(lines)
    billing.pause(state, subscription, "pause_requested")
    return subscription


def resume(state, params, id):
    subscription = state.fetch("subscription", id)
    if subscription["status"] != "paused":
        raise refused("This subscription cannot be resumed because it is not paused.")
    billing.resume(state, subscription)
    return subscription


# ---- lists ----------------------------------------------------------------------------------


def listed(state, params):
    found = matching(state.all("subscription"), params, "customer", "collection_method")
    status = params.get("status")
    if status is None:
        found = [s for s in found if s["status"] != "canceled"]
    elif status == "ended":
        found = [s for s in found if s["status"] in billing.FINAL]
    elif status != "all":
        found = [s for s in found if s["status"] == status]
    for key in ("price", "plan"):
        if key in params:
            found = [s for s in found if any(item["price"]["id"] == params[key]
                                             for item in s["items"]["data"])]
    for key in ("current_period_start", "current_period_end"):
        found = [s for s in found if in_range(s["items"]["data"][0][key], params.get(key))]
    return page("/v1/subscriptions", found, params)


ROUTES = [
    ("POST", "/v1/subscriptions", SUBSCRIPTION_CREATE, create),
    ("GET", "/v1/subscriptions", SUBSCRIPTION_LIST, listed),
    ("GET", "/v1/subscriptions/search", SUBSCRIPTION_SEARCH, lambda state, params: search(
        "/v1/subscriptions/search", state.all("subscription"), params)),
    ("GET", "/v1/subscriptions/{id}", RETRIEVE,
     lambda state, params, id: state.fetch("subscription", id)),
    ("POST", "/v1/subscriptions/{id}", SUBSCRIPTION_UPDATE, update),
    ("DELETE", "/v1/subscriptions/{id}", SUBSCRIPTION_CANCEL, cancel),
    ("POST", "/v1/subscriptions/{id}/pause", SUBSCRIPTION_PAUSE, pause),
    ("POST", "/v1/subscriptions/{id}/resume", SUBSCRIPTION_RESUME, resume),
]
