# Licensed under the Apache License, Version 2.0; see LICENSE.
"""HTTP as a person, a program and Stripe speak it to the site under test."""
import hashlib
import hmac
import json
import time

import httpx

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Mode": "navigate",
           "Sec-Fetch-Dest": "document"}


class Client(httpx.Client):
    """An httpx client bound to the site that follows nothing by itself.

    client.user("bob")       the same with Basic credentials (password = name)
    client.browser("bob")    the same asking for HTML, as a navigation does; user optional
    client.http2()           the same over HTTP/2 with prior knowledge
    Variants are kept open and closed with their parent.
    """

    def __init__(self, base_url, **options):
        self._site_url = base_url
        self._site_options = options
        self._variants = {}
        # httpd closes a connection that is idle for two seconds: a request on its way then is lost.
        super().__init__(**{"base_url": base_url, "timeout": 30, "follow_redirects": False, "trust_env": False,
                            "limits": httpx.Limits(keepalive_expiry=1), **options})

    def _variant(self, key, **changes):
        if key not in self._variants:
            self._variants[key] = Client(self._site_url, **{**self._site_options, **changes})
        return self._variants[key]

    def user(self, name):
        return self._variant(("user", name), auth=(name, name))

    def browser(self, name=None):
        headers = {**self._site_options.get("headers", {}), **BROWSER}
        changes = {"headers": headers, **({"auth": (name, name)} if name else {})}
        return self._variant(("browser", name), **changes)

    def http2(self):
        return self._variant("http2", http1=False, http2=True)

    def close(self):
        for variant in self._variants.values():
            variant.close()
        super().close()


def sign(body, secret, t=None):
    """The Stripe-Signature header for these bytes."""
    t = int(time.time()) if t is None else t
    digest = hmac.new(secret.encode(), f"{t}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={t},v1={digest}"


def body_of(event):
    """An event's bytes: as they are, of a file, or a dict the way Stripe prints it."""
    if isinstance(event, bytes):
        return event
    if hasattr(event, "body"):
        return event.body
    if isinstance(event, str):
        return event.encode()
    return (json.dumps(event, indent=2, ensure_ascii=False) + "\n").encode()
