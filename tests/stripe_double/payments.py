# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Payment methods, payment intents, setup intents, charges: money moving, or not."""

import copy

from . import cards
from .errors import invalid, missing, refused
from .events import emit
from .lists import matching, page
from .tables import (CHARGE_LIST, CUSTOMER_METHOD_LIST, PAYMENT_INTENT_LIST, PAYMENT_METHOD_ATTACH,
                     PAYMENT_METHOD_LIST, RETRIEVE, SETUP_INTENT_LIST)

NO_ADDRESS = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None,
              "state": None}

# ---- payment methods ------------------------------------------------------------------------


def build_method(state, number, email=None, name=None, address=None, exp=(12, 2034)):
    """A card that nobody owns yet."""
    card = cards.CARDS[number]
    method = {
        "id": state.new_id("pm_"), "object": "payment_method", "allow_redisplay": "limited",
        "billing_details": {"address": address or dict(NO_ADDRESS), "email": email,
                            "name": name, "phone": None, "tax_id": None},
        "card": {
            "brand": card["brand"], "country": "US", "display_brand": card["brand"],
            "checks": {"address_line1_check": None, "address_postal_code_check": None,
                       "cvc_check": "pass"},
            "exp_month": exp[0], "exp_year": exp[1], "fingerprint": "fpTest" + number[-10:],
            "funding": "credit", "generated_from": None, "last4": number[-4:],
            "networks": {"available": [card["brand"]], "preferred": None},
            "regulated_status": "unregulated", "three_d_secure_usage": {"supported": True},
            "wallet": None},
        "created": state.now(), "customer": None, "customer_account": None,
        "livemode": state.live, "metadata": {}, "type": "card"}
    state.private(method["id"])["number"] = number
    return state.add("payment_method", method)


def number_of(state, method_id):
    return state.private(method_id)["number"]


def known_token(state, ident, param):
    """Refuse what is neither a payment method nor one of the test tokens."""
    if ident not in cards.TOKENS:
        state.fetch("payment_method", ident, param)


def from_token(state, ident):
    """`pm_card_visa` and its like make a fresh card each time they are used."""
    if ident in cards.TOKENS:
        return build_method(state, cards.TOKENS[ident])
    return state.fetch("payment_method", ident)


def attach(state, method, customer):
    """Tie a card to a customer; cards that are declined cannot be attached."""
    card = cards.CARDS[number_of(state, method["id"])]
    if card["save"] == "decline":
        raise cards.card_error(card["reason"])
    if method["customer"] != customer["id"]:
        method["customer"] = customer["id"]
        state.touch()
        emit(state, "payment_method.attached", method)
    return method


def attach_method(state, params, id):
    if "customer" not in params:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = state.fetch("customer", params["customer"], "customer")
    method = from_token(state, id)
    if method["customer"] and method["customer"] != customer["id"]:
        raise refused("The payment method you provided has already been attached to a customer.",
                      code="payment_method_already_attached")
    return attach(state, method, customer)


def detach(state, params, id):
    method = state.fetch("payment_method", id)
    if not method["customer"]:
        raise refused("The payment method you provided is not attached to a customer so "
                      "detachment is impossible.")
    owner = state.find("customer", method["customer"])
    method["customer"] = None
    if owner and not owner.get("deleted"):
        settings = owner["invoice_settings"]
        if settings["default_payment_method"] == id:
            settings["default_payment_method"] = None
    for subscription in matching(state.all("subscription"), {"default_payment_method": id},
                                 "default_payment_method"):
        subscription["default_payment_method"] = None
    emit(state, "payment_method.detached", method)
    return method


def list_methods(state, params):
    if "customer" not in params:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    state.fetch("customer", params["customer"], "customer")
    return page("/v1/payment_methods",
                matching(state.all("payment_method"), params, "customer", "type"), params)


def methods_of_customer(state, params, id):
    if state.fetch("customer", id).get("deleted"):
        raise missing("customer", id)
    methods = matching(state.all("payment_method"), {**params, "customer": id}, "customer",
                       "type")
    return page(f"/v1/customers/{id}/payment_methods", methods, params)


def method_of_customer(state, params, customer_id, id):
    method = state.fetch("payment_method", id)
    if method["customer"] != customer_id:
        raise missing("payment_method", id)
    return method


# ---- charging -------------------------------------------------------------------------------


def outcome_of(state, method_id, present, authenticated):
    """ok, decline or auth: what charging this card comes to right now."""
    card = cards.CARDS[number_of(state, method_id)]
    rule = card["pay" if present else "later"]
    if rule == "auth":
        return "ok" if authenticated else "auth"
    if rule == "auth_then_decline":
        return "decline" if authenticated else "auth"
    return rule


def build_intent(state, customer, amount, currency, description, reference=None, metadata=None):
    ident = state.new_id("pi_")
    intent = {
        "id": ident, "object": "payment_intent", "allowed_payment_method_types": None,
        "amount": amount, "amount_capturable": 0, "amount_details": {"tip": {}},
        "amount_received": 0, "application": None, "application_fee_amount": None,
        "automatic_payment_methods": None, "canceled_at": None, "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{ident}_secret_{state.new_id('x')}",
        "confirmation_method": "automatic", "created": state.now(), "currency": currency,
        "customer": customer, "customer_account": None, "description": description,
        "excluded_payment_method_types": None, "last_payment_error": None,
        "latest_charge": None, "livemode": state.live, "managed_payments": None,
        "metadata": dict(metadata or {}), "next_action": None, "on_behalf_of": None,
        "payment_details": {"customer_reference": None, "order_reference": reference},
        "payment_method": None, "payment_method_configuration_details": None,
        "payment_method_options": {"card": {
            "installments": None, "mandate_options": None, "network": None,
            "request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"], "payment_record": None, "processing": None,
        "receipt_email": None, "review": None, "setup_future_usage": "off_session",
        "shipping": None, "source": None, "statement_descriptor": None,
        "statement_descriptor_suffix": None, "status": "requires_payment_method",
        "transfer_data": None, "transfer_group": None}
    state.add("payment_intent", intent)
    emit(state, "payment_intent.created", intent)
    return intent


def _charge(state, intent, method, reason, authenticated):
    """The charge of one attempt; `reason` is the decline, None when it went through."""
    ident, paid, amount = state.new_id("ch_"), reason is None, intent["amount"]
    words = cards.decline_words(reason) if reason else (None, None)
    balance = paid and state.add("balance_transaction", {
        "id": state.new_id("txn_"), "object": "balance_transaction", "amount": amount,
        "available_on": state.now() + 2 * 86400, "balance_type": "payments",
        "created": state.now(), "currency": intent["currency"],
        "description": intent["description"], "exchange_rate": None, "fee": 0,
        "fee_details": [], "net": amount, "reporting_category": "charge", "source": ident,
        "status": "pending", "type": "charge"})
    secure = authenticated and {
        "authentication_flow": "challenge", "electronic_commerce_indicator": "05",
        "exemption_indicator": None, "result": "authenticated", "result_reason": None,
        "transaction_id": state.new_id("3ds_"), "version": "2.2.0"}
    card = method["card"]
    return state.add("charge", {
        "id": ident, "object": "charge", "amount": amount,
        "amount_captured": amount if paid else 0, "amount_refunded": 0, "application": None,
        "application_fee": None, "application_fee_amount": None,
        "balance_transaction": balance["id"] if balance else None,
        "billing_details": copy.deepcopy(method["billing_details"]),
        "calculated_statement_descriptor": "EXAMPLE SHOP", "captured": paid,
        "created": state.now(), "currency": intent["currency"], "customer": intent["customer"],
        "description": intent["description"], "disputed": False,
        "failure_balance_transaction": None, "failure_code": words[0],
        "failure_message": words[1], "fraud_details": None, "livemode": state.live,
        "metadata": dict(intent["metadata"]), "on_behalf_of": None,
        "outcome": {
            "advice_code": None if paid else "try_again_later", "network_advice_code": None,
            "network_decline_code": None if paid else "05",
            "network_status": "approved_by_network" if paid else "declined_by_network",
            "reason": reason, "risk_level": "normal", "risk_score": 12,
            "seller_message": "Payment complete." if paid else
                              "The bank did not approve this payment.",
            "type": "authorized" if paid else "issuer_declined"},
        "paid": paid, "payment_intent": intent["id"], "payment_method": method["id"],
        "payment_method_details": {"type": "card", "card": {
            "amount_authorized": amount if paid else None, "authorization_code": None,
            "brand": card["brand"], "checks": copy.deepcopy(card["checks"]),
            "country": card["country"], "electronic_commerce_indicator": None,
            "exp_month": card["exp_month"], "exp_year": card["exp_year"],
            "extended_authorization": {"status": "disabled"},
            "fingerprint": card["fingerprint"], "funding": card["funding"],
            "incremental_authorization": {"status": "unavailable"}, "installments": None,
            "last4": card["last4"], "mandate": None,
            "multicapture": {"status": "unavailable"}, "network": card["brand"],
            "network_token": {"used": False}, "network_transaction_id": "104102978678771",
            "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
            "regulated_status": "unregulated", "three_d_secure": secure or None,
            "transaction_link_id": None, "wallet": None}},
        "receipt_email": None, "receipt_number": None,
        "receipt_url": f"https://pay.stripe.com/receipts/payment/{ident}" if paid else None,
        "refunded": False, "review": None, "shipping": None, "source": None,
        "source_transfer": None, "statement_descriptor": None,
        "statement_descriptor_suffix": None, "status": "succeeded" if paid else "failed",
        "transfer_data": None, "transfer_group": None})


def attempt(state, intent, method, present=False, authenticated=False):
    """Try to collect an intent with a card: "ok", "decline" or "auth". Tells what happened."""
    outcome = outcome_of(state, method["id"], present, authenticated)
    state.touch()
    if outcome == "auth":
        intent.update(status="requires_action", payment_method=method["id"], next_action={
            "type": "use_stripe_sdk", "use_stripe_sdk": {}})
        emit(state, "payment_intent.requires_action", intent)
        return outcome
    reason = None
    if outcome == "decline":
        reason = cards.CARDS[number_of(state, method["id"])]["reason"]
    charge = _charge(state, intent, method, reason, authenticated)
    intent.update(latest_charge=charge["id"], next_action=None)
    if reason:
        code, message = cards.decline_words(reason)
        intent.update(status="requires_payment_method", payment_method=None, last_payment_error={
            "advice_code": "try_again_later", "charge": charge["id"], "code": code,
            "decline_code": reason, "message": message,
            "doc_url": "https://docs.stripe.com/error-codes/" + code.replace("_", "-"),
            "payment_method": copy.deepcopy(method), "type": "card_error"})
        emit(state, "charge.failed", charge)
        emit(state, "payment_intent.payment_failed", intent)
        return outcome
    intent.update(status="succeeded", amount_received=intent["amount"],
                  payment_method=method["id"], last_payment_error=None)
    emit(state, "charge.succeeded", charge)
    emit(state, "payment_intent.succeeded", intent)
    return outcome


def build_setup(state, customer, method, metadata=None):
    """A setup intent that succeeded: how a card was saved without paying."""
    ident = state.new_id("seti_")
    setup = {
        "id": ident, "object": "setup_intent", "allowed_payment_method_types": None,
        "application": None, "automatic_payment_methods": None, "cancellation_reason": None,
        "client_secret": f"{ident}_secret_{state.new_id('x')}", "created": state.now(),
        "customer": customer, "customer_account": None, "description": None,
        "excluded_payment_method_types": None, "flow_directions": None,
        "last_setup_error": None, "latest_attempt": None, "livemode": state.live,
        "managed_payments": None, "mandate": None, "metadata": dict(metadata or {}),
        "next_action": None, "on_behalf_of": None, "payment_method": method["id"],
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"mandate_options": None, "network": None,
                                            "request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"], "single_use_mandate": None, "status": "succeeded",
        "usage": "off_session"}
    state.add("setup_intent", setup)
    emit(state, "setup_intent.created", setup)
    emit(state, "setup_intent.succeeded", setup)
    return setup


def _lists(kind, url, *fields):
    return lambda state, params: page(url, matching(state.all(kind), params, *fields), params)


ROUTES = [
    ("GET", "/v1/payment_methods", PAYMENT_METHOD_LIST, list_methods),
    ("GET", "/v1/payment_methods/{id}", RETRIEVE,
     lambda state, params, id: state.fetch("payment_method", id)),
    ("POST", "/v1/payment_methods/{id}/attach", PAYMENT_METHOD_ATTACH, attach_method),
    ("POST", "/v1/payment_methods/{id}/detach", RETRIEVE, detach),
    ("GET", "/v1/customers/{id}/payment_methods", CUSTOMER_METHOD_LIST, methods_of_customer),
    ("GET", "/v1/customers/{customer_id}/payment_methods/{id}", RETRIEVE, method_of_customer),
    ("GET", "/v1/payment_intents", PAYMENT_INTENT_LIST,
     _lists("payment_intent", "/v1/payment_intents", "customer")),
    ("GET", "/v1/payment_intents/{id}", RETRIEVE,
     lambda state, params, id: state.fetch("payment_intent", id)),
    ("GET", "/v1/setup_intents", SETUP_INTENT_LIST,
     _lists("setup_intent", "/v1/setup_intents", "customer", "payment_method")),
    ("GET", "/v1/setup_intents/{id}", RETRIEVE,
     lambda state, params, id: state.fetch("setup_intent", id)),
    ("GET", "/v1/charges", CHARGE_LIST,
     _lists("charge", "/v1/charges", "customer", "payment_intent", "transfer_group")),
    ("GET", "/v1/charges/{id}", RETRIEVE, lambda state, params, id: state.fetch("charge", id)),
]
