# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Webhooks that were missed: read from Stripe's list of events, or made up for by comparing everything."""
import shutil
import subprocess
import time

import pytest
from harness import catalogue, databases, processes, scratch
from harness.site import STRIPE_KEY
from stripe_double.client import Client as Stripe

MIRRORS = {
    "subscription": "id, status, plan, user_name, customer, current_period_end, cancel_at_period_end",
    "subscription_item": "id, subscription, price, quantity",
    "customer": "id, user_name, deleted_at > 0",
    "invoice": "id, status, amount_paid, user_name",
    "payment": "id, status, amount, user_name",
}
WANTED = {"customer.created", "customer.subscription.created", "customer.subscription.deleted",
          "invoice.created", "invoice.finalized", "invoice.paid"}
LISTS = ("customers", "products", "prices", "subscriptions", "invoices")


def _buy(site, user, trial_days=14):
    """A subscription at Stripe, made past our own pages; returns it."""
    stripe = Stripe(site.double.url, STRIPE_KEY)
    metadata = {"subbill_user": user}
    customer = stripe.post("/v1/customers", {"metadata": metadata})
    made = stripe.post("/v1/subscriptions", {
        "customer": customer["id"], "items": [{"price": catalogue.PRICE["basic"]}],
        "metadata": metadata, "trial_period_days": trial_days})
    assert made.status == 200, made.body
    return made.body


def _opens(site, user):
    return site.client.user(user).get("/members/page.html").status_code == 200


def _wish(site, kind, *subjects):
    """What the worker wishes for by itself after a start."""
    for subject in subjects:
        site.database.execute(
            "INSERT INTO job (id, kind, subject, livemode, state, run_at, created_at) "
            f"VALUES ('{kind}-{subject}', '{kind}', '{subject}', 0, 'waiting', 0, 0)")


def _work_once(site):
    done = site.ctl("work", "--once")
    assert done.exit == 0, done.output


def _work(site):
    """Works until nothing is left to do."""
    for _ in range(50):
        _work_once(site)
        if site.database.count("job") == 0:
            return
        time.sleep(0.1)
    raise AssertionError(f"still to do: {site.database.rows('SELECT * FROM job')}")


def _kill_at_work(site, known):
    """Lets `work` read on from what is known, and kills it."""
    worker = processes.start([str(scratch.CTL), "work", "--once"], env=site.httpd.environment(),
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 20
    while worker.poll() is None and time.monotonic() < end:
        if site.database.count("event") > known + 20:
            worker.kill()
    worker.wait()


def _mirrors(site):
    """What is known, but for payments that failed: no object tells of those, only events do."""
    return {table: sorted(str(row) for row in site.database.rows(f"SELECT {columns} FROM {table}")
                          if row[1] != "failed")
            for table, columns in MIRRORS.items()}


@pytest.fixture(params=databases.chosen())
def deaf(request, make_site):
    """A site that no webhook reaches, on each database."""
    site = make_site(database=request.param)
    site.double.control.configure_deliveries(mode="lose")
    return site


def test_events_that_no_webhook_brought_are_made_up_for(deaf):
    """F36: an endpoint that was off. One bought, one bought and is gone again; both are known after."""
    _buy(deaf, "bob")
    gone = _buy(deaf, "zoe")
    deaf.double.control.subscription(gone["id"], "cancel")
    assert not _opens(deaf, "bob") and deaf.database.count("event") == 0
    _wish(deaf, "catch_up", "events")
    _work(deaf)
    assert _opens(deaf, "bob") and not _opens(deaf, "zoe")
    made = {event["id"]: event["type"] for event in deaf.double.control.events()}
    kept = {row[0] for row in deaf.database.rows("SELECT id FROM event WHERE source = 'events'")}
    assert {kind for id, kind in made.items() if id not in kept}.isdisjoint(WANTED)
    assert kept <= set(made)
    before = _mirrors(deaf)
    _wish(deaf, "catch_up", "events")
    _work(deaf)
    assert _mirrors(deaf) == before
    assert deaf.database.count("event") == len(kept)


def test_a_reader_that_is_killed_again_and_again_loses_nothing(deaf, scale):
    """F20, F36: `work` is killed at whatever it is doing; each event is applied once all the same."""
    _work_once(deaf)
    users = [f"many{number}" for number in range(scale(300))]
    for user in users:
        _buy(deaf, user)
    _wish(deaf, "catch_up", "events")
    for _ in range(40):
        if deaf.database.count("job") == 0:
            break
        _kill_at_work(deaf, deaf.database.count("event"))
        deaf.database.execute("UPDATE job SET lease_until = 0, run_at = 0")
    _work(deaf)
    made = [event["id"] for event in deaf.double.control.events() if event["type"] in WANTED]
    kept = deaf.database.rows("SELECT id FROM event WHERE source = 'events'")
    assert {row[0] for row in kept} >= set(made)
    assert deaf.database.count("event", "attempts > 1 AND state = 'done'") == 0
    assert deaf.database.count("subscription", "status = 'trialing'") == len(users)
    assert deaf.database.count("event") > 5 * 25, "not enough for several pages"


def test_comparing_everything_makes_up_for_events_that_are_gone(deaf):
    """F36: after longer than Stripe keeps events; the second time there is nothing to repair."""
    _buy(deaf, "bob")
    gone = _buy(deaf, "zoe")
    deaf.double.control.subscription(gone["id"], "cancel")
    _wish(deaf, "sync", *LISTS)
    _work(deaf)
    assert _opens(deaf, "bob") and not _opens(deaf, "zoe")
    assert deaf.database.rows(f"SELECT status FROM subscription WHERE id = '{gone['id']}'") \
        == [["canceled"]]
    repaired = deaf.database.count("event", "source = 'sync'")
    _wish(deaf, "sync", *LISTS)
    _work(deaf)
    assert deaf.database.count("event", "source = 'sync'") == repaired > 0


def _life(site):
    """What happens after the backup: one comes, one goes, one will go, one's trial ends."""
    ids = {each["metadata"]["subbill_user"]: each["id"]
           for each in site.double.control.objects("subscription")}
    _buy(site, "zoe")
    for user, action in (("bob", "cancel"), ("carol", "cancel_at_period_end"), ("dave", "renew")):
        site.double.control.subscription(ids[user], action)


@pytest.mark.parametrize("kind, subjects", [("catch_up", ["events"]), ("sync", LISTS)],
                         ids=["by events", "by comparing"])
def test_a_restored_backup_ends_in_stripes_state(make_site, kind, subjects):
    """F35: restore, then catch up: the same tables as if nothing had been lost."""
    site = make_site()
    for user in ("bob", "carol", "dave"):
        _buy(site, user)
    site.double.control.flush(20)
    site.httpd.stop()
    backup = site.database.path.with_suffix(".backup")
    shutil.copy(site.database.path, backup)
    site.httpd.start()
    then = _mirrors(site)
    _life(site)
    site.double.control.flush(20)
    now = _mirrors(site)
    assert now != then and not _opens(site, "bob") and _opens(site, "zoe")
    site.httpd.stop()
    for suffix in ("-wal", "-shm"):
        site.database.path.with_name(site.database.path.name + suffix).unlink(missing_ok=True)
    shutil.copy(backup, site.database.path)
    site.httpd.start()
    assert _mirrors(site) == then and _opens(site, "bob")
    _wish(site, kind, *subjects)
    _work(site)
    assert _mirrors(site) == now
    assert not _opens(site, "bob") and _opens(site, "zoe") and _opens(site, "carol")
