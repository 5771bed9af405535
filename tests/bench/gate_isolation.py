# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Whether those who need neither database nor Stripe feel it when one of them takes calls and never answers.

Measured are an open page, and a gated one whose decision is cached, beside visitors who wait for what hangs, against
the same pages while all is well and nobody else is there, alternating.
"""
import contextlib
import itertools
import threading

import dbservers
import httpx
from common import ROUNDS, figure, milliseconds, running, started, wrk

from harness import databases
from harness.chaos import Relay

import gate
from gate_accounts import one_child

VISITORS = 4  # who wait
PAUSE = 0.5  # seconds between two visits of one of them: they wait, they do not press
THREADS = 32
SECONDS = 1  # a turn; the gate believes its cache for five without a word of the database,
HEALING = 3  # and after trouble leaves it alone for one or two
PAGES = (("public", "plain", 0.9), ("gate", "gated", 0.8))

# No decision grows old during the measure.
CACHE = {"SubbillCache": "4096 3600"}
# Where visitors are whom they say, so that there may be any number of them.
NAMED = """
<LocationMatch "^/(wait|subbill/checkout)">
    AuthType None
    Require all granted
    SubbillUser "%{req:X-User}"
</LocationMatch>
<Location "/wait">
    SubbillGate any
</Location>
"""


@contextlib.contextmanager
def visitors(site, method, path, **about):
    """So many who come again and again, each time another user from another address, whatever they are answered."""
    ended = threading.Event()
    numbers = itertools.count()

    def come():
        while not ended.wait(PAUSE):
            number = next(numbers)
            address = httpx.HTTPTransport(local_address=f"127.1.{number // 250 % 250}.{number % 250 + 1}")
            with httpx.Client(transport=address, timeout=30) as client, contextlib.suppress(httpx.HTTPError):
                client.request(method, site.url + path, headers={"X-User": f"visitor{number}"}, **about)

    threads = [threading.Thread(target=come) for _ in range(VISITORS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def turn(site, folder):
    """(requests per second, 99th percentile in milliseconds) of the page."""
    rate, words = wrk(f"{site.url}/{folder}/page.html", "-H", gate.BASIC, seconds=SECONDS)
    return rate, milliseconds(words, 99)


def compare(site, what, waiting, trouble):
    """Figures of both pages: with trouble() and those who wait for its end ÷ without."""
    rates = {name: [] for name, *_ in PAGES}
    times = {name: [] for name, *_ in PAGES}
    for _ in range(ROUNDS):
        well = {name: turn(site, folder) for name, folder, _ in PAGES}
        with trouble(), waiting():
            for name, folder, _ in PAGES:
                rate, p99 = turn(site, folder)
                rates[name].append(rate / well[name][0])
                times[name].append(p99 / well[name][1])
        wrk(f"{site.url}/gated/page.html", "-H", gate.BASIC, seconds=HEALING, refusals=True)
    command = f"wrk -c16, {what} hangs and {VISITORS} visitors wait for it ÷ all is well"
    figures = {}
    for name, _, must in PAGES:
        figures[f"gate.iso_{what}_{name}"] = figure(rates[name], must, command)
        figures[f"gate.iso_{what}_{name}_p99"] = figure(times[name], 2 if name == "public" else None,
                                                        command + ": 99th percentiles", most=True)
    return figures


def make_site(name, database="sqlite3", double=False):
    """One child, because another that httpd starts meanwhile has no warm cache."""
    return one_child(gate.make_site(name, database, gate.PAGES + NAMED, CACHE, double=double, threads=THREADS),
                     THREADS)


def database():
    """ISO: the database hangs."""
    with running(dbservers.Pgsql) as server:
        direct = databases.Pgsql(server.params())
        with Relay(direct.address) as relay:
            behind = direct.behind(relay.port)
            behind.direct = direct.params
            site = make_site("bench-iso-database", behind)
            site.allow_log("SB|subbill")

            @contextlib.contextmanager
            def trouble():
                relay.mode = "hang"
                try:
                    yield
                finally:
                    relay.mode = "pass"

            with started(site):
                site.subscribe("bob", "basic")
                return compare(site, "database", lambda: visitors(site, "GET", "/wait/"), trouble)


def stripe():
    """ISO: Stripe hangs."""
    site = make_site("bench-iso-stripe", double=True)
    site.allow_log("SB|subbill")

    @contextlib.contextmanager
    def trouble():
        site.double.control.fault("slow", method="POST", path_prefix="/v1/", times=-1, delay=3)
        try:
            yield
        finally:
            site.double.control.clear_faults()

    with started(site):
        site.subscribe("bob", "basic")
        return compare(site, "stripe", lambda: visitors(
            site, "POST", "/subbill/checkout", json={"plan": "basic"}), trouble)


MEASURES = [database, stripe]
