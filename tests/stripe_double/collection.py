# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What the API does to invoices (pay, finalise, void, write off, preview) and refunds."""

import copy

from . import billing, cards, coupons, invoices, payments, periods, subscriptions
from .errors import ApiError, invalid, refused
from .events import emit
from .lists import matching, page
from .params import merge_metadata
from .tables import (INVOICE_FINALIZE, INVOICE_PAY, INVOICE_PREVIEW, REFUND_CREATE, REFUND_LIST,
                     REFUND_UPDATE, RETRIEVE)

# ---- invoices -------------------------------------------------------------------------------


def pay(state, params, id):
    invoice = state.fetch("invoice", id)
    if invoice["status"] == "draft":
        invoices.finalize(state, invoice)
    if invoice["status"] == "paid":
        raise refused("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] == "void":
        raise refused("Invoice is voided and can no longer be paid.",
                      code="invoice_not_editable")
    method = None
    if "payment_method" in params:
        method = state.fetch("payment_method", params["payment_method"], "payment_method")
    if params.get("paid_out_of_band"):
        invoices.settle(state, invoice, out_of_band=True)
        ident = invoices.subscription_of(invoice)
        if ident:
            billing.paid(state, state.find("subscription", ident), invoice)
        return invoice
    outcome = billing.collect(state, invoice, method)
    if outcome == "ok":
        return invoice
    if outcome == "none":
        raise ApiError(400, "There is no `default_payment_method` set on this Customer or "
                            "Invoice.", code="invoice_payment_intent_requires_action")
    intent = invoices.intent_for(state, invoice)
    error = intent["last_payment_error"] or {}
    reason = error.get("decline_code", "authentication_required")
    if outcome == "auth":
        raise ApiError(402, "This payment requires additional user action before it can be "
                            "completed successfully.", "card_error",
                       "invoice_payment_intent_requires_action")
    raise cards.card_error(reason, charge=intent["latest_charge"])


def finalize(state, params, id):
    invoice = state.fetch("invoice", id)
    if invoice["status"] != "draft":
        raise refused("This invoice is already finalized, you can't re-finalize a non-draft "
                      "invoice.", code="invoice_not_editable")
    return invoices.finalize(state, invoice)


def void(state, params, id):
    return _closed(state, id, "void")


def mark_uncollectible(state, params, id):
    return _closed(state, id, "uncollectible")


def _closed(state, id, status):
    invoice = state.fetch("invoice", id)
    if invoice["status"] not in ("open", "uncollectible"):
        raise refused("You can only pass in open invoices. This invoice isn't open.")
    invoices.close(state, invoice, status)
    return invoice


# ---- preview --------------------------------------------------------------------------------


def preview(state, params):
    """What the next invoice, or the invoice of a change, would come to. Nothing is kept."""
    details = params.get("subscription_details", {})
    if "subscription" in params:
        current = state.fetch("subscription", params["subscription"], "subscription")
        if current["status"] in billing.FINAL:
            raise refused("Upcoming invoices are not available for canceled subscriptions.",
                          code="invoice_upcoming_none")
        customer = billing.customer_of(state, current)
        lines, period = _preview_of(state, copy.deepcopy(current), details)
    elif "customer" in params and details.get("items"):
        customer = state.fetch("customer", params["customer"], "customer")
        current, lines = None, _preview_new(state, details)
        period = (state.now(), state.now())
    else:
        raise invalid("You must provide a customer or a subscription to preview an invoice.",
                      "customer", "parameter_missing")
    currency = lines[0]["currency"] if lines else (current or customer)["currency"] or "eur"
    discounts = [] if current is None else list(current["discounts"])
    invoice = invoices.build(state, customer, currency, lines, "upcoming", current,
                             ident=state.new_id("upcoming_in_"), period=period,
                             discounts=discounts)
    coupon_pairs = coupons.resolve(state, params.get("discounts") or [])
    off = sum(coupons.reduction(coupon, invoice["subtotal"], currency)
              for coupon, _ in coupon_pairs)
    if off:
        total = invoice["total"] - off
        invoice.update(total=total, total_excluding_tax=total, amount_due=max(0, total),
                       amount_remaining=max(0, total))
    invoice["next_payment_attempt"] = period[1]
    return invoice


def _preview_of(state, subscription, details):
    now = details.get("proration_date") or state.now()
    end = billing.period_end(subscription)
    if details.get("cancel_now"):
        return [line for item in subscription["items"]["data"] for line in
                invoices.proration_lines(state, subscription, item, None, 0, now)], (now, now)
    behavior = details.get("proration_behavior", "create_prorations")
    prorated, restart = [], False
    if details.get("items"):
        planned, leaving = subscriptions.planned_items(state, subscription, details["items"])
        trialing = subscription["status"] == "trialing"
        anchor_now = details.get("billing_cycle_anchor", {}).get("type") == "now"
        restart = subscriptions.ends_trial(subscription, details) or \
            not trialing and (anchor_now or subscriptions.interval_changes(planned))
        if not trialing and behavior != "none":
            prorated = subscriptions.change_lines(state, subscription, planned, leaving, now,
                                                  restart)
        subscription["items"]["data"] = subscriptions.applied(state, subscription, planned,
                                                              restart)
    if behavior == "always_invoice" and prorated and not restart:
        return prorated, (now, now)
    waiting = state.private(subscription["id"]).get("pending_lines", [])
    regular = []
    for item in subscription["items"]["data"]:
        start = now if restart else end
        regular.append(invoices.line(state, subscription, item, start,
                                     periods.price_end(start, item["price"])))
    return [*copy.deepcopy(waiting), *prorated, *regular], (now, now if restart else end)


def _preview_new(state, details):
    lines = []
    for index, each in enumerate(details["items"]):
        price = subscriptions.recurring_price(state, each,
                                              f"subscription_details[items][{index}]")
        item = subscriptions.build_item(state, None, price, each.get("quantity", 1))
        lines.append(invoices.line(state, None, item, state.now(),
                                   periods.price_end(state.now(), price)))
    return lines


# ---- refunds --------------------------------------------------------------------------------


def refund(state, params):
    if ("charge" in params) == ("payment_intent" in params):
        raise invalid("You must specify either `charge` or `payment_intent`.", "charge",
                      "parameter_missing")
    if "payment_intent" in params:
        intent = state.fetch("payment_intent", params["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            raise refused("This PaymentIntent does not have a successful charge to refund.",
                          "payment_intent", "payment_intent_unexpected_state")
        charge = state.find("charge", intent["latest_charge"])
    else:
        charge = state.fetch("charge", params["charge"], "charge")
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left == 0:
        raise refused(f"Charge {charge['id']} has already been refunded.",
                      code="charge_already_refunded")
    amount = params.get("amount", left)
    if not 0 < amount <= left:
        raise refused(f"Refund amount ({amount}) is greater than unrefunded amount on charge "
                      f"({left})", "amount")
    rule = cards.CARDS[payments.number_of(state, charge["payment_method"])]["refund"]
    made = state.add("refund", {
        "id": state.new_id("re_"), "object": "refund", "amount": amount,
        "balance_transaction": None, "charge": charge["id"], "created": state.now(),
        "currency": charge["currency"], "customer": charge["customer"],
        "customer_account": None,
        "destination_details": {"type": "card", "card": {
            "reference_status": "pending", "reference_type": "acquirer_reference_number",
            "type": "refund"}},
        "metadata": params.get("metadata") or {}, "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"], "reason": params.get("reason"),
        "receipt_number": None, "source_transfer_reversal": None,
        "status": "pending" if rule == "pending" else "succeeded", "transfer_reversal": None})
    if rule != "ok":
        state.private(made["id"]).update(due=state.now() + 60, rule=rule)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    emit(state, "refund.created", made)
    emit(state, "charge.refunded", charge)
    return made


def update_refund(state, params, id):
    found = state.fetch("refund", id)
    before = copy.deepcopy(found)
    merge_metadata(found["metadata"], params.get("metadata"))
    emit(state, "refund.updated", found, before)
    return found


def _settle_refund(state, found):
    """The two test cards whose refunds end otherwise than they began."""
    notes, before = state.private(found["id"]), copy.deepcopy(found)
    del notes["due"]
    if notes["rule"] == "pending":
        found["status"] = "succeeded"
        emit(state, "refund.updated", found, before)
        return
    found.update(status="failed", failure_reason="expired_or_canceled_card")
    charge = state.find("charge", found["charge"])
    charge["amount_refunded"] -= found["amount"]
    charge["refunded"] = False
    emit(state, "refund.failed", found)
    emit(state, "refund.updated", found, before)


def due(state):
    """Refunds that still have to change."""
    return [(state.private(r["id"])["due"], 7, _settle_refund, r) for r in state.all("refund")
            if "due" in state.private(r["id"])]


ROUTES = [
    ("POST", "/v1/invoices/create_preview", INVOICE_PREVIEW, preview),
    ("POST", "/v1/invoices/{id}/pay", INVOICE_PAY, pay),
    ("POST", "/v1/invoices/{id}/finalize", INVOICE_FINALIZE, finalize),
    ("POST", "/v1/invoices/{id}/void", RETRIEVE, void),
    ("POST", "/v1/invoices/{id}/mark_uncollectible", RETRIEVE, mark_uncollectible),
    ("POST", "/v1/refunds", REFUND_CREATE, refund),
    ("GET", "/v1/refunds", REFUND_LIST, lambda state, params: page(
        "/v1/refunds", matching(state.all("refund"), params, "charge", "payment_intent"),
        params)),
    ("GET", "/v1/refunds/{id}", RETRIEVE, lambda state, params, id: state.fetch("refund", id)),
    ("POST", "/v1/refunds/{id}", REFUND_UPDATE, update_refund),
]
