# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Everything the double knows: objects by mode and kind, the clock, settings, logs.

Two books, one per mode, because an object of one mode does not exist in the other. Each holds the
objects as the API shows them (insertion order is creation order) and, apart from them, private
notes of ours. `acting()` says on whose behalf the synchronous code that follows runs; objects and
events made inside it belong to that mode and name that request.
"""

import copy
import json
import os
import secrets
import string
import time
from contextlib import contextmanager

from .errors import missing

_ALPHABET = string.ascii_letters + string.digits
_LENGTHS = {"cus_": 14, "prod_": 14, "si_": 14, "req_": 14, "whsec_": 32}

DEFAULTS = {
    "retry_days": [3, 5, 7],        # after a failed renewal, days to each further try
    "after_retries": "cancel",      # cancel | unpaid | past_due
    "finalize_after": 3600,         # seconds a renewal invoice stays a draft
    "upcoming_days": 7,             # days before a renewal invoice.upcoming is sent
    "portal_configured": True,      # a default portal configuration exists
    "account_country": "DE",
    "account_name": "Example Shop",
}


class State:
    """See the module's head. `path` is where it is kept between runs, or None."""

    def __init__(self, path=None):
        self.path = path
        self.base_url = ""
        self.live = False
        self.request = {"id": None, "idempotency_key": None}
        self.on_event = lambda event, live: None
        self.wake_up = lambda: None
        self.dirty = False
        self.frozen = None
        self.clear()

    def clear(self):
        """Forget everything, the clock's offset and the settings included."""
        self.books = {mode: {"objects": {}, "private": {}} for mode in ("test", "live")}
        self.offset = 0
        self.settings = copy.deepcopy(DEFAULTS)
        self.replays = {}
        self.deliveries = []
        self.touch()

    # ---- clock ------------------------------------------------------------------------------

    def now(self):
        """Unix seconds of the double: real time plus what tests advanced it by."""
        return self.frozen if self.frozen is not None else int(time.time()) + self.offset

    # ---- whose turn it is -------------------------------------------------------------------

    @contextmanager
    def acting(self, live, request_id=None, idempotency_key=None):
        before = self.live, self.request
        self.live = live
        self.request = {"id": request_id, "idempotency_key": idempotency_key}
        try:
            yield
        finally:
            self.live, self.request = before

    @property
    def mode(self):
        return "live" if self.live else "test"

    # ---- objects ----------------------------------------------------------------------------

    def new_id(self, prefix):
        if prefix.startswith("cs_"):
            return f"{prefix}a1" + "".join(secrets.choice(_ALPHABET) for _ in range(56))
        length = _LENGTHS.get(prefix)
        if length:
            return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))
        return prefix + "1" + "".join(secrets.choice(_ALPHABET) for _ in range(23))

    def add(self, kind, thing):
        """Keep a new object and return it."""
        self.books[self.mode]["objects"].setdefault(kind, {})[thing["id"]] = thing
        self.touch()
        return thing

    def drop(self, kind, ident):
        self.books[self.mode]["objects"].get(kind, {}).pop(ident, None)
        self.touch()

    def find(self, kind, ident):
        """The object, or None."""
        return self.books[self.mode]["objects"].get(kind, {}).get(ident)

    def fetch(self, kind, ident, param=None):
        """The object, or Stripe's resource_missing (400 when `param` named it, else 404)."""
        thing = self.find(kind, ident)
        if thing is None or (thing.get("deleted") and param):
            other = "test" if self.live else "live"
            elsewhere = ident in self.books[other]["objects"].get(kind, {})
            raise missing(kind, ident, param, other if elsewhere else None)
        return thing

    def all(self, kind):
        """Objects of one kind in the order of their creation."""
        return list(self.books[self.mode]["objects"].get(kind, {}).values())

    def private(self, ident):
        """Our own notes on an object; a dict that may be changed."""
        return self.books[self.mode]["private"].setdefault(ident, {})

    def touch(self):
        self.dirty = True

    # ---- persistence ------------------------------------------------------------------------

    def save(self):
        """Write the state if it changed; the file is replaced whole, never half written."""
        if not self.path or not self.dirty:
            return
        text = json.dumps({"books": self.books, "offset": self.offset, "settings": self.settings,
                           "replays": list(self.replays.items()),
                           "deliveries": self.deliveries[-2000:]}, ensure_ascii=False)
        partial = f"{self.path}.{os.getpid()}"
        with open(partial, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(partial, self.path)
        self.dirty = False

    def load(self):
        """Read what an earlier run left; a missing file is an empty state."""
        if not self.path or not os.path.exists(self.path):
            return False
        with open(self.path, encoding="utf-8") as file:
            kept = json.load(file)
        self.books = kept["books"]
        self.offset = kept["offset"]
        self.settings = {**DEFAULTS, **kept["settings"]}
        self.replays = {tuple(key): value for key, value in kept["replays"]}
        self.deliveries = kept["deliveries"]
        return True
