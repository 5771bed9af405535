# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What httpd wrote, and whether it may have.

A line of level warn or worse fails the test that caused it, and so does any sign of a crashed
child, unless the test said beforehand that it would come. A line that was announced and did not
come fails as well: otherwise a test of a warning goes on passing after the warning is gone.
"""
import re
import time
from pathlib import Path

LOUD = re.compile(r"\[[\w.]*:(?:emerg|alert|crit|error|warn)\]")
CRASH = re.compile(r"AH0005[12]|exit signal|Sanitizer|runtime error:|Segmentation fault"
                   r"|double free|stack smashing")


class ErrorLog:
    def __init__(self, path):
        self.path = Path(path)
        self._seen = 0
        self._expected = []
        self._allowed = []

    def text(self):
        return self.path.read_text(errors="backslashreplace") if self.path.exists() else ""

    def lines(self):
        return self.text().splitlines()

    def mark(self):
        """A position to give to since()."""
        return self.path.stat().st_size if self.path.exists() else 0

    def since(self, mark):
        if not self.path.exists():
            return []
        with self.path.open("rb") as log:
            log.seek(mark)
            return log.read().decode(errors="backslashreplace").splitlines()

    def wait(self, pattern, since=0, timeout=10):
        """The first line after a mark that matches; AssertionError when none comes in time."""
        wanted = re.compile(pattern)
        until = time.monotonic() + timeout
        while True:
            for line in self.since(since):
                if wanted.search(line):
                    return line
            if time.monotonic() > until:
                raise AssertionError(f"no line matching {pattern!r} in {self.path}:\n"
                                     + "\n".join(self.since(since)[-20:]))
            time.sleep(0.02)

    def expect(self, pattern, times=None):
        """This test causes such a line (exactly `times`, else at least once)."""
        self._expected.append((pattern, times))

    def allow(self, pattern):
        """This test may cause such a line; for races only, prefer expect()."""
        self._allowed.append(pattern)

    def judge(self):
        """The problems since the last verdict, as sentences; resets what was announced."""
        loud = [line for line in self.since(self._seen)
                if LOUD.search(line) or CRASH.search(line)]
        every = self.since(self._seen)
        self._seen = self.mark()
        expected, self._expected = self._expected, []
        allowed, self._allowed = self._allowed, []
        problems = []
        for pattern, times in expected:
            found = [line for line in every if re.search(pattern, line)]
            if not found or (times is not None and len(found) != times):
                problems.append(f"announced and logged {len(found)} times instead of "
                                f"{times or 'at least once'}: {pattern}")
        known = [pattern for pattern, _ in expected] + allowed
        for line in loud:
            if not any(re.search(pattern, line) for pattern in known):
                problems.append(f"unexpected in {self.path.name}: {line}")
        return problems
