# Licensed under the Apache License, Version 2.0; see LICENSE.
"""A PostgreSQL or MariaDB of a test's own that may be killed, with a site on it.

    with Bouncy("pgsql") as server:
        site = make_site(database=server.database())
        server.crash()      # kill -9 of everything
        server.launch()     # a new start; returns when it accepts again
        server.cut()        # ends every connection but its own

Unlike the servers of dbservers.py these hand every COMMIT to the kernel before they answer it, so that
kill -9 may cost what was not acknowledged and nothing else. They still spare the disk.
"""
import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import dbservers

from . import databases


class _Pgsql(dbservers.Pgsql):
    def command(self):
        return [*super().command(), "-c", "synchronous_commit=on"]

    def cut(self):
        self.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                  "WHERE usename = 'subbill'")


class _Mysql(dbservers.Mysql):
    def command(self):
        return [*super().command(), "--innodb-flush-log-at-trx-commit=2"]

    def cut(self):
        told = self.sql("SELECT id FROM information_schema.processlist WHERE user = 'subbill'")
        kills = "; ".join(f"KILL {number}" for number in told.split()[1:])
        with contextlib.suppress(dbservers.Trouble):  # one of them ended by itself meanwhile
            self.call(["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root",
                       "--batch", "--force", "-e", kills or "SELECT 1"])


class Bouncy:
    def __init__(self, dialect):
        self._folder = Path(tempfile.mkdtemp(prefix="subbill-bounce-"))
        os.chmod(self._folder, 0o755)
        self._server = {"pgsql": _Pgsql, "mysql": _Mysql}[dialect](self._folder)
        self._dialect = dialect

    def __enter__(self):
        try:
            self._server.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            self._server.stop()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def database(self):
        kind = {"pgsql": databases.Pgsql, "mysql": databases.Mysql}[self._dialect]
        return kind(self._server.params())

    def crash(self):
        self._server.crash()

    def launch(self):
        """Returns once the server accepts connections."""
        self._server.launch()

    def cut(self):
        self._server.cut()
