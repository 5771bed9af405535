# Licensed under the Apache License, Version 2.0; see LICENSE.
"""A database of its own for each site, on any of the three dialects, and a look into its tables.

SQLite is a file below the site. PostgreSQL and MariaDB are servers somebody started (tests/run, or
`tests/httpd/dbservers.py run -- …`), named by SB_TEST_PGSQL and SB_TEST_MYSQL; without them a test
that wants one is skipped with that reason. Tables are read with the databases' own command line
tools, so that what a test sees does not come through the code under test.
"""
import copy
import csv
import io
import itertools
import os
import sqlite3
import subprocess

import pytest

from . import scratch

ALL = ("sqlite3", "pgsql", "mysql")
csv.field_size_limit(1 << 24)  # bodies of events
_VARIABLE = {"pgsql": "SB_TEST_PGSQL", "mysql": "SB_TEST_MYSQL"}
_numbers = itertools.count(1)


def chosen():
    """The dialects this run may use: SB_DATABASES, by default all."""
    return tuple(os.environ.get("SB_DATABASES", " ".join(ALL)).split())


def make(dialect, root):
    """An empty database: an object with .driver, .params, rows(), dump(), drop()."""
    if dialect == "sqlite3":
        return Sqlite(root)
    value = os.environ.get(_VARIABLE[dialect])
    if not value:
        pytest.skip(f"{_VARIABLE[dialect]} names no server; run through tests/run or "
                    "tests/httpd/dbservers.py")
    return {"pgsql": Pgsql, "mysql": Mysql}[dialect](value)


class Database:
    def tables(self):
        raise NotImplementedError

    def rows(self, sql):
        """The rows of a query as lists of texts (None = NULL on SQLite)."""
        raise NotImplementedError

    def count(self, table, where="1=1"):
        return int(self.rows(f"SELECT count(*) FROM {table} WHERE {where}")[0][0])

    def dump(self, without=("schema_version", "schema_step")):
        """Every table's rows, sorted: equal dumps mean that nothing was changed."""
        return {table: sorted(map(str, self.rows(f"SELECT * FROM {table}")))
                for table in self.tables() if table not in without}

    def copy(self, other, tables):
        """Adds the rows of another database of this kind."""
        for table in tables:
            self._copy_table(other, table)

    def _copy_table(self, other, table):
        raise NotImplementedError

    def drop(self):
        """Gives the space back; nothing to do where it lies in the site's own folder."""


class Sqlite(Database):
    driver = "sqlite3"

    def __init__(self, root):
        self.path = root / "data" / "subbill.db"
        self.params = str(self.path)

    def rows(self, sql):
        # Not immutable and not read-only: a reader of a WAL file has to write its -shm file.
        connection = sqlite3.connect(self.path, timeout=5)
        connection.text_factory = lambda data: data.decode(errors="backslashreplace")
        try:
            return [list(row) for row in connection.execute(sql)]
        finally:
            connection.close()
            self._keep_owner()

    def execute(self, sql):
        connection = sqlite3.connect(self.path, timeout=5)
        try:
            with connection:
                connection.executescript(sql)
        finally:
            connection.close()
            self._keep_owner()

    def _copy_table(self, other, table):
        self.execute(f"ATTACH '{other.path}' AS other; "
                     f"INSERT INTO main.{table} SELECT * FROM other.{table}; DETACH other")
        other._keep_owner()

    def _keep_owner(self):
        for suffix in ("", "-wal", "-shm"):
            path = self.path.with_name(self.path.name + suffix)
            if path.exists():
                scratch.give(path)

    def tables(self):
        return sorted(row[0] for row in self.rows(
            "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"))


def _pairs(params):
    """key=value words, as in a libpq connection string and in apr_dbd_mysql's parameters."""
    return dict(word.split("=", 1) for word in params.replace(",", " ").split() if "=" in word)


class _Server(Database):
    def __init__(self, value):
        params = value.split(" ", 1)[1] if value.split(" ", 1)[0] == self.driver else value
        self._admin = _pairs(params.strip().strip('"'))
        self.name = f"sb_site_{os.getpid()}_{next(_numbers)}"
        self._run(f"CREATE DATABASE {self.name}", self._admin.get("dbname"))
        self.params = self._join({**self._admin, "dbname": self.name})

    @property
    def address(self):
        """Where the server listens, for a relay: (host, port) or a socket's path."""
        if self._admin.get("port") and not self._admin.get("host", "/").startswith("/"):
            return self._admin["host"], int(self._admin["port"])
        return self._socket()

    def behind(self, port):
        """The same database by way of a relay on this port; it is the original that is dropped."""
        other = copy.copy(self)
        pairs = {key: value for key, value in _pairs(self.params).items()
                 if key not in ("sock", "hostaddr")}
        other.params = self._join({**pairs, "host": "127.0.0.1", "port": str(port)})
        other.drop = lambda: None
        return other

    def execute(self, sql):
        self._run(sql, self.name)

    def rows(self, sql):
        return self._run(sql, self.name)

    def dump(self, without=("schema_version", "schema_step")):
        """In one run of the tool: starting it for every table would take a second."""
        tables = [table for table in self.tables() if table not in without]
        found, rows = {}, []
        for row in self.rows("".join(f"SELECT '#{table}'; SELECT * FROM {table};"
                                     for table in tables)):
            if len(row) == 1 and row[0][1:] in tables and row[0].startswith("#"):
                rows = found[row[0][1:]] = []
            else:
                rows.append(str(row))
        assert list(found) == tables
        return {table: sorted(rows) for table, rows in found.items()}

    def drop(self):
        self._run(self._drop.format(name=self.name), self._admin.get("dbname"))

    def _call(self, command, sql, environment):
        done = subprocess.run(command, input=sql.encode(), capture_output=True, timeout=60,
                              env={**os.environ, **environment})
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode(errors="backslashreplace")


class Pgsql(_Server):
    driver = "pgsql"

    def _socket(self):
        return f"{self._admin['host']}/.s.PGSQL.{self._admin.get('port', 5432)}"

    # Not WITH (FORCE), which gives up at an autovacuum worker; a plain DROP ends that one itself and
    # waits for those who were told to leave.
    _drop = ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
             "WHERE datname = '{name}' AND usename = current_user; DROP DATABASE {name}")

    @staticmethod
    def _join(pairs):
        return " ".join(f"{key}={value}" for key, value in pairs.items())

    def _run(self, sql, database):
        where = {key: value for key, value in self._admin.items()
                 if key in ("host", "hostaddr", "port", "user")}
        out = self._call(
            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "--csv", "-t", self._join(
                {**where, "dbname": database or "postgres"})],
            sql, {"PGPASSWORD": self._admin.get("password", "")})
        return list(csv.reader(io.StringIO(out)))

    def _copy_table(self, other, table):
        where = self._admin
        words = ["pg_dump", "--data-only", f"--host={where['host']}", f"--port={where['port']}",
                 f"--username={where['user']}", f"--table={table}", other.name]
        self.execute(self._call(words, "", {"PGPASSWORD": where.get("password", "")}))

    def tables(self):
        return sorted(row[0] for row in self.rows(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"))


class Mysql(_Server):
    driver = "mysql"

    def _socket(self):
        return self._admin["sock"]

    _drop = "DROP DATABASE {name}"

    @staticmethod
    def _join(pairs):
        return " ".join(f"{key}={value}" for key, value in pairs.items())

    def _run(self, sql, database):
        words = ["mariadb", "--no-defaults", "--batch", "--skip-column-names",
                 "--default-character-set=utf8mb4"]
        for option, key in (("--host", "host"), ("--port", "port"), ("--socket", "sock"),
                            ("--user", "user")):
            if self._admin.get(key):
                words.append(f"{option}={self._admin[key]}")
        out = self._call(words + ([database] if database else []), sql,
                         {"MYSQL_PWD": self._admin.get("pass", "")})
        return [line.split("\t") for line in out.splitlines()]

    def _copy_table(self, other, table):
        self.execute(f"INSERT INTO {table} SELECT * FROM {other.name}.{table}")

    def tables(self):
        return sorted(row[0] for row in self.rows("SHOW TABLES"))
