# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Every call to a database that a migration makes fails once, and all after it: what test_injection.py does
to the other operations."""
import itertools

from harness import databases, scratch
from harness.failnth import CONNECT, LIMIT, STATEMENT, FailNth

FULL = scratch.TIER == "full"
DATABASES = tuple(name for name in databases.chosen() if FULL or name != "mysql")

_SHAPES = {
    "sqlite3": ("SELECT type, name, sql FROM sqlite_master",),
    "pgsql": ("SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name "
              "FROM information_schema.columns WHERE table_schema = 'public'",
              "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"),
    "mysql": ("SELECT table_name, column_name, column_type, is_nullable, column_default, "
              "collation_name FROM information_schema.columns WHERE table_schema = DATABASE()",
              "SELECT table_name, index_name, seq_in_index, column_name, non_unique "
              "FROM information_schema.statistics WHERE table_schema = DATABASE()"),
}


_CONTENTS = (*(f"SELECT * FROM {table} ORDER BY 1" for table in ("epoch", "turn", "limiter")),
             "SELECT version, oldest FROM schema_version ORDER BY 1",
             "SELECT count(*), min(name) FROM server_secret")


def _shape(database):
    """The schema, and what a fresh one holds but for the random key and the times."""
    looks = [*_SHAPES[database.driver], *_CONTENTS]
    if database.driver != "sqlite3":  # in one call of psql or mariadb
        looks = ["; ".join(looks)]
    return [sorted(map(str, database.rows(look))) for look in looks]


def _empty(database):
    """Throws all tables away, whatever state they are in."""
    if database.driver == "sqlite3":
        for suffix in ("", "-wal", "-shm"):
            database.path.with_name(database.path.name + suffix).unlink(missing_ok=True)
    elif database.driver == "pgsql":
        database.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    else:
        database.execute(f"DROP DATABASE {database.name}; CREATE DATABASE {database.name}")


def test_each_call_of_a_migration_fails_and_the_next_run_makes_the_fresh_schema(database, make_site):
    """F06, F33, FAIL: from the n-th call on nothing works any more; the next run ends with what a run
    without trouble makes."""
    site = make_site(database=database, double=False, migrate=False, start=False)
    shim = FailNth(site.root)
    site.ctl_variables = shim.environment
    told = site.told()
    assert site.ctl(*told, "migrate").exit == 0
    fresh = _shape(site.database)
    for after in (False, True):
        for n in itertools.count(1, 1 if FULL else 31 if after else 11):
            assert n < LIMIT
            _empty(site.database)
            with shim.armed(n, again=-1, after=after, kinds=STATEMENT | CONNECT):
                broken = site.ctl(*told, "migrate")
            assert (broken.exit != 0) == bool(shim.failed), (n, broken.output)
            assert broken.exit in (0, 4), (n, broken)
            healed = site.ctl(*told, "migrate")
            assert healed.exit == 0, (n, healed.output)
            assert _shape(site.database) == fresh, n
            if not shim.failed:
                break
