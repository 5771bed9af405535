# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Amounts for people: minor units with their currency."""

_WHOLE = {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv",
          "xaf", "xof", "xpf"}
_THOUSANDTHS = {"bhd", "jod", "kwd", "omr", "tnd"}
_SIGNS = {"eur": "€", "usd": "$", "gbp": "£", "jpy": "¥", "brl": "R$"}


def shown(amount, currency):
    """`299, "eur"` -> `€2.99`."""
    sign = _SIGNS.get(currency, currency.upper() + " ")
    minus, amount = ("-", -amount) if amount < 0 else ("", amount)
    if currency in _WHOLE:
        return f"{minus}{sign}{amount:,}"
    digits = 3 if currency in _THOUSANDTHS else 2
    whole, rest = divmod(amount, 10 ** digits)
    return f"{minus}{sign}{whole:,}.{rest:0{digits}d}"


def per_interval(price):
    """`€2.99 / month`, or the bare amount of a one-time price."""
    amount = shown(price["unit_amount"] or 0, price["currency"])
    if not price["recurring"]:
        return amount
    count, word = price["recurring"]["interval_count"], price["recurring"]["interval"]
    return f"{amount} / {word}" if count == 1 else f"{amount} / {count} {word}s"
