# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Whether memory stays flat over a million requests of all kinds.

Of one child, for several would share the load unevenly and so be warm at different times. Warm is a child whose
cache is full: its pages are there from the first entry in each on, not from the start.
"""
from common import SECONDS, figure, requests, resident, running, scaled, started

import gate_accounts
from gate_accounts import visit

ACCOUNTS = 100000
FILLING, WARM_UP = 60000, 90000


def send(site, pattern, wanted):
    """At least so many requests."""
    sent = 0
    while sent < wanted:
        sent += requests(visit(site, pattern, site.database.total, seed=1 + sent,
                               seconds=min(10, SECONDS * 3), refusals=True)[1])
    return sent


def growth():
    """Resident memory of a child after a million requests ÷ after warm-up."""
    with running(gate_accounts.Server) as server:
        site = gate_accounts.one_child(gate_accounts.make_site(
            "bench-memory", gate_accounts.database(server, ACCOUNTS)))
        gate_accounts.fill(site)
        with started(site):
            warm = send(site, "sequence", scaled(FILLING)) + send(site, "mix", scaled(WARM_UP))
            pids = site.httpd.pids()
            [before] = resident(pids)
            sent = send(site, "mix", scaled(1000000))
            if site.httpd.pids() != pids:
                raise RuntimeError("httpd began or ended a child; nothing can be compared")
            [after] = resident(pids)
    command = f"VmRSS of a child: {sent} requests (users.lua, mix) after {warm} ÷ before"
    return {"gate.rss_growth": figure([after / before], 1.01, command),
            "gate.rss_kb": figure([after], None, "the same child, afterwards")}


MEASURES = [growth]
