# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Products and prices, and the seeding of both from a catalogue of ours."""

import copy

from .errors import invalid, refused
from .events import emit
from .lists import matching, page
from .params import merge_metadata
from .tables import (PRICE_CREATE, PRICE_LIST, PRICE_UPDATE, PRODUCT_CREATE, PRODUCT_LIST,
                     PRODUCT_UPDATE, NOTHING, RETRIEVE)

# ---- products -------------------------------------------------------------------------------


def build_product(state, name, ident=None, **fields):
    product = {
        "id": ident or state.new_id("prod_"), "object": "product", "active": True,
        "created": state.now(), "default_price": None, "description": None, "images": [],
        "livemode": state.live, "marketing_features": [], "metadata": {}, "name": name,
        "package_dimensions": None, "shippable": None, "statement_descriptor": None,
        "tax_code": None, "tax_details": None, "type": "service", "unit_label": None,
        "updated": state.now(), "url": None}
    product.update(fields)
    return state.add("product", product)


def create_product(state, params):
    if "id" in params and state.find("product", params["id"]):
        raise refused(f"Product already exists with id: {params['id']}", "id",
                      "resource_already_exists")
    plain = {k: v for k, v in params.items()
             if k not in ("expand", "default_price_data", "id", "name")}
    product = build_product(state, params["name"], params.get("id"), **plain)
    emit(state, "product.created", product)
    if "default_price_data" in params:
        price = create_price(state, {**params["default_price_data"], "product": product["id"]})
        product["default_price"] = price["id"]
    return product


def update_product(state, params, id):
    product = state.fetch("product", id)
    before = copy.deepcopy(product)
    empty = {"images": [], "marketing_features": []}
    for key, value in params.items():
        if key == "metadata":
            merge_metadata(product["metadata"], value)
        elif key != "expand":
            product[key] = value if value != "" else empty.get(key)
    if product != before:
        product["updated"] = state.now()
    emit(state, "product.updated", product, before)
    return product


def delete_product(state, params, id):
    product = state.fetch("product", id)
    if matching(state.all("price"), {"product": id}, "product"):
        raise refused("This product cannot be deleted because it has one or more user-created "
                      "prices.")
    state.drop("product", id)
    emit(state, "product.deleted", product)
    return {"id": id, "object": "product", "deleted": True}


def list_products(state, params):
    products = matching(state.all("product"), params, "active", "type", "url", "shippable")
    if "ids" in params:
        products = [p for p in products if p["id"] in params["ids"]]
    return page("/v1/products", products, params)


# ---- prices ---------------------------------------------------------------------------------


def build_price(state, product, currency, amount, recurring=None, ident=None, **fields):
    """`recurring` is (interval, count) or None for a one-time price."""
    price = {
        "id": ident or state.new_id("price_"), "object": "price", "active": True,
        "billing_scheme": "per_unit", "created": state.now(), "currency": currency,
        "custom_unit_amount": None, "livemode": state.live, "lookup_key": None, "metadata": {},
        "nickname": None, "product": product,
        "recurring": recurring and {
            "interval": recurring[0], "interval_count": recurring[1], "meter": None,
            "trial_period_days": None, "usage_type": "licensed"},
        "tax_behavior": "unspecified", "tiers_mode": None, "transform_quantity": None,
        "type": "recurring" if recurring else "one_time", "unit_amount": amount,
        "unit_amount_decimal": str(amount)}
    price.update(fields)
    return state.add("price", price)


def _amount(params, where=""):
    if "unit_amount" in params:
        if params["unit_amount"] < 0:
            raise invalid("Invalid non-negative integer", where + "unit_amount",
                          "parameter_invalid_integer")
        return params["unit_amount"]
    if "unit_amount_decimal" in params:
        try:
            return int(params["unit_amount_decimal"])
        except ValueError:
            raise invalid("Invalid decimal", where + "unit_amount_decimal") from None
    raise invalid("You must specify one of `unit_amount`, `unit_amount_decimal`, or "
                  "`custom_unit_amount`.", where + "unit_amount", "parameter_missing")


def create_price(state, params):
    if "tiers" in params or params.get("billing_scheme") == "tiered":
        raise refused("The double has no tiered prices.", "billing_scheme")
    if ("product" in params) == ("product_data" in params):
        raise invalid("You must specify either `product` or `product_data` when creating a "
                      "price.", "product", "parameter_missing")
    if "product" in params:
        product = state.fetch("product", params["product"], "product")
    else:
        product = create_product(state, params["product_data"])
    amount = _amount(params)
    key = params.get("lookup_key")
    if key:
        _free_lookup_key(state, key, params.get("transfer_lookup_key"))
    recurring = params.get("recurring")
    price = build_price(
        state, product["id"], params["currency"], amount,
        recurring and (recurring["interval"], recurring.get("interval_count", 1)),
        active=params.get("active", True), lookup_key=key, metadata=params.get("metadata", {}),
        nickname=params.get("nickname"),
        tax_behavior=params.get("tax_behavior", "unspecified"))
    if recurring and recurring.get("usage_type") == "metered":
        price["recurring"].update(usage_type="metered", meter=recurring.get("meter"))
    emit(state, "price.created", price)
    return price


def _free_lookup_key(state, key, transfer, own=None):
    for other in matching(state.all("price"), {"lookup_key": key}, "lookup_key"):
        if other["id"] == own:
            continue
        if not transfer:
            raise refused(f"A price (`{other['id']}`) already uses that lookup key.",
                          "lookup_key")
        before = copy.deepcopy(other)
        other["lookup_key"] = None
        emit(state, "price.updated", other, before)


def from_price_data(state, data, where):
    """The hidden, inactive price that `price_data` makes."""
    if "product_data" in data:
        product = build_product(state, data["product_data"]["name"], active=False)
    elif "product" in data:
        product = state.fetch("product", data["product"], f"{where}[product]")
    else:
        raise invalid("You must specify either `product` or `product_data` when creating a "
                      "price.", f"{where}[product]", "parameter_missing")
    recurring = data.get("recurring")
    return build_price(state, product["id"], data["currency"], _amount(data, where),
                       recurring and (recurring["interval"], recurring.get("interval_count", 1)),
                       active=False)


def update_price(state, params, id):
    price = state.fetch("price", id)
    before = copy.deepcopy(price)
    if params.get("lookup_key"):
        _free_lookup_key(state, params["lookup_key"], params.get("transfer_lookup_key"), id)
    for key in ("active", "lookup_key", "nickname", "tax_behavior"):
        if key in params:
            price[key] = params[key] if params[key] != "" else None
    merge_metadata(price["metadata"], params.get("metadata"))
    state.touch()
    emit(state, "price.updated", price, before)
    return price


def list_prices(state, params):
    prices = matching(state.all("price"), params, "active", "currency", "product", "type")
    if "lookup_keys" in params:
        prices = [p for p in prices if p["lookup_key"] in params["lookup_keys"]]
    if "recurring" in params:
        prices = [p for p in prices if p["recurring"]
                  and not matching([p["recurring"]], params["recurring"], "interval", "meter",
                                   "usage_type") == []]
    return page("/v1/prices", prices, params)


# ---- catalogue ------------------------------------------------------------------------------


def _of_mode(state, value):
    """Ids of the catalogue are text for both modes, or one per mode."""
    return value.get(state.mode) if isinstance(value, dict) else value


def _english(value, default):
    if isinstance(value, dict):
        return value.get("en") or next(iter(value.values()), default)
    return value or default


def seed(state, catalog):
    """Make the products and prices of our catalogue, in both modes; what exists stays."""
    for live in (False, True):
        with state.acting(live):
            for group in ("plans", "packs", "goods"):
                for plan in catalog.get(group, []):
                    if plan.get("prices"):
                        _seed_plan(state, catalog, plan)
    state.touch()


def _seed_plan(state, catalog, plan):
    key = plan.get("plan") or plan.get("pack") or plan.get("sku") or plan.get("good") or "plan"
    ident = _of_mode(state, plan.get("product"))
    product = ident and state.find("product", ident)
    if product is None and ident is None:
        known = [p for p in state.all("product") if p["metadata"].get("subbill_plan") == key]
        product = known[0] if known else None
    if product is None:
        product = build_product(state, _english(plan.get("name"), key), ident,
                                description=_english(plan.get("description"), None),
                                metadata={"subbill_plan": key})
    state.private(product["id"])["entitlements"] = [
        each if isinstance(each, str) else each.get("key") for each in
        plan.get("entitlements", [])]
    for price in plan["prices"]:
        ident = _of_mode(state, price.get("id"))
        lookup = price.get("lookup_key")
        known = [p for p in state.all("price")
                 if p["id"] == ident or (lookup and p["lookup_key"] == lookup)]
        if known or (ident is None and isinstance(price.get("id"), dict)):
            continue
        interval = price.get("interval")
        build_price(state, product["id"],
                    price.get("currency") or catalog.get("currency", "eur"), price["amount"],
                    interval and (interval, price.get("interval_count", 1)), ident,
                    lookup_key=lookup, metadata={"subbill_plan": key})


ROUTES = [
    ("POST", "/v1/products", PRODUCT_CREATE, create_product),
    ("GET", "/v1/products", PRODUCT_LIST, list_products),
    ("GET", "/v1/products/{id}", RETRIEVE,
     lambda state, params, id: state.fetch("product", id)),
    ("POST", "/v1/products/{id}", PRODUCT_UPDATE, update_product),
    ("DELETE", "/v1/products/{id}", NOTHING, delete_product),
    ("POST", "/v1/prices", PRICE_CREATE, create_price),
    ("GET", "/v1/prices", PRICE_LIST, list_prices),
    ("GET", "/v1/prices/{id}", RETRIEVE, lambda state, params, id: state.fetch("price", id)),
    ("POST", "/v1/prices/{id}", PRICE_UPDATE, update_price),
]
