# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Start the double as a process of its own and wait until it listens."""

import os
import pathlib
import selectors
import subprocess
import tempfile
import time

from .control import Control

_TESTS = pathlib.Path(__file__).resolve().parent.parent
_READY = "stripe double ready on "


class Handle:
    """A running double: `url`, `control`, `process`, `stop()`. Usable in a `with`."""

    def __init__(self, process, url, log):
        self.process = process
        self.url = url
        self.control = Control(url)
        self._log = log

    def stop(self):
        """End it; returns what it wrote to standard error (once)."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        if self._log.closed:
            return ""
        self._log.seek(0)
        text = self._log.read().decode("utf-8", "replace")
        self._log.close()
        return text

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def start(port=0, *, host="127.0.0.1", state=None, catalog=None, webhook_url=None,
          webhook_secret_file=None, key_file=None, timeout=15.0):
    """Start a double; RuntimeError with its own words when it does not come up."""
    command = ["/usr/bin/python3", "-m", "stripe_double", "--port", str(port), "--host", host]
    options = {"--state": state, "--catalog": catalog, "--webhook-url": webhook_url,
               "--webhook-secret-file": webhook_secret_file, "--key-file": key_file}
    for name, value in options.items():
        if value is not None:
            command += [name, str(value)]
    environment = {**os.environ, "PYTHONPATH": str(_TESTS), "PYTHONDONTWRITEBYTECODE": "1"}
    log = tempfile.TemporaryFile()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment,
                               stdin=subprocess.DEVNULL)
    line = _first_line(process, timeout)
    handle = Handle(process, line.removeprefix(_READY), log)
    if not line.startswith(_READY):
        words = handle.stop().strip()
        raise RuntimeError(words or "the Stripe double did not become ready")
    return handle


def _first_line(process, timeout):
    """The first line of standard output, or what came of it in time."""
    deadline, text = time.monotonic() + timeout, b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while b"\n" not in text and time.monotonic() < deadline:
            if selector.select(deadline - time.monotonic()):
                chunk = os.read(process.stdout.fileno(), 4096)
                if not chunk:
                    break
                text += chunk
    return text.decode("utf-8", "replace").partition("\n")[0]
