# Licensed under the Apache License, Version 2.0; see LICENSE.
"""httpd's clock jumps, forwards and backwards, by libfaketime: nobody gets in who may not, nobody who pays is
shut out, and no event is lost or counts twice."""
import time
from pathlib import Path

import httpx
import pytest
from harness import databases, events, scratch
from harness.content import SECRET
from harness.killer import deaths
from harness.sender import Sender, Visitors, differences, disordered, make_lives, payer

pytestmark = pytest.mark.alone

FULL = scratch.TIER == "full"
DATABASES = tuple(name for name in databases.chosen() if FULL or name == "sqlite3")
LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)

HOUR, DAY = 3600, 86400
REMEMBERED = 5.2  # seconds: what the gate has decided
TO_2038 = 2**31 + DAY - int(time.time())
JUMPS = (HOUR, -HOUR, DAY, 0, -DAY, TO_2038, 0, -2 * HOUR, HOUR, 0, 300, 0)


class Clock:
    """What httpd takes for the time: ours and `offset` seconds."""

    def __init__(self, site):
        self.path = scratch.write(site.root / "clock", "+0\n")
        self.offset = 0
        site.httpd.set_variables({
            "LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(self.path),
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})

    def jump(self, offset):
        self.offset = offset
        fresh = self.path.with_name("clock.new")
        fresh.write_text(f"{offset:+d}\n")
        fresh.rename(self.path)


@pytest.fixture
def jumping(database, make_site):
    """(site, clock) on each database."""
    if scratch.SAN:
        pytest.skip("libfaketime and AddressSanitizer do not go together")
    assert LIBRARY, "libfaketime is not installed; on Debian: apt-get install faketime"
    # What the gate has decided is to be forgotten soon, clock or not.
    site = make_site(database=database, double=False, start=False,
                     directives={"SubbillCache": "4096 5"})
    clock = Clock(site)
    site.start()
    site.allow_log("SB|subbill")
    return site, clock


def _gate(site, user):
    """On a connection of its own: httpd ends those that are kept by the clock that jumps."""
    with httpx.Client(base_url=site.url, trust_env=False, auth=(user, user)) as client:
        answer = client.get("/members/page.html")
    assert (SECRET in answer.text) == (answer.status_code == 200)
    return answer.status_code


def _becomes(site, user, status, seconds=8):
    """Within the time that an answer is remembered."""
    until = time.monotonic() + seconds
    while (now := _gate(site, user)) != status and time.monotonic() < until:
        time.sleep(0.2)
    return now == status


def test_jumps_of_the_clock_lose_no_event_and_shut_nobody_out_who_pays(jumping):
    """F24, CLOCK: an hour, a day, back, beyond 2038: deliveries signed by the true time are refused while the
    clock is wrong and taken when it is right again, each once; payers stay in, strangers out."""
    site, clock = jumping
    bob = payer("bob")
    Sender(site, bob.events, connections=1).run()
    lives = make_lives(len(JUMPS) * 25, len(JUMPS) * 4)
    # 408: httpd's own time limits go by the clock that jumps.
    sender = Sender(site, disordered(lives), connections=3, rate=60, refused=(503, 400, 408))
    with Visitors(site, ["bob"], ["alice"], SECRET, threads=2, besides=(408,)) as visitors:
        sender.start()
        for offset in JUMPS:
            clock.jump(offset)
            # Stripe's clock is right; some deliveries come by way of a host whose clock jumped as well.
            sender.skews = (0, offset)
            time.sleep(0.35)
        sender.join()
    assert sender.refusals[400] > 0, "no signature was refused: the clock did not jump"
    assert visitors.wrong == []
    assert visitors.answers["payer", 200] and visitors.answers["stranger", 402]
    assert deaths(site.httpd) == []
    assert differences(site.database, [*lives, bob]) == []


def test_what_has_ended_stays_shut_whatever_the_clock_says(jumping):
    """F24, CLOCK: deleted, unpaid, and past due without grace are no question of time: not an hour back, not
    two days, not in 2038."""
    site, clock = jumping
    now = int(time.time())
    people = {name: site.new_user(name) for name in ("deleted", "unpaid", "past_due", "noted")}
    deleted = site.subscribe(people["deleted"], "basic", now=now - 2 * HOUR)
    site.cancel(deleted)
    for status in ("unpaid", "past_due"):
        site.subscribe(people[status], "basic", status=status, now=now - HOUR)
    # Somebody who gave notice, with ten minutes left.
    site.subscribe(people["noted"], "basic", cancel_at=now + 600)
    for offset in JUMPS:
        clock.jump(offset)
        time.sleep(0.05)
        for name in ("deleted", "unpaid", "past_due"):
            assert _gate(site, people[name]) == 402, (name, offset)
        # Never beyond the end that was set; a refusal is remembered for some seconds.
        assert _gate(site, people["noted"]) in ((402,) if offset >= HOUR else (200, 402)), offset
    assert JUMPS[-1] == 0 and _becomes(site, people["noted"], 200)
    assert deaths(site.httpd) == []


@pytest.mark.parametrize("dialect", [name for name in databases.chosen() if name != "sqlite3"])
def test_a_host_whose_clock_goes_back_opens_nothing_that_has_ended(dialect, make_site):
    """F24: cancelled for a date, at the end of the period, at the end of the trial: each was seen shut; the
    clock of the host then loses an hour and a day, and the database's goes on. (SQLite has the host's clock.)"""
    if scratch.SAN:
        pytest.skip("libfaketime and AddressSanitizer do not go together")
    assert LIBRARY, "libfaketime is not installed; on Debian: apt-get install faketime"
    site = make_site(database=dialect, double=False, start=False)
    clock = Clock(site)
    site.start()
    begun, over = int(time.time()) - 2 * DAY, 2 * DAY - 60
    people = {name: site.new_user(name) for name in ("dated", "period", "trial", "running")}
    site.subscribe(people["dated"], "basic", now=begun, cancel_at=begun + over)
    site.subscribe(people["period"], "basic", now=begun, period=over, cancel_at_period_end=True)
    site.subscribe(people["trial"], "basic", now=begun, status="trialing", period=over,
                   trial_end=begun + over, cancel_at_period_end=True)
    site.subscribe(people["running"], "basic", now=begun)
    wanted = {name: 200 if name == "running" else 402 for name in people}
    for offset in (0, -HOUR, -DAY):
        clock.jump(offset)
        time.sleep(REMEMBERED)  # until the gate decides anew
        assert {name: _gate(site, user) for name, user in people.items()} == wanted, offset


def test_the_grace_of_the_past_due_does_not_grow_with_a_clock_that_goes_back(database, make_site):
    """F24: three days of grace end by the clock; a clock that was a day ahead gives nobody a day more."""
    if scratch.SAN:
        pytest.skip("libfaketime and AddressSanitizer do not go together")
    assert LIBRARY, "libfaketime is not installed; on Debian: apt-get install faketime"
    site = make_site(database=database, double=False, start=False,
                     gates='<Location "/members">\n    SubbillGate any\n    SubbillGrace 3\n'
                           '</Location>\n')
    clock = Clock(site)
    site.start()
    site.allow_log("SB|subbill")
    user = site.new_user("late")
    now = int(time.time())
    thing = events.subscription(user, "basic", now=now - 10 * DAY)
    begun = events.subscription_created(thing, created=now - 10 * DAY)
    assert site.webhook(begun).status_code == 200
    clock.jump(DAY)
    # Told while the clock is a day ahead: what counts is when Stripe said it.
    late = events.subscription_updated({**thing, "status": "past_due"}, {"status": "active"},
                                       created=now - 2 * DAY)
    assert site.webhook(late, t=now + DAY).status_code == 200
    for offset, status in ((-HOUR, 200), (0, 200), (DAY + HOUR, 402), (TO_2038, 402)):
        clock.jump(offset)
        time.sleep(0.05)
        assert _becomes(site, user, status), offset
