# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What sites use that have no such gate, with the same page, login and rows: mod_authz_dbd, and nginx
whose auth_request asks a Node program.

All three stand on one PostgreSQL. Each is set up as its manual advises for production: connections that
stay, statements prepared once, a pool, a Node process per core. Before anything is measured each has to
refuse somebody who pays nothing.
"""
import base64
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

from common import HERE, ROUNDS, figure, running, started, visits, wrk

from harness import databases, processes, scratch
from harness.site import Site

import gate
import gate_accounts

PROGRAM = HERE / "peers" / "auth_request"
ACCOUNTS = 1000

# Only what the page needs is loaded, as nginx has it. Idle connections to the database are kept, one per
# thread at most.
MODULES = ["authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "mime", "dbd",
           "authz_dbd"]
PUBLIC = """
DocumentRoot {root}/docroot
<Directory "{root}/docroot">
    Require all granted
</Directory>
<Location "/">
    AuthType Basic
    AuthName "Bench"
    AuthBasicProvider file
    AuthUserFile {root}/secrets/people
    Require all granted
</Location>
DBDriver pgsql
DBDParams "{params}"
DBDPersist On
DBDMin 4
DBDKeep 16
DBDMax 16
DBDExptime 300
<Location "/dbd">
    AuthzDBDQuery "{statement}"
    Require dbd-group basic pro
</Location>
"""


def statement(user):
    """The one line that both peers ask, with their mark for the user."""
    text = re.sub(r"--.*", "", (HERE / "peers" / "held_plans.sql").read_text())
    return " ".join(text.split()).replace(":user", user)


class LeanSite(Site):
    """A site without the modules that other sites are made of."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.httpd.load = MODULES
        self.httpd.configure(self._conf())

    def _conf(self):
        text = super()._conf()
        begin = text.index("DocumentRoot")
        public = PUBLIC.format(root=self.root, params=self.database.params, statement=statement("%s"))
        return text[:begin] + public + self.gates + self.routes


class AuthRequest:
    """nginx with the same pages, and the Node program that it asks."""

    def __init__(self, site):
        self.site = site
        self.root = scratch.fresh("bench-auth-request")
        self.port, self.check_port = scratch.free_port(), scratch.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.started = []

    def __enter__(self):
        try:
            self._start("node", ["node", "server.js"], cwd=self._program(), env=self._environment())
            self._wait(self.check_port)
            self._start("nginx", [shutil.which("nginx", path="/usr/sbin:/usr/bin"), "-p", str(self.root),
                                  "-e", str(self.root / "error.log"), "-c", str(self._configuration())])
            self._wait(self.port)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.started):
            processes.end(process)
        problems = (self.root / "node.log").read_text() if (self.root / "node.log").exists() else ""
        scratch.discard(self.root)
        if problems:
            raise RuntimeError(f"the Node program said: {problems[:2000]}")

    def _start(self, name, command, **options):
        with open(self.root / f"{name}.log", "ab") as log:
            self.started.append(processes.start(command, stdout=log, stderr=log, **options))

    @staticmethod
    def _program():
        """The program's folder below build, with what it needs from npm."""
        folder = scratch.base("bench") / "auth_request"
        folder.mkdir(exist_ok=True)
        wanted = (PROGRAM / "package-lock.json").read_bytes()
        installed = folder / "node_modules" / "installed-from.json"
        for name in ("package.json", "package-lock.json", "server.js"):
            shutil.copy(PROGRAM / name, folder / name)
        if not installed.exists() or installed.read_bytes() != wanted:
            done = subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"],
                                  cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            if done.returncode:
                raise RuntimeError(f"npm ci: {done.stdout}{done.stderr}")
            installed.write_bytes(wanted)
        return folder

    def _environment(self):
        where = dict(word.split("=", 1) for word in self.site.database.params.split())
        return {**os.environ, "PORT": str(self.check_port), "WORKERS": str(os.cpu_count()),
                "PGHOST": where["host"], "PGPORT": where["port"], "PGDATABASE": where["dbname"],
                "PGUSER": where["user"], "PGPASSWORD": where["password"],
                "STATEMENT": statement("$1"), "NODE_ENV": "production"}

    def _configuration(self):
        text = (PROGRAM / "nginx.conf").read_text()
        for name, value in {
                "root": self.root, "port": self.port, "check": self.check_port,
                "user": f"user {scratch.RUN_AS};" if os.geteuid() == 0 else "",
                "docroot": self.site.root / "docroot",
                "people": self.site.root / "secrets" / "people"}.items():
            text = text.replace(f"@{name}@", str(value))
        return scratch.write(self.root / "nginx.conf", text)

    def _wait(self, port):
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("\n".join(path.read_text() for path in self.root.glob("*.log")))


def status(url, name):
    credentials = base64.b64encode(f"{name}:{name}".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {credentials}"})
    try:
        return urllib.request.urlopen(request, timeout=10).status
    except urllib.error.HTTPError as answer:
        return answer.code


def check(pages):
    """The same people pass, or do not."""
    for name, (url, refusal) in pages.items():
        seen = (status(url, "bob"), status(url, "alice"))
        if seen != (200, refusal):
            raise RuntimeError(f"{name} answers a payer and a stranger with {seen}")


def peers():
    """The gate beside mod_authz_dbd and nginx auth_request, alternating."""
    with running(gate_accounts.Server) as server:
        database = databases.Pgsql(server.params())
        database.total = ACCOUNTS
        site = gate.make_site("bench-peers", database, kind=LeanSite)
        gate_accounts.fill(site)
        with started(site), AuthRequest(site) as nginx:
            site.subscribe("bob", "basic")
            pages = {"open": (f"{site.url}/plain/page.html", 200),
                     "gated": (f"{site.url}/gated/page.html", 402),
                     "authz_dbd": (f"{site.url}/dbd/page.html", 401),
                     "auth_request": (f"{nginx.url}/gated/page.html", 403)}
            check(pages)
            site.allow_log("AH01631: user alice")
            return alternate({name: url for name, (url, _) in pages.items()},
                             [site.httpd.process, server.process, *nginx.started])


def alternate(pages, servers):
    rates, spent = {name: [] for name in pages}, {name: [] for name in pages}
    for url in pages.values():
        wrk(url, "-H", gate.BASIC, seconds=1)
    for _ in range(ROUNDS):
        for name, url in pages.items():
            rate, microseconds, _ = visits(servers, url, "-H", gate.BASIC)
            rates[name].append(rate)
            spent[name].append(microseconds)
    figures = {}
    for name, must, what in (("authz_dbd", 2, "Require dbd-group, PostgreSQL"),
                             ("auth_request", 8, "nginx auth_request, Node, PostgreSQL")):
        ratios = [gated / peer for gated, peer in zip(rates["gated"], rates[name])]
        figures[f"gate.vs_{name}"] = figure(ratios, must, f"wrk -t1 -c16, gated ÷ {what}")
    for name in pages:
        figures[f"gate.{name}_rate"] = figure([round(rate) for rate in rates[name]], None,
                                              "requests per second, the same run")
        figures[f"gate.{name}_cpu_us"] = figure([round(value, 1) for value in spent[name]], None,
                                                "computed for each by all servers, the same run")
    return figures


MEASURES = [peers]
