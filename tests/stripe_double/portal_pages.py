# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The customer portal's pages. Ids that browser tests rely on: #cancel-subscription #confirm
#resume-subscription #plan #change-plan #new-card #save-card #return #status #error."""

from datetime import datetime, timezone
from html import escape

from . import money, portal
from .billing import period_end
from .lists import matching
from .pages import card_fields, document, notice


def _day(moment):
    at = datetime.fromtimestamp(moment, timezone.utc)
    return f"{at.day} {at:%B %Y}"


def _form(action, inside, **hidden):
    fields = "".join(f"<input type=\"hidden\" name=\"{escape(name)}\" "
                     f"value=\"{escape(value, quote=True)}\">" for name, value in hidden.items())
    return f"<form method=\"post\" action=\"{action}\">{fields}{inside}</form>"


def _return(session):
    if not session["return_url"]:
        return ""
    return (f"<p><a id=\"return\" href=\"{escape(session['return_url'], quote=True)}\">"
            "Return to the shop</a></p>")


def _name(state, price):
    product = state.find("product", price["product"])
    name = product["name"] if product else price["id"]
    return f"{name}, {money.per_interval(price)}"


def _words(subscription):
    if subscription["cancel_at"]:
        return f"Cancels on {_day(subscription['cancel_at'])}"
    if subscription["status"] == "trialing":
        return f"Trial ends on {_day(subscription['trial_end'])}"
    if subscription["status"] == "active":
        return f"Renews on {_day(period_end(subscription))}"
    return {"past_due": "Payment overdue", "paused": "Paused"}.get(
        subscription["status"], subscription["status"].replace("_", " ").capitalize())


def _subscription(state, session, base, subscription, suffix):
    price = subscription["items"]["data"][0]["price"]
    allowed = portal.features(state, session)
    hidden = {"subscription": subscription["id"]}
    parts = [f"<section><h2>{escape(_name(state, price))}</h2>"
             f"<p id=\"status{suffix}\">{escape(_words(subscription))}</p>"]
    if subscription["cancel_at"] or subscription["status"] == "paused":
        word = "Resume subscription" if subscription["status"] == "paused" \
            else "Don’t cancel subscription"
        parts.append(_form(f"{base}/resume", f"<button id=\"resume-subscription{suffix}\">{word}"
                                             "</button>", **hidden))
    else:
        if allowed["subscription_update"]["enabled"]:
            options = "".join(
                f"<option value=\"{escape(each['id'], quote=True)}\""
                f"{' selected' if each['id'] == price['id'] else ''}>"
                f"{escape(_name(state, each))}</option>"
                for each in portal.offered(state, session, subscription))
            parts.append(_form(
                f"{base}/change", f"<label for=\"plan{suffix}\">Plan</label><select "
                f"id=\"plan{suffix}\" name=\"price\">{options}</select>"
                f"<button id=\"change-plan{suffix}\" class=\"quiet\">Change plan</button>",
                **hidden))
        if allowed["subscription_cancel"]["enabled"]:
            parts.append(_form(
                f"{base}/cancel", f"<button id=\"cancel-subscription{suffix}\" class=\"quiet\">"
                "Cancel subscription</button>", **hidden))
    return "".join(parts) + "</section>"


def home(state, session, base, error=None):
    customer = state.find("customer", session["customer"])
    parts = ["<h1>Your subscription</h1>", notice(error),
             f"<p>{escape(customer['email'] or customer['name'] or '')}</p>"]
    found = portal.running(state, session)
    for index, subscription in enumerate(found):
        parts.append(_subscription(state, session, base, subscription,
                                   f"-{index + 1}" if index else ""))
    if not found:
        parts.append("<p id=\"status\">You have no running subscription.</p>")
    if portal.features(state, session)["payment_method_update"]["enabled"]:
        parts.append(_cards(state, session, base))
    if portal.features(state, session)["invoice_history"]["enabled"]:
        parts.append(_invoices(state, session))
    return document("Billing", "".join(parts) + _return(session))


def _cards(state, session, base):
    mine = matching(state.all("payment_method"), {"customer": session["customer"]}, "customer")
    shown = "".join(f"<li>{escape(each['card']['brand'].capitalize())} •••• "
                    f"{escape(each['card']['last4'])}</li>" for each in mine)
    return (f"<section><h2>Payment method</h2><ul id=\"cards\">{shown}</ul>"
            f"<form id=\"new-card\" method=\"post\" action=\"{base}/card\">{card_fields()}"
            "<button id=\"save-card\">Save card</button></form></section>")


def _invoices(state, session):
    mine = matching(state.all("invoice"), {"customer": session["customer"]}, "customer")
    rows = "".join(
        f"<dt>{_day(each['created'])} <a href=\"{escape(each['hosted_invoice_url'], quote=True)}"
        f"\">{escape(each['number'] or each['id'])}</a> ({escape(each['status'])})</dt>"
        f"<dd>{escape(money.shown(each['total'], each['currency']))}</dd>"
        for each in reversed(mine) if each["hosted_invoice_url"])
    return f"<section><h2>Invoices</h2><dl>{rows}</dl></section>"


def confirm_cancel(state, session, base, subscription):
    price = subscription["items"]["data"][0]["price"]
    when = _day(period_end(subscription))
    now = portal.features(state, session)["subscription_cancel"]["mode"] == "immediately"
    text = "It ends at once." if now else f"It stays available until {when}."
    return document("Cancel subscription", (
        f"<h1>Cancel {escape(_name(state, price))}?</h1><p>{escape(text)}</p>"
        + _form(f"{base}/cancel", "<button id=\"confirm\" name=\"confirm\" value=\"yes\">Cancel "
                                  "subscription</button>", subscription=subscription["id"])
        + f"<p><a id=\"back\" href=\"{base}\">Go back</a></p>" + _return(session)))


def confirm_change(state, session, base, subscription, price):
    return document("Confirm your updates", (
        f"<h1>Change to {escape(_name(state, price))}?</h1>"
        + _form(f"{base}/change", "<button id=\"confirm\">Confirm</button>",
                subscription=subscription["id"], price=price["id"]) + _return(session)))


def card_only(session, base, error=None):
    return document("Payment method", (
        f"<h1>New card</h1>{notice(error)}<form id=\"new-card\" method=\"post\" "
        f"action=\"{base}/card\">{card_fields()}<button id=\"save-card\">Save card</button>"
        "</form>" + _return(session)))


def confirmation(session, text):
    return document("Done", f"<h1 id=\"status\">{escape(text)}</h1>" + _return(session))
