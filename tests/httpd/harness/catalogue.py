# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The catalogue most tests sell from: free, basic and pro in one group, one contact plan.

The prices are those of the event stories, so that a story's subscriptions map to these plans in
each of its API versions.
"""
import copy

FREE, BASIC, PRO = "free", "basic", "pro"

PRICE = {
    "basic": "price_1SbBasicMonthEUR0000001",
    "basic_year": "price_1SbBasicYearEUR00000001",
    "basic_usd": "price_1SbBasicMonthUSD0000001",
    "basic_old": "price_1PoBasicMonthEUR0000001",
    "pro": "price_1SbProMonthEUR00000001",
    "pro_year": "price_1SbProYearEUR000000001",
    "pro_old": "price_1PoProMonthEUR00000001",
}

_DEFAULT = {
    "currency": "eur",
    "default_price": PRICE["basic"],
    "checkout": {"promotion_codes": True},
    "plans": [
        {"plan": "free", "name": {"en": "Free", "de": "Kostenlos"}, "group": "membership",
         "rank": 0, "free": True, "default": True},
        {"plan": "basic", "name": {"en": "Basic", "de": "Basis"}, "group": "membership",
         "rank": 10, "product": "prod_TBasicPlan0001",
         "features": [{"en": "All member pages", "de": "Alle Mitgliederseiten"}],
         "prices": [
             {"interval": "month", "amount": 900, "id": PRICE["basic"],
              "lookup_key": "basic_monthly", "plan_id": 1},
             {"interval": "year", "amount": 9000, "id": PRICE["basic_year"],
              "lookup_key": "basic_yearly", "plan_id": 2},
             {"interval": "month", "currency": "usd", "amount": 1000,
              "id": PRICE["basic_usd"], "plan_id": 3}]},
        {"plan": "pro", "name": {"en": "Pro", "de": "Profi"}, "group": "membership",
         "rank": 20, "product": "prod_TProPlan000001",
         "features": [{"en": "The workshop", "de": "Die Werkstatt"}],
         "prices": [
             {"interval": "month", "amount": 2900, "id": PRICE["pro"],
              "lookup_key": "pro_monthly", "plan_id": 4},
             {"interval": "year", "amount": 29000, "id": PRICE["pro_year"],
              "lookup_key": "pro_yearly", "plan_id": 5}]},
        {"plan": "enterprise", "name": {"en": "Enterprise", "de": "Unternehmen"},
         "group": "membership", "rank": 30, "contact": "mailto:sales@example.com"},
    ],
}

def default(trial_days=0):
    """A fresh copy to change at will; trial_days go to the basic plan."""
    catalogue = copy.deepcopy(_DEFAULT)
    if trial_days:
        plan(catalogue, "basic")["trial_days"] = trial_days
    return catalogue


def of_old_story():
    """The default catalogue with the prices of the pre-basil story in place of its own."""
    catalogue = default()
    for name in ("basic", "pro"):
        plan(catalogue, name)["prices"][0]["id"] = PRICE[f"{name}_old"]
        plan(catalogue, name).pop("product")
    catalogue["default_price"] = PRICE["basic_old"]
    return catalogue


def plan(catalogue, name):
    return next(entry for entry in catalogue["plans"] if entry["plan"] == name)
