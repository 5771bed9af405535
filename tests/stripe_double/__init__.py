# Licensed under the Apache License, Version 2.0; see LICENSE.
"""A stateful stand-in for Stripe's API, hosted pages and webhooks.

Run it with `/usr/bin/python3 -m stripe_double` (see `__main__`), start it from tests with
`stripe_double.launch.start()`, steer it with `stripe_double.control.Control`.

One process, one event loop: every API call, page click and tick of the clock changes the state
synchronously, so nothing here needs a lock. Only sending webhooks and misbehaving on command wait.
"""

from .signature import sign

API_VERSION = "2026-10-28.endive"

__all__ = ["API_VERSION", "sign"]
