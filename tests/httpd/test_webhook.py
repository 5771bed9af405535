# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The webhook under good and hostile input: exact status, useful body, nothing changed by a lie."""
import copy
import json
import socket
import threading
import time

import httpx
import pytest
from harness import databases, events, scratch
from harness.client import body_of, sign
from harness.content import SECRET

DATABASES = databases.ALL
SITE = {"double": False}


def _event(user=None):
    return events.subscription_created(events.subscription(user or events.new_id("u"), "basic"))


def _unchanged(site, send, status, code=None):
    before = site.database.dump()
    answer = send()
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    assert site.database.dump() == before
    assert "whsec_" not in answer.text
    if code:
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert answer.json()["code"] == code, answer.text
    return answer


def test_a_signed_event_is_stored_applied_and_answered_with_what_happened(site):
    """A12, A55, B5, B25, B32, B33, C12, C24, D7, E7: 200 and a body that says what became of it."""
    event = _event("bob")
    answer = site.webhook(event)
    assert answer.status_code == 200
    assert answer.json() == {"received": True, "event": event["id"], "type": event["type"],
                             "state": "done"}
    assert site.client.user("bob").get("/members/page.html").text.count(SECRET) == 1
    assert site.database.count("event", f"id = '{event['id']}' AND state = 'done'") == 1


def test_stripes_own_test_event_is_answered_200(site):
    """B25, A18: the Dashboard's test button, whatever type it sends."""
    answer = site.webhook(events.envelope("customer.teleported", {"id": "x_1", "object": "x"}))
    assert (answer.status_code, answer.json()["state"]) == (200, "ignored")


SIGNATURES = {
    "none": (lambda body, site: None, "missing_header"),
    "empty": (lambda body, site: "", "missing_header"),
    "garbage": (lambda body, site: "hello", "malformed_header"),
    "no_time": (lambda body, site: sign(body, site.secret).split(",")[1], "no_timestamp"),
    "two_times": (lambda body, site: "t=1," + sign(body, site.secret), None),
    "stale": (lambda body, site: sign(body, site.secret, int(time.time()) - 302), "too_old"),
    "future": (lambda body, site: sign(body, site.secret, int(time.time()) + 305), "in_future"),
    "wrong_secret": (lambda body, site: sign(body, "whsec_another"), "no_match"),
    "upper_case": (lambda body, site: sign(body, site.secret).upper().replace("T=", "t=")
                   .replace("V1=", "v1="), None),
    "only_v0": (lambda body, site: sign(body, site.secret).replace("v1=", "v0="), "no_v1"),
    "empty_secret": (lambda body, site: sign(body, ""), "no_match"),
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_an_unverified_event_is_400_and_changes_nothing(site, name):
    """T01, T02, T04, T05, A17, B51, D2, D23: the body says which check failed, never the secret."""
    site.allow_log("SB")
    make, code = SIGNATURES[name]
    event = _event()
    answer = _unchanged(site, lambda: site.webhook(event, signature=make(body_of(event), site)), 400)
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    if code:
        assert code in answer.text


def test_an_unsigned_curl_post_is_a_clean_400(site):
    """D23, C40: reachability by hand: neither 404 nor 500."""
    site.allow_log("SB")
    answer = site.client.post("/subbill/webhook")
    assert answer.status_code == 400
    assert "missing_header" in answer.text


def test_get_on_the_webhook_is_405(site):
    """A55: somebody opens the address in a browser."""
    answer = site.client.get("/subbill/webhook")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS") or \
        (answer.status_code == 405 and "POST" in answer.headers["Allow"])


def _deep(depth):
    return ('{"id":"evt_1SbDeep","object":"event","type":"x","created":1,"livemode":false,"data":'
            '{"object":' + "[" * depth + "]" * depth + "}}").encode()


HOSTILE = {
    "not_json": b"this is not JSON",
    "not_an_event": b'{"hello": "world"}',
    "a_list": b"[]",
    "a_text": b'"evt_1"',
    "null": b"null",
    "empty": b"",
    "truncated": body_of(_event())[:700],
    "deep_10000": _deep(10000),
    "deep_70": _deep(70),
    "duplicate_keys": b'{"id":"evt_1SbA","id":"evt_1SbB","object":"event","type":"x","created":1,'
                      b'"livemode":false,"data":{"object":{}}}',
    "nul_escape": b'{"id":"evt_1Sb\\u0000","object":"event","type":"x","created":1,'
                  b'"livemode":false,"data":{"object":{}}}',
    "invalid_utf8": b'{"id":"evt_1Sb\xff","object":"event","type":"x"}',
    "huge_number": b'{"id":"evt_1SbH","object":"event","type":"x","created":' + b"9" * 400 + b"}",
    "id_with_space": b'{"id":"evt 1","object":"event","type":"x","created":1,"livemode":false,'
                     b'"data":{"object":{}}}',
    "id_too_long": b'{"id":"evt_' + b"a" * 300 + b'","object":"event","type":"x","created":1,'
                   b'"livemode":false,"data":{"object":{}}}',
    "no_type": b'{"id":"evt_1SbN","object":"event","created":1,"livemode":false,"data":{"object":{}}}',
    "no_data": b'{"id":"evt_1SbN2","object":"event","type":"customer.updated","created":1,'
               b'"livemode":false}',
    "data_is_text": b'{"id":"evt_1SbN3","object":"event","type":"customer.updated","created":1,'
                    b'"livemode":false,"data":"x"}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_signed_body_that_is_no_event_is_400(site, name):
    """T33, T34: truncated, deep, duplicated, not UTF-8, not an event; nothing stored."""
    site.allow_log("SB")
    started = time.monotonic()
    _unchanged(site, lambda: site.webhook(HOSTILE[name]), 400)
    assert time.monotonic() - started < 2


def test_a_body_of_two_mebibytes_is_413(site):
    """T33: the cap holds with and without Content-Length, before anything is hashed."""
    site.allow_log("SB")
    body = b'{"x":"' + b"a" * (2 * 1024 * 1024) + b'"}'
    _unchanged(site, lambda: site.webhook(body), 413)

    def chunks():
        for start in range(0, len(body), 65536):
            yield body[start:start + 65536]

    header = {"Stripe-Signature": sign(body, site.secret)}
    assert httpx.post(site.url + "/subbill/webhook", content=chunks(), headers=header,
                      trust_env=False).status_code == 413


def test_a_compressed_body_is_refused(site):
    """T33: no inflation, so no bomb."""
    import gzip
    site.allow_log("SB")
    body = gzip.compress(body_of(_event()))
    _unchanged(site, lambda: site.webhook(body, headers={"Content-Encoding": "gzip"}), 415)


def test_two_hundred_thousand_keys_cost_little(site):
    """T34: seeded hashing and the cap on size."""
    site.allow_log("SB")
    keys = ",".join(f'"k{i}":1' for i in range(40000))
    body = ('{"id":"evt_1SbManyKeys","object":"event","type":"x.y","created":1,"livemode":false,'
            f'"data":{{"object":{{{keys}}}}}}}').encode()
    assert len(body) < 512 * 1024
    started = time.monotonic()
    assert site.webhook(body).status_code in (200, 400)
    assert time.monotonic() - started < 2


def test_the_other_modes_event_is_acknowledged_and_has_no_effect(site):
    """T07, A19: livemode tells the mode; a live event on a test server opens nothing."""
    user = site.new_user()
    thing = events.subscription(user, "basic", livemode=True)
    answer = site.webhook(events.subscription_created(thing, livemode=True))
    assert (answer.status_code, answer.json()["state"]) == (200, "ignored")
    assert "livemode" in answer.json()["reason"] or "mode" in answer.json()["reason"]
    assert site.client.user(user).get("/members/page.html").status_code == 402


def test_a_foreign_accounts_event_has_no_effect(site):
    """T07: Connect events of other accounts."""
    user = site.new_user()
    event = _event(user)
    event["account"] = "acct_1Somebody"
    assert site.webhook(event).json()["state"] == "ignored"
    assert site.client.user(user).get("/members/page.html").status_code == 402


def test_an_unmapped_price_grants_nothing_and_is_loud(site):
    """T07: a price that belongs to no plan: stored failed, no access, an error in the log."""
    user = site.new_user()
    thing = events.subscription(user, "price_1SomebodyElses00000001")
    thing["items"]["data"][0]["price"]["product"] = "prod_Else00001"
    site.expect_log("SB")
    answer = site.webhook(events.subscription_created(thing))
    assert (answer.status_code, answer.json()["state"]) == (200, "failed")
    refused = site.client.user(user).get("/members/page.html")
    assert (refused.status_code, refused.headers["X-Subbill-Reason"]) == (403, "unmapped_price")
    listed = site.ctl_json("events", "list", "--state", "failed")["events"]
    assert any(row["reason"] for row in listed)


def test_an_unpaid_session_opens_nothing(site):
    """T07: complete but unpaid is not paid."""
    user = site.new_user()
    session = events.checkout_session(None, user, payment_status="unpaid",
                                      metadata={"subbill_user": user})
    assert site.webhook(events.checkout_completed(session)).status_code == 200
    assert site.client.user(user).get("/members/page.html").status_code == 402


@pytest.mark.parametrize("status", ["incomplete", "incomplete_expired", "unpaid", "paused", "canceled",
                                    "past_due", "sleeping"])
def test_no_other_status_opens_the_gate(site, status):
    """A16: only trialing and active do; a status invented tomorrow does not."""
    user = site.new_user()
    site.allow_log("SB")
    assert site.webhook(events.subscription_created(
        events.subscription(user, "basic", status=status))).status_code == 200
    assert site.client.user(user).get("/members/page.html").status_code == 402


def test_a_disputed_payment_closes_the_gate_and_says_so(site):
    """T07, F18: 402 with the reason while it is disputed, with the very next request; won, it opens again."""
    user = site.new_user()
    thing = site.subscribe(user, "basic")
    invoice = events.invoice(thing)
    intent, visitor = events.new_id("pi_"), site.client.user(user)
    dispute = {"id": events.new_id("du_"), "object": "dispute", "amount": 900, "currency": "eur",
               "status": "needs_response", "reason": "fraudulent", "payment_intent": intent,
               "charge": None, "livemode": False, "created": int(time.time())}
    link = {"id": events.new_id("inpay_"), "object": "invoice_payment", "invoice": invoice["id"],
            "payment": {"type": "payment_intent", "payment_intent": intent}, "livemode": False}
    assert visitor.get("/members/page.html").status_code == 200
    site.allow_log("SB421")
    for event in (events.invoice_paid(invoice), events.envelope("invoice_payment.paid", link),
                  events.envelope("charge.dispute.created", dispute)):
        assert site.webhook(event).json()["state"] == "done"
    refused = visitor.get("/members/page.html", headers={"Accept": "application/json"})
    assert (refused.status_code, refused.json()["reason"]) == (402, "disputed")
    won = events.envelope("charge.dispute.closed", dispute | {"status": "won"},
                          created=int(time.time()) + 5)
    assert site.webhook(won).json()["state"] == "done"
    assert visitor.get("/members/page.html").status_code == 200


def test_a_client_reference_binds_nobody(site):
    """T08, B10: a payment link's client_reference_id, an e-mail or a name are a buyer's own words."""
    user = site.new_user()
    thing = events.subscription(None, "basic")
    session = events.checkout_session(thing, user)
    session["client_reference_id"] = user
    session["customer_details"] = {"email": f"{user}@example.com", "name": user}
    site.allow_log("SB")
    for event in (events.customer_created(events.customer(None, id=thing["customer"],
                                                          email=f"{user}@example.com")),
                  events.checkout_completed(session), events.subscription_created(thing)):
        assert site.webhook(event).status_code == 200
    assert site.client.user(user).get("/members/page.html").status_code == 402


def test_a_bound_customer_is_never_rebound(site):
    """T08, B10, B36: the second name gets nothing, the first keeps what it has; by hand it can be done."""
    owner, thief = site.new_user(), site.new_user()
    thing = site.subscribe(owner, "basic")
    site.allow_log("SB")
    other = events.subscription(thief, "basic", customer=thing["customer"])
    site.webhook(events.subscription_created(other))
    stolen = copy.deepcopy(thing)
    stolen["metadata"]["subbill_user"] = thief
    site.webhook(events.subscription_updated(stolen))
    assert site.client.user(thief).get("/members/page.html").status_code == 402
    assert site.client.user(owner).get("/members/page.html").status_code == 200
    done = site.ctl("links", "set", thief, thing["customer"], "--offline")
    assert done.exit == 1 and owner in done.output
    done = site.ctl("links", "set", thief, thing["customer"], "--offline", "--force")
    assert done.exit == 0, done.output
    assert site.client.user(thief).get("/members/page.html").status_code == 200
    assert site.client.user(owner).get("/members/page.html").status_code == 402


def test_events_of_one_signup_may_come_in_any_order(site):
    """A16, C14: the subscription before its customer, the session last."""
    user = site.new_user()
    thing = events.subscription(None, "basic")
    assert site.webhook(events.subscription_created(thing)).status_code == 200
    assert site.client.user(user).get("/members/page.html").status_code == 402
    assert site.webhook(events.customer_created(
        events.customer(user, id=thing["customer"]))).status_code == 200
    assert site.client.user(user).get("/members/page.html").status_code == 200


def test_an_older_update_does_not_revive_what_ended(site):
    """Deleted is final: a late update changes nothing."""
    user = site.new_user()
    thing = site.subscribe(user, "basic")
    site.cancel(thing)
    now = int(time.time())
    for created in (now - 60, now, now + 60):
        assert site.webhook(events.subscription_updated(thing, created=created)).status_code == 200
    assert site.client.user(user).get("/members/page.html").status_code == 402


def test_the_same_event_fifty_times_is_applied_once(site):
    """T03, C27: over eight connections at once."""
    event = _event(site.new_user())
    body = body_of(event)
    states = []

    def send():
        with httpx.Client(trust_env=False) as client:
            for _ in range(7):
                answer = client.post(site.url + "/subbill/webhook", content=body, headers={
                    "Stripe-Signature": sign(body, site.secret)})
                states.append((answer.status_code, answer.json().get("state")))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states.count((200, "done")) == 1
    assert {state for state in states} == {(200, "done"), (200, "duplicate")}
    assert site.database.count("event", f"id = '{event['id']}'") == 1
    thing = event["data"]["object"]["id"]
    assert site.database.count("subscription", f"id = '{thing}'") == 1


def test_several_secrets_serve_a_rotation(make_site):
    """A21, T06, D29: old and new secret, then only the new one; no valid event is refused meanwhile."""
    site = make_site(double=False, start=False)
    new = scratch.write(site.root / "secrets" / "new.secret", "whsec_canary0TheNewOne\n", 0o600)
    old = f"file:{site.root}/secrets/webhook.secret"
    site.reconfigure(graceful=False, directives={"SubbillWebhookSecret": f"{old} file:{new}"})
    site.start()
    for secret in (site.secret, "whsec_canary0TheNewOne"):
        assert site.webhook(_event(), secret=secret).status_code == 200
    site.reconfigure(directives={"SubbillWebhookSecret": f"file:{new}"})
    site.allow_log("SB")
    for _ in range(50):  # a child of the old generation may still hold our connection
        if site.webhook(_event(), secret=site.secret).status_code == 400:
            break
        time.sleep(0.1)
    else:
        raise AssertionError("the old secret is still believed")
    assert site.webhook(_event(), secret="whsec_canary0TheNewOne").status_code == 200


def test_an_endpoint_of_its_own_has_its_own_secret(make_site):
    """B5, B35: webhook/UUID takes that endpoint's secrets only; another segment is 404."""
    uuid = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"
    site = make_site(double=False, start=False)
    other = scratch.write(site.root / "secrets" / "other.secret", "whsec_canary0Other\n", 0o600)
    site.reconfigure(graceful=False, directives={"SubbillWebhookEndpoint": f"{uuid} file:{other}"})
    site.start()
    site.allow_log("SB")
    path = f"/subbill/webhook/{uuid}"
    assert site.webhook(_event(), secret="whsec_canary0Other", path=path).status_code == 200
    assert site.webhook(_event(), path=path).status_code == 400
    assert site.webhook(_event(), secret="whsec_canary0Other").status_code == 400
    assert site.webhook(_event(), path="/subbill/webhook/0000").status_code == 404
    assert site.webhook(_event(), path=path + "/x").status_code == 404


def test_the_tolerance_is_the_sites_choice(make_site):
    """T04: SubbillWebhookTolerance in both directions."""
    site = make_site(double=False, directives={"SubbillWebhookTolerance": "10"})
    site.allow_log("SB")
    now = int(time.time())
    assert site.webhook(_event(), t=now - 8).status_code == 200
    assert site.webhook(_event(), t=now - 13).status_code == 400
    assert site.webhook(_event(), t=now + 15).status_code == 400


def test_a_site_wide_login_does_not_shut_the_webhook_out(make_site):
    """B34, D3: the snippet for a site behind Require valid-user; no CSRF token, no login."""
    site = make_site(double=False, extra="""
<Location "/">
    Require valid-user
</Location>
<Location "/subbill/webhook">
    Require all granted
</Location>
""")
    assert site.client.get("/open/").status_code == 401
    assert site.webhook(_event()).status_code == 200


def test_slow_bodies_do_not_pile_up_memory(site):
    """T33: a body that never ends is cut by the server's own timeout and holds nothing else."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
        connection.sendall(b"POST /subbill/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n"
                           b"Stripe-Signature: t=1,v1=00\r\n\r\n{")
        assert site.webhook(_event()).status_code == 200
    site.allow_log("SB")


def test_sql_and_format_characters_are_only_text(site):
    """T29: bound parameters; a percent sign is a percent sign."""
    site.allow_log("SB")
    for user in ("'; DROP TABLE event; --", "%s%n%d", 'a"b\\c', "x' OR '1'='1", "😀 Zoë"):
        thing = events.subscription(user, "basic")
        answer = site.webhook(events.subscription_created(thing))
        assert answer.json()["state"] == "done", answer.text
        shown = site.ctl_json("user", "show", user)
        assert shown["user"] == user
        assert json.dumps(shown).count(thing["id"]) >= 1
    assert site.database.count("event") > 5


def test_bad_signatures_do_not_flood_the_log(site):
    """T36: at most one line a second for each cause, in each process."""
    site.allow_log("SB")
    mark = site.httpd.log.mark()
    event = _event()
    begun = time.monotonic()
    for _ in range(60):
        site.webhook(event, signature="t=1,v1=00")
    seconds = 1 + int(time.monotonic() - begun)
    lines = site.httpd.log.since(mark)
    assert len(lines) < 60
    assert sum("SB402" in line for line in lines) <= len(site.httpd.pids()) * (seconds + 1)
