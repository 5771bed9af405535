# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The demo itself, started as a person does: tests/demo/run on a free port, in a folder of its own.

The demo knows alice and bob; more people are added to its password file, one or more per test, so
that no test meets what another one bought.
"""
import os
import signal
import sqlite3
import subprocess

from harness import content, processes, scratch
from harness.errorlog import ErrorLog
from stripe_double.control import Control

RUN = ["/usr/bin/python3", str(scratch.ROOT / "tests" / "demo" / "run")]


class Demo:
    def __init__(self):
        self.root = scratch.fresh("browser")
        self.base = f"http://127.0.0.1:{scratch.free_port()}"
        self._people = 0
        self._process = None

    def start(self):
        self._process = processes.start(
            RUN, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "DEMO_PORT": self.base.rpartition(":")[2],
                 "DEMO_DIR": str(self.root)})
        said = ""
        while "Ctrl-C stops everything" not in said:
            line = self._process.stdout.readline().decode()
            if not line:
                raise RuntimeError(f"the demo did not start: {said}")
            said += line
        self.log = ErrorLog(self.root / "logs" / "error.log")
        self.stripe = Control(self._stripe_url())
        return self

    def _stripe_url(self):
        text = (self.root / "apache2.conf").read_text()
        return text.partition("SubbillStripeAPI ")[2].split()[0]

    def stop(self):
        """Ends it by Ctrl-C; its exit status."""
        try:
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGINT)
            self._process.communicate(timeout=30)
            return self._process.returncode
        finally:
            processes.end(self._process)
            scratch.discard(self.root)

    def new_person(self, name=None):
        """Somebody who never was here; the password is the name."""
        self._people += 1
        name = name or f"reader{self._people}"
        with open(self.root / "secrets" / "people", "a") as people:
            people.write(content.password_file([name]))
        return name

    def rows(self, query, *values):
        """Asks the site's database."""
        path = self.root / "data" / "subbill.db"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            return database.execute(query, values).fetchall()
