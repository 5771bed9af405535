# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What the tests of the Stripe double share: a running double, a receiver, a buyer."""
import hashlib
import hmac
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stripe_double import launch
from stripe_double.client import Client

SECRET = "whsec_double_test_0123456789abcdef"
BASIC, PRO, YEARLY = ("price_1DoubleBasicMonth001", "price_1DoubleProMonth00001",
                      "price_1DoubleBasicYear0001")
CATALOG = {"currency": "eur", "plans": [
    {"plan": "basic", "name": {"en": "Basic", "de": "Basis"}, "product": "prod_DoubleBasic1",
     "prices": [{"interval": "month", "amount": 900, "id": BASIC, "lookup_key": "basic"},
                {"interval": "year", "amount": 9000, "id": YEARLY}]},
    {"plan": "pro", "name": "Pro", "product": {"test": "prod_DoublePro001", "live": "prod_L1"},
     "prices": [{"interval": "month", "amount": 2900, "id": PRO},
                {"interval": "month", "amount": 3900, "currency": "usd",
                 "id": {"live": "price_1DoubleLiveOnly0001"}}]}]}
SUCCESS = "http://127.0.0.1:9/ok?session_id={CHECKOUT_SESSION_ID}"
DECLINED, POOR = "4000000000000002", "4000000000009995"
SECURE_ONCE, SECURE_ALWAYS, FAILS_LATER = ("4000002500003155", "4000002760003184",
                                           "4000000000000341")


class Sink:
    """A webhook receiver that keeps what it gets; `plan` holds statuses for the next ones."""

    def __init__(self):
        self.got, self.plan = [], []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = sink.plan.pop(0) if sink.plan else 200
                sink.got.append((dict(self.headers), body, status))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(b'{"result":"seen"}')

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # A client gone between select() and accept() must not stop the loop for ever.
        self.server.socket.setblocking(False)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def types(self, status=200):
        return [json.loads(body)["type"] for _, body, code in self.got if code == status]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def running():
    with launch.start() as handle:
        yield handle


@pytest.fixture
def double(running):
    running.control.reset()
    running.control.seed(CATALOG)
    return running


@pytest.fixture
def control(double):
    return double.control


@pytest.fixture
def api(double):
    return Client(double.url)


@pytest.fixture
def sink(control):
    made = Sink()
    control.set_endpoint(made.url, SECRET)
    control.configure_deliveries(retry_delays=[0.05])
    yield made
    made.close()


def session(api, price=BASIC, **more):
    made = api.post("/v1/checkout/sessions", {
        "mode": "subscription", "line_items": [{"price": price, "quantity": 1}],
        "success_url": SUCCESS, "cancel_url": "http://127.0.0.1:9/no", **more})
    assert made.status == 200, made.body
    return made


def bought(api, control, card="4242424242424242", price=BASIC, **more):
    done = control.complete(session(api, price, **more)["id"], card, email="zoe@example.com",
                            authenticate=True)
    assert done["outcome"] == "complete", done
    return done["session"]["subscription"]


def status(api, subscription):
    return api.get(f"/v1/subscriptions/{subscription}")["status"]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def page(url, form=None):
    """(status, text, Location) of a hosted page."""
    data = urllib.parse.urlencode(form).encode() if form is not None else None
    opener = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}))
    try:
        answer = opener.open(url, data, 10)
    except urllib.error.HTTPError as problem:
        answer = problem
    with answer:
        return answer.status, answer.read().decode(), answer.headers.get("Location")


def card_form(number, **more):
    return {"number": number, "exp": "12 / 34", "cvc": "123", "name": "Zoë",
            "email": "zoe@example.com", **more}


def portal(api, sub, **more):
    customer = api.get(f"/v1/subscriptions/{sub}")["customer"]
    return api.post("/v1/billing_portal/sessions", {
        "customer": customer, "return_url": "http://127.0.0.1:9/back", **more})


def verify(headers, body, secret=SECRET):
    parts = dict(item.split("=", 1) for item in headers["Stripe-Signature"].split(","))
    wanted = hmac.new(secret.encode(), f"{parts['t']}.".encode() + body,
                      hashlib.sha256).hexdigest()
    return parts["v1"] == wanted and abs(int(parts["t"]) - time.time()) < 5
