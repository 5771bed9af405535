# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The hosted pages a buyer sees: Checkout, 3-D Secure, the invoice. HTML only; no decisions.

Plain forms without scripts, usable by keyboard and screen reader, with ids that browser tests
rely on: #email #card-number #card-exp #card-cvc #card-name #promotion-code #apply-code #terms
#pay #cancel #error #challenge-complete #challenge-fail.
"""

from html import escape

from . import checkout, money
from .invoices import subscription_of

STYLE = """
:root { color-scheme: light dark; --line: #c9ced6; --accent: #4b45c6; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --line: #4a4f58; --accent: #a9a5ff;
  --bad: #ffb4ab; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 30rem; margin: 2rem auto; padding: 0 1rem; }
.badge { display: inline-block; border: 1px solid var(--line); border-radius: 4px;
  padding: 0 .5rem; font-size: .8rem; letter-spacing: .05em; }
h1 { font-size: 1.3rem; margin: 1rem 0 .2rem; } h2 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
.amount { font-size: 1.9rem; font-weight: 600; margin: 0; }
dl { display: grid; grid-template-columns: 1fr auto; gap: .3rem 1rem; margin: 1rem 0; }
dd { margin: 0; text-align: right; }
label { display: block; margin-top: .8rem; }
input, select { width: 100%; padding: .55rem; font: inherit; border: 1px solid var(--line);
  border-radius: 6px; }
input[type=checkbox] { width: auto; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
button { width: 100%; margin-top: 1rem; padding: .7rem; font: inherit; font-weight: 600;
  border: 1px solid var(--accent); border-radius: 6px; background: var(--accent); color: #fff; }
@media (prefers-color-scheme: dark) { button { color: #14123a; } }
button.quiet { background: none; color: inherit; border-color: var(--line); font-weight: 400; }
section { border-top: 1px solid var(--line); margin-top: 1.5rem; }
#error { color: var(--bad); border: 1px solid var(--bad); border-radius: 6px;
  padding: .5rem .8rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
a { color: var(--accent); }
"""


def document(title, body):
    """A whole page. The style sheet is the only thing it loads."""
    return ("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
            f"<title>{escape(title)}</title><link rel=\"icon\" href=\"data:,\">"
            "<link rel=\"stylesheet\" href=\"/_assets/double.css\"></head>"
            f"<body><main><p class=\"badge\">TEST MODE</p>{body}</main></body></html>\n")


def notice(error):
    return f"<p id=\"error\" role=\"alert\">{escape(error)}</p>" if error else ""


def card_fields(values=None):
    """The fields of a card form; the number is not filled in."""
    values = values or {}

    def value(key, default):
        return escape(str(values.get(key, default)), quote=True)
    return (
        "<label for=\"card-number\">Card number</label>"
        "<input id=\"card-number\" name=\"number\" inputmode=\"numeric\" autocomplete=\"off\" "
        f"placeholder=\"4242 4242 4242 4242\" value=\"{value('number', '')}\" required>"
        "<div class=\"pair\"><div><label for=\"card-exp\">Expiry (MM / YY)</label>"
        "<input id=\"card-exp\" name=\"exp\" autocomplete=\"off\" "
        f"value=\"{value('exp', '12 / 34')}\" required></div>"
        "<div><label for=\"card-cvc\">CVC</label>"
        "<input id=\"card-cvc\" name=\"cvc\" inputmode=\"numeric\" autocomplete=\"off\" "
        f"value=\"{value('cvc', '123')}\" required></div></div>"
        "<label for=\"card-name\">Name on card</label>"
        f"<input id=\"card-name\" name=\"name\" value=\"{value('name', 'Test Buyer')}\" "
        "required>")


# ---- Checkout -------------------------------------------------------------------------------


def _headline(state, session):
    """(title, big amount, what follows) of a session."""
    items = checkout.line_items(state, session)
    title = items[0]["description"] or "Your order" if items else "Save a card"
    due = money.shown(session["amount_total"] or 0, session["currency"])
    days = checkout.trial_days(state, session)
    recurring = [item["price"] for item in items if item["price"]["recurring"]]
    later = ", ".join(money.per_interval(price) for price in recurring)
    if days:
        return f"Try {title}", f"{days} days free", f"Then {later}"
    if recurring:
        return f"Subscribe to {title}", later, f"{due} due today"
    return title, due, ""


def _rows(state, session):
    rows = []
    for item in checkout.line_items(state, session):
        name = f"{item['description']} × {item['quantity']}" if item["quantity"] > 1 \
            else item["description"]
        rows.append((name or "", money.shown(item["amount_subtotal"], item["currency"])))
    off = (session["total_details"] or {}).get("amount_discount", 0)
    if off:
        rows.append(("Discount", money.shown(-off, session["currency"])))
    rows.append(("Total due today", money.shown(session["amount_total"] or 0,
                                                session["currency"])))
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(amount)}</dd>"
                            for name, amount in rows) + "</dl>"


def checkout_page(state, session, error=None, values=None):
    values = values or {}
    title, amount, follow = _headline(state, session)
    action = f"/c/pay/{session['id']}"
    parts = [f"<h1>{escape(title)}</h1><p class=\"amount\">{escape(amount)}</p>",
             f"<p>{escape(follow)}</p>" if follow else "", _rows(state, session),
             notice(error)]
    if session["allow_promotion_codes"]:
        parts.append(
            f"<form method=\"post\" action=\"{action}/code\"><label for=\"promotion-code\">"
            "Promotion code</label><input id=\"promotion-code\" name=\"code\" value=\""
            f"{escape(values.get('code', ''), quote=True)}\"><button id=\"apply-code\" "
            "class=\"quiet\">Apply</button></form>")
    parts.append(f"<form method=\"post\" action=\"{action}\">")
    email = (session["customer_details"] or {}).get("email")
    if email:
        parts.append(f"<p>E-mail: <strong id=\"email\">{escape(email)}</strong></p>")
    else:
        parts.append("<label for=\"email\">E-mail</label><input id=\"email\" name=\"email\" "
                     "type=\"email\" required value=\""
                     f"{escape(values.get('email', ''), quote=True)}\">")
    if checkout.needs_card(state, session):
        parts.append(card_fields(values))
    if session["billing_address_collection"] == "required":
        parts.append("<label for=\"line1\">Address</label><input id=\"line1\" name=\"line1\" "
                     "value=\"Teststraße 1\" required><div class=\"pair\"><div>"
                     "<label for=\"postal-code\">Postal code</label><input id=\"postal-code\" "
                     "name=\"postal_code\" value=\"10115\" required></div><div>"
                     "<label for=\"city\">City</label><input id=\"city\" name=\"city\" "
                     "value=\"Berlin\" required></div></div>")
    consent = session["consent_collection"] or {}
    if consent.get("terms_of_service") == "required":
        parts.append("<label><input id=\"terms\" name=\"terms\" type=\"checkbox\" value=\"yes\" "
                     "required> I agree to the terms of service</label>")
    days = checkout.trial_days(state, session)
    word = "Start trial" if days else {"subscription": "Subscribe", "payment": "Pay",
                                       "setup": "Save card"}[session["mode"]]
    parts.append(f"<button id=\"pay\">{word}</button></form>")
    if session["cancel_url"]:
        parts.append(f"<p><a id=\"cancel\" href=\"{escape(session['cancel_url'], quote=True)}\">"
                     "Cancel and go back</a></p>")
    return document(title, "".join(parts))


def closed_page(session):
    """What an address says that has had its time."""
    words = {"complete": ("You’re all done here", "This Checkout page has already been used to "
                                                  "complete a payment."),
             "expired": ("This page has expired", "The Checkout Session has expired. Go back to "
                                                  "the shop and start again.")}
    title, text = words.get(session["status"], ("Something went wrong", "The page you were "
                                                "looking for could not be found."))
    return document(title, f"<h1>{escape(title)}</h1><p id=\"error\" role=\"alert\">"
                           f"{escape(text)}</p>")


def missing_page():
    return closed_page({"status": "missing"})


def challenge_page(action):
    """The bank's 3-D Secure question; `action` is where its answer goes."""
    action = escape(action, quote=True)
    return document("3D Secure 2 Test Page", (
        "<h1>3D Secure authentication</h1><p>Your bank asks whether this is really you.</p>"
        f"<form method=\"post\" action=\"{action}\">"
        "<button id=\"challenge-complete\" name=\"outcome\" value=\"complete\">Complete</button>"
        "<button id=\"challenge-fail\" class=\"quiet\" name=\"outcome\" value=\"fail\">Fail"
        "</button></form>"))


# ---- the invoice ----------------------------------------------------------------------------


def invoice_page(state, invoice, action, error=None):
    title = f"Invoice {invoice['number'] or ''}"
    rows = "".join(f"<dt>{escape(each['description'] or '')}</dt>"
                   f"<dd>{escape(money.shown(each['amount'], each['currency']))}</dd>"
                   for each in invoice["lines"]["data"])
    body = [f"<h1>{escape(title)}</h1><p class=\"amount\">"
            f"{escape(money.shown(invoice['amount_due'], invoice['currency']))}</p>"
            f"<p>Status: <strong id=\"status\">{escape(invoice['status'])}</strong></p>"
            f"<dl>{rows}</dl>", notice(error)]
    if invoice["status"] == "open":
        body.append(f"<form method=\"post\" action=\"{escape(action, quote=True)}\">"
                    f"{card_fields()}<button id=\"pay\">Pay</button></form>")
    if subscription_of(invoice):
        body.append(f"<p>Subscription {escape(subscription_of(invoice))}</p>")
    return document(title, "".join(body))


def invoice_pdf(invoice):
    """A one-page PDF that names the invoice."""
    text = f"Invoice {invoice['number'] or invoice['id']}".encode("latin-1", "replace")
    stream = b"BT /F1 18 Tf 72 760 Td (" + text + b") Tj ET"
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>",
               b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
               b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
               b"/Resources << /Font << /F1 5 0 R >> >> >>",
               b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
               b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    out, offsets = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return (out + b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
            + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
            % (len(objects) + 1, len(out)))
