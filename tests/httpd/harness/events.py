# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Events as Stripe sends them, newest API version, built from the few facts a test cares about.

One world per call of new(): ids come from a counter, so that tests sharing a site do not meet.
Times are Unix seconds; every builder takes `created` (default now) and `**changes` that replace
top-level members of the object.
"""
import itertools
import time

from .catalogue import PRICE

VERSION = "2026-10-28.endive"
DAY = 86400
MONTH = 30 * DAY

_numbers = itertools.count(int(time.time() * 1000) % 10**9 * 1000)

AMOUNT = {"basic": 900, "basic_year": 9000, "basic_usd": 1000, "pro": 2900, "pro_year": 29000}


def new_id(prefix):
    return f"{prefix}{next(_numbers):024d}"


def envelope(kind, thing, created=None, previous=None, livemode=False, event_id=None):
    """The event around an object; `previous` becomes previous_attributes."""
    data = {"object": thing}
    if previous is not None:
        data["previous_attributes"] = previous
    return {"id": event_id or new_id("evt_1Sb"), "object": "event", "api_version": VERSION,
            "created": int(created if created is not None else time.time()), "data": data,
            "livemode": livemode, "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None}, "type": kind}


def price(name="basic", livemode=False):
    product = "prod_TBasicPlan0001" if name.startswith("basic") else "prod_TProPlan000001"
    interval = "year" if name.endswith("_year") else "month"
    return {"id": PRICE.get(name, name), "object": "price", "active": True,
            "billing_scheme": "per_unit", "created": 1700000000,
            "currency": "usd" if name.endswith("_usd") else "eur", "livemode": livemode,
            "lookup_key": None, "metadata": {}, "nickname": None, "product": product,
            "recurring": {"interval": interval, "interval_count": 1, "meter": None,
                          "trial_period_days": None, "usage_type": "licensed"},
            "type": "recurring", "unit_amount": AMOUNT.get(name, 900),
            "unit_amount_decimal": str(AMOUNT.get(name, 900))}


def subscription(user="bob", plan="basic", status="active", id=None, customer=None, now=None,
                 period=MONTH, trial_end=None, livemode=False, metadata=None, quantity=1,
                 **changes):
    """A subscription object. plan: a key of catalogue.PRICE, or a price id. user None: unstamped."""
    now = int(now if now is not None else time.time())
    id = id or new_id("sub_1Sb")
    stamped = {"subbill_user": user} if user is not None else {}
    this = price(plan, livemode)
    ended = status in ("canceled", "incomplete_expired")
    thing = {
        "id": id, "object": "subscription", "application": None, "automatic_tax":
        {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": now, "billing_mode": {"type": "flexible"}, "cancel_at": None,
        "cancel_at_period_end": False, "canceled_at": now if ended else None,
        "collection_method": "charge_automatically", "created": now,
        "currency": this["currency"], "customer": customer or new_id("cus_T"),
        "customer_account": None, "default_payment_method": None, "description": None,
        "discounts": [], "ended_at": now if ended else None,
        "items": {"object": "list", "data": [{
            "id": new_id("si_T"), "object": "subscription_item", "created": now,
            "current_period_end": now + period, "current_period_start": now, "discounts": [],
            "metadata": {}, "price": this, "quantity": quantity, "subscription": id,
            "tax_rates": []}],
            "has_more": False, "url": f"/v1/subscription_items?subscription={id}"},
        "latest_invoice": None, "livemode": livemode,
        "metadata": stamped if metadata is None else metadata, "pause_collection": None,
        "pending_update": None, "schedule": None, "start_date": now, "status": status,
        "test_clock": None, "trial_end": trial_end, "trial_start": now if trial_end else None}
    unknown = set(changes) - set(thing)
    if unknown:
        raise TypeError(f"a subscription has no {', '.join(sorted(unknown))}")
    return {**thing, **changes}


def subscription_created(thing, **about):
    return envelope("customer.subscription.created", thing, **about)


def subscription_updated(thing, previous=None, **about):
    return envelope("customer.subscription.updated", thing, previous=previous or {}, **about)


def subscription_deleted(thing, **about):
    now = int(about.get("created") or time.time())
    return envelope("customer.subscription.deleted",
                    {**thing, "status": "canceled", "canceled_at": now, "ended_at": now}, **about)


def customer(user="bob", id=None, email=None, livemode=False, metadata=None):
    return {"id": id or new_id("cus_T"), "object": "customer", "balance": 0,
            "created": int(time.time()), "currency": None, "default_source": None,
            "delinquent": False, "description": None, "email": email, "invoice_prefix": "T0E5T",
            "livemode": livemode, "name": None, "phone": None, "shipping": None,
            "metadata": ({"subbill_user": user} if user else {}) if metadata is None
            else metadata}


def customer_created(thing, **about):
    return envelope("customer.created", thing, **about)


def invoice(subscription, paid=True, id=None, now=None, **changes):
    """The invoice of a subscription object: paid, or open after a failed charge."""
    now = int(now if now is not None else time.time())
    id = id or new_id("in_1Sb")
    item = subscription["items"]["data"][0]
    amount = item["price"]["unit_amount"] * item["quantity"]
    thing = {
        "id": id, "object": "invoice", "amount_due": amount,
        "amount_paid": amount if paid else 0, "amount_remaining": 0 if paid else amount,
        "attempt_count": 1, "attempted": True, "auto_advance": not paid,
        "billing_reason": "subscription_cycle", "collection_method": "charge_automatically",
        "created": now, "currency": subscription["currency"],
        "customer": subscription["customer"], "due_date": None,
        "hosted_invoice_url": f"https://invoice.stripe.com/i/acct_T/{id}",
        "invoice_pdf": f"https://pay.stripe.com/invoice/acct_T/{id}/pdf",
        "lines": {"object": "list", "data": [], "has_more": False,
                  "url": f"/v1/invoices/{id}/lines"},
        "livemode": subscription["livemode"], "metadata": {},
        "next_payment_attempt": None if paid else now + 3 * DAY, "number": f"T0E5T-{id[-4:]}",
        "parent": {"type": "subscription_details", "quote_details": None,
                   "subscription_details": {"metadata": subscription["metadata"],
                                            "subscription": subscription["id"]}},
        "period_end": now, "period_start": now, "status": "paid" if paid else "open",
        "status_transitions": {"finalized_at": now, "marked_uncollectible_at": None,
                               "paid_at": now if paid else None, "voided_at": None},
        "subtotal": amount, "total": amount}
    return {**thing, **changes}


def invoice_paid(thing, **about):
    return envelope("invoice.paid", thing, **about)


def invoice_payment_failed(thing, **about):
    return envelope("invoice.payment_failed", thing, **about)


def checkout_session(subscription=None, user="bob", id=None, metadata=None, **changes):
    """A completed hosted session that led to this subscription object."""
    now = int(time.time())
    thing = {
        "id": id or new_id("cs_test_a1Sb"), "object": "checkout.session", "amount_subtotal": 900,
        "amount_total": 900, "cancel_url": None, "client_reference_id": user, "created": now,
        "currency": "eur", "customer": subscription["customer"] if subscription else None,
        "customer_details": {"email": f"{user}@example.com", "name": None},
        "customer_email": None, "expires_at": now + DAY, "invoice": None, "livemode": False,
        "metadata": {} if metadata is None else metadata, "mode": "subscription",
        "payment_intent": None, "payment_status": "paid", "status": "complete",
        "subscription": subscription["id"] if subscription else None, "success_url": None,
        "ui_mode": "hosted_page", "url": None}
    return {**thing, **changes}


def checkout_completed(thing, **about):
    return envelope("checkout.session.completed", thing, **about)
