# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Stripe misbehaves in every way it can while hundreds of jobs wait for it: in the end each was done, once,
and Stripe was asked no more often than agreed."""
import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness import catalogue, databases, events, scratch
from harness.killer import deaths
from harness.site import STRIPE_KEY
from stripe_double.client import Client as Stripe

pytestmark = pytest.mark.alone

FULL = scratch.TIER == "full"
DATABASES = tuple(name for name in databases.chosen() if FULL or name == "sqlite3")
OBJECTS = "/v1/subscriptions/"

# Each as often as one call tries again, so that the call fails, or once, so that it heals by itself.
ILLS = (
    {"action": "status", "status": 500, "times": 3},
    {"action": "status", "status": 429, "times": 1, "headers": {"Retry-After": "3"}},
    {"action": "garbage", "times": 1},
    {"action": "hang", "times": 1, "delay": 600 if FULL else 2},
    {"action": "drop", "times": 3},
    {"action": "status", "status": 503, "times": 1},
    {"action": "status", "status": 429, "times": 1, "headers": {"Retry-After": "1"}},
    {"action": "html", "times": 1},
    {"action": "truncate", "times": 1},
    {"action": "reset", "times": 1},
    {"action": "huge", "times": 1},
    {"action": "status", "status": 409, "times": 1},
)

RATE, BURST = 10, 5  # calls a second in test mode, service/pace.c


def _thin(thing):
    return {"id": events.new_id("evt_test_65Sb"), "object": "v2.core.event", "livemode": False,
            "type": "v1.customer.subscription.updated", "created": time.strftime(
                "%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
            "related_object": {"id": thing["id"], "type": "subscription", "url": "/v1/x"}}


def _tie(thing):
    """Two statements of one second that contradict each other; what Stripe has is neither."""
    second = int(time.time()) - 5
    yield events.subscription_created({**thing, "status": "past_due"}, created=second)
    yield events.subscription_updated({**thing, "status": "unpaid"}, created=second)


def _bought(site, count):
    """Subscriptions at Stripe that no delivery told of."""
    stripe = Stripe(site.double.url, STRIPE_KEY)
    for _ in range(count):
        user = events.new_id("patient")
        customer = stripe.post("/v1/customers", {"metadata": {"subbill_user": user}})
        made = stripe.post("/v1/subscriptions", {
            "customer": customer["id"], "items": [{"price": catalogue.PRICE["basic"]}],
            "metadata": {"subbill_user": user}, "trial_period_days": 14})
        assert made.status == 200, made.body
        yield made.body


def _deliver(site, event):
    """Until it got its 200, as Stripe does."""
    until = time.monotonic() + 20
    while (status := site.webhook(event).status_code) != 200:
        assert status == 503 and time.monotonic() < until, status
        time.sleep(0.1)


def _too_often(requests):
    """The first stretch of time with more calls than the limiter gives, or None. A call that failed was
    tried again by the client itself, twice at most, without another turn."""
    times = [(entry["at"], entry["fault"] is not None) for entry in requests]
    for start in range(len(times)):
        retried = 0
        for end in range(start, len(times)):
            given = BURST + 1 + RATE * (times[end][0] - times[start][0]) + retried
            if end - start + 1 > given:
                return f"{end - start + 1} calls in {times[end][0] - times[start][0]:.2f} s"
            retried += times[end][1]
    return None


def _outlive(site):
    site.double.control.configure_deliveries(mode="lose")
    things = list(_bought(site, scratch.scaled(1000, 60)))
    site.double.control.forget_requests()
    for number, thing in enumerate(things):
        for event in _tie(thing) if number % 5 == 0 else [_thin(thing)]:
            _deliver(site, event)
    turns = itertools.chain(*[ILLS] * (1 + len(things) // 250))
    until = time.monotonic() + 60 + len(things) / RATE * 2
    while site.database.count("job"):
        assert time.monotonic() < until, site.ctl("jobs", "list").output
        assert site.database.count("job", "state = 'parked'") == 0
        ill = next(turns, None)
        if ill:
            site.double.control.fault(path_prefix=OBJECTS, **ill)
        time.sleep(0.6)
        # Who was sent away waits; for this test the time is over at once.
        site.database.execute("UPDATE job SET run_at = 0")
    assert next(turns, None) is None, "Stripe was well again before the work was done"
    asked = site.double.control.requests("GET", OBJECTS)
    answered = sorted(entry["path"] for entry in asked if entry["fault"] is None)
    assert answered == sorted(OBJECTS + thing["id"] for thing in things)
    assert _too_often(asked) is None
    assert site.database.count("event", "state NOT IN ('done', 'ignored')") == 0
    assert site.database.count("event", "source = 'fetch' AND state = 'done'") == len(things)
    rows = site.database.rows("SELECT status, count(*) FROM subscription GROUP BY status")
    assert [[str(cell) for cell in row] for row in rows] == [["trialing", str(len(things))]]
    assert deaths(site.httpd) == []


def test_a_thousand_jobs_outlive_every_ill_of_stripes_and_are_done_once(make_site):
    """F13, F14, F15, F16: 500, 429, garbage, silence, cut and endless answers in turn while thin events and
    ties wait: nothing parked, nothing twice, the rate kept. Each database has its site and its Stripe; they
    wait more than they work, so all of them are tried at once."""
    sites = [make_site(database=name, directives={"SubbillWorker": "On"}) for name in DATABASES]
    for site in sites:
        # AH00045: at the end a child may still wait for Stripe.
        site.allow_log("SB|subbill|AH00045")
    with ThreadPoolExecutor(len(sites)) as beside:
        list(beside.map(_outlive, sites))
