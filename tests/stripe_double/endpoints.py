# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Webhook endpoints: who wants to hear what. The secret is shown once, at creation."""

import re

from .errors import invalid
from .lists import page
from .params import merge_metadata
from .tables import ENDPOINT_CREATE, ENDPOINT_LIST, ENDPOINT_UPDATE, NOTHING, RETRIEVE

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")


def build(state, url, enabled_events, secret=None, **fields):
    endpoint = {
        "id": state.new_id("we_"), "object": "webhook_endpoint", "api_version": None,
        "application": None, "created": state.now(), "description": None,
        "enabled_events": list(enabled_events), "livemode": state.live, "metadata": {},
        "status": "enabled", "url": url}
    endpoint.update(fields)
    state.private(endpoint["id"])["secret"] = secret or state.new_id("whsec_")
    return state.add("webhook_endpoint", endpoint)


def create(state, params):
    version = params.get("api_version")
    if version and not _VERSION.fullmatch(version):
        raise invalid(f"Invalid api_version: {version}", "api_version")
    if state.live and not params["url"].lower().startswith("https:"):
        raise invalid("Invalid URL: URL must use HTTPS in live mode.", "url", "url_invalid")
    endpoint = build(state, params["url"], params["enabled_events"], api_version=version,
                     description=params.get("description") or None,
                     metadata=params.get("metadata") or {})
    return {**endpoint, "secret": state.private(endpoint["id"])["secret"]}


def update(state, params, id):
    endpoint = state.fetch("webhook_endpoint", id)
    for key in ("description", "enabled_events", "url"):
        if key in params:
            endpoint[key] = params[key] or None
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    merge_metadata(endpoint["metadata"], params.get("metadata"))
    state.touch()
    return endpoint


def delete(state, params, id):
    state.fetch("webhook_endpoint", id)
    state.drop("webhook_endpoint", id)
    return {"id": id, "object": "webhook_endpoint", "deleted": True}


def install(state, url, secret):
    """The endpoint of the command line: hears everything, of both modes, under one secret."""
    for live in (False, True):
        with state.acting(live):
            for endpoint in state.all("webhook_endpoint"):
                if state.private(endpoint["id"]).get("installed"):
                    state.drop("webhook_endpoint", endpoint["id"])
            endpoint = build(state, url, ["*"], secret, description="command line")
            state.private(endpoint["id"])["installed"] = True


def secret_of(state, endpoint):
    return state.private(endpoint["id"])["secret"]


def listening(state, kind):
    """Enabled endpoints of the current mode that want events of `kind`."""
    return [e for e in state.all("webhook_endpoint") if e["status"] == "enabled"
            and ("*" in e["enabled_events"] or kind in e["enabled_events"])]


ROUTES = [
    ("POST", "/v1/webhook_endpoints", ENDPOINT_CREATE, create),
    ("GET", "/v1/webhook_endpoints", ENDPOINT_LIST, lambda state, params: page(
        "/v1/webhook_endpoints", state.all("webhook_endpoint"), params)),
    ("GET", "/v1/webhook_endpoints/{id}", RETRIEVE,
     lambda state, params, id: state.fetch("webhook_endpoint", id)),
    ("POST", "/v1/webhook_endpoints/{id}", ENDPOINT_UPDATE, update),
    ("DELETE", "/v1/webhook_endpoints/{id}", NOTHING, delete),
]
