# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The webhook's secret is replaced while events keep coming."""
import http.client
import threading
import time

import pytest
from harness import events, scratch
from harness.client import body_of, sign

pytestmark = pytest.mark.alone

ROUNDS, SENDERS = 3, 4


class Sender:
    """Posts events as Stripe does, each on a connection of its own, signed with every secret that is valid
    at that moment; repeats what got no answer."""

    def __init__(self, site):
        self.site, self.secrets = site, [site.secret]
        self.sent, self.answers = [], []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(SENDERS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def post(self, event, secrets):
        body, now = body_of(event), int(time.time())
        # Stripe's header: one time, one v1 for each secret.
        header = ",".join([f"t={now}", *(sign(body, each, now).split(",")[1] for each in secrets)])
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=30)
            try:
                connection.request("POST", "/subbill/webhook", body, {
                    "Content-Type": "application/json", "Stripe-Signature": header})
                return connection.getresponse().status
            except (ConnectionError, http.client.HTTPException):
                time.sleep(0.01)
            finally:
                connection.close()

    def _run(self):
        while not self._over.is_set():
            event = events.subscription_created(events.subscription(None, "basic"))
            self.sent.append(event["id"])
            self.answers.append(self.post(event, list(self.secrets)))


def test_a_rotation_under_load_refuses_no_valid_event(make_site):
    """T06, F23: old secret, both, only the new one, with a graceful reload in between, again and again;
    afterwards the old ones are worth nothing."""
    site = make_site(double=False)
    site.allow_log("SB|AH")
    old = f"file:{site.root}/secrets/webhook.secret"
    values = [site.secret]
    with Sender(site) as sender:
        for number in range(ROUNDS):
            values.append(f"whsec_canary0OfRound{number}")
            new = scratch.write(site.root / "secrets" / f"round{number}", values[-1] + "\n", 0o600)
            assert site.reconfigure(directives={
                "SubbillWebhookSecret": f"{old} file:{new}"}).exit == 0
            time.sleep(0.3)
            sender.secrets = values[-2:]  # rolled at Stripe, which signs with both for a while
            time.sleep(0.7)
            assert site.reconfigure(directives={"SubbillWebhookSecret": f"file:{new}"}).exit == 0
            time.sleep(0.7)
            sender.secrets = values[-1:]
            old = f"file:{new}"
    assert len(sender.answers) > 20 and set(sender.answers) == {200}
    stored = {row[0] for row in site.database.rows("SELECT id FROM event")}
    assert stored == set(sender.sent)
    late = events.subscription_created(events.subscription("bob", "basic"))
    for value in values[:-1]:
        assert sender.post(late, [value]) == 400
    assert site.client.user("bob").get("/members/page.html").status_code == 402
    assert sender.post(late, values) == 200
