# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Whether memory stays flat over a million requests of all kinds.

Of one child, for several would share the load unevenly and so be warm at different times. Warm is a child whose
cache is full: its pages are there from the first entry in each on, not from the start. How many requests and
connections to the database there are at the moment moves the figure by some per cent, so it is read several times
before and after, and the least of each compared: what is lost for good raises the floor.
"""
from common import SECONDS, figure, requests, resident, running, scaled, started

import gate_accounts
from gate_accounts import visit

ACCOUNTS = 100000
FILLING, WARM_UP = 60000, 60000
READINGS, BETWEEN = 12, 10000  # how often memory is read, and requests from one to the next


def send(site, pattern, wanted, seconds=min(10, SECONDS * 3)):
    """At least so many requests, and for so long."""
    sent = 0
    while sent < wanted:
        sent += requests(visit(site, pattern, site.database.total, seed=1 + sent,
                               seconds=seconds, refusals=True)[1])
    return sent


def readings(site):
    """The resident memory of the one child, several times; and how many requests that took."""
    found, sent = [], 0
    for _ in range(READINGS):
        sent += send(site, "mix", scaled(BETWEEN), seconds=1)
        found += resident(site.httpd.pids())
    return found, sent


def growth():
    """Resident memory of a child after a million requests ÷ after warm-up."""
    with running(gate_accounts.Server) as server:
        site = gate_accounts.one_child(gate_accounts.make_site(
            "bench-memory", gate_accounts.database(server, ACCOUNTS)))
        gate_accounts.fill(site)
        with started(site):
            warm = send(site, "sequence", scaled(FILLING)) + send(site, "mix", scaled(WARM_UP))
            pids = site.httpd.pids()
            before, more = readings(site)
            warm += more
            sent = send(site, "mix", scaled(1000000))
            after, more = readings(site)
            if site.httpd.pids() != pids:
                raise RuntimeError("httpd began or ended a child; nothing can be compared")
    command = f"VmRSS of a child, least of {READINGS}: {sent + more} requests (users.lua, mix) after {warm} ÷ before"
    return {"gate.rss_growth": figure([min(after) / min(before)], 1.01, command, most=True),
            "gate.rss_kb": figure(after, None, "the same child, afterwards")}


MEASURES = [growth]
