# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Every call to a database and to Stripe that one operation makes fails once, for n = 1, 2, 3 … until the
operation passes untouched; and then with its repeat failing as well.

After each n: either it said no, and nothing of it is there, or all of it is; asked again without the fault
it succeeds; nobody crashed; strangers stay outside. Which call is the n-th is the shim's business
(tests/faults/failnth.c).
"""
import itertools
import time
from urllib.parse import urlsplit

import pytest
from api import another_address
from harness import catalogue, databases, events, scratch
from harness.content import SECRET
from harness.failnth import CURL, EVERY, LIMIT, STATEMENT, FailNth
from harness.killer import deaths
from harness.site import STRIPE_KEY
from stripe_double.client import Client as Stripe

FULL = scratch.TIER == "full"
DATABASES = tuple(name for name in databases.chosen() if FULL or name != "mysql")
SITE = {"directives": {"SubbillWorker": "Off"}, "httpd": {"processes": 1}}


@pytest.fixture(scope="module")
def shaky(database):
    """A site whose httpd and subbillctl have the shim: (site, shim). Stripe delivers nothing by itself."""
    from conftest import _finish
    from harness import site as sites
    site = sites.Site(name="shaky", database=database, **SITE)
    shim = FailNth(site.root)
    site.httpd.set_variables(shim.environment)
    site.start()
    site.double.control.configure_deliveries(mode="lose")
    yield site, shim
    _finish(site)


@pytest.fixture(autouse=True)
def _announced(shaky):
    site, _ = shaky
    site.allow_log("SB|subbill|AH0028[67]|AH00161")  # worker and prefork say so when all wait
    yield
    assert deaths(site.httpd) == []


def _until_tried(shim, n, **about):
    """Arms the shim again while the operation did not come to any call: just after a failed connect
    the database is left alone for a second."""
    until = time.monotonic() + 10
    while True:
        yield n, shim.armed(n, **about)
        if shim.counted:
            return
        assert time.monotonic() < until, "the operation makes no call that the shim can see"
        time.sleep(0.1)


def faults(shim, kinds=EVERY, ci=(1, 4)):
    """Yields n and what arms the shim for it, until nothing fails any more: first the calls are not made,
    then they are and only their answers are lost. ci: every which call CI's tier takes of both."""
    for after, step in ((False, ci[0]), (True, ci[1])):
        for n in itertools.count(1, 1 if FULL else step):
            assert n < LIMIT
            yield from _until_tried(shim, n, after=after, kinds=kinds)
            if not shim.failed:
                break


def twice(shim, step):
    """The same where the repeat fails as well: at its last call, which is COMMIT, and shortly before."""
    for n in itertools.count(1, step):
        yield from _until_tried(shim, n, kinds=STATEMENT)
        if not shim.failed:
            break
        last = shim.counted
        for again, after in ((last, True), (last - 2, False)):
            if again > n:
                yield from _until_tried(shim, n, again=again, after=after, kinds=STATEMENT)


def eventually(send, seconds=8):
    """The first good answer; what broke a moment ago may still be thought broken for a second."""
    until = time.monotonic() + seconds
    while True:
        answer = send()
        if answer.status_code < 400 or time.monotonic() > until:
            return answer
        time.sleep(0.1)


def _counted(site, wanted):
    """One number per entry of {table: condition}, in one query."""
    columns = ", ".join(f"(SELECT count(*) FROM {table} WHERE {condition})"
                        for table, condition in wanted.items())
    return [int(cell) for cell in site.database.rows(f"SELECT {columns}")[0]]


def _stranger_stays_outside(site):
    answer = site.client.user("alice").get("/members/page.html")
    assert answer.status_code in (402, 503) and SECRET not in answer.text


def _all_or_nothing(site, thing, event, user):
    """Whether the event is there; a half of it fails the test."""
    counts = _counted(site, {
        "event": f"id = '{event['id']}' AND state = 'done'",
        "event_body": f"event_id = '{event['id']}'",
        "customer": f"id = '{thing['customer']}' AND user_name = '{user}'",
        "account": f"user_name = '{user}'",
        "subscription": f"id = '{thing['id']}' AND event_id = '{event['id']}'",
        "subscription_item": f"subscription = '{thing['id']}'"})
    assert counts in ([0] * 6, [1] * 6), counts
    return counts[0] == 1


def _created(site, trigger, n):
    user = site.new_user("inject")
    thing = events.subscription(user, "basic")
    event = events.subscription_created(thing)
    with trigger:
        answer = site.webhook(event)
    assert answer.status_code in (200, 503), answer.text
    stored = _all_or_nothing(site, thing, event, user)
    assert stored or answer.status_code == 503, f"call {n}: acknowledged and lost"
    _stranger_stays_outside(site)
    assert eventually(lambda: site.webhook(event)).status_code == 200
    assert _all_or_nothing(site, thing, event, user)
    assert eventually(lambda: site.client.user(user).get("/members/page.html")).status_code == 200


def test_each_call_of_a_first_event_fails_and_nothing_is_half_done(shaky):
    """F06, F07, FAIL: subscription created: refused and absent, or accepted and complete."""
    site, shim = shaky
    for n, trigger in faults(shim, ci=(1, 5) if site.database.driver == "sqlite3" else (2, 9)):
        _created(site, trigger, n)


def test_a_call_and_its_repeat_fail_and_nothing_is_half_done(shaky):
    """F06, F07, FAIL: two failures end the patience of one request; also when only the answer to COMMIT is
    lost, twice."""
    site, shim = shaky
    for n, trigger in twice(shim, step=1 if FULL else 9):
        _created(site, trigger, n)


def test_each_call_of_an_update_fails_and_the_old_state_or_the_new_is_there(shaky):
    """F06, F07, FAIL: subscription updated to a state that closes the door: never a mixture."""
    site, shim = shaky
    for n, trigger in faults(shim, ci=(3, 9)):
        user = site.new_user("inject")
        thing = site.subscribe(user, "basic", now=int(time.time()) - 50)
        unpaid = {**thing, "status": "unpaid", "cancel_at_period_end": True}
        event = events.subscription_updated(unpaid, {"status": "active"},
                                            created=int(time.time()) + 1)
        with trigger:
            answer = site.webhook(event)
        assert answer.status_code in (200, 503), answer.text
        row = site.database.rows("SELECT status, cancel_at_period_end, event_id = "
                                 f"'{event['id']}' FROM subscription WHERE id = '{thing['id']}'")[0]
        stored = site.database.count("event", f"id = '{event['id']}'") == 1
        new = [str(cell) for cell in row[:2]] == ["unpaid", "1"]
        old = [str(cell) for cell in row[:2]] == ["active", "0"]
        assert new == stored and (new or old) and (new or answer.status_code == 503), (n, row)
        gate = site.client.user(user).get("/members/page.html").status_code
        assert gate in ((402, 503) if new else (200, 503)), (n, gate, row)
        _stranger_stays_outside(site)
        assert eventually(lambda: site.webhook(event)).status_code == 200
        assert site.client.user(user).get("/members/page.html").status_code == 402


def test_each_query_of_a_gate_fails_and_it_opens_for_nobody_it_should_not(shaky):
    """F06, FAIL, CLOSED: a stranger's first visit: 402 or 503, never the page."""
    site, shim = shaky
    for n, trigger in faults(shim):
        user = site.new_user("stranger")
        with trigger:
            answer = site.client.user(user).get("/members/page.html")
        assert answer.status_code in (402, 503) and SECRET not in answer.text, n
        # What the fault left in memory must not open either.
        again = site.client.user(user).get("/members/page.html")
        assert again.status_code in (402, 503) and SECRET not in again.text, n


# --- buying ------------------------------------------------------------------------------------

def _at_stripe(site, user):
    """(customers, open or complete sessions) that Stripe has of this user."""
    customers = [each["id"] for each in site.double.control.objects("customer")
                 if each["metadata"].get("subbill_user") == user]
    sessions = [each["id"] for each in site.double.control.objects("checkout.session")
                if each["customer"] in customers and each["status"] != "expired"]
    return customers, sessions


def _checkout(site, user):
    """From an address of its own: one address may not buy so often."""
    with another_address(site):
        return site.client.user(user).post("/subbill/checkout", json={"plan": "basic"})


CI_BUYING = (11, 17)


def test_each_call_of_a_checkout_fails_and_the_next_click_finds_one_session(shaky):
    """F06, F14, F17, FAIL: database and Stripe: one customer, one session, no second purchase."""
    site, shim = shaky
    for n, trigger in faults(shim, ci=CI_BUYING):
        user = site.new_user("buyer")
        with trigger:
            answer = _checkout(site, user)
        assert answer.status_code in (200, 503), (n, answer.text)
        _stranger_stays_outside(site)
        done = eventually(lambda: _checkout(site, user), 20)
        assert done.status_code == 200, (n, done.text)
        customers, sessions = _at_stripe(site, user)
        assert len(customers) == 1 and sessions == [done.json()["id"]], (n, customers, sessions)
        assert site.client.user(user).get("/members/page.html").status_code == 402


def test_each_call_of_the_return_page_fails_and_a_reload_opens_the_door(shaky):
    """F06, F14, FAIL: the page never crashes, and whoever paid gets in at the latest at the next try."""
    site, shim = shaky
    for n, trigger in faults(shim, ci=CI_BUYING):
        user = site.new_user("buyer")
        answer = eventually(lambda: _checkout(site, user), 20)
        done = site.double.control.complete(answer.json()["id"])
        back = urlsplit(done["redirect"])
        address = f"{back.path}?{back.query}"
        with trigger:
            answer = site.client.user(user).get(address)
        assert answer.status_code in (200, 202, 303, 503), (n, answer.text)
        _stranger_stays_outside(site)
        until = time.monotonic() + 20
        while site.client.user(user).get("/members/page.html").status_code != 200:
            assert time.monotonic() < until, f"call {n}: paid and left outside"
            site.client.user(user).get(address)
            time.sleep(0.1)
        assert site.database.count("subscription", f"user_name = '{user}'") == 1


# --- in the background -------------------------------------------------------------------------

def _thin(thing):
    return {"id": events.new_id("evt_test_65Sb"), "object": "v2.core.event", "livemode": False,
            "type": "v1.customer.subscription.updated", "created": time.strftime(
                "%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
            "related_object": {"id": thing["id"], "type": "subscription", "url": "/v1/x"}}


def test_each_call_of_a_workers_step_fails_and_the_job_is_done_once(shaky):
    """F06, F14, F20, FAIL: the job stays until it is done, and what it reads is applied once."""
    site, shim = shaky
    stripe = Stripe(site.double.url, STRIPE_KEY)
    site.ctl_variables = shim.environment
    told = site.told()
    for n, trigger in faults(shim, ci=CI_BUYING):
        user = site.new_user("worker")
        customer = stripe.post("/v1/customers", {"metadata": {"subbill_user": user}})
        thing = stripe.post("/v1/subscriptions", {
            "customer": customer["id"], "items": [{"price": catalogue.PRICE["basic"]}],
            "metadata": {"subbill_user": user}, "trial_period_days": 14}).body
        assert eventually(lambda: site.webhook(_thin(thing))).status_code == 200
        with trigger:
            site.ctl(*told, "work", "--once")
        done, jobs = _counted(site, {"subscription": f"id = '{thing['id']}'", "job": "1=1"})
        assert done or jobs, f"call {n}: neither done nor to be done"
        _stranger_stays_outside(site)
        for _ in range(20):
            site.database.execute("UPDATE job SET run_at = 0, lease_until = 0")
            site.ctl(*told, "work", "--once")
            if not site.database.count("job"):
                break
        assert _counted(site, {
            "job": "1=1", "subscription": f"id = '{thing['id']}'",
            "event": f"source = 'fetch' AND object_id = '{thing['id']}'"}) == [0, 1, 1], n
    site.ctl_variables = {}


def test_stripe_alone_failing_at_every_call_is_named_and_costs_nothing(shaky):
    """F13, F14: every call of a purchase to Stripe fails before it is made: 503 and no customer."""
    site, shim = shaky
    user = site.new_user("buyer")
    with shim.armed(1, again=-1, kinds=CURL):
        answer = _checkout(site, user)
    assert answer.status_code == 503 and "Retry-After" in answer.headers
    assert _at_stripe(site, user) == ([], [])
    assert answer.json()["code"].startswith("stripe_")
