# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Subscription schedules: made from a subscription, given phases, released or canceled.

A schedule of its own, without a subscription, is not served. While one is active the end of its
subscription cannot be set directly. `advance` is the clock's: the next phase's items take the
place of the old ones at the moment the running phase ends, before the renewal is invoiced.
"""

import copy

from . import billing, periods, subscriptions
from .errors import invalid, refused
from .events import emit
from .lists import in_range, matching, page
from .params import merge_metadata
from .tables import (RETRIEVE, SCHEDULE_CANCEL, SCHEDULE_CREATE, SCHEDULE_LIST, SCHEDULE_RELEASE,
                     SCHEDULE_UPDATE)

_KIND = "subscription_schedule"
_SETTINGS = ("collection_method", "default_payment_method", "description")


def _discount(**named):
    return {"coupon": None, "discount": None, "promotion_code": None, **named}


def _phase(start, end, currency, items, **other):
    return {
        "add_invoice_items": [], "application_fee_percent": None, "billing_cycle_anchor": None,
        "billing_thresholds": None, "collection_method": other.get("collection_method"), "currency": currency,
        "default_payment_method": other.get("default_payment_method"), "default_tax_rates": [],
        "description": other.get("description"),
        "discounts": other.get("discounts") or [], "end_date": end, "invoice_settings": None,
        "items": [{"billing_thresholds": None, "discounts": [], "metadata": {}, "plan": price,
                   "price": price, "quantity": quantity, "tax_rates": []}
                  for price, quantity in items],
        "metadata": other.get("metadata") or {}, "on_behalf_of": None,
        "proration_behavior": other.get("proration_behavior", "create_prorations"),
        "start_date": start, "transfer_data": None, "trial_end": other.get("trial_end")}


def create(state, params):
    ident = params.get("from_subscription")
    if not ident:
        raise invalid("Missing required param: from_subscription.", "from_subscription",
                      "parameter_missing")
    if set(params) - {"from_subscription", "expand"}:
        raise refused("You cannot set any other parameters with `from_subscription`.",
                      "from_subscription")
    subscription = state.fetch("subscription", ident, "from_subscription")
    if subscription["status"] in billing.FINAL:
        raise refused("You cannot migrate a subscription that is canceled.", "from_subscription")
    if subscription["schedule"]:
        raise refused("You cannot migrate a subscription that is already attached to a schedule: "
                      f"{subscription['schedule']}", "from_subscription")
    start = subscription["items"]["data"][0]["current_period_start"]
    end = subscription["cancel_at"] or billing.period_end(subscription)
    items = [(item["price"]["id"], item["quantity"]) for item in subscription["items"]["data"]]
    schedule = {
        "id": state.new_id("sub_sched_"), "object": _KIND, "application": None,
        "billing_mode": copy.deepcopy(subscription["billing_mode"]), "canceled_at": None,
        "completed_at": None, "created": state.now(),
        "current_phase": {"end_date": end, "start_date": start},
        "customer": subscription["customer"], "customer_account": None,
        "default_settings": {
            "application_fee_percent": None, "billing_cycle_anchor": "automatic",
            "billing_thresholds": None, "collection_method": "charge_automatically",
            "default_payment_method": None, "description": None,
            "invoice_settings": {"account_tax_ids": None, "custom_fields": None,
                                 "days_until_due": None, "description": None, "footer": None,
                                 "issuer": {"type": "self"}},
            "on_behalf_of": None, "transfer_data": None},
        "end_behavior": "cancel" if subscription["cancel_at"] else "release",
        "livemode": state.live, "metadata": {}, "pause_schedules": [],
        "phases": [_phase(start, end, subscription["currency"], items,
                          discounts=[_discount(discount=each)
                                     for each in subscription["discounts"]],
                          trial_end=subscription["trial_end"]
                          if subscription["status"] == "trialing" else None)],
        "released_at": None, "released_subscription": None, "status": "active",
        "subscription": ident, "test_clock": None}
    state.add(_KIND, schedule)
    with billing.updating(state, subscription):
        subscription["schedule"] = schedule["id"]
    emit(state, f"{_KIND}.created", schedule)
    return schedule


def _active(state, ident):
    schedule = state.fetch(_KIND, ident)
    if schedule["status"] != "active":
        raise refused("You cannot update a subscription schedule that is currently in the "
                      f"`{schedule['status']}` status.")
    return schedule


def _end_of(phase, start, where, price):
    if "end_date" in phase and "duration" in phase:
        raise invalid("You may only specify one of these parameters: end_date, duration.", where)
    if "end_date" in phase:
        if phase["end_date"] <= start:
            raise invalid("The end of a phase must be after its start.", f"{where}[end_date]")
        return phase["end_date"]
    lasts = phase.get("duration")
    if not lasts:
        raise invalid(f"Missing required param: {where}[end_date].", f"{where}[end_date]",
                      "parameter_missing")
    return periods.price_end(start, {**price, "recurring": {
        **price["recurring"], "interval": lasts["interval"],
        "interval_count": lasts.get("interval_count", 1)}})


def update(state, params, id):
    schedule = _active(state, id)
    before = copy.deepcopy(schedule)
    if "phases" in params:
        schedule["phases"] = _phases(state, schedule, params["phases"])
        schedule["current_phase"]["end_date"] = schedule["phases"][0]["end_date"]
    if "end_behavior" in params:
        schedule["end_behavior"] = params["end_behavior"]
    merge_metadata(schedule["metadata"], params.get("metadata"))
    _keep_discounts(state, schedule)
    emit(state, f"{_KIND}.updated", schedule, before)
    return schedule


def _keep_discounts(state, schedule):
    """The running phase rules at once: what it does not name is dropped."""
    subscription = state.find("subscription", schedule["subscription"])
    named = [one["discount"] for one in schedule["phases"][0]["discounts"] if one["discount"]]
    if named != subscription["discounts"]:
        with billing.updating(state, subscription):
            subscription["discounts"] = named


def _phases(state, schedule, wanted):
    found, start = [], schedule["current_phase"]["start_date"]
    for index, each in enumerate(wanted):
        where = f"phases[{index}]"
        if index == 0 and each.get("start_date") != start:
            raise refused("You can not modify the start date of the current phase.",
                          f"{where}[start_date]")
        if index and each.get("start_date", start) != start:
            raise refused("Each phase must start when the one before ends.",
                          f"{where}[start_date]")
        prices = [subscriptions.recurring_price(state, item, f"{where}[items][{n}]")
                  for n, item in enumerate(each["items"])]
        subscriptions.one_currency(None, {price["currency"] for price in prices})
        end = _end_of(each, start, where, prices[0])
        if index == 0 and end <= state.now():
            raise invalid("The current phase must end in the future.", f"{where}[end_date]")
        items = [(price["id"], item.get("quantity", 1))
                 for price, item in zip(prices, each["items"])]
        found.append(_phase(start, end, prices[0]["currency"], items,
                            proration_behavior=each.get("proration_behavior",
                                                        "create_prorations"),
                            **{key: each.get(key) for key in _SETTINGS},
                            metadata=each.get("metadata"),
                            discounts=[_discount(**one) for one in each.get("discounts") or []],
                            trial_end=end if each.get("trial") else each.get("trial_end")))
        start = end
    return found


def _let_go(state, schedule):
    subscription = state.find("subscription", schedule["subscription"])
    schedule.update(status="released", released_at=state.now(), current_phase=None,
                    released_subscription=schedule["subscription"], subscription=None)
    with billing.updating(state, subscription):
        subscription["schedule"] = None
    emit(state, f"{_KIND}.released", schedule)


def release(state, params, id):
    schedule = _active(state, id)
    _let_go(state, schedule)
    return schedule


def cancel(state, params, id):
    schedule = _active(state, id)
    billing.end(state, state.find("subscription", schedule["subscription"]))
    return schedule


# ---- the clock ------------------------------------------------------------------------------


def advance(state, schedule):
    """The running phase is over: the next one begins, or the schedule lets go or ends it."""
    subscription = state.find("subscription", schedule["subscription"])
    start = schedule["current_phase"]["end_date"]
    following = [phase for phase in schedule["phases"] if phase["start_date"] == start]
    if not following:
        if schedule["end_behavior"] == "cancel":
            billing.end(state, subscription)
        else:
            _let_go(state, schedule)
        return
    before = copy.deepcopy(schedule)
    phase = following[0]
    schedule["current_phase"] = {"start_date": start, "end_date": phase["end_date"]}
    old = subscription["items"]["data"]
    planned = []
    for index, wanted in enumerate(phase["items"]):
        price = state.find("price", wanted["price"])
        planned.append((old[index] if index < len(old) else None, price, wanted["quantity"],
                        None))
    with billing.updating(state, subscription):
        if subscriptions.interval_changes(planned):
            subscription["billing_cycle_anchor"] = start
        subscription["items"]["data"] = subscriptions.applied(state, subscription, planned,
                                                              False)
        subscription["discounts"] = [one["discount"] for one in phase["discounts"]
                                     if one["discount"]]
    emit(state, f"{_KIND}.updated", schedule, before)


def due(state):
    """(when, order, work, object): before the trial's end and the renewal of the same moment."""
    return [(schedule["current_phase"]["end_date"], 2, advance, schedule)
            for schedule in state.all(_KIND) if schedule["status"] == "active"]


def listed(state, params):
    found = matching(state.all(_KIND), params, "customer")
    for key in ("canceled_at", "completed_at", "released_at"):
        found = [each for each in found if in_range(each[key], params.get(key))]
    return page("/v1/subscription_schedules", found, params)


ROUTES = [
    ("POST", "/v1/subscription_schedules", SCHEDULE_CREATE, create),
    ("GET", "/v1/subscription_schedules", SCHEDULE_LIST, listed),
    ("GET", "/v1/subscription_schedules/{id}", RETRIEVE,
     lambda state, params, id: state.fetch(_KIND, id)),
    ("POST", "/v1/subscription_schedules/{id}", SCHEDULE_UPDATE, update),
    ("POST", "/v1/subscription_schedules/{id}/release", SCHEDULE_RELEASE, release),
    ("POST", "/v1/subscription_schedules/{id}/cancel", SCHEDULE_CANCEL, cancel),
]
