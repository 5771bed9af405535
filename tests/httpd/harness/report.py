# Licensed under the Apache License, Version 2.0; see LICENSE.
"""A pytest plugin (-p harness.report) that writes the outcome of every test to $SB_REPORT as JSON.

Each test counts once, by its worst phase: a test whose servers complained afterwards has failed,
although pytest counts it as passed and as an error.
"""
import json
import os
from pathlib import Path

_RANK = {"passed": 0, "skipped": 1, "failed": 2}


class Report:
    def __init__(self, path):
        self.path = path
        self.outcomes = {}
        self.reasons = {}
        self.seconds = {}

    def note(self, nodeid, outcome):
        if _RANK[outcome] >= _RANK.get(self.outcomes.get(nodeid), -1):
            self.outcomes[nodeid] = outcome

    def pytest_runtest_logreport(self, report):
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration
        if report.when == "call" or report.outcome != "passed":
            self.note(report.nodeid, report.outcome)
        if report.skipped:
            place, _, reason = report.longrepr if isinstance(report.longrepr, tuple) \
                else ("", 0, str(report.longrepr))
            self.reasons[report.nodeid] = reason.removeprefix("Skipped: ")

    def pytest_collectreport(self, report):
        if report.failed:
            self.note(report.nodeid, "failed")
        elif report.skipped:
            self.note(report.nodeid, "skipped")

    def pytest_sessionfinish(self):
        self.path.write_text(json.dumps({"outcomes": self.outcomes, "reasons": self.reasons,
                                         "seconds": self.seconds}))


def pytest_configure(config):
    # xdist's workers report to the process that started them.
    if os.environ.get("SB_REPORT") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Report(Path(os.environ["SB_REPORT"])))
