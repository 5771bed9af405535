# Licensed under the Apache License, Version 2.0; see LICENSE.
"""A sender that behaves like Stripe, and what the tables must say afterwards.

    lives = make_lives(events=1000, users=100, seed=1)
    sender = Sender(site, disordered(lives), connections=4)
    sender.run()                       # until every event got its 2xx, whatever breaks meanwhile
    assert differences(site.database, lives) == []

Like Stripe it repeats what got no 2xx until it did, keeps connections open, does not keep the order,
and now and then sends what was acknowledged once more. Unlike Stripe it does not wait for hours.

The model knows nothing of arrival: it computes each user's final rows from the set of events.
"""
import base64
import collections
import http.client
import random
import threading
import time

from . import events
from .client import body_of, sign

PATIENCE = 120  # seconds after which an event that was never acknowledged is a failure
PAUSE = 0.05    # before an event is sent again


class Life:
    """What Stripe tells about one user: events in the order they happened, `step` seconds apart."""

    def __init__(self, user, begins, step=60):
        self.user, self.events = user, []
        self._now, self._step = begins, step
        self.customer = events.customer(user)
        self.subscription = events.subscription(user, "basic", customer=self.customer["id"],
                                                now=begins, metadata={"subbill_user": user})
        self._invoices = 0

    def _add(self, make, thing, **about):
        self._now += self._step
        self.events.append(make(thing, created=self._now, **about))

    def _update(self, **changes):
        previous = {key: self.subscription[key] for key in changes}
        self.subscription = {**self.subscription, **changes}
        self._add(events.subscription_updated, self.subscription, previous=previous)

    def _invoice(self, paid):
        return events.invoice(self.subscription, paid=paid, now=self._now)

    def born(self):
        self._add(events.customer_created, self.customer)

    def subscribes(self):
        self._add(events.subscription_created, self.subscription)

    def pays(self):
        self._add(events.invoice_paid, self._invoice(True))

    def renews(self):
        """A new month; the invoice first fails, then is paid."""
        invoice = self._invoice(False)
        self._add(events.invoice_payment_failed, invoice)
        self._update(status="past_due", latest_invoice=invoice["id"])
        self._add(events.invoice_paid, {**invoice, "status": "paid", "amount_remaining": 0,
                                        "amount_paid": invoice["amount_due"]})
        self._update(status="active")

    def gives_notice(self):
        self._update(cancel_at_period_end=not self.subscription["cancel_at_period_end"])

    def ends(self):
        self._add(events.subscription_deleted, self.subscription)


def make_lives(count, users, seed=1, stem="life"):
    """Lives of `users` users with exactly `count` events together. Nobody's ends are the same: some
    never pay, some stay, some owe, some are gone."""
    chance = random.Random(seed)
    lives = [Life(events.new_id(stem), int(time.time()) - 86400) for _ in range(users)]
    for life in lives:
        life.born()
        life.subscribes()
        life.pays()
    left = count - sum(len(life.events) for life in lives)
    while left > 0:
        life = chance.choice(lives)
        if life.events[-1]["type"] == "customer.subscription.deleted":
            if all(each.events[-1]["type"] == "customer.subscription.deleted" for each in lives):
                raise ValueError(f"{users} users have no {count} events in them")
            continue
        before = len(life.events)
        steps = [life.gives_notice, life.pays, life.ends if chance.random() < 0.1 else life.pays]
        if left >= 4:
            steps.append(life.renews)
        chance.choice(steps)()
        left -= len(life.events) - before
    return lives


def payer(user):
    """The life of somebody who pays and stays; in order, so that the door is open from the second on."""
    life = Life(user, int(time.time()) - 86400)
    life.born()
    life.subscribes()
    life.pays()
    return life


def disordered(lives, seed=1):
    """All events, every life in an order of its own (as happened, backwards, any), and all mixed."""
    chance = random.Random(seed)
    queues = []
    for life in lives:
        queue = list(life.events)
        order = chance.random()
        if order < 0.3:
            queue.reverse()
        elif order < 0.7:
            chance.shuffle(queue)
        queues.append(collections.deque(queue))
    mixed = []
    while queues:
        queue = chance.choice(queues)
        mixed.append(queue.popleft())
        if not queue:
            queues.remove(queue)
    return mixed


# --- the model ---------------------------------------------------------------------------------

def _row_of(life):
    """(status, period end, ends at period end) of the last statement about the subscription."""
    told = [event for event in life.events if event["type"].startswith("customer.subscription")]
    last = max(told, key=lambda event: (event["type"].endswith("deleted"), event["created"]))
    thing = last["data"]["object"]
    return [thing["id"], life.user, thing["status"], "basic",
            str(thing["items"]["data"][0]["current_period_end"]),
            str(int(thing["cancel_at_period_end"]))]


def _invoices_of(life):
    """id -> (paid, amount) of the last statement; a payment that succeeded stays."""
    found = {}
    for event in sorted(life.events, key=lambda event: event["created"]):
        if event["type"].startswith("invoice."):
            thing = event["data"]["object"]
            found[thing["id"]] = thing
    return found


def _listed(rows):
    return sorted([str(cell) for cell in row] for row in rows)


def expected(lives):
    """The tables as they must be once all events of these lives are stored."""
    invoices = [(life, thing) for life in lives for thing in _invoices_of(life).values()]
    return {
        "subscriptions": _listed(_row_of(life) for life in lives),
        "customers": _listed([life.customer["id"], life.user] for life in lives),
        "invoices": _listed([thing["id"], life.user, thing["status"], thing["amount_paid"]]
                            for life, thing in invoices),
        "payments": _listed([thing["id"], life.user, "succeeded" if thing["status"] == "paid"
                             else "failed", thing["amount_due"]] for life, thing in invoices),
        "events": _listed([event["id"], event["type"]] for life in lives for event in life.events),
        "bodies": [[str(sum(len(life.events) for life in lives))]],
        "bindings": _listed([life.customer["id"], life.user] for life in lives),
        "unfinished": [["0"]],
        "jobs": [["0"]],
    }


_LOOKS = {
    "subscriptions": "SELECT id, user_name, status, plan, current_period_end, "
                     "cancel_at_period_end FROM subscription",
    "customers": "SELECT id, user_name FROM customer",
    "invoices": "SELECT id, user_name, status, amount_paid FROM invoice",
    "payments": "SELECT id, user_name, status, amount FROM payment",
    "events": "SELECT id, type FROM event WHERE source = 'webhook'",
    "bodies": "SELECT count(*) FROM event_body JOIN event ON event.id = event_body.event_id "
              "WHERE source = 'webhook'",
    "bindings": "SELECT customer, user_name FROM link_audit",
    "unfinished": "SELECT count(*) FROM event WHERE state NOT IN ('done', 'ignored')",
    "jobs": "SELECT count(*) FROM job",
}


def differences(database, lives):
    """I1, I2: how the tables differ from the model, a sentence each; nothing lost, nothing twice."""
    problems = []
    for what, wanted in expected(lives).items():
        found = _listed(database.rows(_LOOKS[what]))
        missing = [row for row in wanted if row not in found][:3] if wanted != found else []
        if wanted != found:
            surplus = [row for row in found if row not in wanted][:3]
            problems.append(f"{what}: {len(wanted)} rows expected, {len(found)} found; "
                            f"missing {missing}, not expected {surplus}")
    return problems


# --- sending -----------------------------------------------------------------------------------

class Sender:
    """connections: how many at once. rate: events a second at most, None: as fast as it goes. again:
    the share of acknowledged events that come once more. refused: statuses that may come besides 2xx,
    and that mean: again, later. skews: seconds by which the times of signatures are wrong, one of them
    for each sending; may be changed meanwhile."""

    def __init__(self, site, to_send, connections=4, rate=None, again=0.05, seed=1,
                 refused=(503,), skews=(0,)):
        self.site = site
        self.skews = skews
        self._may_refuse = refused
        self.acknowledged = {}   # id -> the state the answer named
        self.refusals = collections.Counter()  # status or name of the network error -> how often
        self.took = []           # seconds of every answer with 2xx
        self.wrong = []          # answers that are none of 2xx and 503
        self._queue = collections.deque((event, None) for event in to_send)
        self._wanted = len(self._queue)
        self._rate, self._again = rate, again
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._begun = None
        self._sent = 0
        self._threads = [threading.Thread(target=self._work, daemon=True)
                         for _ in range(connections)]

    def start(self):
        self._begun = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def join(self):
        """Waits for the last 2xx; AssertionError names what never got one."""
        for thread in self._threads:
            thread.join()
        self.seconds = time.monotonic() - self._begun
        assert not self.wrong, self.wrong[:5]
        assert len(self.acknowledged) == self._wanted, (
            f"{self._wanted - len(self.acknowledged)} of {self._wanted} events were never "
            f"acknowledged: {dict(self.refusals)}")
        return self

    def run(self):
        return self.start().join()

    @property
    def busy(self):
        return any(thread.is_alive() for thread in self._threads)

    def percentile(self, share):
        ranked = sorted(self.took)
        return ranked[min(len(ranked) - 1, int(len(ranked) * share))]

    def _next(self):
        with self._lock:
            if time.monotonic() - self._begun > PATIENCE + (self._wanted / (self._rate or 50)):
                return None
            if not self._queue:
                return None
            if self._rate:
                early = self._begun + self._sent / self._rate - time.monotonic()
            self._sent += 1
            taken = self._queue.popleft()
        if self._rate and early > 0:
            time.sleep(early)
        return taken

    def _work(self):
        connection = None
        while True:
            taken = self._next()
            if taken is None:
                # Another thread may still put its event back; nobody leaves before all is done.
                if len(self.acknowledged) < self._wanted and \
                        time.monotonic() - self._begun < PATIENCE + self._wanted / (
                            self._rate or 50):
                    time.sleep(PAUSE)
                    continue
                return
            event, body = taken
            body = body or body_of(event)
            connection = self._send(connection, event, body)

    def _send(self, connection, event, body):
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.site.port,
                                                               timeout=30)
        begun = time.monotonic()
        try:
            connection.request("POST", "/subbill/webhook", body, {
                "Content-Type": "application/json; charset=utf-8", "User-Agent": "Stripe/1.0",
                "Stripe-Signature": sign(body, self.site.secret, int(
                    time.time() + self._chance.choice(self.skews)))})
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self._refused(event, body, type(error).__name__)
            return None
        if 200 <= answer.status < 300:
            self._accepted(event, body, text, time.monotonic() - begun)
        else:
            if answer.status not in self._may_refuse:
                self.wrong.append((answer.status, text[:300]))
            self._refused(event, body, answer.status)
        return connection

    def _accepted(self, event, body, text, took):
        with self._lock:
            self.took.append(took)
            first = event["id"] not in self.acknowledged
            self.acknowledged[event["id"]] = text
            if first and self._chance.random() < self._again:
                self._queue.append((event, body))

    def _refused(self, event, body, why):
        with self._lock:
            self.refusals[why] += 1
            self._queue.append((event, body))
        time.sleep(PAUSE)


class Visitors:
    """People who read the members' page all the time: payers, and strangers who never may.

    Every answer of a payer is 200 or 503, of a stranger 402 or 503, or one of `besides`; whatever else
    came, and every look at the secret without a 200, stands in `wrong`. A connection that the server
    closed is opened again.
    """

    def __init__(self, site, payers, strangers, secret, threads=2, pause=0.01, besides=()):
        self.site, self.secret, self.pause = site, secret.encode(), pause
        self._besides = besides
        self.answers = collections.Counter()
        self.wrong = []
        self._people = [(name, True) for name in payers] + [(name, False) for name in strangers]
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._visit, args=(number,), daemon=True)
                         for number in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _visit(self, number):
        chance, connection = random.Random(number), None
        while not self._stop.is_set():
            name, pays = chance.choice(self._people)
            word = base64.b64encode(f"{name}:{name}".encode()).decode()
            connection = connection or http.client.HTTPConnection("127.0.0.1", self.site.port,
                                                                  timeout=30)
            try:
                connection.request("GET", "/members/page.html",
                                   headers={"Authorization": f"Basic {word}"})
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                connection = None
                self.answers[type(error).__name__] += 1
                time.sleep(self.pause)
                continue
            self.answers["payer" if pays else "stranger", answer.status] += 1
            shown = self.secret in text
            good = (200 if pays else 402, 503, *self._besides)
            if answer.status not in good or shown != (answer.status == 200):
                self.wrong.append((name, answer.status, text[:200]))
            time.sleep(self.pause)
