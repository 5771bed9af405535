# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Each child of a server by itself. Which of them accepts a connection is the kernel's choice, unless the
others sleep meanwhile; a connection then stays with the child that accepted it. A child of prefork has one
connection at a time, so there as many lines are as many children, whichever they are.

    with children.lines(site, "bob") as lines:      # [Line], one for each child
        answers = [line.get("/members/page.html") for line in lines]
"""
import base64
import contextlib
import http.client
import os
import signal
import time

from .content import SECRET

FIRST = "/open/page.html"  # what makes httpd accept a connection; no gate is asked


class Line:
    """One person's connection, which is never opened again, and the child that accepted it, where
    it is known."""

    def __init__(self, port, user, pid=None):
        self.pid = pid
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._connection.connect()
        self._connection.auto_open = 0
        self._login = "Basic " + base64.b64encode(f"{user}:{user}".encode()).decode()

    def get(self, path, method="GET"):
        self.begin(path, method)
        return self.end()

    def begin(self, path, method="GET"):
        """Sends a request but for the end of its headers: a child waits for that and decides nothing."""
        self._connection.putrequest(method, path)
        self._connection.putheader("Authorization", self._login)
        waiting = b"\r\n".join(self._connection._buffer) + b"\r\n"
        self._connection._buffer.clear()
        self._connection.send(waiting)

    def end(self):
        """Sends the rest; the answer, with its text. Whoever is not let in is shown nothing."""
        self._connection.endheaders()
        answer = self._connection.getresponse()
        answer.text = answer.read().decode()
        assert answer.status == 200 or SECRET not in answer.text
        return answer

    def close(self):
        self._connection.close()


def _sleeps(pid):
    """Or is gone, which httpd may decide at any time."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] in "TXZ"
    except OSError:
        return True


def _tell(pids, signal_number):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal_number)


@contextlib.contextmanager
def alone(httpd, pid):
    """Only this child accepts connections meanwhile."""
    others = [other for other in httpd.pids() if other != pid]
    try:
        _tell(others, signal.SIGSTOP)
        until = time.monotonic() + 10
        while not all(_sleeps(other) for other in others):
            assert time.monotonic() < until
            time.sleep(0.002)
        yield
    finally:
        _tell(others, signal.SIGCONT)


def ready(httpd):
    """The children with their threads: as many as are started at first, or fewer where httpd leaves it at
    those after a reload."""
    until = time.monotonic() + 20
    while len(pids := httpd.pids()) < httpd.child_processes:
        assert time.monotonic() < until
        if pids and time.monotonic() > until - 18:
            break
        time.sleep(0.02)
    return pids


def gone(httpd, pids):
    """Waits until none of these children is left."""
    until = time.monotonic() + 20
    while set(pids) & set(httpd.pids()):
        assert time.monotonic() < until
        time.sleep(0.02)


@contextlib.contextmanager
def lines(site, user):
    """A line to each child."""
    with contextlib.ExitStack() as stack:
        made = []
        for pid in ready(site.httpd)[:site.httpd.child_processes]:
            prefork = site.httpd.mpm == "prefork"
            with contextlib.nullcontext() if prefork else alone(site.httpd, pid):
                line = Line(site.port, user, None if prefork else pid)
                stack.callback(line.close)
                assert line.get(FIRST).status == 200
                made.append(line)
        yield made


def told(httpd, word):
    """How often each child has logged a line with that word: {pid: times}."""
    found = {}
    for line in httpd.log.lines():
        if word in line:
            pid = int(line.split("[pid ", 1)[1].split(":")[0].split("]")[0])
            found[pid] = found.get(pid, 0) + 1
    return found
