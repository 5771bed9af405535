# Licensed under the Apache License, Version 2.0; see LICENSE.
"""kill -9 for httpd's processes while a test sends, and the proof that nobody died of anything else."""
import os
import random
import re
import signal
import socket
import threading
import time

from . import processes

_DEATH = re.compile(r"AH0005[12]: child pid (\d+) exit signal (\w[\w ]*?) ?\((\d+)\)")


class Killer:
    """A random child every `child` seconds; every `parent` seconds the parent with all it has, as a
    machine's service manager would, and a new start at once."""

    def __init__(self, httpd, child=1.0, parent=10.0, seed=1):
        self.httpd = httpd
        self.children = self.parents = 0
        self.killed = set()
        self._child, self._parent = child, parent
        self._chance = random.Random(seed)
        self._stop = threading.Event()
        self._trouble = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        if self._trouble:
            raise self._trouble

    def _kill(self, pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.killed.add(pid)

    def _run(self):
        until_parent = self._parent
        try:
            while not self._stop.wait(self._child):
                until_parent -= self._child
                if until_parent <= 0:
                    until_parent = self._parent
                    self.kill_everything()
                    self.httpd.start()
                    continue
                pids = self.httpd.pids()
                if pids:
                    self._kill(self._chance.choice(pids))
                    self.children += 1
        except Exception as error:  # told by the test's own thread
            self._trouble = error

    def kill_everything(self):
        self.parents += 1
        session = self.httpd.process.pid
        self._kill(session)
        end = time.monotonic() + 10
        # A child may have been on its way into the world: it is seen a moment later, and holds the port.
        while (doomed := processes.members(session)) or self._listens():
            for pid in doomed:
                self._kill(pid)
            if not doomed:
                time.sleep(0.01)
            assert time.monotonic() < end, "somebody still listens"
        self.httpd.process.wait()

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.httpd.port)) == 0


def deaths(httpd):
    """[(pid, signal number)] of the children that the log says died by a signal."""
    return [(int(pid), int(number)) for pid, _, number in _DEATH.findall(httpd.log.text())]


def judge_deaths(httpd, killed):
    """I5: no child died of a signal but those killed here. (httpd logs every signal but SIGKILL and those
    it sends itself; should a version log that one as well, the process ids tell.)"""
    strange = [(pid, number) for pid, number in deaths(httpd)
               if number != signal.SIGKILL or pid not in killed]
    assert not strange, f"children died of something else: {strange}"
