# Licensed under the Apache License, Version 2.0; see LICENSE.
"""List envelopes with cursors, search results, and `expand[]`."""

import copy
import re

from .errors import invalid

# Field -> kind of the object its id names.
_EXPANDABLE = {
    "balance_transaction": "balance_transaction", "charge": "charge",
    "configuration": "billing_portal.configuration", "coupon": "coupon", "customer": "customer",
    "default_payment_method": "payment_method", "default_price": "price", "discounts": "discount",
    "feature": "entitlements.feature", "invoice": "invoice", "latest_charge": "charge",
    "latest_invoice": "invoice", "payment_intent": "payment_intent",
    "payment_method": "payment_method", "pending_setup_intent": "setup_intent",
    "product": "product", "promotion_code": "promotion_code", "setup_intent": "setup_intent",
    "subscription": "subscription",
}


def envelope(url, data, has_more=False):
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def in_range(value, wanted):
    """`created` and its like: an exact time or bounds."""
    if wanted is None:
        return True
    if not isinstance(wanted, dict):
        return value == wanted
    return (value is not None
            and value > wanted.get("gt", -1) and value >= wanted.get("gte", 0)
            and value < wanted.get("lt", 1 << 62) and value <= wanted.get("lte", 1 << 62))


def page(url, things, params):
    """Newest first, `limit`, `starting_after`, `ending_before`; `things` is in creation order."""
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid("Invalid limit: must be between 1 and 100", "limit",
                      "parameter_invalid_integer")
    if "starting_after" in params and "ending_before" in params:
        raise invalid("You may only specify one of these parameters: starting_after, "
                      "ending_before.")
    things = [t for t in reversed(things) if in_range(t.get("created"), params.get("created"))]
    ids = [thing["id"] for thing in things]
    for cursor in ("starting_after", "ending_before"):
        if cursor in params and params[cursor] not in ids:
            raise invalid(f"No such object: '{params[cursor]}'", cursor, "resource_missing")
    if "ending_before" in params:
        newer = things[:ids.index(params["ending_before"])]
        return envelope(url, newer[-limit:], len(newer) > limit)
    start = ids.index(params["starting_after"]) + 1 if "starting_after" in params else 0
    return envelope(url, things[start:start + limit], len(things) > start + limit)


def matching(things, params, *fields):
    """Those whose fields equal the given parameters."""
    wanted = [field for field in fields if field in params]
    return [t for t in things if all(t.get(field) == params[field] for field in wanted)]


# ---- search ---------------------------------------------------------------------------------

_CLAUSE = re.compile(
    r"\s*(-?)(\w+)(?:\[['\"]([^'\"]+)['\"]\])?\s*(:|~|>=|<=|>|<)\s*(null|['\"]([^'\"]*)['\"]|\d+)")


def search(url, things, params):
    """Stripe's search language as far as `field:"x"`, `metadata["k"]:"v"`, `~`, `>`, AND/OR."""
    query, clauses, position = params["query"], [], 0
    join = None
    while position < len(query):
        match = _CLAUSE.match(query, position)
        if not match:
            raise invalid(f"We were unable to parse your search query: {query}", "query")
        clauses.append(match.groups())
        position = match.end()
        word = re.compile(r"\s+(AND|OR)?", re.I).match(query, position)
        if word and word.end() < len(query):
            join = (word.group(1) or "AND").upper()
            position = word.end()
        else:
            break
    choose = any if join == "OR" else all
    found = [t for t in reversed(things) if choose(_holds(t, clause) for clause in clauses)]
    limit = params.get("limit", 10)
    start = int(params["page"]) if params.get("page", "").isdigit() else 0
    more = len(found) > start + limit
    return {"object": "search_result", "data": found[start:start + limit], "has_more": more,
            "next_page": str(start + limit) if more else None, "url": url}


def _holds(thing, clause):
    minus, field, key, operator, raw, quoted = clause
    value = thing.get(field)
    if key is not None:
        value = (value or {}).get(key)
    if raw == "null":
        result = value is None
    elif operator == ":":
        wanted = quoted if quoted is not None else raw
        result = value is not None and str(value).lower() == wanted.lower()
    elif operator == "~":
        result = (quoted or raw).lower() in str(value or "").lower()
    else:
        number = int(quoted or raw)
        result = value is not None and {">": value > number, "<": value < number,
                                        ">=": value >= number, "<=": value <= number}[operator]
    return not result if minus else result


# ---- expand ---------------------------------------------------------------------------------


def expanded(state, thing, paths, includable):
    """A copy of `thing` with every path of `expand[]` filled in.

    `includable` maps (object, field) to a function that makes a field which is absent unless
    asked for, such as the line items of a Checkout session.
    """
    answer = copy.deepcopy(thing)
    for path in paths:
        if path.count(".") > 3:
            raise invalid("You cannot expand more than 4 levels of a property.", "expand")
        _expand(state, answer, path.split("."), path, includable)
    return answer


def _expand(state, node, parts, path, includable):
    if isinstance(node, list):
        for each in node:
            _expand(state, each, parts, path, includable)
        return
    if not isinstance(node, dict):
        return
    field, rest = parts[0], parts[1:]
    make = includable.get((node.get("object"), field))
    if make and not isinstance(node.get(field), dict):
        node[field] = copy.deepcopy(make(state, node))
    elif field not in node:
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    elif not rest and field in _EXPANDABLE:
        node[field] = _looked_up(state, _EXPANDABLE[field], node[field])
    elif not rest and node[field] is not None and not isinstance(node[field], (dict, list)):
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    elif rest and field in _EXPANDABLE:
        node[field] = _looked_up(state, _EXPANDABLE[field], node[field])
    if rest:
        _expand(state, node[field], rest, path, includable)


def _looked_up(state, kind, value):
    if isinstance(value, list):
        return [_looked_up(state, kind, each) for each in value]
    if not isinstance(value, str):
        return value
    found = state.find(kind, value)
    return copy.deepcopy(found) if found else value
