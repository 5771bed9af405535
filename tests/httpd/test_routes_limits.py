# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Sizes, methods, floods and switches: what a route refuses before it does anything."""
import gzip
import json
import socket
import time

import pytest

from api import another_address, described, problem
from harness import events

pytestmark = pytest.mark.alone

SITE = {"people": [f"buyer{i}" for i in range(100)],
        "httpd": {"processes": 1}}

_buyers = iter(SITE["people"])
UUID = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"


@pytest.fixture(autouse=True)
def _own_address(site):
    with another_address(site):
        site.double.control.forget_requests()
        yield


@pytest.fixture
def buyer():
    return next(_buyers)


@pytest.mark.parametrize("path,allow", [
    ("/plans", "GET, HEAD, OPTIONS"), ("/account", "GET, HEAD, OPTIONS"),
    ("/subscription", "GET, HEAD, OPTIONS"), ("/return", "GET, HEAD, OPTIONS"),
    ("/config", "GET, HEAD, OPTIONS"), ("/style/x.css", "GET, HEAD, OPTIONS"),
    ("/checkout", "POST, OPTIONS"), ("/portal", "POST, OPTIONS"), ("/webhook", "POST, OPTIONS")])
def test_other_methods_are_405_with_those_that_work(site, path, allow):
    """T13, A55: GET on the webhook is a clean 405, HEAD goes where GET goes."""
    user = site.client.user("alice")
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "PROPFIND", "BREW"):
        answer = user.request(method, f"/subbill{path}")
        if method in allow:
            assert answer.status_code != 405
            continue
        assert (answer.status_code, answer.headers["Allow"]) == (405, allow), method
        assert answer.json()["code"] == "method_not_allowed"
    options = user.options(f"/subbill{path}")
    assert options.status_code in (200, 204) and options.headers["Allow"] == allow
    if "GET" in allow:
        got, head = user.get(f"/subbill{path}"), user.head(f"/subbill{path}")
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert head.headers["Content-Length"] == str(len(got.content))
    site.allow_log("SB402")


def test_one_final_slash_more_is_the_same_address(site):
    """A12, B1: people and dashboards type both."""
    for path in ("/plans/", "/config/"):
        assert site.client.get(f"/subbill{path}").status_code == 200
    assert site.client.get("/subbill/nothing").status_code == 404
    assert site.client.get("/subbill/plans/x").status_code == 404


@pytest.mark.parametrize("path", ["/checkout", "/portal"])
def test_a_large_body_is_413(site, path):
    """T33: 64 KiB of fields, with or without a length announced."""
    body = json.dumps({"plan": "x" * (65 * 1024)}).encode()
    user = site.client.user("bob")
    kind = {"Content-Type": "application/json"}
    problem(path, "POST", user.post(f"/subbill{path}", content=body, headers=kind), 413,
            "payload_too_large")
    chunks = (body[i:i + 4096] for i in range(0, len(body), 4096))
    problem(path, "POST", user.post(f"/subbill{path}", content=chunks, headers=kind), 413,
            "payload_too_large")
    assert not site.double.control.requests()


@pytest.mark.parametrize("body,kind,code", [
    (b"{", "application/json", "bad_request"),
    (b"[]", "application/json", "bad_request"),
    (b'"basic"', "application/json", "bad_request"),
    (b'{"plan":"basic","plan":"pro"}', "application/json", "bad_request"),
    (b'{"plan":' + b"[" * 5000 + b"]" * 5000 + b"}", "application/json", "bad_request"),
    (b'{"plan":"ba\\u0000sic"}', "application/json", "bad_request"),
    (b'{"plan":"\xff"}', "application/json", "bad_request"),
    (b"plan=basic&plan=pro", "application/x-www-form-urlencoded", "duplicate_field"),
    (b"plan=%zz", "application/x-www-form-urlencoded", "bad_encoding"),
    (b"plan=%00", "application/x-www-form-urlencoded", "bad_encoding"),
    (b"plan=%ff", "application/x-www-form-urlencoded", "bad_encoding"),
    (b"&".join(b"a%d=1" % i for i in range(500)), "application/x-www-form-urlencoded", "bad_form"),
], ids=range(12))
def test_a_body_that_can_be_read_in_two_ways_is_refused(site, body, kind, code):
    """T10, T34: one reading or none."""
    answer = site.client.user("bob").post("/subbill/checkout", content=body, headers={
        "Content-Type": kind, "Authorization": "Basic Ym9iOmJvYg=="})
    if code == "duplicate_field":
        assert answer.status_code in (400, 403)
    else:
        problem("/checkout", "POST", answer, 400, code)
    assert not site.double.control.requests()


def test_a_query_string_that_cannot_be_read_is_400(site):
    """T34: pages and documents alike."""
    for query in ("next=%zz", "next=%00", "next=%ff", "&".join(f"a{i}=1" for i in range(200))):
        for accept in ("text/html", "application/json"):
            with socket.create_connection(("127.0.0.1", site.port)) as connection:
                connection.sendall(f"GET /subbill/plans?{query} HTTP/1.0\r\nAccept: {accept}\r\n\r\n"
                                   .encode())
                head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
            assert b" 400 " in head.splitlines()[0] and accept.split("/")[1].encode() in head
            assert b"bad_" in body, query[:40]


def test_compressed_bodies_are_not_unpacked(site):
    """T33: no bomb goes off; the signature is over what was sent."""
    event = json.dumps(events.customer_created(events.customer("bob"))).encode()
    packed = gzip.compress(event)
    answer = site.webhook(packed, headers={"Content-Encoding": "gzip"})
    problem("/webhook", "POST", answer, 415, "unsupported_media_type")
    answer = site.client.user("bob").post("/subbill/checkout", content=gzip.compress(b"{}"), headers={
        "Content-Encoding": "gzip", "Content-Type": "application/json"})
    problem("/checkout", "POST", answer, 415, "unsupported_media_type")


def test_a_body_that_never_ends_is_given_up(site):
    """T33: mod_reqtimeout's word or the connection's end, not a hanging thread."""
    with socket.create_connection(("127.0.0.1", site.port)) as connection:
        connection.sendall(b"POST /subbill/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
        time.sleep(0.2)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(10)
        assert b" 400 " in connection.makefile("rb").readline()
    assert site.client.get("/subbill/plans").status_code == 200


def test_one_user_cannot_flood_stripe(site, buyer):
    """T11: ten calls at once, then 429 with the time to wait; others go on."""
    statuses = []
    for i in range(60):
        answer = site.client.user(buyer).post("/subbill/portal", json={})
        statuses.append(answer.status_code)
        if answer.status_code == 429:
            document = problem("/portal", "POST", answer, 429, "too_many_requests")
            assert 1 <= int(answer.headers["Retry-After"]) == document["retry_after"] <= 6
    assert statuses[:10] == [404] * 10 and statuses.count(429) >= 45
    with another_address(site):
        other = site.client.user("zoe").post("/subbill/portal", json={})
    assert other.status_code == 404


def test_many_users_at_one_address_cannot_either(site):
    """T11: thirty calls at once from one address, whoever makes them."""
    statuses = [site.client.user(f"buyer{i % 20}").post("/subbill/portal", json={}).status_code
                for i in range(80)]
    assert statuses.count(429) >= 40


def test_a_flood_of_checkouts_makes_few_sessions(site, buyer, scale):
    """T11: a thousand clicks, a handful of calls."""
    began = time.monotonic()
    for i in range(scale(1000)):
        site.client.user(buyer).post("/subbill/checkout", json={
            "plan": "basic", "cancel_url": f"{site.url}/{i % 500}"})
    allowed = 10 + (time.monotonic() - began) / 6 + 1
    made = [request for request in site.double.control.requests("POST", "/v1/checkout")
            if request["path"] == "/v1/checkout/sessions"]
    assert len(made) <= allowed


def test_the_switch_turns_everything_off(make_site):
    """C32, C33, C43: "Stripe is not enabled", literally, and the pages still have their style."""
    site = make_site(directives={"SubbillEnabled": "Off"})
    for method, path in (("GET", "/plans"), ("POST", "/checkout"), ("GET", "/return"), ("POST", "/portal"),
                         ("GET", "/account"), ("GET", "/subscription"), ("GET", "/config"),
                         ("POST", "/webhook")):
        answer = site.client.user("bob").request(method, f"/subbill{path}")
        document = problem(path, method, answer, 503, "disabled")
        assert document["detail"] == "Stripe is not enabled"
    page = site.client.browser("bob").get("/subbill/plans")
    assert page.status_code == 503 and "Stripe is not enabled" in page.text
    assert site.client.get("/subbill/style/x.css").status_code == 200
    assert not site.double.control.requests()


def test_an_endpoint_believes_its_own_secrets_only(make_site):
    """B5, A17: webhook/UUID; another segment is 404; neither secret opens the other's door."""
    site = make_site()
    (site.root / "secrets" / "other").write_text("whsec_canary1TheOtherEndpointsOwnSecret\n")
    site.allow_log("SB402")
    site.reconfigure(directives={"SubbillWebhookEndpoint":
                                 f"{UUID} file:{site.root}/secrets/other"})
    event = events.customer_created(events.customer("bob"))
    other = "whsec_canary1TheOtherEndpointsOwnSecret"
    path = f"/subbill/webhook/{UUID}"
    described("/webhook/{uuid}", "POST", site.webhook(event, secret=other, path=path))
    assert site.webhook(event, secret=other, path=path + "/").json()["state"] == "duplicate"
    problem("/webhook/{uuid}", "POST", site.webhook(event, path=path), 400, "bad_signature")
    problem("/webhook", "POST", site.webhook(event, secret=other), 400, "bad_signature")
    for segment in (UUID[:-1] + "0", "x", UUID + "/x", UUID + "x"):
        answer = site.webhook(event, secret=other, path=f"/subbill/webhook/{segment}")
        problem("/webhook/{uuid}", "POST", answer, 404, "not_found")


def test_pages_survive_without_a_database(make_site):
    """F01, F11: the plans are shown, what needs records is 503 with Retry-After."""
    site = make_site(migrate=False)
    site.allow_log("SB")
    assert site.client.get("/subbill/plans").status_code == 200
    assert site.client.browser("bob").get("/subbill/plans").status_code == 200
    for method, path in (("GET", "/account"), ("GET", "/subscription"), ("POST", "/checkout"),
                         ("POST", "/portal")):
        body = {"json": {}} if method == "POST" else {}
        answer = site.client.user("bob").request(method, f"/subbill{path}", **body)
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
        described(path, method, answer)
    answer = site.webhook(events.customer_created(events.customer("bob")))
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
