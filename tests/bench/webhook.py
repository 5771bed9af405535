# Licensed under the Apache License, Version 2.0; see LICENSE.
"""How many events become durable in a second, and how long Stripe waits for the answer.

PostgreSQL flushes here as it does in earnest. Beside it, in turns, pgbench runs the statements that one
event costs (webhook_pgsql.sql), without httpd, signature and JSON around them: the most that any
program on this machine could reach with them. wrk sends, because it takes little of the two cores.
"""
import http.client
import json
import os
import re
import subprocess
import tempfile
import threading
import time
from collections import Counter

from common import (HERE, ROOT, ROUNDS, SECONDS, figure, milliseconds, running, started,
                    wrk)

from harness import databases, events
from harness.client import sign
from harness.site import Site

import dbservers

CONNECTIONS = 16
USERS = 500
BODY = 3000  # bytes of an event as Stripe prints it, about


class Durable(dbservers.CountingPgsql):
    """A private PostgreSQL that flushes every commit."""

    def command(self):
        words = super().command()
        for setting in ("fsync=on", "synchronous_commit=on", "full_page_writes=on",
                        "shared_buffers=128MB"):
            words += ["-c", setting]
        return words


class DurableMysql(dbservers.Mysql):
    """A private MariaDB that flushes every commit."""

    def command(self):
        return [word.replace("flush-log-at-trx-commit=0", "flush-log-at-trx-commit=1")
                .replace("flush-method=nosync", "flush-method=fsync")
                for word in super().command() if word != "--skip-innodb-doublewrite"]


def make_site(name, database):
    site = Site(name=name, database=database, double=False,
                directives={"SubbillDatabasePool": f"{CONNECTIONS} 5000"},
                httpd={"log_level": "warn", "threads": CONNECTIONS, "processes": 1})
    path = site.httpd.config_path
    path.write_text(path.read_text().replace(" subbill:debug", "").replace(
        "KeepAliveTimeout 2", "KeepAliveTimeout 30\nMaxKeepAliveRequests 0"))
    return site


def life(user, number):
    """A later statement about the user's one subscription: what Stripe sends most of."""
    thing = events.subscription(user, "basic", id=f"sub_1Bench{user}", customer=f"cus_T{user}")
    thing["items"]["data"][0]["id"] = f"si_T{user}"
    thing["created"] = thing["start_date"] = 1700000000
    return events.subscription_updated(thing, created=thing["billing_cycle_anchor"] + number // USERS)


def write_events(path, secret, total, first):
    """Signed events for wrk's script: for each the header, the body's length, and the body."""
    with open(path, "wb") as out:
        for number in range(first, first + total):
            body = (json.dumps(life(f"user{number % USERS}", number)) + "\n").encode()
            out.write(f"{sign(body, secret)}\n{len(body)}\n".encode() + body)


class Feed:
    """Sends new events for some seconds at a time."""

    def __init__(self, site, folder):
        self.site = site
        self.path = os.path.join(folder, "events")
        self.sent = 0

    def run(self, seconds=SECONDS, expected=4000):
        """(events per second, wrk's words). expected: more than can be sent in a second."""
        total = int(expected * seconds)
        write_events(self.path, self.site.secret, total, self.sent)
        self.sent += total
        rate, words = wrk(f"{self.site.url}/subbill/webhook", seconds=seconds,
                          script=(HERE / "events.lua", self.path), connections=CONNECTIONS)
        if "events: used up" in words:
            raise RuntimeError("more events a second than were prepared; raise expected")
        return rate, words


def measure(database, rounds=3):
    """Rates, and the answer times of the last round."""
    rates = []
    with started(make_site("bench-webhook", database)) as (site,), \
            tempfile.TemporaryDirectory() as folder:
        feed = Feed(site, folder)
        feed.run(1)
        for _ in range(rounds):
            rate, words = feed.run()
            rates.append(rate)
    return rates, words


def others():
    """Durable events per second into SQLite and MariaDB over 16 connections."""
    command = f"wrk -c{CONNECTIONS}, customer.subscription.updated"
    rates, words = measure("sqlite3")
    figures = {"webhook.sqlite_events": figure([round(rate) for rate in rates], None, command),
               "webhook.sqlite_p99_ms": figure([round(milliseconds(words, 99), 1)], None, command)}
    with running(DurableMysql) as server:
        rates, words = measure(databases.Mysql(server.params()))
    figures["webhook.mysql_events"] = figure([round(rate) for rate in rates], None, command)
    return figures


def pgbench(server, name, seconds):
    done = subprocess.run(
        [str(server.bin / "pgbench"), "-n", "-M", "extended", "-c", str(CONNECTIONS), "-j", "1",
         "-T", str(seconds), "-D", f"users={USERS}", "-D", f"body={'x' * BODY}", "-f", str(HERE / "webhook_pgsql.sql"), "-h",
         "127.0.0.1", "-p", str(server.port), "-U", "subbill", name], capture_output=True, text=True,
        env={**os.environ, "PGPASSWORD": dbservers.PASSWORD}, check=True)
    if "aborted" in done.stderr or "error" in done.stderr.lower():
        raise RuntimeError(done.stderr[-2000:])
    return float(re.search(r"tps = ([\d.]+)", done.stdout)[1])


def answers():
    """How long Stripe waits for an answer at 200 events a second into PostgreSQL."""
    with running(Durable) as server, \
            started(make_site("bench-answers", databases.Pgsql(server.params()))) as (site,):
        took = steady(site, 200, 5)
    command = "200 events a second for 5 s over 16 connections, PostgreSQL, fsync on"
    return {"webhook.p50_ms": figure([round(took[len(took) // 2], 1)], 20, command, most=True),
            "webhook.p99_ms": figure([round(took[int(len(took) * 0.99)], 1)], 250, command, most=True)}


def steady(site, rate, seconds):
    """Answer times in milliseconds, sorted, of events that are sent at their time whatever comes back."""
    bodies = [(json.dumps(life(f"user{number % USERS}", number)) + "\n").encode()
              for number in range(rate * seconds)]
    took, begun = [], time.monotonic() + 0.2

    def send(share):
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
        for number in share:
            due = begun + number / rate
            time.sleep(max(0, due - time.monotonic()))
            connection.request("POST", "/subbill/webhook", bodies[number], {
                "Content-Type": "application/json",
                "Stripe-Signature": sign(bodies[number], site.secret)})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"webhook: {answer.status}")
            took.append((time.monotonic() - due) * 1000)
        connection.close()

    threads = [threading.Thread(target=send, args=(range(i, len(bodies), CONNECTIONS),))
               for i in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(took) != len(bodies):
        raise RuntimeError(f"{len(bodies) - len(took)} events were not answered with 200")
    return sorted(took)


def against_pgbench():
    """Durable events per second into PostgreSQL ÷ pgbench running the same statements."""
    with running(Durable) as server:
        return compare(server)


def compare(server):
    database = databases.Pgsql(server.params())
    ratios, rates, peers, slow = [], [], [], []
    with started(make_site("bench-pgbench", database)) as (site,), \
            tempfile.TemporaryDirectory() as folder:
        feed = Feed(site, folder)
        feed.run(2)  # every user has a subscription now
        check_statements(server, database, feed)
        pgbench(server, database.name, 1)
        for _ in range(ROUNDS):
            rate, words = feed.run()
            peer = pgbench(server, database.name, SECONDS)
            rates.append(round(rate))
            peers.append(round(peer))
            ratios.append(rate / peer)
            slow.append(milliseconds(words, 99))
    command = f"wrk -c{CONNECTIONS} ÷ pgbench -M extended -c{CONNECTIONS}, fsync on, alternating"
    return {"webhook.pgbench_ratio": figure(ratios, 0.5, command),
            "webhook.pgsql_events": figure(rates, None, "the same run"),
            "webhook.pgbench_events": figure(peers, None, "the same run"),
            "webhook.pgsql_p99_ms": figure(slow, None, "the same run, as fast as it goes")}


def normal(sql):
    """A statement as text that two writers of it can be compared by."""
    sql = re.sub(r"--[^\n]*", "", sql)
    sql = re.sub(r":\w+|\$\d+(::\w+)?|'[^']*'|\b\d+\b", "?", sql)
    sql = re.sub(r"::\w+", "", sql)
    sql = re.sub(r"\?(\s*\|\|\s*\?)+", "?", sql)
    sql = re.sub(r"\bNULL\b", "?", sql)
    return re.sub(r"\s+", " ", sql).strip(" ;")


def listed():
    text = re.sub(r"^(\\|--).*$", "", (HERE / "webhook_pgsql.sql").read_text(), flags=re.M)
    return Counter(filter(None, (normal(part) for part in text.split(";"))))


def check_statements(server, database, feed):
    """The list that pgbench runs is what PostgreSQL counts per event, no more and no less."""
    server.count(database)
    feed.run(1)
    counted = server.counted(database)
    seen = Counter({normal(query): round(calls / counted["COMMIT"])
                    for query, calls in counted.items()})
    seen += Counter()  # drops what is not of every event
    if seen != listed():
        out = ROOT / "build" / "webhook_statements.txt"
        out.write_text("\n\n".join(counted) + "\n")
        raise RuntimeError("tests/bench/webhook_pgsql.sql is not what an event costs; only there: "
                           f"{sorted(listed() - seen)}; missing: {sorted(seen - listed())}")


MEASURES = [against_pgbench, answers, others]
