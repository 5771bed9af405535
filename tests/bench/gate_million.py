# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Whether the gate minds how many accounts there are: a million in PostgreSQL beside a thousand.

What is compared is the same pattern of visits: a thousand active users, who lie scattered in the larger
tables, once as they come (most decisions are cached) and once without (each is a query).
That a cache of some size helps less when a million people come is arithmetic; those hit rates and
the memory of a process stand beside it.
"""
import functools
import http.client
import time

from common import ROUNDS, figure, milliseconds, requests, resident, running, scaled, started

import gate_accounts
from gate_accounts import visit, weigh

ACTIVE = 1000
TTL = 300  # longer than a measure, so that the size alone decides
SIZES = (1024, 8192, 65536)
WARMTH = {"zipf": 2, "uniform": 1}  # requests before the measure, for each place in the cache
NONE = "64 0"  # nothing is fresh for any time



def children_mb(site):
    """Resident megabytes of each child that serves."""
    return [round(size / 1024, 1) for size in resident(site.httpd.pids())]


def accounts():
    """A million accounts beside a thousand: throughput, misses, hit rates, memory."""
    with running(gate_accounts.Server) as server:
        small = gate_accounts.database(server, ACTIVE)
        large = gate_accounts.database(server, scaled(1000000))
        sites = [gate_accounts.make_site("bench-thousand", small),
                 gate_accounts.make_site("bench-million", large)]
        for site in sites:
            gate_accounts.fill(site)
        with started(*sites):
            figures = {**throughput(server, *sites), **queries(server, sites[1])}
        if gate_accounts.has_cache_directive():
            figures.update(misses(server, small, large))
            for size in SIZES:
                figures.update(cache_of(size, server, large))
    return figures


def throughput(server, small, large):
    rates, spent = {small: [], large: []}, {small: [], large: []}
    for site in rates:
        visit(site, "uniform", ACTIVE, seconds=1)
    for number in range(ROUNDS):
        for site in rates:
            rate, microseconds, _ = weigh(site, server, "uniform", ACTIVE, seed=number)
            rates[site].append(rate)
            spent[site].append(round(microseconds, 1))
    command = f"wrk -c16, {ACTIVE} active users, uniform: {large.database.total} accounts ÷ {ACTIVE}"
    figures = {"gate.million_ratio": figure([big / little for little, big in zip(*rates.values())],
                                            0.9, command)}
    for name, site in (("thousand", small), ("million", large)):
        figures[f"gate.{name}_rate"] = figure([round(rate) for rate in rates[site]], None,
                                              "requests per second, the same run")
        figures[f"gate.{name}_cpu_us"] = figure(spent[site], None,
                                                "computed for each by all servers, the same run")
        figures[f"gate.{name}_child_mb"] = figure(children_mb(site), None, "resident, afterwards")
    figures["gate.million_child_mb_ratio"] = figure(
        [figures["gate.million_child_mb"]["value"] / figures["gate.thousand_child_mb"]["value"]], 1.1,
        "resident, a child beside a million accounts ÷ beside a thousand", most=True)
    return figures


def calls(server, database, work):
    """Statements per second while nothing is asked, then those that work() caused by itself."""
    server.count(database)
    time.sleep(1)
    idle = sum(server.counted(database).values())
    server.count(database)
    begun = time.monotonic()
    work()
    took = time.monotonic() - begun
    return sum(server.counted(database).values()) - idle * took


def queries(server, site):
    """What PostgreSQL counts while nobody comes twice."""
    total = site.database.total
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)

    def ask(users):
        for number in users:
            connection.request("GET", "/gated/page.html", headers={"X-User": f"user{number}"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"user{number}: {answer.status}")

    per_request = []
    for number in range(3):
        users = range(number * total // 3, number * total // 3 + min(1000, total // 3))
        asked = calls(server, site.database, functools.partial(ask, users))
        per_request.append(round(asked / len(users), 2))
    connection.close()
    return {"gate.miss_queries": figure(per_request, 1,
                                        "pg_stat_statements: all statements ÷ requests of ever new users",
                                        most=True)}


def misses(server, small, large):
    """Without a cache: how fast, and how long one visitor waits who is alone."""
    sites = [gate_accounts.make_site(f"bench-miss-{database.total}", database, NONE)
             for database in (small, large)]
    rates, spent, times = ({site: [] for site in sites} for _ in range(3))
    with started(*sites):
        for number in range(ROUNDS):
            for site in sites:
                where = {"pattern": "sequence", "active": site.database.total,
                         "seed": number * site.database.total // ROUNDS, "seconds": 1}
                rate, microseconds, _ = weigh(site, server, **where)
                rates[site].append(rate)
                spent[site].append(round(microseconds, 1))
                words = visit(site, connections=1, **where)[1]
                times[site].append([milliseconds(words, percent) for percent in (50, 99)])
    ratios = [big / little for little, big in zip(*rates.values())]
    figures = {"gate.million_miss_ratio": figure(
        ratios, 0.9, f"wrk -c16, SubbillCache {NONE}, each a miss: {large.total} accounts ÷ {small.total}")}
    for name, site in zip(("thousand", "million"), sites):
        figures[f"gate.{name}_miss_cpu_us"] = figure(spent[site], None,
                                                     "computed for each by all servers, the same run")
        for place, percent in enumerate((50, 99)):
            figures[f"gate.{name}_miss_p{percent}_ms"] = figure(
                [pair[place] for pair in times[site]], None, "wrk -c1, each a miss, whole answer")
    figures["gate.million_miss_p50_ratio"] = figure(
        [big[0] / little[0] for little, big in zip(*times.values())], 1.1,
        "wrk -c1, each a miss: a million accounts ÷ a thousand, medians of the answer time", most=True)
    return figures


def warm(site, pattern, size):
    """Lets people come until the cache of the one child is nearly as full as it will be."""
    total, sent = site.database.total, 0
    while sent < min(WARMTH[pattern] * size, total):
        sent += requests(visit(site, pattern, total, seed=sent, seconds=2)[1])


def cache_of(size, server, database):
    """Hits of a million people, and what the cache takes, by its size."""
    figures = {}
    site = gate_accounts.one_child(gate_accounts.make_site(
        f"bench-cache-{size}", database, f"{size} {TTL}"))
    with started(site):
        for pattern in WARMTH:
            warm(site, pattern, size)
            server.count(database)
            sent = requests(visit(site, pattern, database.total, seed=99, seconds=2)[1])
            asked = sum(times for query, times in server.counted(database).items()
                        if "FROM account a" in query)
            # The last answers are on their way when wrk stops counting.
            figures[f"gate.hit_rate_{pattern}_{size}"] = figure(
                [round(max(0.0, 1 - asked / (sent + 16)), 3)], None,
                f"SubbillCache {size} {TTL}, {database.total} accounts, one child")
        figures[f"gate.child_mb_{size}"] = figure(children_mb(site), None, "resident, afterwards")
    return figures


MEASURES = [accounts]
