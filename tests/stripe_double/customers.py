# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Customers: create, change, delete, list by e-mail, search."""

import copy
import secrets
import string

from . import payments
from .errors import missing
from .events import emit
from .lists import matching, page, search
from .params import merge_metadata
from .tables import (CUSTOMER_CREATE, CUSTOMER_LIST, CUSTOMER_SEARCH, CUSTOMER_UPDATE, NOTHING,
                     RETRIEVE)

_PLAIN = ("address", "balance", "business_name", "description", "email", "individual_name",
          "invoice_prefix", "name", "next_invoice_sequence", "phone", "preferred_locales",
          "shipping", "tax_exempt")


def build(state, **fields):
    """A customer with everything at rest, then `fields`."""
    prefix = "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(8))
    customer = {
        "id": state.new_id("cus_"), "object": "customer", "address": None, "balance": 0,
        "created": state.now(), "currency": None, "customer_account": None,
        "default_source": None, "delinquent": False, "description": None, "discount": None,
        "email": None, "invoice_prefix": prefix,
        "invoice_settings": {"custom_fields": None, "default_payment_method": None,
                             "footer": None, "rendering_options": None},
        "livemode": state.live, "metadata": {}, "name": None, "next_invoice_sequence": 1,
        "phone": None, "preferred_locales": [], "shipping": None, "tax_exempt": "none",
        "test_clock": None}
    customer.update(fields)
    state.add("customer", customer)
    emit(state, "customer.created", customer)
    return customer


def _apply(customer, params):
    for field in _PLAIN:
        if field in params:
            customer[field] = params[field] if params[field] != "" else None
    if customer["address"]:
        customer["address"] = full_address(customer["address"])
    if customer["tax_exempt"] is None:
        customer["tax_exempt"] = "none"
    for key, value in params.get("invoice_settings", {}).items():
        customer["invoice_settings"][key] = value or None
    merge_metadata(customer["metadata"], params.get("metadata"))


def full_address(address):
    """Every field of an address, null where unknown."""
    return {field: address.get(field) or None
            for field in ("city", "country", "line1", "line2", "postal_code", "state")}


def create(state, params):
    token = params.get("payment_method")
    if token:
        payments.known_token(state, token, "payment_method")
    settled = {"metadata": {}}
    template = {field: None for field in _PLAIN}
    template.update(metadata={}, invoice_settings={
        "custom_fields": None, "default_payment_method": None, "footer": None,
        "rendering_options": None}, tax_exempt="none")
    _apply(template, params)
    for field in (*_PLAIN, "metadata", "invoice_settings"):
        if field in params:
            settled[field] = template[field]
    customer = build(state, **settled)
    if token:
        payments.attach(state, payments.from_token(state, token), customer)
    return customer


def change(state, customer, **fields):
    """Set fields and say so, when they differ."""
    before = copy.deepcopy(customer)
    customer.update(fields)
    if customer != before:
        state.touch()
        emit(state, "customer.updated", customer, before)


def update(state, params, id):
    customer = state.fetch("customer", id)
    if customer.get("deleted"):
        raise missing("customer", id)
    default = params.get("invoice_settings", {}).get("default_payment_method")
    if default:
        state.fetch("payment_method", default, "invoice_settings[default_payment_method]")
    before = copy.deepcopy(customer)
    _apply(customer, params)
    state.touch()
    emit(state, "customer.updated", customer, before)
    return customer


def delete(state, params, id):
    from . import billing
    customer = state.fetch("customer", id)
    if customer.get("deleted"):
        raise missing("customer", id)
    for subscription in matching(state.all("subscription"), {"customer": id}, "customer"):
        if subscription["status"] not in ("canceled", "incomplete_expired"):
            billing.end(state, subscription)
    for method in matching(state.all("payment_method"), {"customer": id}, "customer"):
        payments.detach(state, {}, method["id"])
    emit(state, "customer.deleted", customer)
    customer.clear()
    customer.update({"id": id, "object": "customer", "deleted": True})
    state.touch()
    return customer


def _living(state):
    return [c for c in state.all("customer") if not c.get("deleted")]


def listed(state, params):
    return page("/v1/customers", matching(_living(state), params, "email"), params)


def searched(state, params):
    return search("/v1/customers/search", _living(state), params)


ROUTES = [
    ("POST", "/v1/customers", CUSTOMER_CREATE, create),
    ("GET", "/v1/customers", CUSTOMER_LIST, listed),
    ("GET", "/v1/customers/search", CUSTOMER_SEARCH, searched),
    ("GET", "/v1/customers/{id}", RETRIEVE,
     lambda state, params, id: state.fetch("customer", id)),
    ("POST", "/v1/customers/{id}", CUSTOMER_UPDATE, update),
    ("DELETE", "/v1/customers/{id}", NOTHING, delete),
]
