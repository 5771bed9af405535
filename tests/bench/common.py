# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What all groups of benchmarks share."""
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT / "tests" / "httpd"), str(ROOT / "tests")]

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "3"))


def figure(values, must, command):
    return {"value": statistics.median(values), "min": min(values), "max": max(values),
            "must": must, "command": command}


def wrk(url, *arguments, script=(), seconds=SECONDS, connections=16):
    """Requests per second, every one of them answered with 2xx; and everything that wrk said.

    script: a Lua file and its arguments.
    """
    if script:
        arguments = [*arguments, "-s", str(script[0])]
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
                          *arguments, url, "--", *map(str, script[1:])], check=True, capture_output=True, text=True).stdout
    # httpd may close a kept connection when it ends a spare process; a refusal would be a mistake.
    if "Non-2xx" in out:
        raise RuntimeError(f"{url}: {out}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), out
