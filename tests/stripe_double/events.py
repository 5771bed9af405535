# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Events: what happened, as it will be told. Made once, never changed, kept 30 days by Stripe."""

import copy

from . import API_VERSION
from .lists import in_range, page
from .tables import EVENT_LIST, RETRIEVE


def changes(before, after):
    """`previous_attributes`: old values of changed keys only, arrays whole, maps by key."""
    old = {}
    for key in before:
        if key not in after:
            old[key] = before[key]
        elif before[key] != after[key]:
            both = isinstance(before[key], dict) and isinstance(after[key], dict)
            old[key] = changes(before[key], after[key]) if both else before[key]
    for key in after:
        if key not in before:
            old[key] = None
    return old


def emit(state, kind, thing, before=None):
    """Record that `kind` happened to `thing` and hand it to the deliveries.

    `before` is the object as it was, for `*.updated`; when nothing changed there is no event.
    """
    data = {"object": copy.deepcopy(thing)}
    if before is not None:
        previous = changes(before, thing)
        if not previous:
            return None
        data["previous_attributes"] = copy.deepcopy(previous)
    event = {"id": state.new_id("evt_"), "object": "event", "api_version": API_VERSION,
             "created": state.now(), "data": data, "livemode": state.live,
             "pending_webhooks": 0, "request": dict(state.request), "type": kind}
    state.add("event", event)
    state.on_event(event, state.live)
    return event


def listed(state, params):
    events = state.all("event")
    horizon = state.now() - 30 * 86400
    events = [e for e in events if e["created"] >= horizon]
    if "type" in params:
        events = [e for e in events if _matches(e["type"], params["type"])]
    if "types" in params:
        events = [e for e in events if e["type"] in params["types"]]
    if "delivery_success" in params:
        events = [e for e in events
                  if (e["pending_webhooks"] == 0) == params["delivery_success"]]
    events = [e for e in events if in_range(e["created"], params.get("created"))]
    return page("/v1/events", events, params)


def _matches(kind, pattern):
    return kind.startswith(pattern[:-1]) if pattern.endswith("*") else kind == pattern


ROUTES = [
    ("GET", "/v1/events", EVENT_LIST, listed),
    ("GET", "/v1/events/{id}", RETRIEVE, lambda state, params, id: state.fetch("event", id)),
]
