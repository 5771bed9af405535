# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Checkout sessions: made by the API, completed by the hosted page or the control API.

`complete()` is the buyer pressing the button: it raises a card error (the page shows it and the
session stays open), asks for 3-D Secure, or makes everything a paid session makes, in the order
Stripe usually tells it.
"""

import copy

from . import billing, cards, coupons, customers, invoices, payments, prices, subscriptions
from .errors import ApiError, invalid, refused
from .events import emit
from .lists import envelope, matching, page
from .params import merge_metadata
from .periods import DAY
from .tables import RETRIEVE, SESSION_CREATE, SESSION_LIST, SESSION_UPDATE, INVOICE_LINES

_NEEDED_FOR = {"subscription_data": ("subscription",), "payment_intent_data": ("payment",),
               "invoice_creation": ("payment",), "setup_intent_data": ("setup",),
               "customer_creation": ("payment", "setup"),
               "payment_method_collection": ("subscription",), "submit_type": ("payment",
                                                                               "subscription")}

# ---- rules between parameters ---------------------------------------------------------------


def _check(state, params):
    mode = params.get("mode")
    if mode is None:
        raise invalid("Missing required param: mode.", "mode", "parameter_missing")
    for first, second in (("customer", "customer_email"), ("discounts", "allow_promotion_codes")):
        if params.get(first) and params.get(second):
            raise invalid(f"You may only specify one of these parameters: {first}, {second}.",
                          first)
    if "customer_update" in params and "customer" not in params:
        raise invalid("`customer_update` can only be used with `customer`.", "customer_update")
    for name, modes in _NEEDED_FOR.items():
        if name in params and mode not in modes:
            raise invalid(f"You can not pass `{name}` in `{mode}` mode.", name)
    if len(params.get("discounts", [])) > 1:
        raise invalid("You may only specify one discount.", "discounts")
    _check_urls(params)
    _check_times(state, params)
    if mode == "setup":
        if "line_items" in params:
            raise invalid("You can not pass `line_items` in `setup` mode.", "line_items")
        if "currency" not in params:
            raise invalid("Missing required param: currency.", "currency", "parameter_missing")
    elif not params.get("line_items"):
        raise invalid("Missing required param: line_items.", "line_items", "parameter_missing")
    if params.get("automatic_tax", {}).get("enabled") and "customer" in params:
        customer = state.fetch("customer", params["customer"], "customer")
        saved = params.get("customer_update", {})
        if not customer["address"] and saved.get("address") != "auto" \
                and saved.get("shipping") != "auto":
            raise refused("Automatic tax calculation in Checkout requires a valid address on the "
                          "Customer. Add a valid address to the Customer or set either "
                          "`customer_update[address]` to 'auto' or `customer_update[shipping]` "
                          "to 'auto' to save the address entered in Checkout to the Customer.",
                          code="customer_tax_location_invalid")


def _check_urls(params):
    hosted = params.get("ui_mode", "hosted_page") in ("hosted_page",)
    if hosted:
        if "return_url" in params:
            raise invalid("`return_url` can only be used with `ui_mode` embedded_page, form or "
                          "elements.", "return_url")
        if "success_url" not in params:
            raise invalid("Missing required param: success_url.", "success_url",
                          "parameter_missing")
        return
    for name in ("success_url", "cancel_url"):
        if name in params:
            raise invalid(f"`{name}` can only be used with `ui_mode: hosted_page`.", name)
    if "return_url" not in params and params.get("redirect_on_completion") != "never":
        raise invalid("Missing required param: return_url.", "return_url", "parameter_missing")


def _check_times(state, params):
    now, data = state.now(), params.get("subscription_data", {})
    if "expires_at" in params and not 1800 - 60 <= params["expires_at"] - now <= DAY + 60:
        raise invalid("The `expires_at` timestamp must be between 30 minutes and 24 hours from "
                      "Checkout Session creation.", "expires_at")
    if "trial_end" in data and "trial_period_days" in data:
        raise invalid("You may only specify one of these parameters: trial_end, "
                      "trial_period_days.", "subscription_data[trial_end]")
    if "trial_end" in data and data["trial_end"] < now + 2 * DAY:
        raise invalid("The `trial_end` date has to be at least 2 days in the future.",
                      "subscription_data[trial_end]")
    if data.get("trial_period_days", 1) < 1:
        raise invalid("Invalid subscription_data[trial_period_days]: must be at least 1",
                      "subscription_data[trial_period_days]", "parameter_invalid_integer")
    if data.get("trial_period_days", 1) > 730:
        raise invalid("The maximum number of trial period days is 730 (2 years).",
                      "subscription_data[trial_period_days]")


def _items(state, params):
    """The session's line items, priced; refused where the mode does not allow them."""
    items, recurring, once = [], 0, 0
    for index, each in enumerate(params.get("line_items", [])):
        where = f"line_items[{index}]"
        if ("price" in each) == ("price_data" in each):
            raise invalid(f"You must specify either `price` or `price_data` in {where}.",
                          f"{where}[price]", "parameter_missing")
        if "price" in each:
            price = state.fetch("price", each["price"], f"{where}[price]")
            if not price["active"]:
                raise refused("The price specified is inactive. This field only accepts active "
                              "prices.", f"{where}[price]")
        else:
            price = prices.from_price_data(state, each["price_data"], f"{where}[price_data]")
        metered = price["recurring"] and price["recurring"]["usage_type"] == "metered"
        if metered and "quantity" in each:
            raise invalid("Quantity should not be specified where usage_type is `metered`.",
                          f"{where}[quantity]")
        if not metered and "quantity" not in each:
            raise invalid(f"Quantity is required. Add `quantity` to `{where}`.",
                          f"{where}[quantity]", "parameter_missing")
        if not metered and not 1 <= each["quantity"] <= 999999:
            raise invalid("Invalid quantity: must be between 1 and 999999", f"{where}[quantity]",
                          "parameter_invalid_integer")
        recurring += bool(price["recurring"])
        once += not price["recurring"]
        items.append({"price": price["id"], "quantity": each.get("quantity", 1),
                      "id": state.new_id("li_"), "metadata": each.get("metadata") or {}})
    if params["mode"] == "subscription" and not recurring:
        raise refused("You must provide at least one recurring price in `subscription` mode when "
                      "using prices.", "line_items")
    if params["mode"] == "payment" and recurring:
        raise refused("You specified `payment` mode but passed a recurring price. Either switch "
                      "to `subscription` mode or use only one-time prices.", "line_items")
    if params["mode"] == "subscription" and (recurring > 20 or once > 20):
        raise refused("You can pass at most 20 recurring and 20 one-time line items.",
                      "line_items")
    currencies = {state.find("price", item["price"])["currency"] for item in items}
    if len(currencies) > 1 or (items and params.get("currency", min(currencies))
                               not in currencies):
        raise refused("All line items must use the same currency.", "line_items")
    return items


# ---- amounts --------------------------------------------------------------------------------


def _trial_end(state, session):
    data = state.private(session["id"])["subscription_data"]
    if "trial_end" in data:
        return data["trial_end"]
    days = data.get("trial_period_days")
    return state.now() + days * DAY if days else None


def trial_days(state, session):
    """Whole days of the trial, 0 without."""
    end = _trial_end(state, session) if session["mode"] == "subscription" else None
    return max(0, round((end - state.now()) / DAY)) if end else 0


def totals(state, session, pairs=()):
    """(subtotal, discount) of what is due today."""
    trial = session["mode"] == "subscription" and _trial_end(state, session)
    subtotal = off = 0
    for item in state.private(session["id"])["items"]:
        price = state.find("price", item["price"])
        if trial and price["recurring"]:
            continue
        amount = (price["unit_amount"] or 0) * item["quantity"]
        subtotal += amount
        off += sum(coupons.reduction(coupon, amount, price["currency"]) for coupon, _ in pairs)
    return subtotal, min(off, subtotal)


def _price_in(state, session, pairs):
    subtotal, off = totals(state, session, pairs)
    session.update(amount_subtotal=subtotal, amount_total=subtotal - off)
    session["total_details"] = {"amount_discount": off, "amount_shipping": 0, "amount_tax": 0}
    session["discounts"] = [{"coupon": coupon["id"] if promotion is None else None,
                             "promotion_code": promotion and promotion["id"]}
                            for coupon, promotion in pairs]


# ---- API ------------------------------------------------------------------------------------


def create(state, params):
    _check(state, params)
    customer = None
    if "customer" in params:
        customer = state.fetch("customer", params["customer"], "customer")
    items = _items(state, params)
    currency = params.get("currency")
    if items:
        currency = state.find("price", items[0]["price"])["currency"]
        if params["mode"] == "subscription":
            subscriptions.one_currency(customer, {currency})
    pairs = coupons.resolve(state, params.get("discounts"))
    session = _build(state, params, customer, currency)
    state.private(session["id"]).update(
        items=items, subscription_data=params.get("subscription_data", {}),
        payment_intent_data=params.get("payment_intent_data", {}),
        invoice_creation=params.get("invoice_creation", {}),
        customer_update=params.get("customer_update", {}))
    state.add("checkout.session", session)
    if session["mode"] != "setup":
        _price_in(state, session, pairs)
    return session


def page_url(state, ident):
    return f"{state.base_url}/c/pay/{ident}"


def _build(state, params, customer, currency):
    mode, now = params["mode"], state.now()
    ident = state.new_id("cs_live_" if state.live else "cs_test_")
    hosted = params.get("ui_mode", "hosted_page") == "hosted_page"
    tax = params.get("automatic_tax", {}).get("enabled", False)
    creation = params.get("invoice_creation", {})
    recovery = params.get("after_expiration", {}).get("recovery")
    consent = params.get("consent_collection")
    text = params.get("custom_text", {})
    session = {
        "id": ident, "object": "checkout.session",
        "adaptive_pricing": {"enabled": params.get("adaptive_pricing", {}).get("enabled",
                                                                               False)},
        "after_expiration": {"recovery": {
            "allow_promotion_codes": recovery.get("allow_promotion_codes", False),
            "enabled": recovery["enabled"], "expires_at": None, "url": None}}
        if recovery else None,
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "amount_subtotal": None, "amount_total": None,
        "automatic_tax": {"enabled": tax, "liability": {"type": "self"} if tax else None,
                          "provider": "stripe" if tax else None,
                          "status": "requires_location_inputs" if tax else None},
        "billing_address_collection": params.get("billing_address_collection"),
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"), "client_secret": None,
        "collected_information": {"business_name": None, "individual_name": None,
                                  "shipping_details": None},
        "consent": None,
        "consent_collection": consent and {
            "payment_method_reuse_agreement": consent.get("payment_method_reuse_agreement"),
            "promotions": consent.get("promotions"),
            "terms_of_service": consent.get("terms_of_service")},
        "created": now, "currency": currency, "currency_conversion": None, "custom_fields": [],
        "custom_text": {key: text.get(key) or None for key in (
            "after_submit", "shipping_address", "submit", "terms_of_service_acceptance")},
        "customer": customer and customer["id"], "customer_account": None,
        "customer_creation": None if mode == "subscription" or customer
        else params.get("customer_creation", "if_required"),
        "customer_details": {
            "address": None, "business_name": None, "individual_name": None, "name": None,
            "email": customer["email"] if customer else params.get("customer_email"),
            "phone": None, "tax_exempt": "none", "tax_ids": None}
        if customer or "customer_email" in params else None,
        "customer_email": params.get("customer_email"), "discounts": [],
        "expires_at": params.get("expires_at", now + DAY),
        "integration_identifier": params.get("integration_identifier"), "invoice": None,
        "invoice_creation": None if mode != "payment" else {
            "enabled": creation.get("enabled", False),
            "invoice_data": {"account_tax_ids": None, "custom_fields": None, "footer": None,
                             "description": creation.get("invoice_data", {}).get("description"),
                             "issuer": None, "rendering_options": None,
                             "metadata": creation.get("invoice_data", {}).get("metadata", {})}},
        "livemode": state.live, "locale": params.get("locale"), "managed_payments": None,
        "metadata": params.get("metadata", {}), "mode": mode,
        "origin_context": params.get("origin_context"), "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": params.get("payment_method_collection", "always")
        if mode == "subscription" else "if_required" if mode == "payment" else None,
        "payment_method_configuration_details": {"id": "pmc_1StripeDouble000001",
                                                 "parent": None},
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
        "permissions": None,
        "phone_number_collection": params.get("phone_number_collection", {"enabled": False}),
        "recovered_from": None, "saved_payment_method_options": None, "setup_intent": None,
        "shipping_address_collection": None, "shipping_cost": None, "shipping_options": [],
        "status": "open", "submit_type": params.get("submit_type"), "subscription": None,
        "success_url": params.get("success_url"), "total_details": None,
        "ui_mode": params.get("ui_mode", "hosted_page"),
        "url": page_url(state, ident) if hosted else None, "wallet_options": None}
    if not hosted:
        session["client_secret"] = f"{ident}_secret_{state.new_id('x')}"
        session["return_url"] = params.get("return_url")
        session["redirect_on_completion"] = params.get("redirect_on_completion", "always")
    if "tax_id_collection" in params:
        session["tax_id_collection"] = {
            "enabled": params["tax_id_collection"]["enabled"],
            "required": params["tax_id_collection"].get("required", "never")}
    return session


def update(state, params, id):
    session = state.fetch("checkout.session", id)
    merge_metadata(session["metadata"], params.get("metadata"))
    state.touch()
    return session


def expire(state, params, id):
    session = state.fetch("checkout.session", id)
    if session["status"] != "open":
        raise refused("Only Checkout Sessions with a status in [\"open\"] can be expired. This "
                      f"Checkout Session has a status of `{session['status']}`.")
    _expire(state, session)
    return session


def _expire(state, session):
    session.update(status="expired", url=None)
    state.touch()
    emit(state, "checkout.session.expired", session)


def due(state):
    """Open sessions end at `expires_at`."""
    return [(session["expires_at"], 6, _expire, session)
            for session in state.all("checkout.session") if session["status"] == "open"]


def listed(state, params):
    found = matching(state.all("checkout.session"), params, "customer", "payment_intent",
                     "payment_link", "status", "subscription")
    if "customer_details" in params:
        email = params["customer_details"]["email"]
        found = [s for s in found if (s["customer_details"] or {}).get("email") == email]
    return page("/v1/checkout/sessions", found, params)


def line_items(state, session):
    """The `item` objects of a session."""
    pairs = _pairs(state, session)
    trial = session["mode"] == "subscription" and session["status"] == "open" and \
        _trial_end(state, session)
    trial = trial or state.private(session["id"]).get("trial")
    data = []
    for each in state.private(session["id"])["items"]:
        price = state.find("price", each["price"])
        product = state.find("product", price["product"])
        amount = 0 if trial and price["recurring"] else \
            (price["unit_amount"] or 0) * each["quantity"]
        off = min(amount, sum(coupons.reduction(coupon, amount, price["currency"])
                              for coupon, _ in pairs))
        data.append({
            "id": each["id"], "object": "item", "adjustable_quantity": None,
            "amount_discount": off, "amount_subtotal": amount, "amount_tax": 0,
            "amount_total": amount - off, "currency": price["currency"],
            "description": product["name"] if product else None, "metadata": each["metadata"],
            "price": copy.deepcopy(price), "quantity": each["quantity"]})
    return data


def _pairs(state, session):
    pairs = []
    for each in session["discounts"] or []:
        promotion = each["promotion_code"] and state.find("promotion_code",
                                                          each["promotion_code"])
        coupon = state.find("coupon", promotion["promotion"]["coupon"] if promotion
                            else each["coupon"])
        if coupon:
            pairs.append((coupon, promotion or None))
    return pairs


def list_line_items(state, params, id):
    session = state.fetch("checkout.session", id)
    return page(f"/v1/checkout/sessions/{id}/line_items",
                list(reversed(line_items(state, session))), params)


# ---- the buyer ------------------------------------------------------------------------------


def apply_code(state, session, code):
    """A promotion code typed on the page; an empty one is taken off again."""
    if not code:
        _price_in(state, session, [])
        return
    promotion = coupons.find_code(state, code) if session["allow_promotion_codes"] else None
    if promotion is None or (promotion["customer"]
                             and promotion["customer"] != session["customer"]):
        raise ApiError(402, "This code is invalid.", code="promotion_code_invalid")
    if coupons.first_purchase_only(state, promotion, session["customer"]) or (
            promotion["restrictions"]["first_time_transaction"] and not session["customer"]):
        raise ApiError(402, "This code is only for first purchases.",
                       code="promotion_code_invalid")
    coupon = state.find("coupon", promotion["promotion"]["coupon"])
    _price_in(state, session, [(coupon, promotion)])
    state.touch()


def needs_card(state, session):
    """Whether the page asks for a card at all."""
    due = (session["amount_total"] or 0) > 0 or session["mode"] == "setup"
    return due or session["payment_method_collection"] == "always"


def complete(state, session, number=None, authenticated=False, **buyer):
    """Finish an open session. `buyer`: email, name, address, exp. Returns "done" or "auth".

    Raises ApiError when the session is not open or the card is declined.
    """
    if session["status"] != "open":
        raise refused(f"This Checkout Session is {session['status']}.",
                      code="checkout_session_not_open")
    card = None
    if needs_card(state, session):
        digits = cards.read(number or "")
        card = cards.CARDS[digits]
        due = (session["amount_total"] or 0) > 0
        rule = card["pay"] if due else card["save"]
        if rule.startswith("auth") and not authenticated:
            return "auth"
        if rule in ("decline", "auth_then_decline"):
            if due:
                _declined_attempt(state, session, digits, buyer)
            raise cards.card_error(card["reason"])
    _finish(state, session, digits if card else None, authenticated, buyer)
    return "done"


def _declined_attempt(state, session, digits, buyer):
    """A declined try leaves a failed charge and intent behind, and nothing else."""
    method = payments.build_method(state, digits, buyer.get("email"), buyer.get("name"))
    intent = payments.build_intent(state, session["customer"], session["amount_total"],
                                   session["currency"], None)
    payments.attempt(state, intent, method, present=True, authenticated=True)


def _finish(state, session, digits, authenticated, buyer):
    notes = state.private(session["id"])
    details = session["customer_details"] or {}
    email = details.get("email") or buyer.get("email") or "buyer@example.com"
    name = buyer.get("name") or details.get("name") or "Test Buyer"
    address = customers.full_address(buyer.get("address") or {"country": "DE"})
    customer = _customer(state, session, email, name, address)
    method = None
    if digits:
        method = payments.build_method(state, digits, email, name, address,
                                       buyer.get("exp") or (12, 2034))
        if customer and session["mode"] != "payment":
            payments.attach(state, method, customer)
    session["customer"] = customer and customer["id"]
    session["customer_details"] = {
        "address": address, "business_name": None, "individual_name": None, "email": email,
        "name": name, "phone": None, "tax_exempt": "none", "tax_ids": []}
    if session["consent_collection"]:
        agreed = session["consent_collection"]["terms_of_service"] == "required"
        session["consent"] = {"promotions": None,
                              "terms_of_service": "accepted" if agreed else None}
    if session["automatic_tax"]["enabled"]:
        session["automatic_tax"]["status"] = "complete"
    notes["trial"] = bool(trial_days(state, session))
    finish = {"subscription": _subscribe, "payment": _pay, "setup": _setup}[session["mode"]]
    finish(state, session, customer, method, authenticated)
    session.update(status="complete", url=None)
    state.touch()
    emit(state, "checkout.session.completed", session)


def _customer(state, session, email, name, address):
    """The session's customer, a new one, or none (a guest in payment mode)."""
    if session["customer"]:
        customer = state.find("customer", session["customer"])
        saved = state.private(session["id"])["customer_update"]
        wanted = {}
        if saved.get("name") == "auto":
            wanted["name"] = name
        if saved.get("address") == "auto":
            wanted["address"] = address
        if not customer["email"]:
            wanted["email"] = email
        customers.change(state, customer, **wanted)
        return customer
    if session["mode"] != "subscription" and session["customer_creation"] == "if_required":
        return None
    return customers.build(state, email=email, name=name)


def _subscribe(state, session, customer, method, authenticated):
    notes = state.private(session["id"])
    items, once = [], []
    for each in notes["items"]:
        price = state.find("price", each["price"])
        (items if price["recurring"] else once).append((price, each["quantity"],
                                                        each["metadata"]))
    data = dict(notes["subscription_data"])
    data["default_payment_method"] = method and method["id"]
    subscription = subscriptions.build(state, customer, items, data, _trial_end(state, session))
    for coupon, promotion in _pairs(state, session):
        discount = coupons.redeem(state, coupon, promotion, customer["id"], subscription["id"],
                                  session["id"])
        subscription["discounts"].append(discount["id"])
    extra = [invoices.line(state, subscription, None, state.now(), state.now(), price=price,
                           quantity=quantity) for price, quantity, _ in once]
    session.update(subscription=subscription["id"])
    # `customer.subscription.created` names the invoice and is told before it is made.
    subscription["latest_invoice"] = state.new_id("in_")
    subscriptions.announce(state, subscription)
    invoice = billing.first_invoice(state, subscription, extra, subscription["latest_invoice"])
    invoices.finalize(state, invoice)
    session.update(invoice=invoice["id"])
    outcome = invoices.collect(state, invoice, method, present=True, authenticated=authenticated)
    session["payment_status"] = "no_payment_required" if invoice["amount_due"] == 0 else "paid"
    assert outcome == "ok", "complete() has asked the card before"


def _pay(state, session, customer, method, authenticated):
    notes = state.private(session["id"])
    data = notes["payment_intent_data"]
    amount = session["amount_total"]
    for coupon, promotion in _pairs(state, session):
        coupons.redeem(state, coupon, promotion, customer and customer["id"],
                       session=session["id"])
    if amount == 0:
        session["payment_status"] = "no_payment_required"
    else:
        if method and customer:
            method["customer"] = customer["id"]
        intent = payments.build_intent(state, customer and customer["id"], amount,
                                       session["currency"], data.get("description"),
                                       metadata=data.get("metadata"))
        intent["setup_future_usage"] = data.get("setup_future_usage")
        payments.attempt(state, intent, method, present=True, authenticated=authenticated)
        session.update(payment_intent=intent["id"], payment_status="paid")
    if notes["invoice_creation"].get("enabled") and customer:
        lines = [invoices.line(state, None, None, state.now(), state.now(),
                               price=state.find("price", each["price"]),
                               quantity=each["quantity"]) for each in notes["items"]]
        invoice = invoices.create(state, customer, session["currency"], lines, "manual",
                                  discounts=[], metadata=session["invoice_creation"]
                                  ["invoice_data"]["metadata"])
        invoices.finalize(state, invoice)
        invoices.settle(state, invoice)
        session["invoice"] = invoice["id"]


def _setup(state, session, customer, method, authenticated):
    setup = payments.build_setup(state, customer and customer["id"], method)
    session["setup_intent"] = setup["id"]


INCLUDABLE = {("checkout.session", "line_items"): lambda state, session: envelope(
    f"/v1/checkout/sessions/{session['id']}/line_items",
    line_items(state, state.find("checkout.session", session["id"])))}

ROUTES = [
    ("POST", "/v1/checkout/sessions", SESSION_CREATE, create),
    ("GET", "/v1/checkout/sessions", SESSION_LIST, listed),
    ("GET", "/v1/checkout/sessions/{id}", RETRIEVE,
     lambda state, params, id: state.fetch("checkout.session", id)),
    ("POST", "/v1/checkout/sessions/{id}", SESSION_UPDATE, update),
    ("POST", "/v1/checkout/sessions/{id}/expire", RETRIEVE, expire),
    ("GET", "/v1/checkout/sessions/{id}/line_items", INVOICE_LINES, list_line_items),
]
