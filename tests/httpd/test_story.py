# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The recorded stories: a subscription's whole life, and the right access after every single event."""
import pytest
from harness import catalogue, databases
from harness.content import SECRET

DATABASES = databases.ALL
NEWEST = {
    # file number: what opens after it (plans page names), for zoe
    "00": "", "01": "", "02": "", "03": "", "10": "",
    "11": "basic", "12": "basic", "13": "basic", "14": "basic", "15": "basic", "16": "basic",
    "17": "basic", "18": "basic", "19": "basic", "20": "basic", "21": "basic", "22": "basic",
    "23": "basic", "24": "basic", "25": "basic",
    "30": "pro", "31": "pro", "32": "pro", "40": "pro", "41": "pro", "42": "pro",
    "43": "grace", "44": "grace", "45": "grace", "46": "grace",
    "47": "pro", "50": "pro", "51": "", "52": "", "53": "",
}

EXTRA = """
Alias "/graceful" "{root}/docroot/members"
<Location "/graceful">
    SubbillGate any
    SubbillGrace 3
</Location>
"""


def _opens(site):
    """What zoe may see: "" nothing, "grace" only where a grace is given, "basic", "pro"."""
    zoe = site.client.user("zoe")
    members, workshop, graceful = (zoe.get(path) for path in (
        "/members/page.html", "/workshop/page.html", "/graceful/page.html"))
    for answer in (members, workshop, graceful):
        assert (SECRET in answer.text) == (answer.status_code == 200)
    if members.status_code != 200:
        assert members.status_code == 402
        return "grace" if graceful.status_code == 200 else ""
    assert graceful.status_code == 200
    return "pro" if workshop.status_code == 200 else "basic"


@pytest.mark.parametrize("folder, catalog", [
    ("newest", catalogue.default()), ("pre-basil-2023-10-16", catalogue.of_old_story())],
    ids=["newest", "pre-basil"])
def test_access_is_right_after_every_event_of_a_subscriptions_life(make_site, story, folder, catalog):
    """A15, A16, A51, D6, E16, E28, B29, B32, B33, D22, D24, C14: trial, renewal, upgrade, failed payment,
    recovery, cancellation, end: in the newest shapes and in those of 2023-10-16."""
    events = story(folder)
    site = make_site(double=False, catalog=catalog, start=False)
    site.reconfigure(graceful=False, extra=EXTRA.replace("{root}", str(site.root)))
    site.start()
    assert _opens(site) == ""
    for event in events:
        answer = site.webhook(event)
        assert answer.status_code == 200, (event.file, answer.text)
        assert answer.json()["state"] in ("done", "ignored"), (event.file, answer.text)
        number = event.file.split("/")[1][:2]
        assert _opens(site) == NEWEST[number], f"after {event.file}: {event.expect}"
    shown = {row["id"]: row for row in site.ctl_json("events", "list", "--limit", "100")["events"]}
    for event in events:
        assert shown[event.id]["type"] == event.type
        assert f"{event.id}" in site.httpd.log.text()


def test_the_same_story_told_again_changes_nothing(make_site, story):
    """T03, C27, A16: duplicates are answered 200 without work."""
    events = story("newest")
    site = make_site(double=False)
    for event in events:
        assert site.webhook(event).status_code == 200
    before = site.database.dump()
    for event in events:
        answer = site.webhook(event)
        assert (answer.status_code, answer.json()["state"]) == (200, "duplicate")
    assert site.database.dump() == before
