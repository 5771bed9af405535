# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What all groups of benchmarks share."""
import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "httpd"), str(ROOT / "tests")]

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "3"))
SCALE = float(os.environ.get("BENCH_SCALE", "1"))


def scaled(size):
    """A number of accounts or requests under BENCH_SCALE."""
    return max(1, int(size * SCALE))


def figure(values, must, command, most=False, value=None):
    """value: what counts, the median unless it is given. must: the least that it has to be, or the most;
    None: whatever it is."""
    value = statistics.median(values) if value is None else value
    met = None if must is None else value <= must if most else value >= must
    return {"value": value, "min": min(values), "max": max(values), "must": must, "met": met,
            "command": command}


def wrk(url, *arguments, script=(), seconds=SECONDS, connections=16, refusals=False):
    """Requests per second, every one of them answered with 2xx; and everything that wrk said.

    script: a Lua file and its arguments. refusals: other answers are meant to come, too.
    """
    if script:
        arguments = [*arguments, "-s", str(script[0])]
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
                          *arguments, url, "--", *map(str, script[1:])], check=True, capture_output=True, text=True).stdout
    # httpd may close a kept connection when it ends a spare process; a refusal would be a mistake.
    if "Non-2xx" in out and not refusals:
        raise RuntimeError(f"{url}: {out}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), out


def requests(words):
    """How many wrk sent."""
    return int(re.search(r"(\d+) requests in", words)[1])


def milliseconds(words, percent):
    """An answer time out of wrk's words."""
    value, unit = re.search(rf"\s{percent}%\s+([\d.]+)(us|ms|s)\b", words).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def resident(pids):
    """The resident memory of each process, in kilobytes."""
    return [int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])
            for pid in pids]


def processor_seconds(servers):
    """What these processes and all below them have used until now."""
    roots = {process.pid for process in servers}
    parents, used = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(path.parent.name)
        parents[pid], used[pid] = int(fields[1]), int(fields[11]) + int(fields[12])
    total = 0
    for pid, ticks in used.items():
        while pid and pid not in roots:
            pid = parents.get(pid)
        total += ticks if pid else 0
    return total / os.sysconf("SC_CLK_TCK")


def visits(servers, url, *arguments, **options):
    """wrk's requests per second, what the servers computed for each in microseconds, and its words.

    Others on the machine disturb the microseconds less than the rate.
    """
    before = processor_seconds(servers)
    rate, words = wrk(url, *arguments, **options)
    return rate, (processor_seconds(servers) - before) / requests(words) * 1e6, words


@contextlib.contextmanager
def running(kind):
    """A private database server of this class for a while."""
    with tempfile.TemporaryDirectory(prefix="subbill-bench-") as folder:
        os.chmod(folder, 0o755)
        server = kind(folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def started(*sites):
    """These sites while they run; whatever their logs have to complain about is an error."""
    try:
        for site in sites:
            site.start()
        yield sites
        problems = [problem for site in sites for problem in site.httpd.judge()]
        if problems:
            raise RuntimeError("\n".join(problems))
    finally:
        for site in sites:
            site.stop()
            site.discard()
