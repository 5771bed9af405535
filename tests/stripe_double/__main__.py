# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Start the double: `/usr/bin/python3 -m stripe_double --port 0 --catalog catalog.json`."""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys

from .server import Double, read_catalog


def _arguments():
    parser = argparse.ArgumentParser(prog="stripe_double", description="A stand-in for Stripe.")
    parser.add_argument("--port", type=int, required=True, help="0 picks a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--state", metavar="FILE", help="kept between runs")
    parser.add_argument("--catalog", metavar="FILE", help="products and prices to start with")
    parser.add_argument("--webhook-url", metavar="URL")
    parser.add_argument("--webhook-secret-file", metavar="FILE")
    parser.add_argument("--key-file", metavar="FILE", help="valid keys, one a line")
    given = parser.parse_args()
    if bool(given.webhook_url) != bool(given.webhook_secret_file):
        parser.error("--webhook-url and --webhook-secret-file belong together")
    return given


def _lines(path):
    try:
        with open(path, encoding="utf-8") as file:
            return [line.strip() for line in file if line.strip()]
    except OSError as problem:
        sys.exit(f"stripe double: {path}: {problem.strerror}")


async def _serve(given):
    webhook = None
    if given.webhook_url:
        webhook = (given.webhook_url, "".join(_lines(given.webhook_secret_file)))
    double = Double(given.state, set(_lines(given.key_file)) if given.key_file else None,
                    read_catalog(given.catalog) if given.catalog else None, webhook)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    try:
        await double.run(given.host, given.port, stop)
    except OSError as problem:
        sys.exit(f"stripe double: cannot listen on {given.host}:{given.port}: "
                 f"{problem.strerror or problem}")


def main():
    logging.basicConfig(level=logging.ERROR, format="stripe double: %(message)s")
    given = _arguments()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(given))


if __name__ == "__main__":
    main()
