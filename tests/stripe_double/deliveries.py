# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Sending events to webhook endpoints: in order, one at a time per endpoint, until a 2xx.

A delivery that fails steps aside and is tried again after a short back-off; the ones behind it go
on, as with Stripe. Its body is rendered once; every attempt is signed afresh. `mode` bends this:

    normal     as above
    hold       nothing is sent until flush()
    lose       never sent; the event keeps its pending_webhooks
    duplicate  everything is sent twice
    reverse    what happens in one burst is sent in reverse order
    shuffle    the same in random order
"""

import asyncio
import json
import random
import time

import aiohttp

from . import endpoints
from .signature import sign

DEFAULTS = {
    "mode": "normal", "delay": 0.0,
    "retry_delays": [0.3, 0.6, 1.2, 2.5, 5, 10, 30],  # the last one repeats
    "max_attempts": 0,        # 0: until it works
    "format": "pretty",       # or compact
    "timeout": 30.0, "checkout_wait": 3.0,
    "burst": 0.3,             # quiet seconds that end a burst for reverse and shuffle
}
_MODES = ("normal", "hold", "lose", "duplicate", "reverse", "shuffle")
_OPEN = ("waiting", "retrying")


class Deliveries:
    """The queue and its senders. `state.deliveries` is the log, kept between runs."""

    def __init__(self, state):
        self.state = state
        self.config = dict(DEFAULTS)
        self.changed = asyncio.Condition()
        self.tasks = {}
        self.session = None
        self.counter = 0
        self.burst_timer = None
        state.on_event = self.on_event

    async def start(self):
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=False, limit=20))
        for entry in self.state.deliveries:
            self.counter = max(self.counter, entry["order"])
            if entry["state"] == "sending":
                entry["state"] = "waiting"
            if entry["state"] in _OPEN:
                self._ensure_sender(entry["endpoint"])

    async def stop(self):
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        if self.session:
            await self.session.close()

    def configure(self, wanted):
        """Change settings; unknown words are refused with ValueError."""
        for key, value in wanted.items():
            if key not in DEFAULTS or (key == "mode" and value not in _MODES):
                raise ValueError(f"no such delivery setting: {key}={value!r}")
        self.config.update(wanted)

    # ---- queueing ---------------------------------------------------------------------------

    def on_event(self, event, live):
        """Queue a new event for every endpoint that wants it."""
        wanted = endpoints.listening(self.state, event["type"])
        event["pending_webhooks"] = len(wanted)
        indent = 2 if self.config["format"] == "pretty" else None
        separators = None if indent else (",", ":")
        body = json.dumps(event, indent=indent, separators=separators, ensure_ascii=False)
        self.state.private(event["id"])["body"] = body
        for endpoint in wanted:
            for _ in range(2 if self.config["mode"] == "duplicate" else 1):
                self._queue(event, endpoint, live)

    def _queue(self, event, endpoint, live):
        mode = self.config["mode"]
        words = {"hold": "held", "reverse": "held", "shuffle": "held", "lose": "lost"}
        self.counter += 1
        entry = {"id": f"whd_{self.counter:08d}", "order": self.counter, "event": event["id"],
                 "type": event["type"], "endpoint": endpoint["id"], "url": endpoint["url"],
                 "live": live, "state": words.get(mode, "waiting"),
                 "due": time.time() + self.config["delay"], "attempts": []}
        self.state.deliveries.append(entry)
        if mode in ("reverse", "shuffle"):
            self._restart_burst()
        if entry["state"] == "waiting":
            self._ensure_sender(endpoint["id"])
            self._wake()

    def _restart_burst(self):
        if self.burst_timer:
            self.burst_timer.cancel()
        loop = asyncio.get_event_loop()
        self.burst_timer = loop.call_later(self.config["burst"], self.release)

    def release(self):
        """Send what is held, in the order the mode asks for."""
        if self.burst_timer:
            self.burst_timer.cancel()
            self.burst_timer = None
        held = [entry for entry in self.state.deliveries if entry["state"] == "held"]
        orders = [entry["order"] for entry in held]
        if self.config["mode"] == "reverse":
            orders.reverse()
        elif self.config["mode"] == "shuffle":
            random.shuffle(orders)
        for entry, order in zip(held, orders):
            entry.update(order=order, state="waiting", due=time.time() + self.config["delay"])
            self._ensure_sender(entry["endpoint"])
        self._wake()
        return len(held)

    async def flush(self, timeout=10.0):
        """Release and retry everything now; wait until each was tried. Returns counts."""
        self.release()
        now = time.time()
        todo = [entry for entry in self.state.deliveries
                if entry["state"] in (*_OPEN, "sending")]
        tried = {entry["id"]: len(entry["attempts"]) for entry in todo}
        for entry in todo:
            entry["due"] = min(entry["due"], now)
        self._wake()
        await self._until(lambda: all(
            entry["state"] not in (*_OPEN, "sending")
            or (entry["state"] == "retrying" and len(entry["attempts"]) > tried[entry["id"]])
            for entry in todo), timeout)
        return self.counts()

    def counts(self):
        result = {}
        for entry in self.state.deliveries:
            result[entry["state"]] = result.get(entry["state"], 0) + 1
        return result

    async def settle(self, event_ids, timeout):
        """Wait until these events were tried once everywhere; at most `timeout` seconds."""
        wanted = set(event_ids)

        def tried():
            return all(entry["attempts"] or entry["state"] not in (*_OPEN, "sending")
                       for entry in self.state.deliveries if entry["event"] in wanted)
        await self._until(tried, timeout)

    async def _until(self, done, timeout):
        try:
            async with self.changed:
                await asyncio.wait_for(self.changed.wait_for(done), timeout)
        except asyncio.TimeoutError:
            pass

    # ---- sending ----------------------------------------------------------------------------

    def _wake(self):
        async def notify():
            async with self.changed:
                self.changed.notify_all()
        asyncio.ensure_future(notify())

    def _ensure_sender(self, endpoint_id):
        task = self.tasks.get(endpoint_id)
        if task is None or task.done():
            self.tasks[endpoint_id] = asyncio.ensure_future(self._sender(endpoint_id))

    def _next(self, endpoint_id):
        """(entry due now or None, seconds until the next one or None)."""
        now, soonest, chosen = time.time(), None, None
        for entry in self.state.deliveries:
            if entry["endpoint"] != endpoint_id or entry["state"] not in _OPEN:
                continue
            if entry["due"] <= now:
                if chosen is None or entry["order"] < chosen["order"]:
                    chosen = entry
            elif soonest is None or entry["due"] < soonest:
                soonest = entry["due"]
        return chosen, soonest and max(0.01, soonest - now)

    async def _sender(self, endpoint_id):
        while True:
            entry, wait = self._next(endpoint_id)
            if entry is not None:
                await self._send(entry)
                continue
            async with self.changed:
                try:
                    await asyncio.wait_for(self.changed.wait(), wait)
                except asyncio.TimeoutError:
                    pass

    async def _send(self, entry):
        state = self.state
        with state.acting(entry["live"]):
            endpoint = state.find("webhook_endpoint", entry["endpoint"])
            body = state.private(entry["event"]).get("body")
            secret = endpoint and endpoints.secret_of(state, endpoint)
        if endpoint is None or endpoint["status"] != "enabled" or body is None:
            entry["state"] = "dropped"
            self._wake()
            return
        entry["state"] = "sending"
        attempt = await self.post(endpoint["url"], body.encode("utf-8"), secret)
        entry["attempts"].append(attempt)
        if 200 <= (attempt["status"] or 0) < 300:
            self._delivered(entry)
        elif 0 < self.config["max_attempts"] <= len(entry["attempts"]):
            entry["state"] = "failed"
        else:
            delays = self.config["retry_delays"] or [1]
            delay = delays[min(len(entry["attempts"]), len(delays)) - 1]
            entry.update(state="retrying", due=time.time() + delay)
        state.touch()
        self._wake()

    def _delivered(self, entry):
        first = not any(
            other["state"] == "delivered" for other in self.state.deliveries
            if other["event"] == entry["event"] and other["endpoint"] == entry["endpoint"])
        entry["state"] = "delivered"
        with self.state.acting(entry["live"]):
            event = self.state.find("event", entry["event"])
        if event and first and event["pending_webhooks"] > 0:
            event["pending_webhooks"] -= 1

    async def post(self, url, body, secret, t=None, header=None):
        """One attempt, signed now; returns its log record."""
        headers = {"Content-Type": "application/json; charset=utf-8", "Accept": "*/*; q=0.5",
                   "Cache-Control": "no-cache",
                   "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                   "Stripe-Signature": header if header is not None else sign(body, secret, t)}
        began = time.time()
        record = {"at": began, "status": None, "body": None, "error": None}
        try:
            timeout = aiohttp.ClientTimeout(total=self.config["timeout"])
            async with self.session.post(url, data=body, headers=headers, timeout=timeout,
                                         allow_redirects=False) as answer:
                text = await answer.content.read(16384)
                record.update(status=answer.status, body=text.decode("utf-8", "replace"))
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as problem:
            record["error"] = f"{type(problem).__name__}: {problem}"
        record["ms"] = round((time.time() - began) * 1000)
        return record
