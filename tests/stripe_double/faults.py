# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Misbehaving on command: the rules tests set, and what each does to an answer."""

import asyncio
import itertools
import random
import socket
import struct

from aiohttp import web

ACTIONS = ("status", "slow", "drop", "garbage", "truncate", "reset", "hang", "html", "dribble",
           "huge")

_WORDS = {
    400: ("invalid_request_error", None, "Invalid request."),
    401: ("invalid_request_error", None, "Invalid API Key provided."),
    402: ("card_error", "card_declined", "Your card was declined."),
    403: ("invalid_request_error", "more_permissions_required",
          "The provided key does not have the required permissions for this endpoint."),
    404: ("invalid_request_error", "resource_missing", "No such object."),
    409: ("invalid_request_error", "lock_timeout",
          "This object cannot be accessed right now because another API request or Stripe "
          "process is currently accessing it."),
    424: ("api_error", None, "A dependency failed."),
    429: ("invalid_request_error", "rate_limit",
          "Request rate limit exceeded. Learn more about rate limits here "
          "https://docs.stripe.com/rate-limits."),
}


class Faults:
    """Rules in the order they were set; the first that matches is used up once."""

    def __init__(self):
        self.rules = []
        self.numbers = itertools.count(1)

    def add(self, wanted):
        """Set a rule; ValueError when it makes no sense."""
        if wanted.get("action") not in ACTIONS:
            raise ValueError(f"action must be one of {', '.join(ACTIONS)}")
        rule = {"id": next(self.numbers), "match": {}, "times": 1, "status": 500, "delay": 0,
                "headers": {}, "after_effect": False, "body": None, **wanted}
        self.rules.append(rule)
        return rule

    def clear(self):
        self.rules.clear()

    def take(self, method, path, key):
        """The rule for this call, or None. `key` is the API key (match on its last letters)."""
        for rule in self.rules:
            match = rule["match"]
            if (match.get("method", method).upper() == method
                    and path.startswith(match.get("path_prefix", ""))
                    and (key or "").endswith(match.get("key_suffix", ""))
                    and rule["times"] != 0):
                if rule["times"] > 0:
                    rule["times"] -= 1
                return rule
        return None


def error_body(status, text=None):
    """The error object that goes with a status."""
    kind, code, message = _WORDS.get(status, ("api_error", None,
                                              "An unknown error occurred."))
    error = {"message": text or message, "type": kind}
    if code:
        error["code"] = code
    return {"error": error}


async def wait_for_client(request, seconds):
    """Sleep, but not longer than the client stays."""
    waited = 0.0
    while waited < seconds and request.transport is not None \
            and not request.transport.is_closing():
        await asyncio.sleep(0.05)
        waited += 0.05


def _cut(request, hard):
    """Close the connection without an answer: politely (FIN) or with RST."""
    transport = request.transport
    if transport is None:
        return
    if hard:
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()


async def misbehave(rule, request, payload, headers):
    """The answer of a rule that is not `slow`. `payload` is what would have been sent."""
    action = rule["action"]
    if rule["delay"] and action not in ("hang", "dribble"):
        await wait_for_client(request, rule["delay"])
    if action == "status":
        body = rule["body"] if rule["body"] is not None else error_body(rule["status"])
        return web.json_response(body, status=rule["status"],
                                 headers={**headers, **rule["headers"]})
    if action == "html":
        return web.Response(text="<!doctype html><title>502 Bad Gateway</title><h1>502 Bad "
                                 "Gateway</h1>", content_type="text/html",
                            status=rule["status"] if "status" in rule["match"] else 200,
                            headers=rule["headers"])
    if action == "garbage":
        noise = random.Random(rule["id"]).randbytes(512)
        return web.Response(body=noise, content_type="application/json",
                            headers={**headers, **rule["headers"]})
    if action == "huge":
        return await _huge(request, headers)
    if action == "truncate":
        return await _truncated(request, payload, headers)
    if action == "dribble":
        return await _dribbled(request, payload, headers, rule["delay"] or 1)
    if action == "hang":
        await wait_for_client(request, rule["delay"] or 600)
    _cut(request, hard=action == "reset")
    return web.Response()


async def _stream(request, headers, length):
    response = web.StreamResponse(headers={**headers, "Content-Type": "application/json",
                                           "Content-Length": str(length)})
    await response.prepare(request)
    return response


async def _truncated(request, payload, headers):
    response = await _stream(request, headers, len(payload))
    await response.write(payload[:len(payload) // 2])
    await asyncio.sleep(0.02)
    _cut(request, hard=False)
    return response


async def _dribbled(request, payload, headers, delay):
    response = await _stream(request, headers, len(payload))
    for index in range(len(payload)):
        if request.transport is None or request.transport.is_closing():
            break
        await response.write(payload[index:index + 1])
        await asyncio.sleep(delay)
    return response


async def _huge(request, headers):
    size, block = 50 << 20, b" " * 65536
    response = await _stream(request, headers, size)
    try:
        for _ in range(size // len(block)):
            await response.write(block)
    except ConnectionError:
        pass
    return response
