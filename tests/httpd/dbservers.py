#!/usr/bin/python3
# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Private PostgreSQL and MariaDB servers for the tests.

    /usr/bin/python3 tests/httpd/dbservers.py run [--only pgsql|mysql] -- COMMAND…

starts both on free loopback ports, runs COMMAND with SB_TEST_PGSQL and SB_TEST_MYSQL set to the words
of SubbillDatabase ("pgsql host=… …"), stops them and ends with COMMAND's exit status. Nothing of an
installed server's data or configuration is touched. Both refuse to run as root, so root starts them
as `postgres` and `mysql`. A made data directory is kept in build/dbtemplates and copied next time;
writes are not flushed, because nothing here has to survive a power cut.

SB_TEST_PGSQL_PID and SB_TEST_MYSQL_PID name the server processes, for tests that stop or kill them."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness.scratch import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "sb-canary-db-password"
START_SECONDS = 60


class Trouble(Exception):
    """A server could not be made or started; the text says which and why."""


def children(parent):
    """The processes that this one started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            if f"\nPPid:\t{parent}\n" in status.read_text():
                found.append(int(status.parent.name))
    return found


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def identity(name):
    """Popen's arguments for running as the server's own user."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise Trouble(f"the user {name} does not exist; is the server package installed?") from None
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


class Server:
    """One server process with its folder; subclasses know the programs."""

    owner = name = variable = ""

    def __init__(self, scratch):
        self.folder = Path(scratch) / self.name
        self.data = self.folder / "data"
        self.port = free_port()
        self.process = None

    def command(self):
        raise NotImplementedError

    def initialise(self):
        raise NotImplementedError

    def prepare(self):
        """What has to be done once the server answers."""

    def answers(self):
        raise NotImplementedError

    def params(self):
        raise NotImplementedError

    def call(self, command, **more):
        """Runs a tool as the server's user."""
        done = subprocess.run(command, cwd=self.folder, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              **identity(self.owner), **more)
        if done.returncode:
            raise Trouble(f"{command[0]}: {done.stdout.strip()[-2000:]}")
        return done.stdout

    def make_data(self):
        template = ROOT / "build" / "dbtemplates" / f"{self.name}-{os.geteuid()}"
        self.folder.mkdir(mode=0o755)
        if os.geteuid() == 0:
            shutil.chown(self.folder, self.owner, self.owner)
        if not template.is_dir():
            self.initialise()
            template.parent.mkdir(parents=True, exist_ok=True)
            fresh = template.with_name(f"{template.name}.{os.getpid()}")
            self.copy(self.data, fresh)
            with contextlib.suppress(OSError):
                fresh.rename(template)
            shutil.rmtree(fresh, ignore_errors=True)
        else:
            self.copy(template, self.data)

    @staticmethod
    def copy(source, target):
        subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(target)], check=True)

    def start(self):
        self.make_data()
        self.launch()
        self.prepare()

    def launch(self):
        """Runs the server on the data there are and waits until it answers."""
        log = open(self.folder / "server.log", "a", encoding="utf-8")
        with log:
            self.process = subprocess.Popen(self.command(), cwd=self.folder, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, **identity(self.owner))
        end = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise Trouble(f"{self.name} did not start: {self.log_tail()}")
            time.sleep(0.05)

    def crash(self):
        """kill -9 of the server and all it started, as a failing machine would end them."""
        doomed = children(self.process.pid)
        for pid in [self.process.pid, *doomed]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None
        while any(alive(pid) for pid in doomed):
            time.sleep(0.01)

    def log_tail(self):
        return (self.folder / "server.log").read_text(errors="replace")[-2000:]

    def connects(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    def stop(self):
        if not self.process:
            return
        # A test that died between SIGSTOP and SIGCONT leaves the server or a backend stopped.
        for pid in [self.process.pid, *children(self.process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


class Pgsql(Server):
    name, owner, variable, stop_signal = "pgsql", "postgres", "SB_TEST_PGSQL", signal.SIGINT

    def __init__(self, scratch):
        super().__init__(scratch)
        folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        found = folders[-1] if folders else shutil.which("postgres")
        if not found:
            raise Trouble("PostgreSQL is not installed; on Debian: apt-get install postgresql")
        self.bin = Path(found).resolve().parent
        self.client = str(self.bin / "psql")
        if not Path(self.client).exists():
            self.client = "psql"

    def initialise(self):
        self.call([str(self.bin / "initdb"), "-D", str(self.data), "-U", "postgres", "--no-sync",
                   "--encoding=UTF8", "--locale=C.UTF-8", "--auth-local=trust",
                   "--auth-host=password"])

    def command(self):
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "fsync": "off",
            "synchronous_commit": "off", "full_page_writes": "off", "max_connections": 200,
            "shared_buffers": "32MB", "unix_socket_directories": self.folder,
            "dynamic_shared_memory_type": "mmap",
        }
        words = [str(self.bin / "postgres"), "-D", str(self.data)]
        for key, value in settings.items():
            words += ["-c", f"{key}={value}"]
        return words

    def psql(self, sql):
        return self.call([self.client, "-X", "-q", "-h", str(self.folder), "-p",
                          str(self.port), "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-c", sql])

    def answers(self):
        if not self.connects():
            return False
        try:
            self.psql("SELECT 1")
        except (Trouble, OSError):
            return False
        return True

    def prepare(self):
        self.psql(f"CREATE ROLE subbill LOGIN CREATEDB PASSWORD '{PASSWORD}'")
        self.psql("CREATE DATABASE subbill OWNER subbill")

    def params(self):
        return (f"pgsql host=127.0.0.1 port={self.port} dbname=subbill user=subbill "
                f"password={PASSWORD}")


class CountingPgsql(Pgsql):
    """Counts every statement, of each database by itself (pg_stat_statements)."""

    def command(self):
        return [*super().command(), "-c", "shared_preload_libraries=pg_stat_statements"]

    def prepare(self):
        super().prepare()
        self.psql("ALTER ROLE subbill SUPERUSER")  # to read what was counted

    @staticmethod
    def count(database):
        """Counts from now on. database: a databases.Pgsql of this server."""
        database.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements; "
                         "SELECT pg_stat_statements_reset()")

    @staticmethod
    def counted(database):
        """How often each statement ran since count(): {text: calls}."""
        rows = database.rows(
            "SELECT query, calls FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid "
            f"WHERE d.datname = '{database.name}' AND query NOT LIKE '%pg_stat_statements%'")
        found = {}
        for query, calls in rows:
            found[query] = found.get(query, 0) + int(calls)
        return found


class Mysql(Server):
    name, owner, variable, stop_signal = "mysql", "mysql", "SB_TEST_MYSQL", signal.SIGTERM

    def __init__(self, scratch):
        super().__init__(scratch)
        path = os.environ.get("PATH", "") + ":/usr/sbin"
        self.server = shutil.which("mariadbd", path=path) or shutil.which("mysqld", path=path)
        self.installer = shutil.which("mariadb-install-db", path=path)
        if not self.server or not self.installer:
            raise Trouble("MariaDB is not installed; on Debian: apt-get install mariadb-server")
        self.socket = self.folder / "my.sock"

    def initialise(self):
        self.call([self.installer, "--no-defaults", f"--datadir={self.data}", "--skip-test-db",
                   "--auth-root-authentication-method=normal", "--skip-name-resolve",
                   "--innodb-log-file-size=16M"])

    def command(self):
        return [self.server, "--no-defaults", f"--datadir={self.data}", f"--socket={self.socket}",
                f"--pid-file={self.folder / 'pid'}", f"--port={self.port}",
                "--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-bin",
                "--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync",
                "--innodb-buffer-pool-size=48M", "--innodb-log-file-size=16M",
                "--max-connections=200", "--aria-log-purge-type=immediate",
                "--skip-innodb-doublewrite"]

    def sql(self, text):
        return self.call(["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root",
                          "--batch", "-e", text])

    def answers(self):
        if not self.connects():
            return False
        try:
            self.sql("SELECT 1")
        except Trouble:
            return False
        return True

    def prepare(self):
        self.sql("CREATE DATABASE subbill; "
                 f"CREATE USER subbill@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'; "
                 "GRANT ALL ON *.* TO subbill@'127.0.0.1'")

    def params(self):
        return (f"mysql host=127.0.0.1 port={self.port} dbname=subbill user=subbill "
                f"pass={PASSWORD}")


class DbServers:
    """Context manager: `with DbServers() as servers: servers.environment()`."""

    def __init__(self, only=None):
        self.wanted = [kind for kind in (Pgsql, Mysql) if only in (None, kind.name)]
        self.scratch = None
        self.servers = []

    def __enter__(self):
        self.scratch = tempfile.mkdtemp(prefix="subbill-db-")
        os.chmod(self.scratch, 0o755)
        try:
            for kind in self.wanted:
                server = kind(self.scratch)
                self.servers.append(server)
                server.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.stop()
        self.servers.clear()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def environment(self):
        found = {}
        for server in self.servers:
            found[server.variable] = server.params()
            found[f"{server.variable}_PID"] = str(server.process.pid)
        return found


def main(argv):
    only = None
    if argv[1:2] != ["run"] or "--" not in argv:
        print(__doc__.split("\n\n")[1].strip(), file=sys.stderr)
        return 2
    cut = argv.index("--")
    options, command = argv[2:cut], argv[cut + 1:]
    if len(options) == 2 and options[0] == "--only" and options[1] in ("pgsql", "mysql"):
        only = options[1]
    elif options:
        print(f"dbservers: what is {' '.join(options)}?", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with DbServers(only) as servers:
            return subprocess.run(command, check=False,
                                  env={**os.environ, **servers.environment()}).returncode
    except Trouble as trouble:
        print(f"dbservers: {trouble}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
