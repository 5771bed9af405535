# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Background jobs: done by httpd and by `subbillctl work --once`, once each, whoever is killed."""
import os
import signal
import sqlite3
import threading
import time

import pytest
from harness import catalogue, databases, events, processes
from harness.site import STRIPE_KEY
from stripe_double.client import Client as Stripe

DATABASES = databases.ALL
SITE = {"double": False}
UNKNOWN = "price_1SbElsewhere00000000001"


def unmapped(user):
    thing = events.subscription(user, UNKNOWN)
    thing["items"]["data"][0]["price"]["product"] = "prod_TElsewhere0001"
    return events.subscription_created(thing)


def thin(thing, kind="v1.customer.subscription.updated"):
    return {"id": events.new_id("evt_test_65Sb"), "object": "v2.core.event", "type": kind,
            "livemode": False, "created": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
            "related_object": {"id": thing["id"], "type": thing["object"], "url": "/v1/x"}}


def until(check, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.05)
    return False


def wish(kind, subject):
    """The statement that wishes for a job."""
    return ("INSERT INTO job (id, kind, subject, livemode, state, run_at, created_at) "
            f"VALUES ('{kind}', '{kind}', '{subject}', 0, 'waiting', 0, 0)")


def opens(site, user):
    return site.client.user(user).get("/members/page.html").status_code == 200


def buy(site, user):
    """A trial at the double that no delivery tells of; returns the subscription."""
    stripe = Stripe(site.double.url, STRIPE_KEY)
    metadata = {"subbill_user": user}
    customer = stripe.post("/v1/customers", {"metadata": metadata})
    made = stripe.post("/v1/subscriptions", {
        "customer": customer["id"], "items": [{"price": catalogue.PRICE["basic"]}],
        "metadata": metadata, "trial_period_days": 14})
    assert made.status == 200, made.body
    return made.body


def silent(make_site, **arguments):
    """A site that works in the background, with a double whose deliveries are lost."""
    site = make_site(directives={"SubbillWorker": "On"}, **arguments)
    site.double.control.configure_deliveries(mode="lose")
    return site


@pytest.fixture(params=databases.chosen())
def working(request, make_site):
    """A site whose httpd works in the background, on each database."""
    return make_site(database=request.param, double=False,
                     directives={"SubbillWorker": "On"})


def test_a_failed_event_heals_by_itself_once_its_price_is_known(working):
    """A16, F18, A56: the operator mends the catalogue's memory; nobody sends the event again."""
    user = working.new_user()
    working.expect_log("SB401", times=1)
    event = unmapped(user)
    assert working.webhook(event).json()["state"] == "failed"
    assert not opens(working, user)
    jobs = working.ctl_json("jobs", "list")["jobs"]
    assert [(job["kind"], job["subject"]) for job in jobs] == [("event", event["id"])]
    working.database.execute(f"UPDATE price SET plan = 'basic' WHERE id = '{UNKNOWN}'")
    working.database.execute("UPDATE job SET run_at = 0")
    assert until(lambda: working.database.count("job") == 0)
    assert opens(working, user)


def test_events_replay_and_work_do_the_same_from_the_command_line(site):
    """A58, A56: what httpd does by itself an operator can do now."""
    user = site.new_user()
    site.expect_log("SB401")
    event = unmapped(user)
    site.webhook(event)
    assert site.ctl_json("events", "replay", event["id"], "-n")["would_apply"] is True
    done = site.ctl("events", "replay", event["id"])
    assert done.exit == 1 and "unmapped_price" in done.output
    site.database.execute(f"UPDATE price SET plan = 'basic' WHERE id = '{UNKNOWN}'")
    assert site.ctl_json("work", "--once", "-n")["jobs"] == []
    site.database.execute("UPDATE job SET run_at = 0")
    assert len(site.ctl_json("work", "--once", "-n")["jobs"]) == 1
    assert site.ctl_json("work", "--once")["done"] == 1
    assert opens(site, user)
    assert "nothing was done" in site.ctl("events", "replay", event["id"]).output
    assert site.ctl("events", "replay", "evt_none").exit == 1
    assert "No jobs." in site.ctl("jobs", "list").output


def test_a_thin_event_is_read_from_stripe(make_site):
    """B23: the body names the subscription; what Stripe says about it opens the door."""
    site = silent(make_site)
    user = site.new_user()
    thing = buy(site, user)
    assert not opens(site, user)
    assert site.webhook(thin(thing)).json()["state"] == "received"
    assert until(lambda: opens(site, user))
    assert site.webhook(thin(thing, "v1.invoice.upcoming")).json()["state"] in (
        "received", "ignored")


@pytest.mark.parametrize("victim", ["child", "parent"])
def test_jobs_survive_whoever_is_killed_in_the_middle(make_site, victim):
    """F20, F21: kill -9 in the middle of a step; the lease brings the job back, once."""
    site = silent(make_site)
    site.allow_log("SB|subbill|AH00051|AH00052|AH00098")
    user = site.new_user()
    thing = buy(site, user)
    site.double.control.fault("slow", path_prefix="/v1/subscriptions/", delay=3)
    site.webhook(thin(thing))
    assert until(lambda: site.database.count("job", "holder IS NOT NULL"))
    if victim == "child":
        for pid in site.httpd.pids():
            os.kill(pid, signal.SIGKILL)
    else:
        for pid in processes.members(site.httpd.process.pid):
            os.kill(pid, signal.SIGKILL)
        site.httpd.process.wait()
        site.httpd.start()
    assert site.database.count("job") == 1
    site.database.execute("UPDATE job SET lease_until = 0")
    assert until(lambda: opens(site, user), 30)
    assert until(lambda: site.database.count("job") == 0)
    assert site.database.count("event", "source = 'fetch'") == 1


def test_jobs_survive_graceful_restarts(make_site):
    """F20, F23: restarts cut steps off; in the end every job was done once."""
    site = silent(make_site)
    # The test's own hand on the file, root's, may be in the way of a connection that opens.
    site.allow_log("SB203: .*unable to open database file")
    users = [site.new_user() for _ in range(8)]
    things = [buy(site, user) for user in users]
    site.double.control.fault("slow", path_prefix="/v1/subscriptions/", delay=0.3, times=-1)
    for thing in things:
        site.webhook(thin(thing))
    for _ in range(4):
        site.httpd.graceful()
        site.database.execute("UPDATE job SET lease_until = 0, run_at = 0")
        time.sleep(0.5)
    assert until(lambda: site.database.count("job") == 0, 30)
    assert all(opens(site, user) for user in users)
    assert site.database.count("event", "source = 'fetch' AND state = 'done'") == len(users)


@pytest.mark.parametrize("dialect", databases.chosen())
def test_many_workers_do_each_job_once(make_site, dialect):
    """F32: httpd and several command lines drain one queue; nobody does what another does."""
    site = silent(make_site, database=dialect)
    site.allow_log("SB")
    users = [site.new_user() for _ in range(12)]
    things = [buy(site, user) for user in users]
    site.double.control.forget_requests()
    for thing in things:
        site.webhook(thin(thing))
    hands = [threading.Thread(target=lambda: site.ctl("work", "--once")) for _ in range(3)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert until(lambda: site.database.count("job") == 0, 30)
    asked = [entry["path"] for entry in
             site.double.control.requests("GET", "/v1/subscriptions/")]
    assert sorted(asked) == sorted(f"/v1/subscriptions/{thing['id']}" for thing in things)
    assert all(opens(site, user) for user in users)


def test_one_hosts_long_list_does_not_hold_up_the_other_hosts(make_site):
    """F14: while a slow list of one virtual host is read, another's events are gone on with."""
    site = make_site(directives={"SubbillWorker": "On"}, start=False)
    site.allow_log("SB4")
    other = site.root / "data" / "other.db"
    site.reconfigure(graceful=False, extra=f"""
<VirtualHost 127.0.0.1:*>
    ServerName main.example
</VirtualHost>
<VirtualHost 127.0.0.1:*>
    ServerName other.example
    SubbillDatabase sqlite3 "{other}"
</VirtualHost>
""")
    for server in ("main", "other.example"):
        assert site.ctl("migrate", "--server", server).exit == 0
    site.httpd.start()
    site.double.control.configure_deliveries(mode="lose")
    stripe = Stripe(site.double.url, STRIPE_KEY)
    for number in range(200):
        stripe.post("/v1/customers", {"metadata": {"subbill_user": f"many{number}"}})
    site.double.control.fault("slow", path_prefix="/v1/customers", delay=2, times=-1)

    site.database.execute(wish("sync", "customers"))
    assert until(lambda: site.database.count("job", "holder IS NOT NULL"))
    with sqlite3.connect(other, timeout=5) as connection:
        connection.execute(wish("event", "evt_none"))
    assert until(lambda: connection.execute("SELECT attempts FROM job").fetchone()[0])
    connection.close()
    assert site.database.count("job", "kind = 'sync'") == 1, "the long list came first"


def test_the_worker_is_quiet_while_the_database_is_away(make_site):
    """F02, C38: an outage is told now and then, not every second; the worker comes back by itself."""
    site = make_site(double=False, directives={"SubbillWorker": "On"})
    site.allow_log("SB")
    path = site.database.path
    site.webhook(unmapped(site.new_user()))
    before = len(site.httpd.log.lines())
    os.rename(path, f"{path}.away")
    time.sleep(6)
    assert len(site.httpd.log.lines()) - before < 6
    os.rename(f"{path}.away", path)
    assert site.ctl("jobs", "list").exit == 0
