# Licensed under the Apache License, Version 2.0; see LICENSE.
"""One API call: key, route, parameters, idempotency, work, answer.

`begin()` does what must happen before the work and marks the idempotency key as running;
`finish()` does the work. Between the two a slow answer may sleep.
"""

import hashlib
import json
import re
from base64 import b64decode
from dataclasses import dataclass, field

from . import (API_VERSION, checkout, clockwork, collection, coupons, customers,
               endpoints, entitlements, events, forms, invoices, params, payments, portal, prices,
               schedules, subscriptions)
from .errors import ApiError, invalid
from .lists import expanded

_MODULES = (customers, prices, coupons, checkout, portal, subscriptions, schedules, invoices,
            collection, payments, endpoints, entitlements, events)
INCLUDABLE = {**checkout.INCLUDABLE, **invoices.INCLUDABLE}

_KEY = re.compile(r"(sk|rk)_(test|live)_[A-Za-z0-9_]+")
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.(acacia|basil|clover|dahlia|endive)|\.preview)?")


def _compiled():
    routes = []
    for module in _MODULES:
        for method, path, table, work in module.ROUTES:
            pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
            routes.append((path.count("{"), method, pattern, table, work))
    return sorted(routes, key=lambda route: route[0])


ROUTES = _compiled()


@dataclass
class Answer:
    """What goes back to the client."""

    status: int
    body: dict
    headers: dict = field(default_factory=dict)

    def payload(self):
        return (json.dumps(self.body, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


@dataclass
class Call:
    """A call that passed all checks and waits to be run."""

    live: bool
    request_id: str
    key: str | None
    slot: tuple | None
    fingerprint: str
    work: object
    params: dict
    ids: dict
    method: str
    headers: dict


def key_of(headers):
    """The API key of a request: Bearer, or Basic with the key as user."""
    kind, _, value = headers.get("Authorization", "").strip().partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        try:
            return b64decode(value).decode("utf-8").partition(":")[0]
        except ValueError:
            return ""
    return None


def masked(key):
    """A key for logs: its prefix and its last four letters."""
    if not key:
        return None
    prefix = "_".join(key.split("_")[:2]) if key.count("_") >= 2 else ""
    return f"{prefix}_...{key[-4:]}"


class Api:
    """The API of one state. `keys`: the keys that are valid, None for any of the right form."""

    def __init__(self, state, keys=None):
        self.state = state
        self.keys = keys

    # ---- checks -----------------------------------------------------------------------------

    def _authenticate(self, key):
        if key is None:
            raise ApiError(401, "You did not provide an API key. You need to provide your API "
                                "key in the Authorization header, using Bearer auth (e.g. "
                                "'Authorization: Bearer YOUR_SECRET_KEY'). See "
                                "https://stripe.com/docs/api#authentication for details, or we "
                                "can help at https://support.stripe.com/.", validation=True)
        if key.startswith("pk_"):
            raise ApiError(401, "This API call cannot be made with a publishable API key. "
                                "Please use a secret API key. You can find a list of your API "
                                "keys at https://dashboard.stripe.com/account/apikeys.",
                           code="secret_key_required", validation=True)
        match = _KEY.fullmatch(key)
        if not match or (self.keys is not None and key not in self.keys):
            stars = key[:8] + "*" * max(4, len(key) - 12) + key[-4:] if len(key) > 12 else key
            raise ApiError(401, f"Invalid API Key provided: {stars}", validation=True)
        return match.group(2) == "live"

    def _route(self, method, path):
        for _, route_method, pattern, table, work in ROUTES:
            match = pattern.fullmatch(path)
            if match and route_method == method:
                return table, work, match.groupdict()
        raise ApiError(404, f"Unrecognized request URL ({method}: {path}). If you are trying to "
                            "list objects, remove the trailing slash. If you are trying to "
                            "retrieve an object, make sure you passed a valid (non-empty) "
                            "identifier in your code. Please see https://stripe.com/docs or we "
                            "can help at https://support.stripe.com/.", validation=True)

    @staticmethod
    def _decode(method, headers, query, body):
        if not body:
            return forms.decode(query)
        kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise invalid("Invalid request (check that your POST content type is "
                          "application/x-www-form-urlencoded). If you have any questions, we "
                          "can help at https://support.stripe.com/.")
        try:
            text = body.decode("ascii")
        except UnicodeDecodeError:
            text = body.decode("utf-8", "surrogateescape")
            text = "".join(f"%{ord(c) - 0xdc00:02X}" if 0xdc80 <= ord(c) <= 0xdcff else c
                           for c in text)
        return forms.decode(f"{query}&{text}" if query else text)

    # ---- running ----------------------------------------------------------------------------

    def begin(self, method, path, headers, query, body):
        """Returns a Call, or an Answer when there is nothing left to do."""
        request_id = self.state.new_id("req_")
        common = {"Request-Id": request_id,
                  "Stripe-Version": headers.get("Stripe-Version", API_VERSION)}
        key = headers.get("Idempotency-Key")
        if key and method == "POST":
            common["Idempotency-Key"] = key
        live = False
        try:
            live = self._authenticate(key_of(headers))
            version = headers.get("Stripe-Version")
            if version and not _VERSION.fullmatch(version):
                raise invalid(f"Invalid Stripe API version: {version}. Check your configuration "
                              "and your documentation.")
            table, work, ids = self._route(method, path)
            tree = self._decode(method, headers, query, body)
            typed = params.check(table, tree)
            if key is not None and method == "POST" and not 0 < len(key) <= 255:
                raise invalid("Idempotency-Key must be between 1 and 255 characters.")
            print_of = hashlib.sha256(json.dumps([method, path, tree],
                                                 sort_keys=True).encode()).hexdigest()
            slot = (str(live), key) if key and method == "POST" else None
            replay = slot and self._replay(slot, print_of, common)
            if replay:
                return replay
        except ApiError as error:
            return self._refusal(error, request_id, live, common)
        if slot:
            self.state.replays[slot] = {"fingerprint": print_of, "running": True,
                                        "at": self.state.now()}
        return Call(live, request_id, key if method == "POST" else None, slot, print_of, work,
                    typed, ids, method, common)

    def _replay(self, slot, fingerprint, common):
        kept = self.state.replays.get(slot)
        if kept is None or kept["at"] < self.state.now() - 30 * 86400:
            return None
        if kept["fingerprint"] != fingerprint:
            raise ApiError(400, "Keys for idempotent requests can only be used with the same "
                                "parameters they were first used with. Try using a key other "
                                f"than '{slot[1]}' if you meant to execute a different request.",
                           "idempotency_error", validation=True)
        if kept.get("running"):
            raise ApiError(409, "There is currently another in-progress request using this "
                                "Idempotent Key (that probably means you submitted twice, and "
                                f"the other request is still going through): {slot[1]}.",
                           "idempotency_error", "idempotency_key_in_use", validation=True)
        return Answer(kept["status"], kept["body"], {
            **common, "Idempotent-Replayed": "true", "Original-Request": kept["request_id"]})

    def abandon(self, call):
        """Forget a call that will not be run."""
        if call.slot:
            self.state.replays.pop(call.slot, None)

    def fail(self, call, status, body):
        """Break down while running a call: Stripe keeps such an answer for the key as well."""
        if call.slot:
            self.state.replays[call.slot] = {
                "fingerprint": call.fingerprint, "status": status, "body": body,
                "request_id": call.request_id, "at": self.state.now()}
        return Answer(status, body, call.headers)

    def finish(self, call):
        """Run a call and keep its answer for its idempotency key."""
        state = self.state
        try:
            with state.acting(call.live, call.request_id, call.key):
                expand = call.params.get("expand", [])
                result = call.work(state, call.params, **call.ids)
                if call.method != "GET":
                    state.touch()
            if call.method != "GET":
                clockwork.catch_up(state)
            with state.acting(call.live):
                body = expanded(state, result, expand, INCLUDABLE)
            answer = Answer(200, body, dict(call.headers))
            keep = True
        except ApiError as error:
            answer = self._refusal(error, call.request_id, call.live, call.headers)
            keep = not error.validation
        except Exception:
            self.abandon(call)
            raise
        if call.slot and keep:
            state.replays[call.slot] = {
                "fingerprint": call.fingerprint, "status": answer.status, "body": answer.body,
                "request_id": call.request_id, "at": state.now()}
        else:
            self.abandon(call)
        return answer

    @staticmethod
    def _refusal(error, request_id, live, common):
        headers = dict(common)
        if error.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="Stripe"'
        return Answer(error.status, error.body(request_id, live), headers)
