# Licensed under the Apache License, Version 2.0; see LICENSE.
"""One subscriber's whole life, told in any order and more than once, ends in one state: over HTTP."""
import base64
import copy
import json
import random
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import chain

import pytest
from harness import databases, events
from harness.answers import Answers
from harness.client import body_of, sign
from harness.content import SECRET

DATABASES = databases.ALL
SIZE = 1000       # shuffles on each database
TIES = 10         # one in so many ends with two statements of one second
SENDERS = 4

Life = namedtuple("Life", "user kind ids events last")


@pytest.fixture(scope="module")
def stripe():
    made = Answers()
    yield made
    made.stop()


@pytest.fixture
def talked(make_site, database, stripe):
    return make_site(database=database, double=False, extra="LogLevel subbill:warn",
                     directives={"SubbillStripeAPI": stripe.url})


def with_plan(thing, plan):
    changed = copy.deepcopy(thing)
    changed["items"]["data"][0]["price"] = events.price(plan)
    return changed


def life(user, zero, kind):
    """The events of a life that began at `zero`. kind: "running", "ended" or "tie"."""
    sub = events.subscription(user, "basic", now=zero, trial_end=zero + 5, status="incomplete")
    first, second = events.invoice(sub, now=zero), events.invoice(sub, paid=False, now=zero + 200)
    paid = {**second, "status": "paid", "amount_paid": second["amount_due"],
            "attempt_count": 2, "next_payment_attempt": None,
            "status_transitions": {**second["status_transitions"], "paid_at": zero + 300}}
    told, now = [], {"thing": sub}

    def update(seconds, **changes):
        before = now["thing"]
        now["thing"] = {**before, **changes}
        told.append(events.subscription_updated(
            now["thing"], created=zero + seconds,
            previous={name: before[name] for name in changes}))

    told += [
        events.customer_created(events.customer(user, id=sub["customer"]), created=zero - 1),
        events.subscription_created(sub, created=zero),
        events.invoice_paid(first, created=zero + 1),
        events.envelope("invoice.payment_succeeded", first, created=zero + 1)]
    update(1, status="trialing")
    told.append(events.checkout_completed(
        events.checkout_session(sub, user, metadata={"subbill_user": user}), created=zero + 2))
    update(5, status="active")
    if kind == "tie":
        update(100, items=with_plan(sub, "pro")["items"])
        update(100, cancel_at_period_end=True, cancel_at=zero + events.MONTH)
        return Life(user, kind, (sub["id"], sub["customer"], first["id"], second["id"]), told,
                    now["thing"])
    update(100, items=with_plan(sub, "pro")["items"])
    told.append(events.invoice_payment_failed(second, created=zero + 200))
    update(200, status="past_due", latest_invoice=second["id"])
    told.append(events.invoice_paid(paid, created=zero + 300))
    update(300, status="active")
    update(400, cancel_at_period_end=True, cancel_at=zero + events.MONTH)
    if kind == "ended":
        told.append(events.subscription_deleted(now["thing"], created=zero + 500))
    return Life(user, kind, (sub["id"], sub["customer"], first["id"], second["id"]), told,
                now["thing"])


def shuffled(told, dice):
    """In any order, some of it told twice or three times."""
    order = [event for event in told for _ in range(dice.choice((1, 1, 1, 2, 3)))]
    dice.shuffle(order)
    return order


# Without what names the one event that had the last word, and without our own clock.
STATES = {
    "subscription": "id, customer, status, plan, price, product, currency, billing_interval, "
                    "interval_count, amount, quantity, created_at, current_period_start, "
                    "current_period_end, trial_start, trial_end, cancel_at, cancel_at_period_end, "
                    "canceled_at, ended_at, past_due_since, pause_collection, latest_invoice, "
                    "event_created",
    "invoice": "id, customer, subscription, status, currency, amount_due, amount_paid, number, "
               "created_at, paid_at, attempt_count, next_payment_attempt, event_created",
    "payment": "id, kind, customer, invoice, currency, amount, status, created_at",
    # Not its plan: that is what the trial was for when it was first heard of, and decides nothing.
    "trial": "used_at, subscription",
    "customer": "id, deleted_at",
}


def states(site, lives):
    """What every life's tables say, with the ids that are its own replaced by words."""
    found = {each.user: {table: [] for table in STATES} for each in lives}
    for table, columns in STATES.items():
        for row in site.database.rows(f"SELECT user_name, {columns} FROM {table}"):
            if row[0] in found:
                found[row[0]][table].append([str(value) for value in row[1:]])
    for each in lives:
        words = dict(zip(each.ids, ("SUB", "CUS", "IN1", "IN2")))
        words.update({f"T0E5T-{name[-4:]}": word for name, word in words.items()})
        found[each.user] = {table: sorted([words.get(value, value) for value in row]
                                          for row in rows)
                            for table, rows in found[each.user].items()}
    return found


class Line:
    """A kept connection without a library's comforts: there are tens of thousands of requests to make."""

    def __init__(self, site):
        self._site, self._http = site, HTTPConnection("127.0.0.1", site.port, timeout=60)

    def _ask(self, *request):
        self._http.request(*request)
        answer = self._http.getresponse()
        return answer.status, answer.read().decode()

    def deliver(self, order):
        for event in order:
            body = body_of(event)
            status, text = self._ask("POST", "/subbill/webhook", body, {
                "Content-Type": "application/json",
                "Stripe-Signature": sign(body, self._site.secret)})
            assert status == 200, text
            assert json.loads(text)["state"] in ("done", "ignored", "duplicate"), text

    def opens(self, user):
        """The status of a page for everybody who pays, and of one for pro."""
        login = base64.b64encode(f"{user}:{user}".encode()).decode()
        pages = [self._ask("GET", f"/{place}/page.html", None, {"Authorization": f"Basic {login}"})
                 for place in ("members", "workshop")]
        assert all((SECRET in text) == (status == 200) for status, text in pages)
        return [status for status, _ in pages]


def settle(site):
    """The worker asks Stripe what is open."""
    end = time.monotonic() + 120
    while site.database.count("job"):
        assert time.monotonic() < end, site.database.rows("SELECT kind, subject, error FROM job")
        site.database.execute("UPDATE job SET run_at = 0; UPDATE limiter SET tat = 0")
        assert site.ctl("work", "--once").exit == 0


def test_every_shuffle_of_a_life_ends_as_it_does_in_order(talked, stripe, scale):
    """F18, T03: a thousand lives, each in its own disorder and with repeats; same-second ties are settled
    by what Stripe answers."""
    zero = int(time.time()) - 1000
    seed = random.randrange(1 << 32)
    dice = random.Random(seed)
    kinds = ("running", "ended", "tie")
    models = {kind: life(talked.new_user(f"{kind}"), zero, kind) for kind in kinds}
    lives = [life(talked.new_user("life"), zero, "tie" if i % TIES == 0 else kinds[i % 2])
             for i in range(scale(SIZE, 20))]
    for each in (*models.values(), *lives):
        stripe.objects[f"/v1/subscriptions/{each.ids[0]}"] = each.last
    line = Line(talked)
    for model in models.values():
        line.deliver(model.events)
    assert talked.database.count("job") == 0, "in order nothing is open"
    orders = [shuffled(each.events, dice) for each in lives]
    with ThreadPoolExecutor(SENDERS) as senders:
        list(senders.map(lambda part: Line(talked).deliver(chain(*orders[part::SENDERS])),
                         range(SENDERS)))
    settle(talked)
    line = Line(talked)  # httpd has closed the other one meanwhile
    found = states(talked, [*models.values(), *lives])
    wanted = {kind: (found[model.user], line.opens(model.user))
              for kind, model in models.items()}
    assert [wanted[kind][1] for kind in kinds] == [[200, 200], [402, 402], [200, 200]]
    for each, order in zip(lives, orders):
        end = (found[each.user], line.opens(each.user))
        assert end == wanted[each.kind], (
            f"seed {seed}, {each.kind}, told as {[event['type'] for event in order]}")
    assert set(stripe.asked) <= set(stripe.objects)
    assert any(each.kind == "tie" and f"/v1/subscriptions/{each.ids[0]}" in stripe.asked
               for each in lives), "no tie needed an answer"
