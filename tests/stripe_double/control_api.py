# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The control API under /_double/: what tests and the demo do behind Stripe's back.

JSON both ways, no key, loopback only. Errors: 400 with {"error": sentence}, 404 for unknown ids.
"""

import copy
import json
from urllib.parse import parse_qs

from aiohttp import web

from . import billing, checkout, clockwork, endpoints, hosted, invoices, payments, subscriptions
from .errors import ApiError
from .state import DEFAULTS

_LOOPBACK = ("127.0.0.1", "::1")


class Control:
    """Handlers; `double` is the running server (state, api, faults, log, deliveries, site)."""

    def __init__(self, double):
        self.double = double
        self.state = double.state

    def routes(self):
        table = [
            ("GET", "/requests", self.requests), ("DELETE", "/requests", self.forget_requests),
            ("GET", "/faults", self.faults), ("POST", "/faults", self.add_fault),
            ("DELETE", "/faults", self.clear_faults),
            ("GET", "/deliveries", self.deliveries),
            ("POST", "/deliveries", self.configure_deliveries),
            ("DELETE", "/deliveries", self.forget_deliveries),
            ("POST", "/deliveries/flush", self.flush), ("POST", "/deliver", self.deliver),
            ("GET", "/clock", self.clock), ("POST", "/clock", self.advance),
            ("GET", "/settings", self.settings), ("POST", "/settings", self.configure),
            ("POST", "/endpoint", self.endpoint), ("POST", "/seed", self.seed),
            ("GET", "/state", self.dump), ("POST", "/reset", self.reset),
            ("POST", "/checkout/{id}/complete", self.complete),
            ("POST", "/subscriptions/{id}/{action}", self.subscription)]
        return [web.route(method, "/_double" + path, self._guarded(handler))
                for method, path, handler in table]

    def _guarded(self, handler):
        async def guarded(request):
            if request.remote not in _LOOPBACK:
                return web.json_response({"error": "loopback only"}, status=403)
            try:
                body = json.loads(await request.read() or b"{}")
                result = await handler(request, body)
            except ApiError as problem:
                return web.json_response({"error": problem.message}, status=problem.status)
            except (ValueError, KeyError, TypeError) as problem:
                return web.json_response({"error": f"{type(problem).__name__}: {problem}"},
                                         status=400)
            return web.json_response(result)
        return guarded

    # ---- logs, faults, deliveries -----------------------------------------------------------

    async def requests(self, request, body):
        return self.double.log

    async def forget_requests(self, request, body):
        self.double.log.clear()
        return {"ok": True}

    async def faults(self, request, body):
        return self.double.faults.rules

    async def add_fault(self, request, body):
        return self.double.faults.add(body)

    async def clear_faults(self, request, body):
        self.double.faults.clear()
        return {"ok": True}

    async def deliveries(self, request, body):
        return [{**entry, "attempts": list(entry["attempts"])}
                for entry in self.state.deliveries]

    async def configure_deliveries(self, request, body):
        self.double.deliveries.configure(body)
        return self.double.deliveries.config

    async def forget_deliveries(self, request, body):
        done = ("delivered", "lost", "dropped", "failed")
        self.state.deliveries[:] = [entry for entry in self.state.deliveries
                                    if entry["state"] not in done]
        return {"ok": True}

    async def flush(self, request, body):
        return await self.double.deliveries.flush(body.get("timeout", 10.0))

    async def deliver(self, request, body):
        """Sign and post an event (id or object) or any text, once, now, outside the queue."""
        live, text = bool(body.get("live")), body.get("body")
        if text is None:
            event = body["event"]
            if isinstance(event, str):
                found, live = self.double.site.locate("event", event)
                if found is None:
                    raise ApiError(404, f"No such event: '{event}'")
                with self.state.acting(live):
                    text = self.state.private(event).get("body") or json.dumps(found, indent=2)
            else:
                live = bool(event.get("livemode", live))
                text = json.dumps(event, indent=2, ensure_ascii=False)
        with self.state.acting(live):
            targets = [(e["id"], e["url"], endpoints.secret_of(self.state, e))
                       for e in self.state.all("webhook_endpoint") if e["status"] == "enabled"
                       and body.get("endpoint", e["id"]) == e["id"]]
        if "url" in body:
            secret = body.get("secret") or (targets[0][2] if targets else "")
            targets = [(None, body["url"], secret)]
        results = []
        for ident, url, secret in targets:
            attempt = await self.double.deliveries.post(
                url, text.encode("utf-8"), body.get("secret", secret), body.get("t"),
                body.get("signature"))
            results.append({"endpoint": ident, "url": url, **attempt})
        return results

    # ---- clock, settings, state -------------------------------------------------------------

    async def clock(self, request, body):
        return {"now": self.state.now(), "offset": self.state.offset}

    async def advance(self, request, body):
        seconds = body["to"] - self.state.now() if "to" in body else body["advance"]
        if not isinstance(seconds, int) or seconds < 0:
            raise ValueError("the clock only moves forward, by whole seconds")
        steps = clockwork.advance(self.state, seconds)
        return {"now": self.state.now(), "offset": self.state.offset, "steps": steps}

    async def settings(self, request, body):
        return self.state.settings

    async def configure(self, request, body):
        unknown = set(body) - set(DEFAULTS)
        if unknown:
            raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
        self.state.settings.update(body)
        self.state.touch()
        return self.state.settings

    async def endpoint(self, request, body):
        """Set the endpoint that `--webhook-url` sets."""
        endpoints.install(self.state, body["url"], body["secret"])
        return {"ok": True}

    async def seed(self, request, body):
        self.double.seed(body)
        return {"ok": True}

    async def dump(self, request, body):
        """Every object by mode and kind; `?kind=subscription` for one kind."""
        kind = parse_qs(request.query_string).get("kind", [None])[0]
        books = {mode: {name: list(things.values()) for name, things in book["objects"].items()
                        if kind in (None, name)} for mode, book in self.state.books.items()}
        return {"now": self.state.now(), **books}

    async def reset(self, request, body):
        """Everything as at start: catalogue and command-line endpoint are there again."""
        self.double.reset()
        return {"ok": True}

    # ---- shortcuts --------------------------------------------------------------------------

    async def complete(self, request, body):
        """Press the buyer's button. `authenticate`: true or false answers 3-D Secure."""
        site = self.double.site
        session, live = site.locate("checkout.session", request.match_info["id"])
        if session is None:
            raise ApiError(404, f"No such checkout.session: '{request.match_info['id']}'")
        before = site._event_count(live)
        answer = body.get("authenticate")
        try:
            with self.state.acting(live):
                if body.get("promotion_code"):
                    checkout.apply_code(self.state, session, body["promotion_code"])
                outcome = checkout.complete(
                    self.state, session, body.get("card", "4242424242424242"),
                    authenticated=answer is True, email=body.get("email"),
                    name=body.get("name"))
        except ApiError as problem:
            return {"outcome": "declined" if problem.status == 402 else "refused",
                    "error": {"message": problem.message, "code": problem.code,
                              **problem.more}, "session": copy.deepcopy(session)}
        if outcome == "auth":
            return {"outcome": "declined" if answer is False else "requires_action",
                    "session": copy.deepcopy(session)}
        if body.get("wait", True):
            await site.settle(live, before)
        return {"outcome": "complete", "redirect": hosted.return_address(session),
                "session": copy.deepcopy(session)}

    async def subscription(self, request, body):
        site = self.double.site
        subscription, live = site.locate("subscription", request.match_info["id"])
        act = {"cancel": self._cancel, "cancel_at_period_end": self._cancel_at_period_end,
               "resume": self._resume, "renew": self._renew, "pay": self._pay,
               "fail_payment": self._fail_payment}.get(request.match_info["action"])
        if subscription is None or act is None:
            raise ApiError(404, f"No such subscription or action: {request.path}")
        before = site._event_count(live)
        with self.state.acting(live):
            act(subscription)
        if body.get("wait", True):
            await site.settle(live, before)
        return subscription

    def _cancel(self, subscription):
        subscriptions.cancel(self.state, {}, subscription["id"])

    def _cancel_at_period_end(self, subscription):
        subscriptions.update(self.state, {"cancel_at_period_end": True}, subscription["id"])

    def _resume(self, subscription):
        if subscription["status"] == "paused":
            subscriptions.resume(self.state, {}, subscription["id"])
        else:
            subscriptions.update(self.state, {"cancel_at_period_end": False},
                                 subscription["id"])

    def _card(self, subscription, number):
        customer = billing.customer_of(self.state, subscription)
        method = payments.build_method(self.state, number, customer["email"], customer["name"])
        payments.attach(self.state, method, customer)
        with billing.updating(self.state, subscription):
            subscription["default_payment_method"] = method["id"]

    def _renew(self, subscription):
        """The next renewal, brought forward to now and collected at once."""
        now = self.state.now()
        with billing.updating(self.state, subscription):
            subscription.update(status="active", billing_cycle_anchor=now)
            if subscription["trial_end"] and subscription["trial_end"] > now:
                subscription["trial_end"] = now
            billing.set_period(subscription, now)
        billing.bill(self.state, subscription, billing.lines_for(self.state, subscription),
                     "subscription_cycle", period=(now, now))

    def _latest_unpaid(self, subscription):
        invoice = self.state.find("invoice", subscription["latest_invoice"])
        if invoice["status"] == "draft":
            invoices.finalize(self.state, invoice)
        return invoice if invoice["status"] == "open" else None

    def _fail_payment(self, subscription):
        """A card that fails from now on, and a payment that meets it: `past_due`."""
        self._card(subscription, "4000000000000341")
        invoice = self._latest_unpaid(subscription)
        if invoice:
            billing.collect(self.state, invoice)
        else:
            self._renew(subscription)

    def _pay(self, subscription):
        """A good card again, and what is open is paid."""
        self._card(subscription, "4242424242424242")
        invoice = self._latest_unpaid(subscription)
        if invoice:
            billing.collect(self.state, invoice)
