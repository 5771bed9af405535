# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The life of a subscription: start, trial end, renewal, dunning, end.

Status words and transitions are those of NOTES §4 in our documents: `incomplete` is never entered
again, `canceled` and `incomplete_expired` are final, a failed renewal makes `past_due` until the
retries are used up and the account's setting decides.
"""

import copy
from contextlib import contextmanager

from . import entitlements, invoices, payments, periods
from .events import emit
from .periods import DAY

FINAL = ("canceled", "incomplete_expired")
FIRST_PAYMENT_WINDOW = 23 * 3600


@contextmanager
def updating(state, subscription):
    """Emit `customer.subscription.updated` with what the body changed, if anything."""
    before = copy.deepcopy(subscription)
    yield
    state.touch()
    emit(state, "customer.subscription.updated", subscription, before)
    if subscription["status"] != before["status"] or subscription["items"] != before["items"]:
        entitlements.refresh(state, subscription["customer"])


def customer_of(state, subscription):
    return state.find("customer", subscription["customer"])


def method_of(state, subscription):
    """The card that pays: the subscription's own, else the customer's default."""
    ident = subscription["default_payment_method"]
    if not ident:
        customer = customer_of(state, subscription)
        ident = (customer.get("invoice_settings") or {}).get("default_payment_method")
    return state.find("payment_method", ident) if ident else None


def period_end(subscription):
    return max(item["current_period_end"] for item in subscription["items"]["data"])


def set_period(subscription, start, end=None, anchor=None):
    for item in subscription["items"]["data"]:
        item["current_period_start"] = start
        item["current_period_end"] = end or periods.price_end(start, item["price"], anchor)


def lines_for(state, subscription, words=None):
    """One line per item for the period it is in."""
    return [invoices.line(state, subscription, item, item["current_period_start"],
                          item["current_period_end"],
                          **({"amount": 0, "description": words(item)} if words else {}))
            for item in subscription["items"]["data"]]


def _trial_words(state):
    def words(item):
        product = state.find("product", item["price"]["product"])
        return f"Trial period for {product['name'] if product else 'subscription'}"
    return words


def first_invoice(state, subscription, extra=(), ident=None):
    """The invoice of the first period (zero during a trial), still a draft."""
    trial = subscription["status"] == "trialing"
    lines = lines_for(state, subscription, _trial_words(state) if trial else None)
    return invoices.create(
        state, customer_of(state, subscription), subscription["currency"], [*lines, *extra],
        "subscription_create", subscription, ident=ident,
        period=(subscription["start_date"], subscription["start_date"]))


# ---- paying ---------------------------------------------------------------------------------


def collect(state, invoice, method=None, present=False, authenticated=False):
    """Try an open invoice and let its subscription follow. Returns the outcome."""
    ident = invoices.subscription_of(invoice)
    subscription = ident and state.find("subscription", ident)
    if subscription is None:
        customer = state.find("customer", invoice["customer"])
        default = customer["invoice_settings"]["default_payment_method"]
        method = method or (default and state.find("payment_method", default))
        return invoices.collect(state, invoice, method, present, authenticated)
    method = method or method_of(state, subscription)
    tries = state.settings["retry_days"]
    count = invoice["attempt_count"]
    later = state.now() + tries[count] * DAY if count < len(tries) else None
    if subscription["status"] == "incomplete":
        later = None
    outcome = invoices.collect(state, invoice, method, present, authenticated, later)
    if outcome == "ok":
        paid(state, subscription, invoice)
    else:
        _unpaid(state, subscription, invoice, later)
    return outcome


def paid(state, subscription, invoice):
    pending = state.private(subscription["id"]).pop("pending", None)
    if pending and pending["invoice"] == invoice["id"]:
        with updating(state, subscription):
            subscription["items"]["data"] = pending["items"]
            if subscription["pending_update"]["trial_end"]:
                subscription.update(status="active",
                                    trial_end=subscription["pending_update"]["trial_end"],
                                    billing_cycle_anchor=subscription["pending_update"]["trial_end"])
            subscription["pending_update"] = None
        emit(state, "customer.subscription.pending_update_applied", subscription)
    elif pending:
        state.private(subscription["id"])["pending"] = pending
    if state.private(subscription["id"]).get("resuming") == invoice["id"]:
        del state.private(subscription["id"])["resuming"]
        _leave_pause(state, subscription)
    if subscription["status"] in ("past_due", "unpaid", "incomplete") and \
            subscription["latest_invoice"] == invoice["id"]:
        with updating(state, subscription):
            subscription["status"] = "active"


def _unpaid(state, subscription, invoice, later):
    status = subscription["status"]
    if state.private(subscription["id"]).get("pending"):
        return
    if status == "active":
        with updating(state, subscription):
            subscription["status"] = "past_due"
    if later is None and status in ("active", "past_due"):
        _give_up(state, subscription, invoice)


def _give_up(state, subscription, invoice):
    """All retries used: the account's setting decides."""
    choice = state.settings["after_retries"]
    if choice == "cancel":
        end(state, subscription, reason="payment_failed")
    elif choice == "unpaid":
        with updating(state, subscription):
            subscription["status"] = "unpaid"


def bill(state, subscription, lines, reason, **other):
    """An invoice at once: made, finalised and collected. Returns (invoice, outcome)."""
    invoice = invoices.create(state, customer_of(state, subscription), subscription["currency"],
                              lines, reason, subscription, **other)
    invoices.finalize(state, invoice)
    return invoice, collect(state, invoice)


# ---- ending ---------------------------------------------------------------------------------


def end(state, subscription, reason="cancellation_requested", details=None):
    """Over, now: status canceled and `customer.subscription.deleted`."""
    now = state.now()
    subscription["status"] = "canceled"
    subscription["ended_at"] = now
    subscription["canceled_at"] = subscription["canceled_at"] or now
    subscription["cancellation_details"].update(details or {})
    if not subscription["cancellation_details"]["reason"]:
        subscription["cancellation_details"]["reason"] = reason
    for invoice in state.all("invoice"):
        if invoices.subscription_of(invoice) == subscription["id"]:
            if invoice["status"] == "draft":
                invoices.close(state, invoice, "void")
            elif invoice["status"] == "open":
                invoice.update(auto_advance=False, next_payment_attempt=None)
    state.touch()
    emit(state, "customer.subscription.deleted", subscription)
    schedule = state.find("subscription_schedule", subscription["schedule"])
    if schedule and schedule["status"] == "active":
        schedule.update(status="canceled", canceled_at=now, current_phase=None)
        emit(state, "subscription_schedule.canceled", schedule)
    entitlements.refresh(state, subscription["customer"])
    return subscription


# ---- the clock ------------------------------------------------------------------------------


def renew(state, subscription):
    """The next period: `active` stays, the invoice is a draft for an hour."""
    start = period_end(subscription)
    before_start = subscription["items"]["data"][0]["current_period_start"]
    with updating(state, subscription):
        set_period(subscription, start, anchor=subscription["billing_cycle_anchor"])
    extra = state.private(subscription["id"]).pop("pending_lines", [])
    invoices.create(state, customer_of(state, subscription), subscription["currency"],
                    [*extra, *lines_for(state, subscription)], "subscription_cycle",
                    subscription, wait=True, period=(before_start, start))
    _hold_if_paused(state, subscription)


def _hold_if_paused(state, subscription):
    """`pause_collection` and `unpaid`: the invoice is made but not collected."""
    pause = subscription["pause_collection"]
    invoice = state.find("invoice", subscription["latest_invoice"])
    if subscription["status"] == "unpaid" or pause:
        invoice.update(automatically_finalizes_at=None, next_payment_attempt=None,
                       auto_advance=False)
    if pause and pause["behavior"] == "void":
        invoices.close(state, invoice, "void")
    elif pause and pause["behavior"] == "mark_uncollectible":
        invoices.close(state, invoice, "uncollectible")


def end_trial(state, subscription):
    """Into the first paid period, or what `missing_payment_method` says without a card."""
    choice = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    if method_of(state, subscription) is None and choice == "cancel":
        end(state, subscription)
        return
    if method_of(state, subscription) is None and choice == "pause":
        pause(state, subscription, "trial_end_without_payment_method")
        return
    start = subscription["trial_end"]
    with updating(state, subscription):
        subscription["status"] = "active"
        subscription["billing_cycle_anchor"] = start
        set_period(subscription, start)
    invoices.create(state, customer_of(state, subscription), subscription["currency"],
                    lines_for(state, subscription), "subscription_cycle", subscription,
                    wait=True, period=(subscription["trial_start"], start))
    _hold_if_paused(state, subscription)


def pause(state, subscription, reason):
    """Status `paused`: no invoices until it is resumed."""
    with updating(state, subscription):
        subscription["status"] = "paused"
        subscription["status_details"] = {"paused": {
            "subscription": {"type": reason}, "transitioned_at": state.now(),
            "type": "subscription"}}
    emit(state, "customer.subscription.paused", subscription)


def resume(state, subscription):
    """Out of `paused` into a period that starts now. The invoice is collected at once; while it is not paid
    the subscription stays paused."""
    notes = state.private(subscription["id"])
    method = method_of(state, subscription)
    outcome = method and payments.outcome_of(state, method["id"], False, False)
    lines = [*notes.pop("pending_lines", []), *lines_for(state, subscription)]
    if outcome != "ok" and sum(line["amount"] for line in lines) > 0:
        invoice = invoices.create(state, customer_of(state, subscription), subscription["currency"], lines,
                                  "subscription_update", subscription)
        invoices.finalize(state, invoice)
        notes["resuming"] = invoice["id"]
        collect(state, invoice)
        return
    _leave_pause(state, subscription)
    bill(state, subscription, lines, "subscription_update")


def _leave_pause(state, subscription):
    with updating(state, subscription):
        subscription["status"] = "active"
        subscription.pop("status_details", None)
        subscription["billing_cycle_anchor"] = state.now()
        set_period(subscription, state.now())
    emit(state, "customer.subscription.resumed", subscription)


def _trial_notice(state, subscription):
    state.private(subscription["id"])["trial_notice"] = True
    emit(state, "customer.subscription.trial_will_end", subscription)


def _upcoming(state, subscription):
    """`invoice.upcoming` carries an invoice without an id."""
    state.private(subscription["id"])["upcoming_for"] = period_end(subscription)
    invoice = invoices.build(state, customer_of(state, subscription), subscription["currency"],
                             lines_for(state, subscription), "upcoming", subscription,
                             period=(state.now(), period_end(subscription)))
    invoice["lines"]["url"] = "/v1/invoices/upcoming/lines"
    invoice["next_payment_attempt"] = period_end(subscription) + 3600
    for each in invoice["lines"]["data"]:
        each["invoice"] = None
    for key in ("id", "hosted_invoice_url", "invoice_pdf"):
        del invoice[key]
    emit(state, "invoice.upcoming", invoice)


def _expire_incomplete(state, subscription):
    invoice = state.find("invoice", subscription["latest_invoice"])
    with updating(state, subscription):
        subscription.update(status="incomplete_expired", ended_at=state.now())
    if invoice and invoice["status"] == "open":
        invoices.close(state, invoice, "void")


def _expire_pending(state, subscription):
    pending = state.private(subscription["id"]).pop("pending")
    with updating(state, subscription):
        subscription["pending_update"] = None
    emit(state, "customer.subscription.pending_update_expired", subscription)
    invoice = state.find("invoice", pending["invoice"])
    if invoice["status"] == "open":
        invoices.close(state, invoice, "void")


def _unpause_collection(state, subscription):
    with updating(state, subscription):
        subscription["pause_collection"] = None


def _advance_invoice(state, invoice):
    invoices.finalize(state, invoice)
    collect(state, invoice)


def due(state):
    """Everything with a time: (when, order, function, object) of the current mode."""
    found = []
    for sub in state.all("subscription"):
        if sub["status"] not in FINAL:
            found.extend((at, rank, what, sub) for at, rank, what in _due_of(state, sub))
    for invoice in state.all("invoice"):
        if invoice["status"] == "draft" and invoice["automatically_finalizes_at"]:
            found.append((invoice["automatically_finalizes_at"], 5, _advance_invoice, invoice))
        if invoice["status"] == "open" and invoice["next_payment_attempt"]:
            found.append((invoice["next_payment_attempt"], 5, collect, invoice))
    return found


def _due_of(state, sub):
    status, notes = sub["status"], state.private(sub["id"])
    if sub["cancel_at"]:
        yield sub["cancel_at"], 0, end
    if notes.get("pending"):
        yield sub["pending_update"]["expires_at"], 1, _expire_pending
    if (sub["pause_collection"] or {}).get("resumes_at"):
        yield sub["pause_collection"]["resumes_at"], 1, _unpause_collection
    if status == "trialing":
        if not notes.get("trial_notice"):
            yield sub["trial_end"] - 3 * DAY, 2, _trial_notice
        yield sub["trial_end"], 3, end_trial
    elif status == "incomplete":
        yield sub["created"] + FIRST_PAYMENT_WINDOW, 2, _expire_incomplete
    elif status in ("active", "past_due", "unpaid"):
        finish, days = period_end(sub), state.settings["upcoming_days"]
        length = finish - sub["items"]["data"][0]["current_period_start"]
        if (length > days * DAY and notes.get("upcoming_for") != finish
                and not sub["cancel_at"] and status == "active"):
            yield finish - days * DAY, 2, _upcoming
        yield finish, 4, renew
