# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Shared caches before and behind the gate: sequences of requests (tests/gate/sequences.json) after
which a stranger must have nothing of the payer's, and a payer nothing of a stranger's refusal.
"""
import base64
import json

import pytest
from harness import corpus, doors, fronts, scratch, wire
from harness.vault import Vault

LEAST = 18
SEQUENCES = json.loads((scratch.ROOT / "tests" / "gate" / "sequences.json").read_text())

SITE = {
    "double": False,
    "load": ("cache", "cache_disk", "cache_socache", "socache_shmcb"),
    "httpd": {"log_level": "warn"},
}

PEOPLE = {"anonymous": None, "free": "alice", "expired": "dave", "paid": "bob", "payer too": "carol"}

# Whom the site believes: a header of its front, a cookie, or Basic credentials, without httpd's own
# authentication, which some caches know and treat with more care.
MANNERS = {
    "header": lambda name: ["X-Who", name],
    "cookie": lambda name: ["Cookie", f"who={name}"],
    "basic": lambda name: ["Authorization", "Basic " + base64.b64encode(f"{name}:{name}".encode()).decode()],
}

_CONF = """
SetEnvIf X-Who "^([a-z]+)$" SB_WHO=$1
SetEnvIf Cookie "^who=([a-z]+)$" SB_WHO=$1
{basic}
<Location "/">
    AuthType None
    SubbillUser "%{{env:SB_WHO}}"
</Location>
ProxyPass /vault/ {vault}/vault/
ProxyPass /hall/ {vault}/hall/
<Location "/vault">
    SubbillGate any
</Location>
"""

_PROGRAM = b"#!/bin/sh\ncat >/dev/null\nprintf 'Content-Type: text/html\\r\\nCache-Control: public, max-age=600\\r\\n" \
    b"X-For: %s\\r\\n\\r\\n' \"$SB_WHO\"\ncat <<'PAID'\n" + doors.PROTECTED + b"PAID\n"


@pytest.fixture(scope="module")
def vault(site):
    made = Vault(doors.PROTECTED, doors.PUBLIC, headers=[
        ("Surrogate-Control", "max-age=600"), ("X-Accel-Expires", "600"),
        ("Expires", "Thu, 01 Jan 2037 00:00:00 GMT"), ("Vary", "Accept-Encoding")])
    basic = "\n".join(f'SetEnvIf Authorization "^{MANNERS["basic"](name)[1]}$" SB_WHO={name}'
                      for name in PEOPLE.values() if name)
    scratch.write(site.root / "docroot" / "cgi" / "paid.cgi", _PROGRAM, 0o755)
    site.reconfigure(extra=_CONF.format(vault=made.url, basic=basic))
    made.subscriptions = {who: site.subscribe(who, "basic") for who in ("bob", "carol")}
    site.cancel(site.subscribe("dave", "basic"))
    yield made
    made.stop()


class Run:
    """One sequence through one front, in one manner of telling who one is."""

    def __init__(self, site, vault, front, manner, number):
        self.site, self.vault, self.front, self.manner = site, vault, front, manner
        self.n = f"{front.name}-{manner}-{number}".replace("_", "-")
        docroot = site.root / "docroot"
        for path in (f"members/{self.n}.html", f"members/{self.n}/index.html", f"require/{self.n}.html"):
            scratch.write(docroot / path, doors.PROTECTED)
        scratch.write(docroot / "open" / f"{self.n}.shtml", f'<!--#include virtual="/vault/{self.n}" -->\n')

    def target(self, text):
        for key, value in {"static": "/members/{n}.html", "app": "/vault/{n}", "css": "/vault/{n}/x.css",
                           "program": "/cgi/paid.cgi/{n}", "includes": "/open/{n}.shtml",
                           "folder": "/members/{n}/", "required": "/require/{n}.html"}.items():
            text = text.replace("{" + key + "}", value)
        return text.replace("{n}", self.n)

    def send(self, step, target):
        name = PEOPLE[step["as"]]
        headers = [*step.get("headers", []), *([MANNERS[self.manner](name)] if name else [])]
        body = step.get("body", "")
        lines = [f"{step.get('method', 'GET')} {target} HTTP/1.1", f"Host: 127.0.0.1:{self.site.port}",
                 "Connection: close", *(f"{key}: {value}" for key, value in headers),
                 *([f"Content-Length: {len(body)}"] if body else [])]
        line = wire.Line(self.front.port)
        try:
            return line.send("\r\n".join([*lines, "", body]).encode(), step.get("method", "GET"))
        finally:
            line.close()

    def happen(self, step):
        """Something else than a request; whether it was one of those."""
        if "end" in step:
            self.site.cancel(self.vault.subscriptions.pop(PEOPLE[step["end"]]))
        elif "begin" in step:
            who = PEOPLE[step["begin"]]
            self.vault.subscriptions[who] = self.site.subscribe(who, "basic")
        elif "down" in step:
            self.vault.away = step["down"]
        else:
            return False
        return True

    def wrong(self, sequence):
        target = self.target(sequence["target"])
        heard = len(self.vault.requests)
        for number, step in enumerate(sequence["steps"], 1):
            if self.happen(step):
                continue
            answer = self.send(step, target)
            problem = self.judge(step, answer)
            if problem:
                yield f"{sequence['name']} ({self.manner}), step {number}: {step['as']} {problem}"
        asked = len(self.vault.requests) - heard
        if sequence.get("kept") and asked >= len(sequence["steps"]):
            yield f"{sequence['name']} ({self.manner}): this cache keeps nothing, so nothing is tried"

    @staticmethod
    def judge(step, answer):
        payer = step["as"] in ("paid", "payer too")
        expected = step.get("expect", "bytes" if payer else "refusal")
        if corpus.holds_protected(answer.body) and (not payer or expected == "refusal"):
            return f"gets protected bytes, {answer.status}"
        if expected == "bytes" and not corpus.holds_protected(answer.body):
            return f"does not get the bytes: {answer.status} {answer.body[:100]!r}"
        if expected == "public" and doors.OPEN.encode() not in answer.body:
            return f"does not get the public bytes: {answer.status}"
        if expected == "refusal" and (not 300 <= answer.status < 600 or answer.status == 304):
            return f"is not refused: {answer.status}"
        if isinstance(expected, list) and answer.status not in expected:
            return f"gets {answer.status} instead of {expected}"
        for_whom = wire.header(answer, "x-for")
        if expected == "bytes" and for_whom not in ("", PEOPLE[step["as"]]):
            return f"gets what was made for {for_whom}"
        return None


@pytest.mark.parametrize("kind", fronts.ALL, ids=lambda kind: kind.name)
def test_no_cache_mixes_up_payers_and_strangers(site, vault, kind):
    """T20: no protected byte for a stranger, no refusal for a payer, whatever came before; open pages are kept."""
    if kind.missing():
        pytest.skip(kind.missing())
    site.allow_log(r"AH(?!0005[12])\d{5}|unable to include|SB403")
    front = kind(site).start()
    try:
        wrong = []
        for manner in MANNERS:
            for number, sequence in enumerate(SEQUENCES):
                wrong += Run(site, vault, front, manner, number).wrong(sequence)
    finally:
        vault.away = False
        front.stop()
    assert not wrong, "\n".join(wrong)


def test_there_are_enough_sequences():
    """T20: eighteen at least."""
    assert len({sequence["name"] for sequence in SEQUENCES}) == len(SEQUENCES) >= LEAST
