# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Webhook signatures: HMAC-SHA256 over `t.body`, keyed with the whole endpoint secret."""

import hashlib
import hmac
import time


def sign(body: bytes, secret: str, t: int | None = None) -> str:
    """Return the Stripe-Signature header value for `body`; `t` is Unix seconds, default now."""
    moment = int(time.time()) if t is None else t
    message = str(moment).encode() + b"." + body
    digest = hmac.new(secret.encode("utf-8"), message, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"
