# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What the gate asks the database, counted by PostgreSQL itself."""
import os
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import dbservers
import pytest
from harness import databases, scratch
from harness.chaos import Relay
from harness.children import FIRST, Line
from harness.content import SECRET

USERS = [f"reader{number}" for number in range(20)]
NAMED = """
<Location "/members">
    AuthType None
    Require all granted
    SubbillUser "%{req:X-User}"
    SubbillGate any
</Location>
"""


@pytest.fixture
def server():
    with tempfile.TemporaryDirectory(prefix="subbill-count-") as folder:
        os.chmod(folder, 0o755)
        made = dbservers.CountingPgsql(folder)
        try:
            made.start()
            yield made
        finally:
            made.stop()


def _counted(server, database):
    """How often the gate's own query ran, and the most that any other did; what other hosts changed
    is asked for now and then, whoever visits."""
    counted = server.counted(database)
    others = [calls for query, calls in counted.items()
              if "FROM account a" not in query and "epoch" not in query]
    return sum(calls for query, calls in counted.items() if "FROM account a" in query), \
        max(others, default=0)


def _visit(site, status):
    for user in USERS:
        answer = site.client.get("/members/page.html", headers={"X-User": user})
        assert answer.status_code == status


def test_a_user_who_is_not_cached_costs_one_query_and_one_who_is_costs_none(make_site, server):
    """M7, B30: for somebody who paid, for somebody who never did, and again after a purchase."""
    database = databases.Pgsql(server.params())
    site = make_site(database=database, double=False, gates=NAMED, httpd={"processes": 1})
    # The first visitor opens the connection, which has statements of its own.
    assert site.client.get("/members/", headers={"X-User": "nobody"}).status_code == 402

    server.count(database)
    _visit(site, 402)
    assert _counted(server, database) == (len(USERS), 0)

    for user in USERS:
        site.subscribe(user)
    server.count(database)
    _visit(site, 200)
    assert _counted(server, database) == (len(USERS), 0)
    _visit(site, 200)
    assert _counted(server, database) == (len(USERS), 0)


AT_ONCE = 16
SLOW = 0.1  # seconds, each way
METRICS = """
KeepAliveTimeout 20
<Location "/metrics">
    SetHandler subbill-metrics
</Location>
"""


def _queries(site):
    for line in site.client.get("/metrics").text.splitlines():
        if line.startswith("subbill_gate_queries_total "):
            return int(line.split()[1])
    raise AssertionError("no subbill_gate_queries_total")


def _at_once(site, user):
    """The same request on many connections that are there before: [(answer, seconds)]."""
    lines = [Line(site.port, user) for _ in range(AT_ONCE)]
    for line in lines:
        assert line.get(FIRST).status == 200
    together = threading.Barrier(AT_ONCE)

    def ask(line):
        together.wait()
        began = time.monotonic()
        return line.get("/members/page.html"), time.monotonic() - began

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(ask, lines))
    for line in lines:
        line.close()
    return found


def test_of_many_who_miss_at_once_one_asks_the_database(make_site, server):
    """T35, M7: a slow database gets one query for a user of whom many requests come at once, and all of them
    are answered by it; by our own count and by the database's."""
    if scratch.MPM == "prefork":
        pytest.skip("a process of prefork has one request at a time")
    direct = databases.Pgsql(server.params())
    with Relay(direct.address) as relay:
        # One connection, for to make another takes too long over such a line.
        site = make_site(database=direct.behind(relay.port), double=False, extra=METRICS,
                         directives={"SubbillDatabasePool": "1 1000"},
                         httpd={"processes": 1, "threads": AT_ONCE * 2})
        site.subscribe("bob")
        for user, status in (("bob", 200), ("alice", 402)):
            # Somebody else opens the connection, and looks what other hosts have done.
            assert site.client.user("carol").get("/members/page.html").status_code == 402
            server.count(direct)
            before = _queries(site)
            relay.delay = SLOW
            found = _at_once(site, user)
            relay.delay = 0
            assert {answer.status for answer, _ in found} == {status}
            assert all((SECRET in answer.text) == (status == 200) for answer, _ in found)
            assert min(seconds for _, seconds in found) > SLOW, "somebody did not wait for the database"
            assert _queries(site) - before == 1
            assert _counted(server, direct)[0] == 1
