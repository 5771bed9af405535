# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Time itself closes the gate: without an event, without waiting for the cache, to the second."""
import time

import httpx
import pytest
from harness import events
from harness.content import SECRET

DAY = 86400
AHEAD = 3  # seconds
GATES = """
<Location "/members">
    SubbillGate any
    SubbillGrace 1
</Location>
"""


def _trial(site, user, end):
    site.subscribe(user, "basic", status="trialing", trial_end=end, period=30 * DAY)


def _date(site, user, end):
    site.subscribe(user, "basic", cancel_at=end)


def _period(site, user, end):
    now = int(time.time())
    site.subscribe(user, "basic", now=now, period=end - now, cancel_at_period_end=True)


def _grace(site, user, end):
    begun = end - DAY
    thing = events.subscription(user, "basic", now=begun - DAY)
    late = {**thing, "status": "past_due"}
    for event in (events.subscription_created(thing, created=begun - DAY),
                  events.subscription_updated(late, {"status": "active"}, created=begun)):
        assert site.webhook(event).status_code == 200


@pytest.mark.parametrize("closing", [_trial, _date, _period, _grace], ids=lambda f: f.__name__[1:])
def test_a_cached_decision_ends_with_the_second(closing, database, make_site):
    """REV, B29: the end of a trial, a date of cancellation, a period after which nothing comes, the last of
    the days of grace."""
    site = make_site(database=database, double=False, gates=GATES, directives={"SubbillCache": "4096 3600"})
    user = site.new_user("user")
    end = int(time.time()) + AHEAD
    closing(site, user, end)
    before, after = set(), set()
    with httpx.Client(base_url=site.url, trust_env=False, auth=(user, user)) as client:
        while (sent := time.time()) < end + 1:
            answer = client.get("/members/page.html")
            assert (SECRET in answer.text) == (answer.status_code == 200)
            if time.time() < end:
                before.add(answer.status_code)
            elif sent >= end:
                after.add(answer.status_code)
    assert (before, after) == ({200}, {402})
