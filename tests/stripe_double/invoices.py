# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Invoices and their payments: lines, drafts, finalising, one attempt to collect.

What an outcome means for the subscription is decided in `billing`; this file only makes the
invoice tell the truth about itself.
"""

import copy

from . import coupons, money, payments
from .events import emit
from .lists import envelope, in_range, matching, page
from .tables import INVOICE_LINES, INVOICE_LIST, INVOICE_PAYMENT_LIST, RETRIEVE

# ---- lines ----------------------------------------------------------------------------------


def line(state, subscription, item, start, end, **other):
    """One line for an item's period. `other`: price, quantity, amount, description, proration."""
    price = other.get("price") or (item or {}).get("price")
    quantity = other.get("quantity", (item or {}).get("quantity") or 1)
    amount = other.get("amount")
    if amount is None:
        amount = (price["unit_amount"] or 0) * quantity
    product = state.find("product", price["product"])
    name = product["name"] if product else "Product"
    proration = other.get("proration", False)
    sub_id = subscription["id"] if subscription else None
    if proration:
        parent = {"type": "invoice_item_details", "subscription_item_details": None,
                  "invoice_item_details": {
                      "invoice_item": state.new_id("ii_"), "proration": True,
                      "proration_details": {"credited_items": None}, "subscription": sub_id}}
    elif price["recurring"]:
        parent = {"type": "subscription_item_details", "invoice_item_details": None,
                  "subscription_item_details": {
                      "invoice_item": None, "proration": False,
                      "proration_details": {"credited_items": None}, "subscription": sub_id,
                      "subscription_item": item["id"]}}
    else:
        parent = {"type": "invoice_item_details", "subscription_item_details": None,
                  "invoice_item_details": {
                      "invoice_item": state.new_id("ii_"), "proration": False,
                      "proration_details": None, "subscription": sub_id}}
    default = f"{quantity} × {name} (at {money.per_interval(price)})"
    return {
        "id": state.new_id("il_"), "object": "line_item", "amount": amount,
        "currency": price["currency"], "description": other.get("description") or default,
        "discount_amounts": [], "discountable": not proration, "discounts": [],
        "invoice": None, "livemode": state.live,
        "metadata": dict(subscription["metadata"]) if subscription and not proration else {},
        "parent": parent, "period": {"end": end, "start": start}, "pretax_credit_amounts": [],
        "pricing": {"type": "price_details", "unit_amount_decimal": price["unit_amount_decimal"],
                    "price_details": {"price": price["id"], "product": price["product"]}},
        "quantity": quantity, "quantity_decimal": str(quantity), "subscription": sub_id,
        "subtotal": amount, "taxes": []}


def proration_lines(state, subscription, item, new_price, new_quantity, now):
    """A credit for the unused time of `item` and a charge for the rest of the period."""
    start, end = item["current_period_start"], item["current_period_end"]
    share = max(0, end - now) / max(1, end - start)
    old = item["price"]
    lines = []
    old_amount = round((old["unit_amount"] or 0) * (item["quantity"] or 1) * share)
    if old_amount:
        lines.append(line(state, subscription, item, now, end, price=old, amount=-old_amount,
                          quantity=item["quantity"] or 1, proration=True,
                          description=_proration_words(state, "Unused time on", old)))
    if new_price:
        amount = round((new_price["unit_amount"] or 0) * new_quantity * share)
        lines.append(line(state, subscription, item, now, end, price=new_price, amount=amount,
                          quantity=new_quantity, proration=True,
                          description=_proration_words(state, "Remaining time on", new_price)))
    return lines


def _proration_words(state, words, price):
    product = state.find("product", price["product"])
    return f"{words} {product['name'] if product else price['id']}"


# ---- the object -----------------------------------------------------------------------------


def _discounted(state, subscription, lines, currency, discount_ids):
    """Apply discounts to discountable lines; returns [{amount, discount}]."""
    totals = []
    for ident in discount_ids:
        discount = state.find("discount", ident)
        coupon = discount and state.find("coupon", discount["source"]["coupon"])
        if not coupon or (discount["end"] and discount["end"] <= state.now()):
            continue
        taken, left = 0, coupon["amount_off"]
        products = (coupon.get("applies_to") or {}).get("products")
        for each in lines:
            if not each["discountable"] or (
                    products and each["pricing"]["price_details"]["product"] not in products):
                continue
            rest = each["amount"] - sum(d["amount"] for d in each["discount_amounts"])
            off = coupons.reduction({**coupon, "amount_off": left}, rest, currency)
            if coupon["amount_off"] is not None:
                left -= off
            each["discount_amounts"].append({"amount": off, "discount": ident})
            taken += off
        totals.append({"amount": taken, "discount": ident})
    return totals


def build(state, customer, currency, lines, reason, subscription=None, **other):
    """A draft that nobody has seen yet. `other`: period, discounts, metadata, description."""
    ident = other.get("ident") or state.new_id("in_")
    discount_ids = other.get("discounts", subscription["discounts"] if subscription else [])
    off = _discounted(state, subscription, lines, currency, discount_ids)
    subtotal = sum(each["amount"] for each in lines)
    total = subtotal - sum(each["amount"] for each in off)
    for each in lines:
        each["invoice"] = ident
    start, end = other.get("period") or (state.now(), state.now())
    parent = subscription and {
        "quote_details": None, "type": "subscription_details",
        "subscription_details": {"metadata": dict(subscription["metadata"]),
                                 "subscription": subscription["id"]}}
    if parent and any(each["parent"]["type"] == "invoice_item_details" for each in lines):
        parent["subscription_details"]["subscription_proration_date"] = state.now()
    return {
        "id": ident, "object": "invoice", "account_country": state.settings["account_country"],
        "account_name": state.settings["account_name"], "account_tax_ids": None,
        "amount_due": max(0, total), "amount_overpaid": 0, "amount_paid": 0,
        "amount_remaining": max(0, total), "amount_shipping": 0, "application": None,
        "attempt_count": 0, "attempted": False, "auto_advance": True,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None,
                          "provider": None, "status": None},
        "automatically_finalizes_at": None, "billing_reason": reason,
        "collection_method": (subscription["collection_method"] if subscription
                              else "charge_automatically"),
        "created": state.now(), "currency": currency, "custom_fields": None,
        "customer": customer["id"], "customer_account": None,
        "customer_address": copy.deepcopy(customer["address"]),
        "customer_email": customer["email"], "customer_name": customer["name"],
        "customer_phone": customer["phone"], "customer_shipping": None,
        "customer_tax_exempt": customer["tax_exempt"], "customer_tax_ids": [],
        "default_payment_method": None, "default_source": None, "default_tax_rates": [],
        "description": other.get("description"), "discounts": list(discount_ids),
        "due_date": None, "effective_at": None, "ending_balance": None, "footer": None,
        "from_invoice": None, "hosted_invoice_url": None, "invoice_pdf": None,
        "issuer": {"type": "self"}, "last_finalization_error": None, "latest_revision": None,
        "lines": envelope(f"/v1/invoices/{ident}/lines", lines), "livemode": state.live,
        "metadata": dict(other.get("metadata") or {}), "next_payment_attempt": None,
        "number": None, "on_behalf_of": None, "parent": parent or None,
        "payment_settings": {"default_mandate": None, "payment_method_options": None,
                             "payment_method_types": None},
        "period_end": end, "period_start": start, "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0, "receipt_number": None, "rendering": None,
        "shipping_cost": None, "shipping_details": None,
        "starting_balance": customer["balance"], "statement_descriptor": None,
        "status": "draft",
        "status_transitions": {"finalized_at": None, "marked_uncollectible_at": None,
                               "paid_at": None, "voided_at": None},
        "subtotal": subtotal, "subtotal_excluding_tax": subtotal, "test_clock": None,
        "total": total, "total_discount_amounts": off, "total_excluding_tax": total,
        "total_pretax_credit_amounts": [], "total_taxes": [], "webhooks_delivered_at": None}


def create(state, customer, currency, lines, reason, subscription=None, **other):
    """Make a draft, keep it and say so. `wait` leaves it a draft until the clock finalises it."""
    invoice = build(state, customer, currency, lines, reason, subscription, **other)
    if other.get("wait"):
        invoice["automatically_finalizes_at"] = state.now() + state.settings["finalize_after"]
        invoice["next_payment_attempt"] = invoice["automatically_finalizes_at"]
    state.add("invoice", invoice)
    if subscription:
        subscription["latest_invoice"] = invoice["id"]
        used = [state.find("discount", d["discount"]) for d in invoice["total_discount_amounts"]
                if d["amount"]]
        for discount in used:
            if state.find("coupon", discount["source"]["coupon"])["duration"] == "once":
                subscription["discounts"].remove(discount["id"])
    emit(state, "invoice.created", invoice)
    return invoice


def finalize(state, invoice):
    """Draft to open: a number, a page, the customer's balance applied."""
    customer = state.find("customer", invoice["customer"])
    now = state.now()
    total = invoice["total"]
    if customer and not customer.get("deleted"):
        invoice["number"] = (f"{customer['invoice_prefix']}-"
                             f"{customer['next_invoice_sequence']:04d}")
        customer["next_invoice_sequence"] += 1
        balance = customer["balance"]
        invoice["starting_balance"] = balance
        due = max(0, total + balance) if total >= 0 else 0
        customer["balance"] = total + balance if total < 0 else min(0, total + balance)
        invoice.update(amount_due=due, amount_remaining=due, ending_balance=customer["balance"])
    account = "acct_1StripeDouble0001"
    invoice.update(
        status="open", effective_at=now, automatically_finalizes_at=None,
        hosted_invoice_url=f"{state.base_url}/i/{account}/{invoice['id']}",
        invoice_pdf=f"{state.base_url}/i/{account}/{invoice['id']}/pdf")
    invoice["status_transitions"]["finalized_at"] = now
    state.touch()
    emit(state, "invoice.finalized", invoice)
    return invoice


def settle(state, invoice, intent=None, out_of_band=False):
    """Mark it paid and tell the world, in Stripe's usual order."""
    now = state.now()
    invoice.update(status="paid", amount_paid=invoice["amount_due"], amount_remaining=0,
                   attempted=True, auto_advance=False, next_payment_attempt=None)
    invoice["status_transitions"]["paid_at"] = now
    invoice["webhooks_delivered_at"] = invoice["webhooks_delivered_at"] or now
    payment = intent and payment_of(state, invoice)
    if payment:
        payment.update(status="paid", amount_paid=invoice["amount_due"])
        payment["status_transitions"]["paid_at"] = now
    state.touch()
    emit(state, "invoice.paid", invoice)
    if not out_of_band:
        emit(state, "invoice.payment_succeeded", invoice)
    if payment:
        emit(state, "invoice_payment.paid", payment)


def payment_of(state, invoice):
    """The default payment of an invoice, or None."""
    found = matching(state.all("invoice_payment"), {"invoice": invoice["id"]}, "invoice")
    return found[0] if found else None


def intent_for(state, invoice):
    """The payment intent that collects an invoice; made at the first attempt."""
    payment = payment_of(state, invoice)
    if payment:
        return state.find("payment_intent", payment["payment"]["payment_intent"])
    words = {"subscription_create": "Subscription creation", "manual": "Payment for Invoice"}
    intent = payments.build_intent(
        state, invoice["customer"], invoice["amount_due"], invoice["currency"],
        words.get(invoice["billing_reason"], "Subscription update"), invoice["id"])
    state.add("invoice_payment", {
        "id": state.new_id("inpay_"), "object": "invoice_payment", "amount_paid": None,
        "amount_requested": invoice["amount_due"], "created": state.now(),
        "currency": invoice["currency"], "invoice": invoice["id"], "is_default": True,
        "livemode": state.live,
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "open", "status_transitions": {"canceled_at": None, "paid_at": None}})
    return intent


def collect(state, invoice, method, present=False, authenticated=False, next_attempt=None):
    """One try at an open invoice: ok, decline, auth, or none when there is no card."""
    if invoice["amount_due"] == 0:
        settle(state, invoice)
        return "ok"
    if method is None:
        outcome = "none"
    else:
        intent = intent_for(state, invoice)
        outcome = payments.attempt(state, intent, method, present, authenticated)
    invoice.update(attempted=True, attempt_count=invoice["attempt_count"] + 1)
    if outcome == "ok":
        settle(state, invoice, intent)
        return outcome
    invoice["next_payment_attempt"] = next_attempt
    state.touch()
    emit(state, "invoice.payment_failed", invoice)
    if outcome == "auth":
        emit(state, "invoice.payment_action_required", invoice)
    return outcome


def close(state, invoice, status):
    """`void` or `uncollectible`, with its event."""
    now = state.now()
    invoice.update(status=status, auto_advance=False, next_payment_attempt=None)
    if status == "void":
        invoice["status_transitions"]["voided_at"] = now
        emit(state, "invoice.voided", invoice)
    else:
        invoice["status_transitions"]["marked_uncollectible_at"] = now
        emit(state, "invoice.marked_uncollectible", invoice)
    state.touch()


# ---- routes ---------------------------------------------------------------------------------


def subscription_of(invoice):
    """Id of the invoice's subscription, or None."""
    parent = invoice["parent"]
    return parent["subscription_details"]["subscription"] if parent else None


def listed(state, params):
    found = matching(state.all("invoice"), params, "customer", "status", "collection_method")
    if "subscription" in params:
        found = [i for i in found if subscription_of(i) == params["subscription"]]
    found = [i for i in found if in_range(i["due_date"], params.get("due_date"))]
    return page("/v1/invoices", found, params)


def lines_of(state, params, id):
    invoice = state.fetch("invoice", id)
    return page(f"/v1/invoices/{id}/lines", list(reversed(invoice["lines"]["data"])), params)


def list_payments(state, params):
    found = matching(state.all("invoice_payment"), params, "invoice", "status")
    if "payment" in params:
        intent = params["payment"].get("payment_intent")
        found = [p for p in found if p["payment"].get("payment_intent") == intent]
    return page("/v1/invoice_payments", found, params)


def included_payments(state, invoice):
    """`expand[]=payments`."""
    found = matching(state.all("invoice_payment"), {"invoice": invoice["id"]}, "invoice")
    return envelope(f"/v1/invoice_payments?invoice={invoice['id']}", found)


INCLUDABLE = {("invoice", "payments"): included_payments}

ROUTES = [
    ("GET", "/v1/invoices", INVOICE_LIST, listed),
    ("GET", "/v1/invoices/{id}", RETRIEVE, lambda state, params, id: state.fetch("invoice", id)),
    ("GET", "/v1/invoices/{id}/lines", INVOICE_LINES, lines_of),
    ("GET", "/v1/invoice_payments", INVOICE_PAYMENT_LIST, list_payments),
    ("GET", "/v1/invoice_payments/{id}", RETRIEVE,
     lambda state, params, id: state.fetch("invoice_payment", id)),
]
