# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Changes at the end of the period: planned, told, taken back, replaced, and what Stripe's schedules do meanwhile."""
import re

import pytest

from api import another_address, described, problem
from harness import catalogue, lifecycle
from harness.catalogue import PRICE
from harness.lifecycle import at_stripe, buy, change, press, price_at_stripe, told
from stripe_double.client import Client

DATABASES = ("sqlite3", "pgsql", "mysql")
SITE = {"catalog": catalogue.default(), "people": [f"planner{i}" for i in range(400)]}

_movers = iter(SITE["people"])


@pytest.fixture(autouse=True)
def _own_address(site):
    with another_address(site):
        yield


@pytest.fixture
def mover():
    return next(_movers)


def test_a_downgrade_waits_for_the_end_of_the_period(site, mover):
    """A49: planned, told, carried out by the clock; nothing is due today."""
    ident = buy(site, mover, plan="pro")
    before = told(site, mover)
    asked = change(site, mover, plan="basic", preview=True)
    assert (asked["change"], asked["amount_due_now"], asked["proration"]) == ("downgrade", 0, 0)
    assert asked["effective_at"] == before["current_period_end"]
    document = change(site, mover, plan="basic")
    assert document["plan"] == "pro"
    assert document["planned"] == {"plan": "basic", "price": PRICE["basic"], "quantity": 1,
                                   "effective_at": before["current_period_end"]}
    assert price_at_stripe(site, ident) == PRICE["pro"]
    assert site.client.user(mover).get("/workshop/page.html").status_code == 200
    site.double.control.advance(days=32)
    site.double.control.flush()
    assert price_at_stripe(site, ident) == PRICE["basic"]
    status = told(site, mover)
    assert (status["plan"], status["planned"], status["active"]) == ("basic", None, True)
    assert site.client.user(mover).get("/workshop/page.html").status_code == 403


def test_a_discount_goes_on_through_a_planned_change(site, mover):
    """A49: a coupon of the subscription is neither lost now nor by the new plan."""
    ident = buy(site, mover, plan="pro")
    stripe = Client(site.double.url)
    coupon = stripe.post("/v1/coupons", {"percent_off": 50, "duration": "forever"})
    stripe.post(f"/v1/subscriptions/{ident}", {"discounts": [{"coupon": coupon["id"]}]})
    kept = at_stripe(site, ident)["discounts"]
    assert len(kept) == 1
    change(site, mover, plan="basic")
    assert at_stripe(site, ident)["discounts"] == kept
    site.double.control.advance(days=32)
    assert price_at_stripe(site, ident) == PRICE["basic"]
    assert at_stripe(site, ident)["discounts"] == kept


@pytest.mark.parametrize("way", ["resume", "change"])
def test_a_planned_change_can_be_taken_back(site, mover, way):
    """A49: by resuming, or by asking for what is running."""
    ident = buy(site, mover, plan="pro")
    change(site, mover, plan="basic")
    assert at_stripe(site, ident)["schedule"]
    if way == "resume":
        answer = site.client.user(mover).post("/subbill/subscription/resume", json={})
        document = described("/subscription/resume", "POST", answer)
    else:
        document = change(site, mover, plan="pro")
    assert (document["plan"], document["planned"]) == ("pro", None)
    assert at_stripe(site, ident)["schedule"] is None
    site.double.control.flush()
    site.double.control.advance(days=32)
    site.double.control.flush()
    assert told(site, mover)["plan"] == "pro"


def test_another_wish_replaces_what_was_planned(site, mover, held_back):
    """A49: the last word counts, also when it is an upgrade now or a cancellation."""
    ident = buy(site, mover, plan="pro", interval="year")
    change(site, mover, plan="basic", interval="year")
    assert told(site, mover)["planned"]["price"] == PRICE["basic_year"]
    change(site, mover, plan="basic", interval="month")
    assert told(site, mover)["planned"]["price"] == PRICE["basic"]
    site.double.control.forget_requests()
    change(site, mover, plan="basic", interval="month")
    assert not [call for call in site.double.control.requests("POST") if "schedule" in call["path"]]
    answer = site.client.user(mover).post("/subbill/subscription/cancel", json={})
    document = described("/subscription/cancel", "POST", answer)
    assert document["planned"] is None and document["cancel_at"]
    assert at_stripe(site, ident)["schedule"] is None


def test_an_upgrade_replaces_a_planned_downgrade(site, mover):
    """A48, A49."""
    ident = buy(site, mover, plan="pro")
    change(site, mover, plan="basic")
    document = change(site, mover, plan="pro", interval="year")
    assert (document["interval"], document["planned"]) == ("year", None)
    assert price_at_stripe(site, ident) == PRICE["pro_year"] and at_stripe(site, ident)["schedule"] is None


def test_a_refused_upgrade_leaves_what_was_planned(site, mover):
    """A48, A49: the schedule had to let go for it, and is made anew."""
    site.allow_log("SB(306|460)")
    ident = buy(site, mover, plan="pro")
    before = change(site, mover, plan="basic")["planned"]
    site.double.control.fault("status", method="POST", path_prefix=f"/v1/subscriptions/{ident}", status=400)
    answer = site.client.user(mover).post("/subbill/subscription/change", json={"plan": "pro", "interval": "year"})
    site.double.control.clear_faults()
    assert answer.status_code == 502, answer.text
    site.double.control.flush()
    assert told(site, mover)["planned"] == before
    site.double.control.advance(days=32)
    assert price_at_stripe(site, ident) == PRICE["basic"]


def test_an_upgrade_that_waits_for_its_payment_says_that_the_plan_is_dropped(site, mover):
    """A48, A49, C15: before the click; to plan it again would undo the upgrade once it is paid."""
    ident = buy(site, mover, plan="pro")
    change(site, mover, plan="basic")
    stripe = Client(site.double.url)
    card = stripe.post("/v1/payment_methods/pm_card_chargeCustomerFail/attach",
                       {"customer": at_stripe(site, ident)["customer"]})
    stripe.post(f"/v1/subscriptions/{ident}", {"default_payment_method": card["id"]})
    html = lifecycle.page(site, mover, "/subbill/subscription/change?plan=pro&interval=year").text
    assert re.search(r"<dt>Planned so far, dropped by this</dt>\s*<dd>Basic, [^<]+</dd>", html)
    answer = press(site, mover, html, "/subbill/subscription/change")
    assert answer.status_code == 402
    assert at_stripe(site, ident)["schedule"] is None and told(site, mover)["planned"] is None
    html = lifecycle.page(site, mover, "/subbill/subscription/change?plan=pro&interval=year").text
    assert "Planned so far" not in html


def test_what_is_planned_already_is_not_said_to_be_dropped(site, mover):
    """A48, A49: who looks at the same change again drops nothing by it."""
    buy(site, mover, plan="pro")
    change(site, mover, plan="basic")
    html = lifecycle.page(site, mover, "/subbill/subscription/change?plan=basic").text
    assert "Planned so far" not in html


def test_a_lost_answer_leaves_one_schedule(site, mover):
    """F13, F17: the schedule was made, its answer got lost; the next click goes on with it."""
    site.allow_log("SB")
    ident = buy(site, mover, plan="pro")
    site.double.control.fault("drop", method="POST", path_prefix="/v1/subscription_schedules/",
                              times=-1, after_effect=True)
    try:
        answer = site.client.user(mover).post("/subbill/subscription/change", json={"plan": "basic"})
    finally:
        site.double.control.clear_faults()
    problem("/subscription/change", "POST", answer, 503, "stripe_unavailable")
    assert change(site, mover, plan="basic")["planned"]["plan"] == "basic"
    mine = [each for each in site.double.control.objects("subscription_schedule")
            if each["subscription"] == ident]
    assert len(mine) == 1 and len(mine[0]["phases"]) == 2


def test_what_was_planned_elsewhere_is_shown_too(site, mover):
    """A49, C20: a schedule of the portal or the Dashboard comes by webhook, and goes by webhook."""
    ident = buy(site, mover, plan="pro")
    stripe = Client(site.double.url)
    schedule = stripe.post("/v1/subscription_schedules", {"from_subscription": ident})
    now = schedule["phases"][0]
    stripe.post(f"/v1/subscription_schedules/{schedule['id']}", {"phases": [
        {"start_date": now["start_date"], "end_date": now["end_date"],
         "items": [{"price": PRICE["pro"], "quantity": 1}]},
        {"duration": {"interval": "month"}, "items": [{"price": PRICE["basic"], "quantity": 1}]}]})
    site.double.control.flush()
    assert told(site, mover)["planned"] == {"plan": "basic", "price": PRICE["basic"], "quantity": 1,
                                            "effective_at": now["end_date"]}
    stripe.post(f"/v1/subscription_schedules/{schedule['id']}/release")
    site.double.control.flush()
    assert told(site, mover)["planned"] is None


def test_what_an_operator_set_for_the_phase_goes_on(site, mover):
    """A49: description, means of payment and metadata of a schedule of the Dashboard survive another wish."""
    ident = buy(site, mover, plan="pro", interval="year")
    stripe = Client(site.double.url)
    schedule = stripe.post("/v1/subscription_schedules", {"from_subscription": ident})
    first = schedule["phases"][0]
    card = stripe.post("/v1/payment_methods/pm_card_visa/attach", {"customer": schedule["customer"]})["id"]
    own = {"description": "Studio, 2nd floor", "default_payment_method": card, "metadata": {"cost_centre": "7"}}
    stripe.post(f"/v1/subscription_schedules/{schedule['id']}", {"phases": [
        {"start_date": first["start_date"], "end_date": first["end_date"],
         "items": [{"price": PRICE["pro_year"], "quantity": 1}], **own}]})
    change(site, mover, plan="basic", interval="year")
    phases = next(each for each in site.double.control.objects("subscription_schedule")
                  if each["id"] == schedule["id"])["phases"]
    assert [{key: phase[key] for key in own} for phase in phases] == [own, own]


def test_a_schedule_that_loses_its_next_phase_announces_nothing(site, mover):
    """A49, C20, F3: what the Dashboard planned and dropped again is gone; what was told before does not bring it back."""
    ident = buy(site, mover, plan="pro")
    stripe = Client(site.double.url)
    schedule = stripe.post("/v1/subscription_schedules", {"from_subscription": ident})
    first = schedule["phases"][0]
    running = {"start_date": first["start_date"], "end_date": first["end_date"],
               "items": [{"price": PRICE["pro"], "quantity": 1}]}
    following = {"duration": {"interval": "month"}, "items": [{"price": PRICE["basic"], "quantity": 1}]}
    site.double.control.flush()
    site.double.control.configure_deliveries(mode="hold")
    try:
        for phases in ([running, following], [running]):
            site.double.control.advance(seconds=2)
            stripe.post(f"/v1/subscription_schedules/{schedule['id']}", {"phases": phases})
        planned, dropped = [each["id"] for each in site.double.control.events("subscription_schedule.updated")
                            if each["data"]["object"]["id"] == schedule["id"]]
        site.double.control.deliver(dropped)
        site.double.control.deliver(planned)
        assert told(site, mover)["planned"] is None
        assert "you have the plan Basic" not in lifecycle.page(site, mover).text
    finally:
        site.double.control.configure_deliveries(mode="normal")
    site.double.control.flush()
    site.double.control.advance(seconds=2)
    for phases, plan in (([running, following], "basic"), ([running], None)):
        stripe.post(f"/v1/subscription_schedules/{schedule['id']}", {"phases": phases})
        site.double.control.flush()
        assert (told(site, mover)["planned"] or {}).get("plan") == plan


def test_the_creation_of_our_own_schedule_comes_late_and_changes_nothing(site, mover, held_back):
    """A49, F3: made from the subscription it has no next phase yet, whatever second its webhook is of."""
    ident = buy(site, mover, plan="pro")
    change(site, mover, plan="basic")
    made = next(each for each in site.double.control.events("subscription_schedule.created")
                if each["data"]["object"]["subscription"] == ident)
    site.double.control.deliver({**made, "created": made["created"] + 5})
    assert told(site, mover)["planned"]["plan"] == "basic"


@pytest.mark.parametrize("kept", [False, True])
def test_a_refused_plan_leaves_no_empty_schedule(site, mover, kept):
    """A49, F13: the schedule that got no phases is let go of; where even that fails, the next click goes on with it."""
    site.allow_log("SB")
    ident = buy(site, mover, plan="pro")
    site.double.control.fault("status", method="POST", path_prefix="/v1/subscription_schedules/", status=400,
                              times=2 if kept else 1)
    answer = site.client.user(mover).post("/subbill/subscription/change", json={"plan": "basic"})
    site.double.control.clear_faults()
    assert answer.status_code == 502, answer.text
    assert bool(at_stripe(site, ident)["schedule"]) == kept
    assert told(site, mover)["planned"] is None
    assert change(site, mover, plan="basic")["planned"]["plan"] == "basic"


@pytest.mark.parametrize("act", ["cancel", "resume", "change"])
def test_an_empty_schedule_stands_in_nobodys_way(site, mover, act):
    """A49, F13: whatever is wanted next, it is let go of then."""
    site.allow_log("SB")
    ident = buy(site, mover, plan="basic")
    Client(site.double.url).post("/v1/subscription_schedules", {"from_subscription": ident})
    site.double.control.flush()
    body = {"plan": "pro"} if act == "change" else {}
    answer = site.client.user(mover).post(f"/subbill/subscription/{act}", json=body)
    assert answer.status_code == 200, answer.text
    assert at_stripe(site, ident)["schedule"] is None
