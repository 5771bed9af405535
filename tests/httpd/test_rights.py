# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The module's user of the database reads and writes rows, and may do nothing else."""
import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from harness import databases, scratch
from harness.content import SECRET

PASSWORD = "sb-canary-limited-password"
SERVERS = [name for name in ("pgsql", "mysql") if name in databases.chosen()]


def as_administrator(database, sql):
    """Through the server's own socket, where its owner needs no password; docs/cli.md has the same GRANTs."""
    if database.driver == "pgsql":
        pid = os.environ.get("SB_TEST_PGSQL_PID") or pytest.skip("a server of the test's own is needed")
        # The fifth line names the socket's folder.
        folder = Path(f"/proc/{pid}/cwd/postmaster.pid").read_text().splitlines()[4]
        words = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", folder,
                 "-p", database._admin["port"], "-U", "postgres", "-d", database.name]
    else:
        words = ["mariadb", "--no-defaults", "-u", "root",
                 "--socket=" + database.rows("SELECT @@socket")[0][0]]
    done = subprocess.run(words, input=sql, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


GRANTS = {
    "pgsql": ("CREATE ROLE {user} LOGIN PASSWORD '{password}'; "
              "GRANT USAGE ON SCHEMA public TO {user}; "
              "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user};"),
    "mysql": ("CREATE USER {user}@'127.0.0.1' IDENTIFIED BY '{password}'; "
              "GRANT SELECT, INSERT, UPDATE, DELETE ON {database}.* TO {user}@'127.0.0.1';"),
}
REVOKES = {"pgsql": "DROP OWNED BY {user}; DROP ROLE {user};",
           "mysql": "DROP USER {user}@'127.0.0.1';"}


@pytest.fixture(params=SERVERS)
def limited(request, make_site):
    """A site that uses the database as a user with rows' rights only; its parameters."""
    site = make_site(database=request.param, start=False, migrate=False)
    database = site.database
    assert site.ctl("migrate").exit == 0
    names = {"user": f"limited_{database.name}"[:32], "password": PASSWORD, "database": database.name}
    as_administrator(database, GRANTS[request.param].format(**names))
    word = "password" if request.param == "pgsql" else "pass"
    params = database._join({**databases._pairs(database.params), "user": names["user"],
                             word: PASSWORD})
    source = scratch.write(site.root / "secrets" / "limited", params + "\n", 0o600)
    site.reconfigure(graceful=False, directives={
        "SubbillDatabase": f"{request.param} file:{source}"})
    site.start()
    yield site, names
    site.httpd.stop()
    as_administrator(database, REVOKES[request.param].format(**names))


def refused(database, user, sql):
    """Whether this user may not do that; asked with the database's own tool."""
    if database.driver == "pgsql":
        words = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1",
                 "-p", database._admin["port"], "-U", user, "-d", database.name]
    else:
        words = ["mariadb", "--no-defaults", "-h", "127.0.0.1", f"--port={database._admin['port']}",
                 "-u", user, database.name]
    done = subprocess.run(words, input=sql, capture_output=True, text=True, timeout=60,
                          env={"PATH": "/usr/bin:/bin", "PGPASSWORD": PASSWORD, "MYSQL_PWD": PASSWORD})
    assert done.returncode == 0 or "denied" in done.stderr or "must be owner" in done.stderr, done.stderr
    return done.returncode != 0


def test_a_whole_purchase_needs_no_more_than_rows(limited):
    """T42: page, checkout, payment, webhook, return page, renewal, portal, end, worker and commands."""
    site, names = limited
    bob = site.client.user("bob")
    assert bob.get("/members/page.html").status_code == 402
    session = bob.post("/subbill/checkout", json={"plan": "basic"})
    assert session.status_code == 200, session.text
    done = site.double.control.complete(session.json()["id"], "4242424242424242")
    back = urlsplit(done["redirect"])
    assert bob.get(f"{back.path}?{back.query}").status_code in (200, 303)
    site.double.control.flush(10)
    assert SECRET in bob.get("/members/page.html").text
    for path in ("/subbill/account", "/subbill/subscription", "/subbill/plans"):
        assert bob.get(path).status_code == 200
    assert bob.post("/subbill/portal", json={}).status_code == 200
    site.double.control.advance(days=32)
    site.double.control.flush(10)
    site.double.control.subscription(done["session"]["subscription"], "cancel")
    site.double.control.flush(10)
    assert bob.get("/members/page.html").status_code == 402
    for words in (["work", "--once"], ["jobs", "list"], ["events", "list"], ["user", "show", "bob"],
                  ["links", "set", "alice", "cus_TLimited00001", "--offline"], ["migrate", "--check"]):
        assert site.ctl(*words).exit == 0, words
    assert site.database.count("event", "state = 'failed'") == 0
    assert all(each["status"] == 200 for each in site.double.control.deliveries()
               if "status" in each)
    for sql in ("CREATE TABLE more (n INT);", "DROP TABLE event;", "ALTER TABLE event ADD n INT;",
                "TRUNCATE TABLE event;"):
        assert refused(site.database, names["user"], sql), sql
    assert not refused(site.database, names["user"], "SELECT COUNT(*) FROM event;")


def test_migrating_without_the_right_to_is_said_and_changes_nothing(limited):
    """T42, F33: the user of the web server is not the one to make tables."""
    site, _ = limited
    before = site.database.dump(without=())
    site.database.execute("DELETE FROM schema_version WHERE version > 2")
    done = site.ctl("migrate")
    assert done.exit == 4, done.output
    assert len(site.database.tables()) == len(before)
