# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The gate corpus bites: gates that are wrong on purpose are caught by it, each by one of the classes
of requests that its kind of mistake is known for.
"""
import pytest
from harness import corpus, doors, gatesite, httpd, mutants, scratch

LEAST = 12
DECIDES = {"domain/entitlement.c", "web/authz.c", "web/decide.c", "web/gate.c", "web/holding.c",
           "web/identity.c", "web/private.c", "web/refuse.c"}

ALL = mutants.load()
# Of the quick run; which requests leak does not depend on how httpd forks, either.
CHOSEN = [mutant for mutant in ALL if mutant.get("ci") or scratch.TIER == "full"]


@pytest.fixture(scope="module")
def gate():
    made = gatesite.GateSite(name="mutants")
    try:
        made.start()
        yield made
    finally:
        made.stop()
        httpd.Httpd.living.remove(made.site.httpd)
        made.site.discard()


def _wrong(gate, mutant):
    """The first things that the mutant's classes find, of the kind that it is known by."""
    matters = mutants.shows(mutant)
    if "outage" in mutant["classes"]:
        return [sentence for sentence in gate.outage() if matters(sentence)]
    runner = gate.runner()
    try:
        for name in mutant["classes"]:
            for door in doors.DOORS:
                for over in corpus.protocols():
                    wrong = runner.run(name, door, over, enough=1, matters=matters)
                    if wrong:
                        return wrong
    finally:
        runner.close()
    return []


@pytest.mark.parametrize("mutant", CHOSEN, ids=lambda mutant: mutant["name"])
def test_a_wrong_gate_is_caught(gate, mutant):
    """T13, T14, T15, T16, T17, T20, T22, T45: the corpus finds a leak in each gate that is wrong on purpose."""
    if mutant.get("threaded") and scratch.MPM == "prefork":
        pytest.skip("HTTP/2 needs a threaded MPM")
    gate.exchange(mutants.build(mutant, gate.site.root / "mutants"))
    gate.site.allow_log(gatesite.NOISE + "|SB[0-9]{3}")
    wrong = _wrong(gate, mutant)
    assert wrong, f"nothing in {', '.join(mutant['classes'])} shows a {mutant.get('shows', 'leak')}: {mutant['about']}"


BROKEN = {"name": "refuses_everybody", "about": "breaks the site and lets nothing out", "classes": ["method"],
          "file": "mod_subbill/web/gate.c",
          "edits": [["    if (verdict.granted) {\n        return DECLINED;", "    if (false) {\n        return DECLINED;"]]}


def test_a_gate_that_only_refuses_too_much_counts_as_no_leak(gate):
    """T15: the payer who does not get the bytes is noticed, and proves nothing about strangers."""
    gate.exchange(mutants.build(BROKEN, gate.site.root / "mutants"))
    gate.site.allow_log(gatesite.NOISE + "|SB[0-9]{3}")
    runner = gate.runner()
    noticed = runner.run("method", "location", "h1", enough=1)
    runner.close()
    assert noticed and "the payer" in noticed[0]
    assert not _wrong(gate, BROKEN)
    assert not _wrong(gate, {**BROKEN, "shows": "kept"})


def test_every_mutant_still_fits_the_code():
    """T15: at least a dozen mutants, of every file that decides, and the lines each of them changes are there."""
    assert len({mutant["name"] for mutant in ALL}) == len(ALL) >= LEAST
    assert {mutant["file"].removeprefix("mod_subbill/") for mutant in ALL} >= DECIDES
    for mutant in ALL:
        assert mutants.mutate(mutant) != (scratch.ROOT / mutant["file"]).read_text()
