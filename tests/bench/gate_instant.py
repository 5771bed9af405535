# Licensed under the Apache License, Version 2.0; see LICENSE.
"""How long somebody whose subscription ended gets in: on the host that heard of it, and on another.

Two httpd instances share nothing but one PostgreSQL. A visitor keeps two connections to each, which lie
on whichever of its processes took them, and has been let in on all of them. When the webhook has been
answered on one host (each is it in turn), the visitor asks on until each connection has been refused once;
the slowest counts. Many visitors do so at the same time.
"""
import asyncio
import random
import re
import time

from common import figure, running, scaled, started

from harness import events
from harness.client import body_of, sign

import gate_accounts

REVOCATIONS = 500
AT_A_TIME = 50
CONNECTIONS = 2  # of a visitor to each host
PAUSE = {"same": 0.005, "other": 0.05}


class Connection:
    """One kept connection to a site."""

    def __init__(self, site):
        self.port = site.port
        self.reader = self.writer = None

    async def _exchange(self, request):
        try:
            return await self._try(request)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.close()  # httpd may end an idle connection as we write to it
            return await self._try(request)

    async def _try(self, request):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        await self.reader.readexactly(int(re.search(rb"\r\ncontent-length: (\d+)", head)[1]))
        if b"\r\nconnection: close" in head:
            self.close()
        return int(head.split()[1])

    async def ask(self, user):
        return await self._exchange(f"GET /gated/page.html HTTP/1.1\r\nHost: 127.0.0.1\r\nX-User: {user}\r\n\r\n"
                                    .encode())

    async def post(self, body, secret):
        head = (f"POST /subbill/webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                f"Stripe-Signature: {sign(body, secret)}\r\nContent-Length: {len(body)}\r\n\r\n")
        return await self._exchange(head.encode() + body)

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


async def until_refused(connection, user, begun, pause):
    """How often this connection was let in since begun, and milliseconds until it was not."""
    let_in = 0
    while (status := await connection.ask(user)) == 200:
        let_in += 1
        await asyncio.sleep(pause)
    if status != 402:
        raise RuntimeError(f"a revoked user was answered with {status}")
    return let_in, (time.monotonic() - begun) * 1000


def deletion(user):
    """The webhook that ends the subscription accounts.sql made."""
    thing = events.subscription(user, "basic", id=f"sub_1Bench{user}", customer=f"cus_T{user}")
    thing["items"]["data"][0]["id"] = f"si_T{user}"
    thing["created"] = thing["start_date"] = 1700000000
    return body_of(events.subscription_deleted(thing))


async def visitor(here, there, users, took, pauses):
    """Loses one subscription after the other at the first site."""
    hook = Connection(here)
    sides = {"same": [Connection(here) for _ in range(CONNECTIONS)],
             "other": [Connection(there) for _ in range(CONNECTIONS)]}
    for user in users:
        # Else all would wait for the same news of the other host and then rush off together.
        await asyncio.sleep(pauses.uniform(0, 0.3))
        for connection in [*sides["same"], *sides["other"]]:
            status = await connection.ask(user)
            if status != 200:
                raise RuntimeError(f"a subscriber was answered with {status}")
        status = await hook.post(deletion(user), here.secret)
        if status != 200:
            raise RuntimeError(f"webhook: {status}")
        begun = time.monotonic()
        waits = {name: [until_refused(connection, user, begun, PAUSE[name]) for connection in side]
                 for name, side in sides.items()}
        answers = await asyncio.gather(*waits["same"], *waits["other"])
        took["same"].append(max(wait for _, wait in answers[:CONNECTIONS]))
        took["other"].append(max(wait for _, wait in answers[CONNECTIONS:]))
        took["let in"].append(sum(times for times, _ in answers[:CONNECTIONS]))
    for connection in [hook, *sides["same"], *sides["other"]]:
        connection.close()


async def everybody(sites, total):
    took = {"same": [], "other": [], "let in": []}
    await asyncio.gather(*(
        visitor(*(sites if number % 2 else reversed(sites)),
                [f"user{i}" for i in range(number, total, AT_A_TIME)], took,
                random.Random(number))
        for number in range(AT_A_TIME)))
    return took


def revocations():
    """From the webhook's 200 to the last visitor let in, on the same and on another host."""
    total = scaled(REVOCATIONS)
    with running(gate_accounts.Server) as server:
        database = gate_accounts.database(server, total)
        sites = [gate_accounts.make_site(f"bench-host-{name}", database) for name in "ab"]
        gate_accounts.fill(sites[0])
        with started(*sites):
            took = asyncio.run(everybody(sites, total))
    figures = {}
    for name, must in (("same", 100), ("other", 2000)):
        seen = sorted(round(milliseconds, 1) for milliseconds in took[name])
        figures[f"gate.revoke_ms_{name}"] = figure(
            seen, must, f"p99 of {total} revocations, {AT_A_TIME} users at a time; min, max", most=True,
            value=seen[min(total - 1, int(total * 0.99))])
    figures["gate.revoke_late_same"] = figure(
        [sum(took["let in"])], 0, "requests let in on the same host after the webhook's 200", most=True)
    return figures


MEASURES = [revocations]
