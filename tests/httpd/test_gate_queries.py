# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What the gate asks the database, counted by PostgreSQL itself."""
import os
import tempfile

import dbservers
import pytest
from harness import databases

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
