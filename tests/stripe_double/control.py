# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Client of the control API, for tests and the demo. Standard library only."""

import json
import urllib.error
import urllib.request


class ControlError(Exception):
    """The double refused; the message is its sentence."""


class Control:
    """Steers the double at `base_url`. Every call raises ControlError when it is refused."""

    def __init__(self, base_url, timeout=30.0):
        self.base_url = base_url.rstrip("/")
        self.timeout = timeout

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode("utf-8")
        request = urllib.request.Request(f"{self.base_url}/_double{path}", data=data,
                                         method=method,
                                         headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=self.timeout) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as problem:
            raise ControlError(json.load(problem).get("error")) from None

    # ---- logs -------------------------------------------------------------------------------

    def requests(self, method=None, path=None):
        """Logged API requests, oldest first, optionally of one method and path prefix."""
        return [entry for entry in self.call("GET", "/requests")
                if method in (None, entry["method"])
                and (path is None or entry["path"].startswith(path))]

    def forget_requests(self):
        self.call("DELETE", "/requests")

    # ---- faults -----------------------------------------------------------------------------

    def fault(self, action, method=None, path_prefix=None, key_suffix=None, times=1, **more):
        """Set a rule: status, slow, drop, garbage, truncate, reset, hang, html, dribble, huge.

        `more`: status, delay (seconds), headers, body, after_effect. `times` -1: until cleared.
        """
        match = {"method": method, "path_prefix": path_prefix, "key_suffix": key_suffix}
        return self.call("POST", "/faults", {
            "match": {key: value for key, value in match.items() if value is not None},
            "action": action, "times": times, **more})

    def clear_faults(self):
        self.call("DELETE", "/faults")

    # ---- webhooks ---------------------------------------------------------------------------

    def deliveries(self, state=None, type=None):
        """The delivery log, optionally of one state and event type."""
        return [entry for entry in self.call("GET", "/deliveries")
                if state in (None, entry["state"]) and type in (None, entry["type"])]

    def configure_deliveries(self, **settings):
        """mode, delay, retry_delays, max_attempts, format, timeout, checkout_wait, burst."""
        return self.call("POST", "/deliveries", settings)

    def forget_deliveries(self):
        self.call("DELETE", "/deliveries")

    def flush(self, timeout=10.0):
        """Release what is held, retry what waits, wait; returns the counts by state."""
        return self.call("POST", "/deliveries/flush", {"timeout": timeout})

    def deliver(self, event=None, **more):
        """Post an event (id or object) or `body` text, signed now, once.

        `more`: body, url, secret, t, signature, endpoint, live. Returns one record per target.
        """
        return self.call("POST", "/deliver", {"event": event, **more})

    def set_endpoint(self, url, secret):
        """Deliver everything to `url`, signed with `secret`, like `--webhook-url`."""
        self.call("POST", "/endpoint", {"url": url, "secret": secret})

    def events(self, type=None, live=False):
        """Events made so far, oldest first."""
        return [event for event in self.objects("event", live)
                if type in (None, event["type"])]

    # ---- state and clock --------------------------------------------------------------------

    def now(self):
        return self.call("GET", "/clock")["now"]

    def advance(self, seconds=0, days=0):
        """Move the clock and do everything due on the way; returns {now, offset, steps}."""
        return self.call("POST", "/clock", {"advance": int(seconds + days * 86400)})

    def advance_to(self, moment):
        return self.call("POST", "/clock", {"to": int(moment)})

    def settings(self, **change):
        """Read the settings, or change: retry_days, after_retries, finalize_after,
        upcoming_days, portal_configured, account_country, account_name."""
        return self.call("POST", "/settings", change) if change else self.call("GET",
                                                                               "/settings")

    def seed(self, catalog):
        self.call("POST", "/seed", catalog)

    def state(self):
        return self.call("GET", "/state")

    def objects(self, kind, live=False):
        """Every object of a kind (`subscription`, `invoice`, `checkout.session`, …)."""
        return self.call("GET", f"/state?kind={kind}")["live" if live else "test"].get(kind, [])

    def reset(self):
        self.call("POST", "/reset")

    # ---- shortcuts --------------------------------------------------------------------------

    def complete(self, session_id, card="4242424242424242", **more):
        """Finish a Checkout session: {outcome, redirect, session, error}.

        Outcomes: complete, declined, requires_action, refused. `more`: email, name,
        authenticate, promotion_code, wait.
        """
        return self.call("POST", f"/checkout/{session_id}/complete", {"card": card, **more})

    def subscription(self, ident, action, **more):
        """cancel, cancel_at_period_end, resume, renew, fail_payment or pay."""
        return self.call("POST", f"/subscriptions/{ident}/{action}", more)
