# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The public routes as a buyer, a front end and Stripe meet them: each answer is the one that
docs/openapi.json describes."""
import re
import time
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest

from api import SPEC, another_address, described, problem
from harness import catalogue, events
from harness.site import PUBLISHABLE_KEY

SITE = {"catalog": catalogue.default(),
        "people": [f"buyer{i}" for i in range(400)],
        "directives": {"SubbillReturnURLs": "http://localhost:3000"}}

_buyers = iter(SITE["people"])


@pytest.fixture(autouse=True)
def _own_address(site):
    """Budgets are per address and process: every test comes from one of its own."""
    with another_address(site):
        yield


@pytest.fixture
def buyer():
    """Somebody who has never been here: budgets and subscriptions do not meet."""
    return next(_buyers)


def checkout(site, user, status=200, **body):
    answer = site.client.user(user).post("/subbill/checkout", json=body)
    assert answer.status_code == status, answer.text
    return described("/checkout", "POST", answer)


def subscription(site, user):
    return described("/subscription", "GET", site.client.user(user).get("/subbill/subscription"))


def token(page):
    return re.search(r'name="csrf" value="([0-9a-f]{64})"', page).group(1)


def session_posts(site):
    return [request for request in site.double.control.requests("POST", "/v1/checkout/sessions")
            if request["path"] == "/v1/checkout/sessions"]


# --- plans ---------------------------------------------------------------------------------------


def test_anybody_sees_the_plans(site):
    """E13, A38: public, prices in minor units, hidden from nobody."""
    plans = described("/plans", "GET", site.client.get("/subbill/plans"))["plans"]
    assert [plan["plan"] for plan in plans] == ["free", "basic", "pro", "enterprise"]
    basic = plans[1]
    assert basic["prices"][0] == {"interval": "month", "interval_count": 1, "currency": "eur",
                                  "amount": 900, "id": catalogue.PRICE["basic"], "plan_id": 1}
    assert "current" not in basic
    assert plans[3]["contact"] == "mailto:sales@example.com" and not plans[3]["prices"]


def test_the_plans_page_speaks_the_readers_language(site):
    """A8, A36, A38: German by Accept-Language, German prices; a choice is kept in a cookie."""
    german = site.client.browser().get("/subbill/plans", headers={"Accept-Language": "de-AT,en;q=0.5"})
    assert german.headers["Content-Language"] == "de" and 'lang="de"' in german.text
    assert "9,00€" in german.text and "Basis" in german.text
    assert "Set-Cookie" not in german.headers
    chosen = site.client.browser().get("/subbill/plans?lang=de", headers={"Accept-Language": "en"})
    assert chosen.headers["Content-Language"] == "de"
    cookie = chosen.headers["Set-Cookie"]
    assert cookie.startswith("subbill_lang=de;") and "HttpOnly" in cookie
    site.client.browser().cookies.clear()
    kept = site.client.browser().get("/subbill/plans", headers={"Cookie": "subbill_lang=de",
                                                                "Accept-Language": "en"})
    assert kept.headers["Content-Language"] == "de"
    document = site.client.get("/subbill/plans", headers={"Accept-Language": "de"})
    assert described("/plans", "GET", document)["plans"][1]["name"] == "Basis"


def test_the_plans_page_keeps_only_a_way_back_on_this_site(site):
    """T24: what the gate wrote into the address comes back as a hidden field, a foreign address not."""
    page = site.client.browser("alice").get("/subbill/plans?next=/members/page.html").text
    assert f'name="success_url" value="{site.url}/members/page.html"' in page
    for foreign in ("https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil"):
        page = site.client.browser("alice").get("/subbill/plans", params={"next": foreign}).text
        assert "success_url" not in page and "evil" not in page.split("<main")[1].split("<footer")[0]


def test_the_plans_say_which_one_is_yours(site, buyer):
    """C20, A48: the page and the document mark the plan; other prices of the group lead to the change."""
    thing = events.subscription(buyer, "basic")
    site.webhook(events.subscription_created(thing))
    plans = described("/plans", "GET", site.client.user(buyer).get("/subbill/plans"))["plans"]
    assert {plan["plan"]: plan["current"] for plan in plans} == \
        {"free": False, "basic": True, "pro": False, "enterprise": False}
    page = site.client.browser(buyer).get("/subbill/plans").text
    assert f'href="/subbill/subscription/change?plan=pro&amp;price={catalogue.PRICE["pro"]}"' in page
    assert f'change?plan=basic&amp;price={catalogue.PRICE["basic_year"]}"' in page
    for not_offered in ("basic", "basic_usd"):
        assert f'price={catalogue.PRICE[not_offered]}"' not in page
    assert 'action="/subbill/checkout"' not in page


def test_the_style_sheet_is_kept_until_it_changes(site):
    """A63: served by the module, for ever under the address of its content."""
    link = re.search(r'rel="stylesheet" href="([^"]+)"',
                     site.client.browser().get("/subbill/plans").text).group(1)
    answer = site.client.get(link)
    described("/style/{name}", "GET", answer)
    assert "immutable" in answer.headers["Cache-Control"]
    again = site.client.get(link, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert site.client.get("/subbill/style/other.css").headers["Cache-Control"] == "no-cache"


def test_the_publishable_key_is_public(site):
    """B4, A19, C34: no login, the key of the mode."""
    assert described("/config", "GET", site.client.get("/subbill/config")) == \
        {"publishable_key": PUBLISHABLE_KEY, "mode": "test"}


# --- buying --------------------------------------------------------------------------------------


def test_a_front_end_sells_a_plan_end_to_end(site, buyer):
    """B1, B2, B26, B28, C3, C14, C19, E6, E8, E15: checkout, payment, access, status."""
    assert subscription(site, buyer)["active"] is False
    session = checkout(site, buyer, plan="basic", interval="month")
    assert site.client.user(buyer).get("/members/page.html").status_code == 402
    done = site.double.control.complete(session["id"])
    back = urlsplit(done["redirect"])
    assert (back.path, parse_qs(back.query)["session_id"]) == ("/subbill/return", [session["id"]])
    told = described("/return", "GET", site.client.user(buyer).get(f"{back.path}?{back.query}"))
    assert (told["state"], told["owner"], told["plan"]) == ("paid", True, "basic")
    assert site.client.user(buyer).get("/members/page.html").status_code == 200
    status = subscription(site, buyer)
    assert (status["active"], status["plan"], status["status"], status["reason"]) == \
        (True, "basic", "active", "ok")
    assert 27 <= status["days_remaining"] <= 31 and status["price"] == catalogue.PRICE["basic"]
    account = described("/account", "GET", site.client.user(buyer).get("/subbill/account"))
    assert account["portal_available"] and account["invoices"][0]["amount_paid"] == 900


def test_a_form_takes_the_buyer_to_stripe_and_back(site, buyer):
    """A47, A54, C35: 303 to Stripe's page; after payment 303 to the page that was wanted."""
    person = site.client.browser(buyer)
    page = person.get("/subbill/plans?next=/members/page.html").text
    answer = person.post("/subbill/checkout", headers={"Origin": site.url}, data={
        "csrf": token(page), "plan": "basic", "price": catalogue.PRICE["basic"], "interval": "month",
        "currency": "eur", "success_url": f"{site.url}/members/page.html"})
    assert answer.status_code == 303 and answer.headers["Location"].startswith(site.double.url)
    session = answer.headers["Location"].rsplit("/", 1)[1]
    back = site.double.control.complete(session)["redirect"]
    landed = person.get(back)
    assert (landed.status_code, landed.headers["Location"]) == (303, f"{site.url}/members/page.html")
    assert person.get(landed.headers["Location"]).status_code == 200


@pytest.mark.parametrize("body,price", [
    ({}, "basic"),
    ({"tier": "pro"}, "pro"),
    ({"plan_type": "full", "plan_id": 1}, "basic"),
    ({"plan_id": 5}, "pro_year"),
    ({"plan": "basic", "interval": "year"}, "basic_year"),
    ({"plan": "basic", "interval": "yearly"}, "basic_year"),
    ({"plan": "basic", "currency": "usd"}, "basic_usd"),
    ({"price": "pro_monthly"}, "pro"),
    ({"price": catalogue.PRICE["pro"]}, "pro"),
], ids=str)
def test_a_plan_may_be_named_in_every_way_the_systems_named_it(site, buyer, body, price):
    """B11, C5, C10, C40, E6, T10: the price at Stripe is the catalogue's, whoever asks how."""
    site.double.control.forget_requests()
    checkout(site, buyer, **body)
    sent = session_posts(site)[-1]["params"]
    assert str(sent).count(catalogue.PRICE[price]) == 1


@pytest.mark.parametrize("body,code", [
    ({"plan": "gold"}, "unknown_plan"),
    ({"plan": "enterprise"}, "contact_plan"),
    ({"plan": "free"}, "free_plan"),
    ({"plan_id": 99}, "unknown_price"),
    ({"plan_id": -1}, "unknown_plan"),
    ({"plan_type": "token", "plan_id": 1}, "unknown_plan"),
    ({"price": "price_1Foreign0000000000000001"}, "unknown_price"),
    ({"plan": "basic", "interval": "century"}, "unknown_price"),
    ({"plan": "basic", "tier": "pro"}, "bad_request"),
    ({"plan": "basic", "quantity": 0.5}, "bad_request"),
    ({"plan": "basic", "quantity": -3}, "bad_quantity"),
    ({"plan": "basic", "quantity": 10**12}, "bad_quantity"),
    ({"plan": "basic", "quantity": "2"}, "bad_request"),
    ({"plan": "basic", "trial_days": 3650}, "bad_trial"),
    ({"plan": "basic", "trial_days": -5}, "bad_trial"),
    ({"plan": "basic", "amount": 1}, "bad_request"),
    ({"plan": "basic", "customer": "cus_Victim"}, "bad_request"),
    ({"plan": "basic", "coupon": "FREE"}, "bad_request"),
    ({"plan": ["basic"]}, "bad_request"),
    ({"plan": "basic", "ä" * 500: 1}, "bad_request"),
    ({"plan_type": "ä" * 500, "plan_id": 1}, "unknown_plan"),
    ({"plan": "ä" * 500}, "unknown_plan"),
    ({"plan": "basic", "currency": "ä" * 500}, "unknown_price"),
    ({"plan": "basic", "success_url": "https://evil.example/"}, "bad_return_url"),
    ({"plan": "basic", "cancel_url": "//evil.example/"}, "bad_return_url"),
], ids=lambda value: str(value)[:60])
def test_nothing_but_what_is_for_sale_can_be_bought(site, buyer, body, code):
    """T10, T24, E4: prices, numbers and addresses are the catalogue's and the site's; 0 calls."""
    site.double.control.forget_requests()
    answer = site.client.user(buyer).post("/subbill/checkout", json=body)
    problem("/checkout", "POST", answer, 400, code)
    assert not site.double.control.requests("POST")


def test_addresses_of_listed_front_ends_are_followed_after_fulfilment(site, buyer):
    """C35, E6: success_url and cancel_url on an origin of SubbillReturnURLs."""
    session = checkout(site, buyer, plan="basic", success_url="http://localhost:3000/checkout/success",
                       cancel_url="http://localhost:3000/checkout/cancel")
    sent = str(session_posts(site)[-1]["params"])
    assert "http://localhost:3000/checkout/cancel" in sent
    assert "http://localhost:3000/checkout/success" not in sent
    back = site.double.control.complete(session["id"])["redirect"]
    landed = site.client.browser().get(back)
    assert landed.headers["Location"] == "http://localhost:3000/checkout/success"


def test_a_second_click_gets_the_same_page(site, buyer):
    """T11, C27: one open session, not two."""
    first, second = checkout(site, buyer, plan="basic"), checkout(site, buyer, plan="basic")
    assert first == second


def test_a_subscriber_is_not_sold_a_second_one(site, buyer):
    """C27: 409 with the way to the portal."""
    site.webhook(events.subscription_created(events.subscription(buyer, "basic")))
    answer = site.client.user(buyer).post("/subbill/checkout", json={"plan": "pro"})
    document = problem("/checkout", "POST", answer, 409, "already_subscribed")
    assert document["links"]["portal"] == f"{site.url}/subbill/portal"


def test_the_customer_at_stripe_is_the_users_own(site, buyer):
    """B10, B28, E15, T08: made once, stamped, and used again."""
    site.double.control.forget_requests()
    checkout(site, buyer, plan="basic")
    checkout(site, buyer, plan="pro")
    made = site.double.control.requests("POST", "/v1/customers")
    assert len(made) == 1 and buyer in str(made[0]["params"])
    for request in session_posts(site):
        assert str(request["params"]).count(f"'{buyer}'") >= 3, request["params"]


def test_an_outage_at_stripe_is_a_503_that_says_when_to_try_again(site, buyer):
    """F13, T11: nothing is promised, nothing is charged."""
    site.allow_log("SB")
    site.double.control.fault("status", method="POST", path_prefix="/v1/checkout", times=-1, status=500)
    try:
        answer = site.client.user(buyer).post("/subbill/checkout", json={"plan": "basic"})
    finally:
        site.double.control.clear_faults()
    document = problem("/checkout", "POST", answer, 503, "stripe_unavailable")
    assert int(answer.headers["Retry-After"]) > 0 and document["hint"]


def test_a_failure_that_stripe_keeps_blocks_nobody(site, buyer):
    """F13, F15: Stripe repeats a 500 for a day under its key; the next click has another one."""
    site.allow_log("SB30[1-9]")
    control = site.double.control
    control.forget_requests()
    control.fault("status", method="POST", path_prefix="/v1/customers", status=500)
    answer = site.client.user(buyer).post("/subbill/checkout", json={"plan": "basic"})
    problem("/checkout", "POST", answer, 503, "stripe_unavailable")
    assert [entry["replayed"] for entry in control.requests("POST", "/v1/customers")] == [False, True]
    assert checkout(site, buyer, plan="basic")["url"]


def test_of_two_tabs_one_can_be_paid(site, buyer):
    """T11: another plan, another language, another way back; the newest page is the one to pay on."""
    control = site.double.control
    first = checkout(site, buyer, plan="basic")
    german = site.client.user(buyer).post("/subbill/checkout", json={"plan": "basic"},
                                          headers={"Accept-Language": "de"}).json()
    assert german["id"] == first["id"]
    second = checkout(site, buyer, plan="basic", success_url="http://localhost:3000/thanks")
    third = checkout(site, buyer, plan="pro")
    sessions = {entry["id"]: entry["status"] for entry in control.objects("checkout.session")}
    assert [sessions[one["id"]] for one in (first, second, third)] == ["expired", "expired", "open"]
    assert control.complete(third["id"])["outcome"] == "complete"
    control.flush()
    bought = site.database.rows(f"SELECT plan FROM subscription WHERE user_name = '{buyer}'")
    assert [row[0] for row in bought] == ["pro"]


# --- coming back ---------------------------------------------------------------------------------


def test_a_buyer_who_is_faster_than_the_webhook_is_let_in(site, buyer):
    """C14, C43: the return page fulfils by itself."""
    site.double.control.configure_deliveries(mode="hold")
    try:
        session = checkout(site, buyer, plan="basic")
        back = site.double.control.complete(session["id"])["redirect"]
        page = site.client.browser(buyer).get(back)
        assert page.status_code == 200 and "Basic" in page.text and "€9.00" in page.text
        assert site.client.user(buyer).get("/members/page.html").status_code == 200
    finally:
        site.double.control.configure_deliveries(mode="normal")
        site.double.control.flush()


def test_a_session_shows_nothing_to_somebody_else(site, buyer):
    """T09: the owner sees plan and price, a stranger the state alone, another user nothing."""
    session = checkout(site, buyer, plan="basic")["id"]
    site.double.control.complete(session)
    site.double.control.forget_requests()
    address = f"/subbill/return?session_id={session}"
    owner = described("/return", "GET", site.client.user(buyer).get(address))
    assert owner["plan"] == "basic" and owner["subscription"].startswith("sub_")
    stranger = described("/return", "GET", site.client.get(address))
    assert set(stranger) == {"state", "owner", "next"} and stranger["owner"] is False
    assert "Basic" not in site.client.browser().get(address).text.split("<main")[1]
    problem("/return", "GET", site.client.user("alice").get(address), 404, "unknown_session")
    page = site.client.browser("alice").get(address)
    assert page.status_code == 404 and "Basic" not in page.text.split("<main")[1]
    assert site.client.user("alice").get("/members/page.html").status_code == 402
    assert not site.double.control.requests()


@pytest.mark.parametrize("session", [None, "", "cs_test_unknown", "cs_test_../../v1/customers", "sub_1",
                                     "cs_test_%00", "x" * 3000])
def test_an_unknown_session_is_404_without_a_call(site, session):
    """T09, T39: only sessions that this server made; no id reaches Stripe's address."""
    site.double.control.forget_requests()
    answer = site.client.get("/subbill/return", params={} if session is None else {"session_id": session})
    assert answer.status_code in (400, 404)
    described("/return", "GET", answer)
    assert not site.double.control.requests()


def test_a_page_that_waits_for_a_bank_looks_again_but_not_for_ever(site, buyer):
    """C15: the page reloads itself with a counter, without a script."""
    session = checkout(site, buyer, plan="basic")["id"]
    address = f"/subbill/return?session_id={session}"
    page = site.client.browser(buyer).get(address).text
    assert re.search(r'http-equiv="refresh" content="\d+; url=\?session_id=cs_test_\w+&amp;look=1"', page)
    late = site.client.browser(buyer).get(address + "&look=30").text
    assert 'http-equiv="refresh"' not in late


# --- account and portal --------------------------------------------------------------------------


def test_the_account_page_tells_what_runs_until_when(site, buyer):
    """A39, C20, E23: plan, price, dates, remaining days, invoices with their links."""
    thing = events.subscription(buyer, "pro", cancel_at_period_end=True,
                                cancel_at=int(time.time()) + 10 * events.DAY)
    site.webhook(events.subscription_created(thing))
    site.webhook(events.invoice_paid(events.invoice(thing)))
    page = site.client.browser(buyer).get("/subbill/account")
    assert page.headers["Cache-Control"] == "no-store"
    for wanted in ("Pro", "€29.00", "10 days", "You keep access until", "https://pay.stripe.com/"):
        assert wanted in page.text, wanted
    assert subscription(site, buyer)["cancel_at"] == thing["cancel_at"]


def test_a_payment_that_failed_shows_the_way_to_pay(site, buyer):
    """E16, C44: past_due with Stripe's own page for the invoice."""
    thing = events.subscription(buyer, "basic", status="past_due")
    bill = events.invoice(thing, paid=False)
    site.webhook(events.subscription_created(thing))
    site.webhook(events.invoice_payment_failed(bill))
    assert bill["hosted_invoice_url"] in site.client.browser(buyer).get("/subbill/account").text
    assert (subscription(site, buyer)["status"], subscription(site, buyer)["active"]) == \
        ("past_due", False)


def test_the_portal_opens_for_the_users_own_customer(site, buyer):
    """B3, B31, C4, C11, E11, E17: form and JSON, return address checked, own customer only."""
    session = checkout(site, buyer, plan="basic")["id"]
    site.double.control.complete(session)
    customer = site.double.control.requests("POST", "/v1/checkout/sessions")[-1]["params"]["customer"]
    site.double.control.forget_requests()
    user = site.client.user(buyer)
    for body in ({}, {"return_url": "http://localhost:3000/dashboard"}):
        answer = described("/portal", "POST", user.post("/subbill/portal", json=body))
        assert answer["url"].startswith(site.double.url)
    sent = [r["params"] for r in site.double.control.requests("POST", "/v1/billing_portal/sessions")]
    assert [one["customer"] for one in sent] == [customer, customer]
    assert [one["return_url"] for one in sent] == [f"{site.url}/subbill/account",
                                                   "http://localhost:3000/dashboard"]
    page = site.client.browser(buyer).get("/subbill/account").text
    answer = site.client.browser(buyer).post("/subbill/portal", data={"csrf": token(page)})
    assert answer.status_code == 303
    site.double.control.forget_requests()
    for body, status, code in (({"return_url": "https://evil.example/"}, 400, "bad_return_url"),
                               ({"customer": "cus_Victim"}, 400, "bad_request"),
                               ({"flow": "take_over"}, 400, "bad_flow")):
        problem("/portal", "POST", user.post("/subbill/portal", json=body), status, code)
    assert not site.double.control.requests("POST")


def test_who_never_bought_has_no_portal(site, buyer):
    """B3, T09: 404 with a reason, no customer is made for it."""
    site.double.control.forget_requests()
    problem("/portal", "POST", site.client.user(buyer).post("/subbill/portal", json={}), 404,
            "no_customer")
    assert not site.double.control.requests()


# --- who may ask ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method,path", [("GET", "/account"), ("GET", "/subscription"),
                                         ("POST", "/checkout"), ("POST", "/portal")])
def test_private_routes_ask_for_a_login(site, method, path):
    """T11: a document for programs, the site's login for browsers, no call to Stripe."""
    site.double.control.forget_requests()
    body = {"json": {}} if method == "POST" else {}
    document = problem(path, method, site.client.request(method, f"/subbill{path}", **body), 401,
                       "unauthenticated")
    assert document["hint"]
    browser = site.client.browser().request(method, f"/subbill{path}")
    assert browser.status_code == 401 and browser.headers["WWW-Authenticate"].startswith("Basic")
    assert not site.double.control.requests()


def test_the_plans_page_leads_to_the_login(site):
    """C19: an anonymous visitor is offered the site's own login and keeps the way back."""
    page = site.client.browser().get("/subbill/plans?next=/members/page.html").text
    link = re.search(r'href="(/subbill/plans\?[^"]*login=1)"', page).group(1).replace("&amp;", "&")
    assert "next=%2Fmembers%2Fpage.html" in link
    assert site.client.browser().get(link).status_code == 401
    assert "success_url" in site.client.browser("alice").get(link).text


def test_every_route_is_described(site):
    """E14, E31: the description names every route there is, and no other."""
    site.allow_log("SB402")
    for path, operations in SPEC["paths"].items():
        place = path.replace("{uuid}", str(uuid.uuid4())).replace("{name}", "x.css")
        for method in ("get", "post"):
            answer = site.client.user("alice").request(method.upper(), f"/subbill{place}")
            missing = method not in operations and answer.status_code not in (404, 405)
            assert not missing, f"{method} {path} is not described: {answer.status_code}"
