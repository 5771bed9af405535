# Licensed under the Apache License, Version 2.0; see LICENSE.
"""One real apache2 with a ServerRoot of its own.

It runs in the foreground of a session we own, so that its end is certain, but is spoken to as an
administrator would: Debian's apachectl with APACHE_CONFDIR and APACHE_ENVVARS of this instance.
The program itself stands behind a small wrapper script, which is where sanitizers and valgrind
come in, for the server and for apachectl's configtest alike.
"""
import os
import socket
import subprocess
import time
from collections import namedtuple

from . import modules, processes, scratch
from .errorlog import ErrorLog

APACHE2 = "/usr/sbin/apache2"
APACHECTL = "/usr/sbin/apachectl"
RUNNING = "resuming normal operations"

Result = namedtuple("Result", "exit output")

HEAD = """\
ServerRoot {root}
DefaultRuntimeDir {root}/run
PidFile {root}/run/httpd.pid
ServerName {host}
Listen 127.0.0.1:{port}
{load}
User {user}
Group {group}
ErrorLog {root}/logs/error.log
LogLevel {log_level}
LogFormat "%h %u \\"%r\\" %>s %O" harness
CustomLog {root}/logs/access.log harness
TypesConfig /etc/mime.types
Timeout 20
KeepAliveTimeout 2
GracefulShutdownTimeout 5
{mpm_limits}
{cgid_socket}
<Directory "/">
    AllowOverride None
    Require all denied
</Directory>
"""

THREADED = """\
StartServers {processes}
ServerLimit {limit}
ThreadsPerChild {threads}
ThreadLimit {threads}
MinSpareThreads {spare}
MaxSpareThreads {workers}
MaxRequestWorkers {workers}
MaxConnectionsPerChild 0"""

PREFORK = """\
StartServers {processes}
MinSpareServers {processes}
MaxSpareServers 16
MaxRequestWorkers 32
MaxConnectionsPerChild 0"""


def sanitizer_libraries():
    found = []
    for name in ("libasan.so", "libubsan.so"):
        answer = subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True,
                                text=True, check=True)
        found.append(answer.stdout.strip())
    return " ".join(found)


class Httpd:
    """root: an empty folder. conf: the text behind the common head. load: names of httpd's
    modules. single: run `-X`, one process and no session (callgrind)."""

    living = []

    def __init__(self, root, conf="", load=modules.STANDARD, port=None, mpm=None,
                 log_level="info", host="127.0.0.1", processes=2, threads=16, valgrind=None,
                 single=False, fixed_port=False):
        self.root = root
        self.conf = conf
        self.load = list(load)
        self.port = port or scratch.free_port()
        self.mpm = mpm or scratch.MPM
        self.log_level = log_level
        self.host = host
        self.child_processes = processes
        self.threads = threads
        self.valgrind = valgrind or os.environ.get("SB_VALGRIND")
        self.single = single
        self.fixed_port = fixed_port
        self.variables = {}
        self.process = None
        self.log = ErrorLog(root / "logs" / "error.log")
        for folder in ("logs", "run", "bin"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / "logs" / "sanitizer").mkdir(exist_ok=True)
        (root / "logs" / "sanitizer").chmod(0o777)
        self._write_wrapper()
        self.configure(conf)

    # --- configuration -------------------------------------------------------------------

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    @property
    def config_path(self):
        return self.root / "apache2.conf"

    def configure(self, conf):
        """Writes the configuration; a running server notices at its next graceful()."""
        self.conf = conf
        group = scratch.RUN_AS if os.geteuid() == 0 else f"#{os.getegid()}"
        workers = self.child_processes * self.threads * 2
        limits = PREFORK if self.mpm == "prefork" else THREADED
        head = HEAD.format(
            root=self.root, host=self.host, port=self.port, user=scratch.RUN_AS, group=group,
            load="\n".join(modules.load_lines(self.load, self.mpm)),
            log_level=self.log_level,
            cgid_socket=f"ScriptSock {self.root}/run/cgid"
            if "cgi" in self.load and self.mpm != "prefork" else "",
            mpm_limits=limits.format(processes=self.child_processes,
                                     limit=self.child_processes * 2, threads=self.threads,
                                     spare=self.threads, workers=workers))
        scratch.write(self.config_path, head + conf)

    def _write_wrapper(self):
        lines = ["#!/bin/sh"]
        program = APACHE2
        if scratch.SAN:
            place = self.root / "logs" / "sanitizer" / "report"
            lines += [f'export LD_PRELOAD="{sanitizer_libraries()}"',
                      f"export ASAN_OPTIONS=detect_leaks=0:log_path={place}",
                      f"export UBSAN_OPTIONS=print_stacktrace=1:log_path={place}"]
        elif self.valgrind:
            program = f"{self.valgrind} {APACHE2}"
        for name, value in self.variables.items():
            join = "$LD_PRELOAD " if name == "LD_PRELOAD" else ""
            lines.append(f'export {name}="{join}{value}"')
        lines.append(f'exec {program} "$@"')
        wrapper = scratch.write(self.root / "bin" / "httpd", "\n".join(lines) + "\n", 0o755)
        scratch.write(self.root / "envvars", "\n".join([
            f"export APACHE_HTTPD={wrapper}",
            f"export APACHE_RUN_DIR={self.root}/run",
            f"export APACHE_LOCK_DIR={self.root}/run",
            f"export APACHE_RUN_USER={scratch.RUN_AS}",
            "export APACHE_ULIMIT_MAX_FILES=true",
            "export APACHE_STARTED_BY_SYSTEMD=1"]) + "\n")
        if not (self.root / "run" / "socks").exists():
            (self.root / "run" / "socks").mkdir()
            scratch.give(self.root / "run" / "socks")

    def set_variables(self, variables):
        """Variables of the server's own environment, before it starts. LD_PRELOAD comes behind the
        sanitizers' libraries."""
        self.variables.update(variables)
        self._write_wrapper()

    def environment(self):
        """What makes apachectl, and whoever calls it, speak of this instance."""
        return {**os.environ, "APACHE_CONFDIR": str(self.root),
                "APACHE_ENVVARS": str(self.root / "envvars"),
                "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/sbin:/bin"}

    # --- administration ------------------------------------------------------------------

    def apachectl(self, *arguments, timeout=60):
        """Runs Debian's apachectl: (exit status, everything it printed)."""
        done = subprocess.run([APACHECTL, *arguments], env=self.environment(), timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL)
        return Result(done.returncode, done.stdout.decode(errors="backslashreplace"))

    def configtest(self):
        return self.apachectl("configtest")

    def graceful(self, wait=True):
        """Reloads; with wait, returns when the new generation serves (or the old one stays)."""
        mark = self.log.mark()
        result = self.apachectl("graceful")
        if result.exit == 0 and wait:
            self.log.wait(RUNNING, since=mark, timeout=self._patience())
        return result

    # --- life ------------------------------------------------------------------------------

    def _patience(self):
        return 120 if self.valgrind else 40 if scratch.SAN else 15

    def start(self):
        for _ in range(3):
            mark = self.log.mark()
            arguments = ["-X"] if self.single else ["-DFOREGROUND"]
            with open(self.root / "logs" / "stderr.log", "ab") as stderr:
                self.process = processes.start(
                    [str(self.root / "bin" / "httpd"), "-d", str(self.root), *arguments],
                    stdout=stderr, stderr=stderr, env=self.environment(), cwd=self.root)
            if self not in Httpd.living:
                Httpd.living.append(self)
            if self._wait_ready(mark):
                return self
            if self.fixed_port or "AH00072" not in self.startup_output():
                break
            # Somebody took the port between our look and httpd's bind.
            self.port = scratch.free_port()
            self.configure(self.conf)
        raise RuntimeError("apache2 did not start:\n" + self.startup_output())

    def startup_output(self):
        stderr = self.root / "logs" / "stderr.log"
        return (stderr.read_text(errors="backslashreplace") if stderr.exists() else "") + "".join(
            line + "\n" for line in self.log.lines()[-15:])

    def _wait_ready(self, mark):
        until = time.monotonic() + self._patience()
        while time.monotonic() < until:
            if self.process.poll() is not None:
                return False
            if self.single or any(RUNNING in line for line in self.log.since(mark)):
                try:
                    socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                    return True
                except OSError:
                    pass
            time.sleep(0.01)
        return False

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def pids(self):
        """The children that serve requests: not the parent, not cgid's single-threaded server."""
        found = []
        for pid in processes.members(self.process.pid):
            try:
                threads = len(os.listdir(f"/proc/{pid}/task"))
            except OSError:
                continue
            if pid != self.process.pid and (self.mpm == "prefork" or threads > 1):
                found.append(pid)
        return found

    def stop(self):
        """apachectl stop, then the certain end. A server that has to be killed is an error."""
        if self.process is None:
            return
        # httpd reads its configuration even to stop; where a test left a broken one, a signal does.
        if self.running and not self.single and self.apachectl("stop").exit:
            self.process.terminate()
        gentle = processes.wait_gone(self.process, self._patience()) if not self.single else True
        processes.end(self.process, patience=2 if not self.single else 20)
        self.process = None
        if not gentle:
            raise RuntimeError(f"apache2 in {self.root} had to be killed")

    # --- the verdict ---------------------------------------------------------------------

    def expect_log(self, pattern, times=None):
        self.log.expect(pattern, times)

    def allow_log(self, pattern):
        self.log.allow(pattern)

    def judge(self):
        """Everything that speaks against this server since the last call."""
        problems = self.log.judge()
        if self.process is not None and self.process.poll() is not None:
            problems.append(f"apache2 ended by itself with status {self.process.returncode}")
        for report in (self.root / "logs" / "sanitizer").glob("report*"):
            text = report.read_text(errors="backslashreplace")
            if text.strip():
                problems.append(f"sanitizer: {text[:4000]}")
            report.unlink()
        return problems


def judge_all():
    """The problems of every server that lived since the last call; forgets stopped ones."""
    problems = []
    for httpd in list(Httpd.living):
        problems += httpd.judge()
        if httpd.process is None:
            Httpd.living.remove(httpd)
    return problems
