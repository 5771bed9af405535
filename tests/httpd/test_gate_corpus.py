# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The gate corpus: what a stranger may try and a payer may do, as data (tests/gate/requests), at every
door and over both protocols. A leak is a byte of a protected file, or anything that tells about it.
"""
import hashlib

import pytest
from harness import children, corpus, doors, gatesite, httpd

LEAST = 200


@pytest.fixture(scope="module")
def gate():
    made = gatesite.GateSite()
    try:
        made.start()
        yield made
    finally:
        made.stop()
        problems = made.site.httpd.judge()
        httpd.Httpd.living.remove(made.site.httpd)
        made.site.discard()
        assert not problems, problems


@pytest.fixture
def runner(gate):
    gate.site.allow_log(gatesite.NOISE)
    made = gate.runner()
    yield made
    made.close()


def _asked():
    """Every class with the doors and protocols that some request of it is for."""
    for name in corpus.classes():
        for over in corpus.protocols():
            for door in doors.DOORS:
                if any(True for _ in corpus.Runner.chosen(name, door, over)):
                    yield name, door, over


@pytest.mark.parametrize("name, door, over", list(_asked()))
def test_no_request_leads_round_the_gate(runner, name, door, over):
    """B24, B30, E21, T12, T13, T14, T15, T16, T17, T18, T19, T22, T45: no byte for anonymous, free or expired people; the payer's all arrive."""
    wrong = runner.run(name, door, over)
    assert not wrong, "\n".join(wrong)


def test_the_corpus_is_large():
    """T12: at least two hundred requests before doors, people and protocols multiply them."""
    assert corpus.distinct() >= LEAST


def test_a_refusal_is_the_same_whatever_is_behind(gate):
    """T16: byte for byte one body and one set of headers over twenty pages of every kind."""
    gate.site.allow_log(gatesite.NOISE)
    names = ["paid.html", "paid.css", "paid.cgi", "paid.shtml", "paid.asis", "paid-map.var", "deep/paid.html"]
    paths = [f"{doors.BASE[door]}/{name}" for door in ("location", "directory", "files") for name in names]
    paths += ["/prx/paid.html", "/davs/loc/inner/paid.html", "/loc/", "/dir/"]
    seen = set()
    for path in paths:
        answer = gate.site.client.user("alice").get(path)
        told = {name: value for name, value in answer.headers.items()
                if name.lower() not in ("date", "connection", "keep-alive")}
        seen.add(hashlib.sha256(repr((answer.status_code, sorted(told.items()),
                                      answer.text.replace(path, ""))).encode()).hexdigest())
    assert len(paths) >= 20 and len(seen) == 1


def test_without_its_database_the_gate_lets_nobody_in(gate):
    """T12: whoever is not remembered is refused, with 503."""
    remember = gate.site.httpd.pids()
    gate.site.httpd.graceful()
    children.gone(gate.site.httpd, remember)
    gate.site.allow_log(gatesite.NOISE + "|" + gatesite.OUTAGE)
    wrong = gate.outage()
    assert not wrong, "\n".join(wrong)
