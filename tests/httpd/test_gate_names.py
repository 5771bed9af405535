# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Names that look like a payer's to a database, a file system or a person, and are other people's
(tests/gate/names.json): each is refused while the payer is let in, on every database.
"""
import json

from harness import databases, scratch
from harness.content import SECRET

DATABASES = databases.ALL
LEAST = 30
NAMES = json.loads((scratch.ROOT / "tests" / "gate" / "names.json").read_text())

SITE = {
    "double": False,
    "extra": """
SetEnvIf X-Who "(.*)" SB_WHO=$1
<Location "/members">
    AuthType None
    SubbillUser "%{env:SB_WHO}"
</Location>
""",
}

# Longer than the column, cut to it somewhere else.
LONG = "bob" + "x" * 187


def _ask(site, name):
    return site.client.get("/members/page.html", headers={"X-Who": name.encode()})


def test_nobody_is_taken_for_somebody_else(site):
    """T22: case, blanks, accents, look-alikes, patterns, quotes and cut names are other people."""
    site.allow_log("SB101")
    for payer in ("bob", LONG):
        site.subscribe(payer, "basic")
        assert SECRET in _ask(site, payer).text
    strangers = [*NAMES, LONG[:-1], LONG + "x", LONG + " x", LONG.upper(), LONG[:-1] + "\u00e9"]
    assert len(set(strangers)) >= LEAST
    for _ in range(2):  # the second time out of the cache
        for name in strangers:
            answer = _ask(site, name)
            assert answer.status_code in (402, 403), (name, answer.status_code)
            assert SECRET not in answer.text, name
        assert SECRET in _ask(site, "bob").text


def test_a_payer_with_a_strange_name_is_nobody_else_either(site):
    """T22: whoever pays under such a name is let in by exactly that name; bob's neighbour is not."""
    site.allow_log("SB101")
    for payer, neighbour in (("Zo\u00eb", "Zoe"), ("STRASSE", "stra\u00dfe"), ("eve ly", "evely"),
                             ("o'hara", "ohara"), ("a%b", "axb"), ("a_c", "abc")):
        site.subscribe(payer, "basic")
        assert SECRET in _ask(site, payer).text, payer
        answer = _ask(site, neighbour)
        assert answer.status_code == 402 and SECRET not in answer.text, neighbour
