#!/usr/bin/python3
# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Runs the fuzz targets; the goals fuzz and fuzz-replay, and two stages of tests/run.

    tests/fuzz/fuzzing.py replay [TARGET…]   every seed once, compiled as the module is
    tests/fuzz/fuzzing.py fuzz [TARGET…]     libFuzzer for SB_FUZZ_SECONDS (60) each, two at a time
    tests/fuzz/fuzzing.py able               status 0 where clang and libFuzzer are installed

Seeds come from tests/fuzz/seeds, and from tests/fuzz/corpus/TARGET where an input that once broke
something stays. What libFuzzer finds worth keeping goes to build/fuzz/found and is where the next run
starts; an input that breaks a target goes to build/fuzz/crashes.
"""
import os
import re
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "fuzz"
BUILD = Path(os.environ.get("SB_BUILD",
                            ROOT / "build" / ("san" if os.environ.get("SAN") else "release")))
FUZZ = ROOT / "build" / "fuzz"
JOBS = min(2, os.cpu_count() or 1)
REPLAY_SECONDS = 60
INPUT_SECONDS = 10  # one input on a busy machine, with sanitizers
INPUT_BYTES = 16384
TOLD = 6000  # characters of a program's last words
MEMORY_MB = 2048
ASAN = "quarantine_size_mb=64"  # what was freed is kept for a while; less than the usual 256
UNABLE = "there is no clang with libFuzzer here; tools/deps fuzz installs it"

_talk = threading.Lock()


def say(text):
    with _talk:
        print(text, flush=True)


def targets():
    return sorted(path.stem for path in HERE.glob("fuzz_*.c"))


def seeds_write():
    subprocess.run([sys.executable, str(HERE / "seeds"), str(FUZZ / "corpus")], check=True)


def folders(target):
    """Where inputs of a target lie that nobody has to find any more."""
    return [folder for folder in (FUZZ / "corpus" / target, HERE / "corpus" / target)
            if folder.is_dir()]


def fed(program, files):
    """None, or what went wrong when the program read these files."""
    try:
        done = subprocess.run([str(program), *map(str, files)], capture_output=True, text=True,
                              errors="replace", timeout=REPLAY_SECONDS)
    except subprocess.TimeoutExpired:
        return f"no end within {REPLAY_SECONDS} s"
    return None if done.returncode == 0 else f"status {done.returncode}: {done.stderr[-TOLD:]}"


def replay(target):
    """True when every known input goes through. A failure names the file."""
    program = BUILD / "fuzzers" / target
    files = [path for folder in folders(target) for path in sorted(folder.iterdir())]
    if not program.exists() or not files:
        say(f"{program} is not built; run make -f Makefile.apxs fuzzers" if files
            else f"{target} has no seeds")
        return False
    if fed(program, files) is None:
        return True
    for path in files:
        trouble = fed(program, [path])
        if trouble:
            say(f"{target}: {trouble}\nReproduce: {program} {path}")
            return False
    say(f"{target}: fails on all files, on none alone\nReproduce: {program} {folders(target)[0]}/*")
    return False


def fuzz(target, seconds):
    """True when libFuzzer found nothing in that time. A failure names the input that broke it."""
    program = FUZZ / "fuzzers" / target
    if not program.exists():
        say(f"{program} is not built; run make -f Makefile.apxs libfuzzers")
        return False
    found, crashes = FUZZ / "found" / target, FUZZ / "crashes"
    found.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(parents=True, exist_ok=True)
    words = HERE / f"{target}.dict"
    done = subprocess.run(
        ["nice", str(program), f"-max_total_time={seconds}", f"-timeout={INPUT_SECONDS}",
         f"-rss_limit_mb={MEMORY_MB}", f"-max_len={INPUT_BYTES}",
         f"-artifact_prefix={crashes}/{target}-", *([f"-dict={words}"] if words.exists() else []),
         str(found), *map(str, folders(target))],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        env={**os.environ, "ASAN_OPTIONS": f"{ASAN}:{os.environ.get('ASAN_OPTIONS', '')}"})
    summary = re.findall(r"^#(\d+)\s+DONE\s+cov: (\d+)", done.stdout, re.M)
    if done.returncode == 0 and summary:
        say(f"{target}: {summary[-1][0]} inputs, {summary[-1][1]} edges")
        return True
    written = re.findall(r"Test unit written to (\S+)", done.stdout)
    trouble = re.search(r"^.*(ERROR: |runtime error: |broken promise: ).*", done.stdout, re.M)
    at = trouble.start() if trouble else max(0, len(done.stdout) - TOLD)
    say(f"{target}: {done.stdout[at:at + TOLD]}")
    say(f"Reproduce: {program} {written[-1] if written else '…'}")
    return False


def able():
    """Whether clang is here and can make a program with libFuzzer, whose library is a package of its own."""
    entry = "int LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long size) { return 0; }"
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(["clang", "-fsanitize=fuzzer,address", "-x", "c", "-", "-o",
                                   f"{folder}/probe"], input=entry, capture_output=True, text=True)
        except FileNotFoundError:
            return False
    return done.returncode == 0


def each(work, chosen):
    """{target: whether it went well}, two at a time."""
    with ThreadPoolExecutor(JOBS) as pool:
        return dict(zip(chosen, pool.map(work, chosen)))


def main(arguments):
    if arguments == ["able"]:
        return 0 if able() else 1
    if not arguments or arguments[0] not in ("replay", "fuzz"):
        print(__doc__, file=sys.stderr)
        return 2
    chosen = arguments[1:] or targets()
    seeds_write()
    if arguments[0] == "replay":
        outcomes = each(replay, chosen)
    elif not able():
        print(UNABLE, file=sys.stderr)
        return 1
    else:
        seconds = int(os.environ.get("SB_FUZZ_SECONDS", 60))
        outcomes = each(lambda target: fuzz(target, seconds), chosen)
    failed = sum(not well for well in outcomes.values())
    print(f"{len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
