# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Requests that a foreign page makes a browser send, front ends on other origins, and what pages may
show and do: no call to Stripe unless the person meant it."""
import hashlib
import hmac
import re
import time
from html.parser import HTMLParser

import pytest

from api import another_address, described, problem
from harness import catalogue, events

FRONT = "https://app.example.com"


def _catalog():
    plans = catalogue.default()
    catalogue.plan(plans, "basic")["name"] = '<script>alert("plan")</script>{{t.brand}}'
    catalogue.plan(plans, "basic")["features"] = ["<img src=x onerror=alert(1)>", "a & b \"c\" 'd'"]
    return plans


SITE = {"catalog": _catalog(), "people": [f"buyer{i}" for i in range(200)],
        "directives": {"SubbillReturnURLs": FRONT}}

_buyers = iter(SITE["people"])
ACTIONS = ["/checkout", "/portal"]


@pytest.fixture(autouse=True)
def _own_address(site):
    with another_address(site):
        site.double.control.forget_requests()
        yield


@pytest.fixture
def buyer():
    return next(_buyers)


def token_of(site, user):
    page = site.client.browser(user).get("/subbill/plans").text
    return re.search(r'name="csrf" value="([0-9a-f]{64})"', page).group(1)


def form(site, user, path, headers=None, **fields):
    return site.client.user(user).post(f"/subbill{path}", data=fields, headers=headers or {})


# --- forged requests -----------------------------------------------------------------------------


FORGERIES = {
    "no token": (lambda own, other: {}, {}, 403, "missing_csrf"),
    "empty token": (lambda own, other: {"csrf": ""}, {}, 403, "missing_csrf"),
    "another user's token": (lambda own, other: {"csrf": other}, {}, 403, "bad_csrf"),
    "shortened token": (lambda own, other: {"csrf": own[:-1]}, {}, 403, "bad_csrf"),
    "upper case token": (lambda own, other: {"csrf": own.upper() + "A"}, {}, 403, "bad_csrf"),
    "invented token": (lambda own, other: {"csrf": "0" * 64}, {}, 403, "bad_csrf"),
    "foreign Origin": (lambda own, other: {"csrf": own}, {"Origin": "https://evil.example"}, 403,
                       "bad_origin"),
    "null Origin": (lambda own, other: {"csrf": own}, {"Origin": "null"}, 403, "bad_origin"),
    "listed Origin with a form": (lambda own, other: {"csrf": own}, {"Origin": FRONT}, 403,
                                  "bad_origin"),
    "cross-site": (lambda own, other: {"csrf": own}, {"Sec-Fetch-Site": "cross-site"}, 403,
                   "bad_origin"),
    "same-site": (lambda own, other: {"csrf": own}, {"Sec-Fetch-Site": "same-site"}, 403,
                  "bad_origin"),
    "foreign Referer": (lambda own, other: {"csrf": own}, {"Referer": "https://evil.example/x"}, 403,
                        "bad_origin"),
}


@pytest.mark.parametrize("name", FORGERIES)
@pytest.mark.parametrize("path", ACTIONS)
def test_a_forged_form_does_nothing(site, path, name):
    """T25, D3: every forgery is 403 and Stripe hears nothing."""
    fields, headers, status, code = FORGERIES[name]
    own, other = token_of(site, "bob"), token_of(site, "alice")
    answer = form(site, "bob", path, headers, **fields(own, other))
    problem(path, "POST", answer, status, code)
    assert not site.double.control.requests()


@pytest.mark.parametrize("path", ACTIONS)
def test_a_token_grows_old(site, path):
    """T25: good for two to three hours, then not."""
    key = site.database.rows("select value from server_secret where name = 'token'")[0][0]
    hour = int(time.time()) // 3600

    def at(hours):
        return hmac.new(key.encode(), f"csrf\n{hour + hours}\nbob".encode(), hashlib.sha256).hexdigest()

    assert token_of(site, "bob") in (at(0), at(1))
    for hours, code in ((-1, None), (-4, "bad_csrf"), (2, "bad_csrf")):
        answer = form(site, "bob", path, csrf=at(hours), plan="nothing")
        got = answer.json()["code"]
        assert (got == "bad_csrf") == (code == "bad_csrf"), (hours, got)
    assert not site.double.control.requests()


@pytest.mark.parametrize("path", ACTIONS)
def test_a_form_of_our_own_pages_works(site, path, buyer):
    """T25: the token with every header that a browser sends with it."""
    token = token_of(site, buyer)
    for headers in ({"Origin": site.url}, {"Sec-Fetch-Site": "same-origin"},
                    {"Referer": f"{site.url}/subbill/plans"}, {}):
        answer = form(site, buyer, path, {"Accept": "text/html", **headers}, csrf=token)
        assert answer.status_code == (303 if path == "/checkout" else 404), answer.text


@pytest.mark.parametrize("path", ACTIONS)
@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/jsonx",
                                  "text/json", "application/x-www-form-urlencodedx"])
def test_bodies_that_a_foreign_page_can_post_unasked_are_refused(site, path, kind):
    """T25: a form may post text/plain across origins, so it is no way in."""
    answer = site.client.user("bob").post(f"/subbill{path}", content=b'{"plan":"basic"}',
                                          headers={"Content-Type": kind})
    problem(path, "POST", answer, 415, "unsupported_media_type")
    assert not site.double.control.requests()


@pytest.mark.parametrize("path", ACTIONS)
def test_json_acts_for_listed_origins_only(site, path):
    """T25, C10: no Origin, our own or a listed one; a null one is foreign."""
    user = site.client.user("bob")
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"},
                    {"Origin": FRONT + ".evil.example"}, {"Origin": FRONT + ":8443"},
                    {"Origin": "http://app.example.com"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = user.post(f"/subbill{path}", json={"nonsense": 1}, headers=headers)
        problem(path, "POST", answer, 403, "bad_origin")
        assert "Access-Control-Allow-Origin" not in answer.headers
    for headers in ({}, {"Origin": FRONT}, {"Origin": site.url}):
        answer = user.post(f"/subbill{path}", json={"nonsense": 1}, headers=headers)
        problem(path, "POST", answer, 400, "bad_request")
    assert not site.double.control.requests()


@pytest.mark.parametrize("path", ACTIONS)
def test_actions_are_posts(site, path):
    """T25, B1: a link, an image or a prefetch buys nothing."""
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
        answer = site.client.user("bob").request(method, f"/subbill{path}?plan=basic")
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")
    assert not site.double.control.requests()


def test_a_body_without_a_type_needs_a_token(site):
    """T25: an empty POST is what an empty form sends."""
    for path in ACTIONS:
        problem(path, "POST", site.client.user("bob").post(f"/subbill{path}"), 403, "missing_csrf")


# --- other origins -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/checkout", "/portal", "/subscription", "/plans", "/config", "/account"])
def test_a_listed_front_end_is_let_in_by_cors(site, path):
    """C10, C45: preflights need no login; answers and refusals can be read, with credentials."""
    method = "POST" if path in ACTIONS else "GET"
    asks = {"Origin": FRONT, "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization, content-type"}
    answer = site.client.options(f"/subbill{path}", headers=asks)
    assert answer.status_code == 204 and not answer.content
    assert answer.headers["Access-Control-Allow-Origin"] == FRONT
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert method in answer.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert int(answer.headers["Access-Control-Max-Age"]) > 0 and "Origin" in answer.headers["Vary"]
    body = {"json": {"nonsense": 1}} if method == "POST" else {}
    for client in (site.client, site.client.user("bob")):
        answer = client.request(method, f"/subbill{path}", headers={"Origin": FRONT}, **body)
        assert answer.headers["Access-Control-Allow-Origin"] == FRONT, answer.status_code


@pytest.mark.parametrize("origin", ["https://evil.example", "null", FRONT + ".evil.example"])
def test_other_origins_get_nothing_by_cors(site, origin):
    """T25: no header lets a foreign page read an answer; no wildcard anywhere."""
    for path in ("/checkout", "/subscription", "/plans", "/webhook", "/return"):
        asks = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        for answer in (site.client.options(f"/subbill{path}", headers=asks),
                       site.client.user("bob").get(f"/subbill{path}", headers={"Origin": origin})):
            assert not [h for h in answer.headers if h.lower().startswith("access-control-")]


# --- pages ---------------------------------------------------------------------------------------


PAGES = ["/subbill/plans", "/subbill/account", "/subbill/return?session_id=cs_test_unknown",
         "/subbill/checkout", "/subbill/plans?lang=de"]


@pytest.mark.parametrize("path", [*PAGES, "/subbill/config", "/subbill/subscription", "/subbill/webhook"])
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_every_answer_forbids_frames_scripts_and_guessing(site, path, accept):
    """T26, T27: the same headers on pages, documents and errors."""
    headers = site.client.user("alice").get(path, headers={"Accept": accept}).headers
    policy = headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert rule in policy
    assert "unsafe" not in policy and "script-src" not in policy
    assert headers["X-Frame-Options"] == "DENY" and headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] in ("no-store", "private, no-cache")
    assert "charset=utf-8" in headers["Content-Type"] or "json" in headers["Content-Type"]


class Reader(HTMLParser):
    """Collects what could run or load something."""

    def __init__(self):
        super().__init__()
        self.bad, self.loads, self.stack = [], [], []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name.startswith("on") or name == "style" or (value or "").lower().startswith("javascript:"):
                self.bad.append((tag, name, value))
            if name in ("src", "data") or (tag == "link" and name == "href"):
                self.loads.append(value)
        if tag in ("script", "style", "iframe", "object", "embed", "base"):
            self.bad.append((tag, "", ""))


@pytest.mark.parametrize("path", [*PAGES, "/members/", "/subbill/webhook"])
def test_pages_hold_no_script_and_load_nothing_foreign(site, path):
    """T27: names from catalogue and events stand there as text."""
    for user in (None, "alice"):
        reader = Reader()
        reader.feed(site.client.browser(user).get(path).text)
        assert not reader.bad, reader.bad
        assert all(link.startswith(("/subbill/style/", "data:,")) for link in reader.loads)


HOSTILE = ["<script>alert(1)</script>", '"><svg onload=alert(1)>', "{{#plans}}x{{/plans}}", "%s%n",
           "a'b\"c&d<e>", "<!--#include virtual=\"/secret\"-->", "<?php echo 1 ?>", "javascript:alert(1)"]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_strangers_write_is_shown_as_text(site, text):
    """T27, T33: query strings, ids and reasons never become markup."""
    for path, params in (("/subbill/plans", {"reason": text, "next": text, "currency": text, "lang": text}),
                         ("/subbill/return", {"session_id": text, "look": text}),
                         ("/subbill/account", {"lang": text, "x": text})):
        reader = Reader()
        answer = site.client.browser("alice").get(path, params=params)
        reader.feed(answer.text)
        assert not reader.bad, (path, reader.bad)
        for raw in ("<svg onload", "<script>alert(1)", "<!--#include", "<?php"):
            assert raw not in answer.text


def test_addresses_in_events_become_links_only_when_they_are_addresses(site, buyer):
    """T27: an invoice's link is http(s) or none; numbers and names are text."""
    thing = events.subscription(buyer, "basic", status="past_due")
    bill = events.invoice(thing, paid=False, hosted_invoice_url="javascript:alert(1)",
                          invoice_pdf="data:text/html,<script>alert(1)</script>",
                          number="<b>1</b>")
    site.webhook(events.subscription_created(thing))
    site.webhook(events.invoice_payment_failed(bill))
    page = site.client.browser(buyer).get("/subbill/account").text
    reader = Reader()
    reader.feed(page)
    assert not reader.bad and "javascript:" not in page and "data:text" not in page
    account = described("/account", "GET", site.client.user(buyer).get("/subbill/account"))
    assert account["invoices"][0]["hosted_url"] is None


def test_the_form_may_lead_to_stripe_and_nowhere_else(site):
    """T26: form-action names this site and Stripe's pages, as Chromium asks for redirects."""
    policy = site.client.browser("bob").get("/subbill/plans").headers["Content-Security-Policy"]
    action = re.search(r"form-action ([^;]+)", policy).group(1).split()
    assert action == ["'self'", site.double.url]


# --- asking what costs a call ----------------------------------------------------------------------

QUESTIONS = {"/subscription/change": "?plan=pro", "/invoices/upcoming": ""}
FOREIGN_QUESTIONS = {
    "an image": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    "a frame": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    "a neighbour's script": {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors",
                             "Sec-Fetch-Dest": "script"},
    "a foreign fetch": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site",
                        "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    "cross-site alone": {"Sec-Fetch-Site": "cross-site"},
}
OWN_QUESTIONS = {
    "a link that is followed": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate",
                                "Sec-Fetch-Dest": "document"},
    "our own page": {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"},
    "typed": {"Sec-Fetch-Site": "none"},
    "a listed front end": {"Origin": FRONT, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
    "a program": {},
    "a link in an older browser": {"Accept": "text/html", "Referer": "https://mail.example/inbox"},
}


@pytest.mark.parametrize("name", FOREIGN_QUESTIONS)
@pytest.mark.parametrize("path", QUESTIONS)
def test_a_foreign_page_costs_no_call(site, path, name, buyer):
    """T25, T26: what a page of another site loads unasked is 403, uncounted, and Stripe hears nothing."""
    user = site.client.user(buyer)
    for _ in range(12):
        answer = user.get(f"/subbill{path}{QUESTIONS[path]}", headers=FOREIGN_QUESTIONS[name])
        problem(path, "GET", answer, 403, "bad_origin")
    assert not site.double.control.requests()
    answer = user.get(f"/subbill{path}{QUESTIONS[path]}")
    assert answer.status_code == 404, "the budget is untouched"


@pytest.mark.parametrize("name", OWN_QUESTIONS)
@pytest.mark.parametrize("path", QUESTIONS)
def test_who_asks_for_oneself_is_answered(site, path, name, buyer):
    """T25: our pages, listed front ends, programs, and a link from anywhere that a person follows."""
    answer = site.client.user(buyer).get(f"/subbill{path}{QUESTIONS[path]}", headers=OWN_QUESTIONS[name])
    assert answer.status_code == 404, "nothing was bought yet, but the question is heard"
