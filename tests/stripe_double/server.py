# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The server: puts state, API, pages, deliveries, faults and control behind one address."""

import asyncio
import json
import logging
import sys
import time

from aiohttp import web

from . import clockwork, endpoints, forms, prices
from .api import Answer, Api, key_of, masked
from .checkout import page_url
from .control_api import Control
from .deliveries import DEFAULTS as DELIVERY_DEFAULTS
from .deliveries import Deliveries
from .errors import ApiError
from .faults import Faults, error_body, misbehave, wait_for_client
from .hosted import Site
from .state import State

_LOGGED = ("Idempotency-Key", "Stripe-Version", "User-Agent", "Content-Type", "Accept",
           "Stripe-Account", "Authorization-Kind")
_LOG_LIMIT = 5000
_TICK = 0.5  # seconds between looks at the clock and writes of the state


class Double:
    """One running double."""

    def __init__(self, state_path=None, keys=None, catalog=None, webhook=None):
        self.state = State(state_path)
        self.faults = Faults()
        self.api = Api(self.state, keys)
        self.log = []
        self.catalog = catalog
        self.webhook = webhook
        self.deliveries = None
        self.site = None

    def prepare(self):
        """Catalogue and endpoint of the command line, into a state new or old."""
        if self.catalog:
            prices.seed(self.state, self.catalog)
        if self.webhook:
            endpoints.install(self.state, *self.webhook)

    def seed(self, catalog):
        prices.seed(self.state, catalog)

    def reset(self):
        """Forget objects, logs, faults, replays and delivery settings."""
        self.state.clear()
        self.faults.clear()
        self.log.clear()
        self.deliveries.config = dict(DELIVERY_DEFAULTS)
        self.prepare()

    # ---- API --------------------------------------------------------------------------------

    def _record(self, request, body):
        try:
            decoded = forms.decode(request.rel_url.raw_query_string)
            if body:
                decoded.update(forms.decode(body.decode("utf-8", "replace")))
            decoded = forms.readable(decoded)
        except ApiError:
            decoded = None
        headers = {name: request.headers[name] for name in _LOGGED if name in request.headers}
        entry = {"at": time.time(), "method": request.method, "path": request.path,
                 "params": decoded, "headers": headers, "key": masked(key_of(request.headers)),
                 "status": None, "request_id": None, "replayed": False, "fault": None,
                 "ms": None}
        if decoded is None:
            entry["raw"] = body[:4096].decode("latin-1")
        self.log.append(entry)
        del self.log[:-_LOG_LIMIT]
        return entry

    async def handle(self, request):
        """Every request below /v1 and every unknown path."""
        began = time.monotonic()
        body = await request.read()
        entry = self._record(request, body)
        rule = self.faults.take(request.method, request.path, key_of(request.headers))
        entry["fault"] = rule and rule["action"]
        broken = rule is not None and rule["action"] == "status" and rule["status"] == 500 \
            and not rule["after_effect"]
        run = rule is None or rule["action"] in ("slow", "truncate", "dribble") \
            or rule["after_effect"] or broken
        try:
            answer = await self._answer(request, body, rule, broken) if run else Answer(200, {})
        except Exception:
            logging.exception("%s %s", request.method, request.path)
            answer = Answer(500, {"error": {
                "message": "The double failed; its standard error says why.",
                "type": "api_error"}})
        entry["ms"] = round((time.monotonic() - began) * 1000)
        entry["request_id"] = answer.headers.get("Request-Id")
        entry["replayed"] = "Idempotent-Replayed" in answer.headers
        headers = {**answer.headers, "Cache-Control": "no-cache, no-store"}
        if broken and answer.status == 500:
            rule = {**rule, "body": answer.body}
        elif broken:  # refused before it ran, or an older answer of this key
            rule = None
        if rule is not None and rule["action"] != "slow":
            entry["status"] = rule["status"] if rule["action"] == "status" else None
            return await misbehave(rule, request, answer.payload(), headers)
        entry["status"] = answer.status
        return web.Response(body=answer.payload(), status=answer.status, headers=headers,
                            content_type="application/json")

    async def _answer(self, request, body, rule, broken):
        call = self.api.begin(request.method, request.path, request.headers,
                              request.rel_url.raw_query_string, body)
        if rule is not None and rule["action"] == "slow":
            await wait_for_client(request, rule["delay"] or 1)
        if isinstance(call, Answer):
            return call
        if broken:
            return self.api.fail(call, 500, rule["body"] or error_body(500))
        return self.api.finish(call)

    # ---- running ----------------------------------------------------------------------------

    async def _tick(self):
        while True:
            await asyncio.sleep(_TICK)
            try:
                clockwork.catch_up(self.state)
                self.state.save()
            except Exception:
                logging.exception("clock")

    async def run(self, host, port, stop):
        """Serve until the event `stop` is set. Prints the ready line."""
        self.deliveries = Deliveries(self.state)
        self.site = Site(self.state, self.deliveries)
        app = web.Application(client_max_size=4 << 20)
        app.add_routes(Control(self).routes())
        app.add_routes(self.site.routes())
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await runner.setup()
        server = web.TCPSite(runner, host, port, shutdown_timeout=0.1, reuse_address=True)
        await server.start()
        port = server._server.sockets[0].getsockname()[1]
        self._open_books(f"http://{host}:{port}")
        await self.deliveries.start()
        ticker = asyncio.ensure_future(self._tick())
        print(f"stripe double ready on {self.state.base_url}", flush=True)
        await stop.wait()
        ticker.cancel()
        await self.deliveries.stop()
        self.state.save()
        try:
            await asyncio.wait_for(runner.cleanup(), 1.0)
        except asyncio.TimeoutError:
            pass

    def _open_books(self, base_url):
        """Load what an earlier run left; its open sessions get this run's address."""
        self.state.base_url = base_url
        self.state.load()
        self.prepare()
        for live in (False, True):
            with self.state.acting(live):
                for session in self.state.all("checkout.session"):
                    if session["url"]:
                        session["url"] = page_url(self.state, session["id"])
        self.state.touch()
        self.state.save()


def read_catalog(path):
    """A catalogue file; a sentence and exit status 2 when it is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as problem:
        sys.exit(f"stripe double: {path}: {problem}")
