# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Starting programs that must not outlive us, and ending them with everything they started.

Each runs in a session of its own; its end is the end of that session. Should we be killed without
a chance to clean up, the kernel sends the program SIGTERM (PR_SET_PDEATHSIG).
"""
import ctypes
import os
import signal
import subprocess
import time

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def start(command, **options):
    return subprocess.Popen(command, start_new_session=True, preexec_fn=_die_with_parent,
                            stdin=subprocess.DEVNULL, **options)


def members(session):
    """The living processes of a session."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb") as stat:
                fields = stat.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != b"Z":
            found.append(int(entry))
    return found


def end(process, how=signal.SIGTERM, patience=10.0):
    """Ends a started process and its session; True when nobody had to be killed."""
    if process.poll() is None:
        process.send_signal(how)
    gentle = wait_gone(process, patience)
    for pid in members(process.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()
    return gentle


def wait_gone(process, patience):
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if process.poll() is not None and not members(process.pid):
            return True
        time.sleep(0.02)
    return False
