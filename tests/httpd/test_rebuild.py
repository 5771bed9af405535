# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What the tables say can be made again from the stored events: `subbillctl events rebuild`."""
import json
from urllib.parse import urlsplit

import pytest
from harness import catalogue, databases, events
from harness.site import STRIPE_KEY
from stripe_double.client import Client as Stripe

# What the site itself knew; everything else is made of it.
READ = ("account", "checkout", "link_audit", "event", "event_body")
# Table: columns that may differ, and why.
# Held deliveries keep the test's own order; that of two transactions at one instant nobody knows afterwards.
MADE = {
    "customer": {}, "subscription_item": {}, "price": {}, "product": {}, "invoice": {}, "payment": {},
    "trial": {}, "account": {}, "purchase": {},
    "subscription": {"updated_at": "the time of writing; what was applied late was written late"},
}
# 0341 can be saved, and is declined when it is charged later.
GOOD, FAILS_LATER = "4242424242424242", "4000000000000341"


def rows(database, table):
    """Sorted rows without the columns that may differ."""
    if database.driver == "sqlite3":
        columns = [row[1] for row in database.rows(f"PRAGMA table_info({table})")]
    else:
        here = "current_schema()" if database.driver == "pgsql" else "DATABASE()"
        columns = [row[0] for row in database.rows(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = "
            f"{here} AND table_name = '{table}' ORDER BY ordinal_position")]
    wanted = [name for name in columns if name not in MADE[table]]
    assert wanted and set(MADE[table]) <= set(columns)
    return sorted(map(str, database.rows(f"SELECT {', '.join(wanted)} FROM {table}")))


def buy(site, user, card=GOOD, plan="basic", told_first=False, back=True):
    answer = site.client.user(user).post("/subbill/checkout", json={"plan": plan})
    assert answer.status_code == 200, answer.text
    done = site.double.control.complete(answer.json()["id"], card)
    assert done["outcome"] == "complete", done
    if told_first:
        site.double.control.flush(10)
    if back:
        way = urlsplit(done["redirect"])
        assert site.client.user(user).get(f"{way.path}?{way.query}").status_code in (200, 303)
    return done["session"]["subscription"]


def live_through(site):
    """Sign-ups with and without the return page, a renewal, a failed payment, an upgrade, both kinds of
    end, a tab that was closed, an operator, a stranger, an event that fails."""
    control = site.double.control
    control.configure_deliveries(mode="hold", checkout_wait=0)
    buy(site, "bob", told_first=True)
    buy(site, "alice", FAILS_LATER)
    gone = buy(site, "carol", back=False)
    control.flush(10)
    site.client.user("dave").post("/subbill/checkout", json={"plan": "pro"})
    control.advance(days=8)
    control.flush(10)
    assert site.database.count("subscription", "status = 'past_due'") == 1
    control.subscription(gone, "cancel_at_period_end")
    control.advance(days=40)
    control.flush(10)
    assert site.database.count("subscription", "status = 'canceled'") >= 1
    stranger = events.subscription(None, "basic", customer="cus_TStranger001")
    site.webhook(events.subscription_created(stranger))
    assert site.ctl("links", "set", "dave", "cus_TStranger001", "--offline", "--force").exit == 0
    for words in (("purchases", "give", "dave", "course:7"), ("purchases", "give", "dave", "course:8"),
                  ("purchases", "take", "dave", "course:8"), ("credit", "set", "dave", "pages", "9")):
        assert site.ctl(*words).exit == 0
    assert site.ctl("trials", "mark", "dave").exit == 0
    site.expect_log("SB401", times=1)
    failed = events.subscription("erin", "price_1SbElsewhere00000000001")
    failed["items"]["data"][0]["price"]["product"] = "prod_TElsewhere0001"
    assert site.webhook(events.subscription_created(failed)).json()["state"] == "failed"
    site.ctl("work", "--once")


def rebuilt(make_site, lived, name):
    """Another site with what is read of the first one's database, rebuilt."""
    site = make_site(name=name, database=lived.database.driver, double=False, start=False)
    assert site.ctl("migrate").exit == 0
    site.database.copy(lived.database, READ)
    # Whom only events made known comes back with them.
    site.database.execute("DELETE FROM account WHERE user_name = 'erin'")
    would = site.ctl_json("events", "rebuild", "--dry-run")
    assert site.database.count("subscription") == site.database.count("job") == 0
    told = site.ctl_json("events", "rebuild")
    assert (would["events"], would["would_apply"]) == (told["events"], told["applied"])
    assert told["events"] == lived.database.count("event")
    assert (told["bodies_missing"], told["changed"]) == (0, 0)
    return site


@pytest.mark.parametrize("dialect", databases.chosen())
def test_a_whole_life_is_the_same_row_by_row_after_a_rebuild(make_site, dialect):
    """F18, F35: purchases, return pages, renewals, a failed payment, ends: the events tell all of it."""
    lived = make_site(database=dialect, catalog=catalogue.default(trial_days=7),
                      people=("carol", "dave", "erin"))
    live_through(lived)
    again = rebuilt(make_site, lived, "rebuilt")
    for table in MADE:
        assert rows(again.database, table) == rows(lived.database, table), table
        assert table == "product" or lived.database.count(table), f"{table} proves nothing"
    states = "SELECT id, state FROM event"
    assert sorted(again.database.rows(states)) == sorted(lived.database.rows(states))
    before = lived.database.dump()
    would = lived.ctl("--json", "events", "rebuild", "-n")
    assert would.exit == 1  # the tables are not empty
    would = json.loads(would.output)
    assert would["rows"]["customer"] == lived.database.count("customer")
    assert lived.database.dump() == before
    told = again.ctl("events", "rebuild")
    assert told.exit == 1 and "not empty" in told.output


def test_an_upgrade_seen_within_a_second_of_the_return_page_is_not_undone(make_site):
    """F18: what the return page fetched and the event right behind it arrive in one second; their order is
    kept, whatever their ids."""
    site = make_site(catalog=catalogue.default())
    site.double.control.configure_deliveries(mode="lose")
    name = buy(site, "bob")
    thing = Stripe(site.double.url, STRIPE_KEY).get(f"/v1/subscriptions/{name}").body
    pro = events.price("pro")
    upgraded = {**thing, "items": {**thing["items"], "data": [
        {**thing["items"]["data"][0], "price": pro}]}}
    first = site.database.rows("SELECT received_at FROM event WHERE source = 'return'")[0][0]
    told = events.subscription_updated(upgraded, created=int(first) + 1)
    assert site.webhook(told).json()["state"] == "done"
    site.database.execute(f"UPDATE event SET received_at = {first}, arrival = 999999 "
                          f"WHERE id = '{told['id']}'")
    assert site.client.user("bob").get("/workshop/page.html").status_code == 200
    again = rebuilt(make_site, site, "again")
    assert rows(again.database, "subscription") == rows(site.database, "subscription")
