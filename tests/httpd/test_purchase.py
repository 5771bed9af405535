# Licensed under the Apache License, Version 2.0; see LICENSE.
"""One purchase over HTTP with everything a catalogue may ask of Checkout, and every request the module
makes held against Stripe's own description."""
import subprocess
import time
from urllib.parse import urlsplit

import pytest
from harness import catalogue, events
from harness.client import body_of, sign
from harness.content import SECRET
from stripe_double import conformance

ALL_OPTIONS = {"promotion_codes": True, "automatic_tax": True, "tax_id_collection": True,
               "billing_address_collection": "required",
               "consent": {"promotions": "auto"}, "locale": "de"}


def _catalog(checkout=None, trial_days=0):
    made = catalogue.default(trial_days)
    made["checkout"] = checkout or {"promotion_codes": True}
    return made


def _wait_open(site, user, path="/members/page.html"):
    for _ in range(100):
        answer = site.client.user(user).get(path)
        if answer.status_code == 200:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{path} stays {answer.status_code} for {user}")


def _buy(site, user, card="4242424242424242", plan="basic", **about):
    answer = site.client.user(user).post("/subbill/checkout", json={"plan": plan, **about})
    assert answer.status_code == 200, answer.text
    done = site.double.control.complete(answer.json()["id"], card)
    assert done["outcome"] == "complete", done
    return answer.json()["id"], done


@pytest.mark.parametrize("options", [None, ALL_OPTIONS], ids=["plain", "all options"])
def test_every_request_we_make_is_one_that_stripe_describes(make_site, options):
    """C3, C4, C13, C37, E15, E16, E17, A47: customer, session, return, portal: parameters, version, keys."""
    reason = conformance.missing()
    if reason:
        pytest.skip(reason)
    site = make_site(catalog=_catalog(options, trial_days=7))
    _, done = _buy(site, "bob", currency="eur", interval="month", quantity=1, trial_days=3)
    back = urlsplit(done["redirect"])
    assert site.client.user("bob").get(f"{back.path}?{back.query}").status_code in (200, 303)
    assert site.client.user("bob").post("/subbill/portal", json={
        "flow": "payment_method_update"}).status_code == 200
    made = [each for each in site.double.control.requests() if each["path"].startswith("/v1/")]
    assert {each["path"].split("/")[2] for each in made} >= {"customers", "checkout",
                                                             "billing_portal"}
    for each in made:
        assert each["status"] == 200, each
        assert conformance.check_request(each["method"], each["path"], each["params"]) == []
        headers = {name.lower(): value for name, value in each["headers"].items()}
        assert headers["stripe-version"] == "2026-10-28.endive"
        assert headers["user-agent"].startswith("mod_subbill/")
        assert each["method"] != "POST" or headers.get("idempotency-key"), each


def test_two_groups_do_not_give_two_trials(make_site):
    """A47, T11: an open page with a trial is ended by another one, whatever the group; one that was paid has used it up."""
    made = _catalog(trial_days=7)
    made["plans"].append({
        "plan": "extra", "name": "Extra", "group": "extras", "rank": 10, "trial_days": 5, "product": "prod_TExtraPlan001",
        "prices": [{"interval": "month", "amount": 400, "id": "price_1SbExtraMonthEUR000001"}]})
    site = make_site(catalog=made)

    def start(user, plan, **about):
        answer = site.client.user(user).post("/subbill/checkout", json={"plan": plan, **about})
        assert answer.status_code == 200, answer.text
        return answer.json()["id"]

    def session(ident):
        return next(each for each in site.double.control.objects("checkout.session") if each["id"] == ident)

    first, second = start("alice", "basic"), start("alice", "extra")
    assert (session(first)["status"], session(second)["status"]) == ("expired", "open")
    third = start("alice", "basic", trial_days=0)
    assert session(second)["status"] == "open", "what gives no trial ends none of another group"
    for each in (second, third):
        assert site.double.control.complete(each, "4242424242424242")["outcome"] == "complete"

    site.double.control.configure_deliveries(mode="hold")
    paid = start("bob", "basic")
    assert site.double.control.complete(paid, "4242424242424242")["outcome"] == "complete"
    assert site.double.control.complete(start("bob", "extra"), "4242424242424242")["outcome"] == "complete"
    site.double.control.configure_deliveries(mode="normal")
    site.double.control.flush()
    statuses = sorted((each["metadata"]["subbill_user"], each["status"])
                      for each in site.double.control.objects("subscription"))
    assert statuses == [("alice", "active"), ("alice", "trialing"), ("bob", "active"), ("bob", "trialing")]


def test_what_the_module_serves_fits_the_specification_of_events(make_site):
    """A15, E28: every event the purchase caused was delivered, signed, applied."""
    site = make_site(catalog=_catalog())
    _buy(site, "bob")
    _wait_open(site, "bob")
    site.double.control.flush(10)
    deliveries = site.double.control.deliveries()
    assert deliveries and all(each["status"] == 200 for each in deliveries if "status" in each)
    kinds = {row[0] for row in site.database.rows("SELECT type FROM event WHERE state = 'done'")}
    assert {"checkout.session.completed", "customer.subscription.created", "invoice.paid"} <= kinds


def test_a_promotion_code_lowers_the_price_and_opens_the_gate(make_site):
    """C6: codes are offered at Stripe's page, and a subscription at a reduced price is one."""
    site = make_site(catalog=_catalog())
    from stripe_double.client import Client
    api = Client(site.double.url, "sk_test_anything")
    coupon = api.post("/v1/coupons", {"percent_off": 50, "duration": "once"})
    assert coupon.status == 200, coupon.body
    code = api.post("/v1/promotion_codes", {"promotion": {"type": "coupon",
                                                          "coupon": coupon.body["id"]},
                                            "code": "HALF"})
    assert code.status == 200, code.body
    answer = site.client.user("bob").post("/subbill/checkout", json={"plan": "basic"})
    (sent,) = site.double.control.requests("POST", "/v1/checkout/sessions")
    assert sent["params"]["allow_promotion_codes"] in ("true", True)
    done = site.double.control.complete(answer.json()["id"], "4242424242424242",
                                        promotion_code="HALF")
    assert done["outcome"] == "complete", done
    assert done["session"]["amount_total"] == 450
    assert SECRET in _wait_open(site, "bob").text


def test_application_addresses_are_for_subscribers_only(make_site):
    """B6, B7: an API behind the proxy answers programs with 402 and never hears of strangers."""
    site = make_site(double=False, extra="""
ProxyPass /api/ ${SB_BACKEND}/api/
<LocationMatch "^/api/banking/(accounts|transactions)/">
    SubbillGate any
</LocationMatch>
""", start=False)
    site.httpd.configure(f"Define SB_BACKEND {site.backend.url}\n" + site._conf())
    site.start()
    site.subscribe("bob", "basic")
    for path in ("/api/banking/accounts/", "/api/banking/transactions/?page=2"):
        before = len(site.backend.requests)
        answer = site.client.user("alice").get(path)
        assert (answer.status_code, answer.json()["status"]) == (402, 402)
        assert len(site.backend.requests) == before
        assert site.client.user("bob").get(path).json()["path"] == path


def test_a_local_forwarder_with_its_own_secret_reaches_the_same_webhook(make_site):
    """A13, A14, C40: what `stripe listen --forward-to localhost:…/payments/webhook/stripe/` posts: another
    secret than the Dashboard's, many at once, beside the public address."""
    site = make_site(double=False, start=False)
    listen = site.root / "secrets" / "listen"
    listen.write_text("whsec_canary0OfTheForwarder\n")
    listen.chmod(0o600)
    site.reconfigure(graceful=False, directives={
        "SubbillRoute": "webhook /payments/webhook/stripe/",
        "SubbillWebhookSecret": [f"file:{site.root}/secrets/webhook.secret", f"file:{listen}"]})
    site.start()
    body = body_of(events.subscription_created(events.subscription("bob", "basic")))
    sent = subprocess.run(
        ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", "--data-binary", "@-",
         "-H", "Content-Type: application/json",
         "-H", "Stripe-Signature: " + sign(body, "whsec_canary0OfTheForwarder"),
         f"http://localhost:{site.port}/payments/webhook/stripe/".replace("localhost", "127.0.0.1")],
        input=body, capture_output=True, check=True)
    assert sent.stdout == b"200"
    assert site.client.user("bob").get("/members/page.html").status_code == 200


def test_the_portal_cancels_at_the_end_of_the_period_and_the_gate_follows(make_site):
    """A50, B31, C4, E11, E33: cancelled at period end stays open, and closes when it is over."""
    site = make_site(catalog=_catalog())
    _buy(site, "bob")
    _wait_open(site, "bob")
    shown = site.client.user("bob").get("/subbill/subscription").json()
    (thing,) = site.double.control.objects("subscription")
    site.double.control.subscription(thing["id"], "cancel_at_period_end")
    site.double.control.flush(10)
    again = site.client.user("bob").get("/subbill/subscription").json()
    assert again["active"] and again["cancel_at"] == shown["current_period_end"]
    assert site.client.user("bob").get("/members/page.html").status_code == 200
    site.double.control.advance(days=32)
    site.double.control.flush(10)
    assert site.client.user("bob").get("/members/page.html").status_code == 402


def test_bearer_tokens_serve_front_ends_without_cookies_or_csrf(make_site):
    """B1, B2, B3, B24, C10, C11, C40, E6, E8, E11: whatever checks the token names the user in the
    environment; the module takes the name from there."""
    site = make_site(extra="""
SetEnvIf Authorization "^Bearer token-of-([a-z]+)$" SB_WHO=$1
<Location "/subbill">
    AuthType None
    SubbillUser "%{env:SB_WHO}"
</Location>
""")
    bob = {"Authorization": "Bearer token-of-bob"}
    assert site.client.get("/subbill/subscription").status_code == 401
    assert site.client.get("/subbill/subscription",
                           headers={"Authorization": "Bearer forged"}).status_code == 401
    shown = site.client.get("/subbill/subscription", headers=bob).json()
    assert (shown["user"], shown["active"]) == ("bob", False)
    answer = site.client.post("/subbill/checkout", headers=bob,
                              json={"plan_type": "full", "plan_id": 1})
    assert answer.status_code == 200 and answer.json()["url"].startswith(site.double.url)
    site.double.control.complete(answer.json()["id"], "4242424242424242")
    site.double.control.flush(10)
    assert site.client.get("/subbill/subscription", headers=bob).json()["plan"] == "basic"
    portal = site.client.post("/subbill/portal", headers=bob, json={})
    assert portal.status_code == 200 and portal.json()["url"].startswith(site.double.url)
    again = site.client.post("/subbill/checkout", headers=bob, json={"plan": "pro"})
    assert (again.status_code, again.json()["code"]) == (409, "already_subscribed")
