# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What the gate costs: the same page with the same authentication, open and gated."""
import re
import socket

from common import ROUNDS, SECONDS, figure, started, wrk

from harness import scratch
from harness.content import SECRET
from harness.site import Site

PAIRS = 5  # of runs under callgrind
SLICES = 4  # of throughput, for each second of a turn: the difference is smaller than the noise
ATTEMPTS = 5
BASIC = "Authorization: Basic Ym9iOmJvYg=="  # bob:bob

# The same page, authentication and headers, once open to whoever is logged in and once gated.
PAGES = """
<Location "/plain">
    Require valid-user
</Location>
<Location "/gated">
    Require valid-user
    SubbillGate any
</Location>
"""


def make_site(name, database="sqlite3", gates=PAGES, directives=None, kind=Site, double=False, **options):
    """options: of the harness's Httpd."""
    site = kind(name=name, database=database, double=double, gates=gates, httpd={
        "log_level": "warn", "threads": 16, **options}, directives=directives)
    body = (SECRET + "\n" + "x" * 1024)[:1024]
    for folder in ("plain", "gated", "dbd"):
        scratch.write(site.root / "docroot" / folder / "page.html", body)
    # Hashed passwords cost more than everything measured here; both sides pay the same.
    text = site.httpd.config_path.read_text().replace("LogLevel authz_core:crit subbill:debug",
                                                      "LogLevel warn")
    # cgid forks a process that would write over callgrind's figures.
    text = re.sub(r"(LoadModule cgid_module|ScriptSock).*\n", "", text)
    text = text.replace("KeepAliveTimeout 2", "KeepAliveTimeout 30\nMaxKeepAliveRequests 0")
    site.httpd.config_path.write_text(text)
    return site


def rate(site, folder, seconds=SECONDS):
    return wrk(f"{site.url}/{folder}/page.html", "-H", BASIC, seconds=seconds)[0]


def throughput():
    """Gated ÷ ungated, wrk with 16 connections, alternating."""
    ratios = []
    with started(make_site("bench-throughput")) as (site,):
        site.subscribe("bob", "basic")
        for folder in ("plain", "gated"):
            rate(site, folder, 1)
        for _ in range(ROUNDS):
            ratios.append(turn(site))
    return {"gate.throughput_ratio": figure(ratios, 0.97, "wrk -t1 -c16, gated ÷ ungated, by turns of a second")}


def turn(site):
    """One ratio. The machine's speed drifts by more than is looked for, so the sides change every second, and
    which comes first with them."""
    done = {"plain": 0, "gated": 0}
    for number in range(SLICES * SECONDS):
        for folder in sorted(done, reverse=number % 2 == 0):
            done[folder] += rate(site, folder, 1)
    return done["gated"] / done["plain"]


class Dropped(RuntimeError):
    """The connection was closed in between, as the event MPM may when its only thread is busy."""


def callgrind_total(path, requests):
    """Instructions of a whole httpd -X that answered so many requests over one connection."""
    for _ in range(ATTEMPTS):
        try:
            return callgrind_once(path, requests)
        except Dropped:
            continue
    raise RuntimeError(f"{path}: httpd closes the connection each time")


def callgrind_once(path, requests):
    site = make_site(f"bench-callgrind-{requests}", single=True, threads=1, processes=1)
    # Valgrind opens the file as root, to write it when httpd has become its User.
    output = scratch.write(site.root / "data" / "callgrind.out", "", 0o666)
    try:
        done = site.ctl("migrate")
        if done.exit:
            raise RuntimeError(done.output)
        site._wants_migration = False
        site.httpd.valgrind = f"valgrind --tool=callgrind --callgrind-out-file={output}"
        site.httpd._write_wrapper()
        site.httpd.start()
        site.subscribe("bob", "basic")
        site.hang_up()
        keep_alive(site, path, requests)
        site.httpd.stop()
        return int(re.search(r"^(?:totals|summary): (\d+)", output.read_text(), re.M)[1])
    finally:
        site.stop()
        site.discard()


def keep_alive(site, path, requests):
    """So many GETs over one connection."""
    request = (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{BASIC}\r\n\r\n").encode()
    with socket.create_connection(("127.0.0.1", site.port), timeout=60) as connection:
        answers = connection.makefile("rb")
        for _ in range(requests):
            connection.sendall(request)
            status = answers.readline()
            if not status:
                raise Dropped(path)
            if b" 200 " not in status:
                raise RuntimeError(f"{path}: {status!r}")
            length = 0
            while (line := answers.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            answers.read(length)


def instructions():
    """What a cached decision adds to the same request, by callgrind.

    What httpd's other threads do while callgrind slows everything down differs from run to run by
    some fifty instructions per request, so the median of several pairs counts.
    """
    few, many = 500, 1500
    plain, added = [], []
    for _ in range(PAIRS):
        per_request = {}
        for name in ("plain", "gated"):
            path = f"/{name}/page.html"
            per_request[name] = (callgrind_total(path, many) - callgrind_total(path, few)) \
                / (many - few)
        plain.append(round(per_request["plain"]))
        added.append(round(per_request["gated"] - per_request["plain"]))
    command = f"callgrind, httpd -X, ({many} − {few} requests): gated − ungated"
    return {"gate.cached_instructions": figure(added, 1500, command, most=True),
            "gate.plain_instructions": figure(plain, None, command)}


MEASURES = [instructions, throughput]
