# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Another plan, interval or number of seats: what it costs today, when it happens, taking it back."""
import re

import pytest

from api import another_address, described, problem
from harness import catalogue, lifecycle
from harness.catalogue import PRICE
from harness.lifecycle import at_stripe, buy, change, changes, press, price_at_stripe, told
from stripe_double import conformance
from stripe_double.client import Client

TEAM = {"plan": "team", "name": "Team", "group": "teams", "rank": 10, "seats": {"min": 2, "max": 9},
        "product": "prod_TTeamPlan0001", "prices": [
            {"interval": "month", "amount": 500, "id": "price_1SbTeamMonthEUR0000001"}]}
EAGER = {"plan": "eager", "name": "Eager", "group": "teams", "rank": 20, "seats": True,
         "change": {"upgrade": "period_end", "downgrade": "now"}, "product": "prod_TEagerPlan001",
         "prices": [{"interval": "month", "amount": 700, "id": "price_1SbEagerMonthEUR000001"},
                    {"interval": "year", "amount": 7000, "id": "price_1SbEagerYearEUR0000001"}]}
LOW = {"plan": "low", "name": "Low", "group": "teams", "rank": 5, "product": "prod_TLowPlan000001",
       "prices": [{"interval": "month", "amount": 300, "id": "price_1SbLowMonthEUR00000001"}]}
DEAL = {"plan": "deal", "name": "Deal", "group": "membership", "rank": 40, "contact": "mailto:sales@example.com",
        "prices": [{"interval": "month", "amount": 9900, "id": "price_1SbDealMonthEUR0000001"}]}
GRATIS = {"plan": "gratis", "name": "Gratis", "group": "membership", "rank": 1, "free": True,
          "prices": [{"interval": "month", "amount": 0, "id": "price_1SbGratisMonthEUR00001"}]}
TASTE = {"plan": "taste", "name": "Taste", "group": "tasting", "rank": 10, "trial_days": 7,
         "product": "prod_TTastePlan001", "prices": [
             {"interval": "month", "amount": 900, "id": "price_1SbTasteMonthEUR000001"},
             {"interval": "year", "amount": 9000, "id": "price_1SbTasteYearEUR0000001"}]}
WHOLE = {"plan": "whole", "name": "Whole", "group": "tasting", "rank": 20, "product": "prod_TWholePlan001",
         "prices": [{"interval": "month", "amount": 2900, "id": "price_1SbWholeMonthEUR000001"}]}
for _plan, _amount in ((TASTE, 2500), (WHOLE, 8000)):
    _plan["prices"].append({"interval": "month", "interval_count": 3, "amount": _amount,
                            "id": f"price_1Sb{_plan['name']}QuarterEUR00001"})

CATALOG = catalogue.default()
catalogue.plan(CATALOG, "pro")["pause"] = True
CATALOG["plans"] += [TEAM, EAGER, LOW, DEAL, GRATIS, TASTE, WHOLE]

DATABASES = ("sqlite3", "pgsql", "mysql")
SITE = {"catalog": CATALOG, "people": [f"mover{i}" for i in range(400)]}

_movers = iter(SITE["people"])


@pytest.fixture(autouse=True)
def _own_address(site):
    with another_address(site):
        yield


@pytest.fixture
def mover():
    return next(_movers)


# --- now -----------------------------------------------------------------------------------------


def test_an_upgrade_opens_the_door_at_once(site, mover, held_back):
    """A48, C14, C18: paid at once, prorated, and open before any webhook came."""
    ident = buy(site, mover)
    assert site.client.user(mover).get("/workshop/page.html").status_code == 403
    document = change(site, mover, plan="pro")
    assert (document["plan"], document["active"], document["price"]) == ("pro", True, PRICE["pro"])
    assert site.client.user(mover).get("/workshop/page.html").status_code == 200
    sent = changes(site, ident)[-1]
    assert (sent["params"]["proration_behavior"], sent["params"]["payment_behavior"]) == \
        ("always_invoice", "pending_if_incomplete")
    bills = [invoice for invoice in site.double.control.objects("invoice")
             if invoice["parent"]["subscription_details"]["subscription"] == ident]
    assert [bill["billing_reason"] for bill in bills] == ["subscription_create", "subscription_update"]
    assert 1900 <= bills[1]["amount_paid"] <= 2000


def test_the_preview_is_what_the_change_costs(site, mover):
    """A48: nothing is changed by asking, and the amount is Stripe's."""
    ident = buy(site, mover)
    user = site.client.user(mover)
    asked = described("/subscription/change", "GET", user.get("/subbill/subscription/change?plan=pro"))
    posted = change(site, mover, plan="pro", preview=True)
    answer = user.post("/subbill/subscription/change?preview=true", json={"plan": "pro"})
    assert described("/subscription/change", "POST", answer)["change"] == "upgrade"
    assert asked["change"] == "upgrade" and asked["plan"] == "pro" and asked["price"] == PRICE["pro"]
    assert abs(asked["amount_due_now"] - posted["amount_due_now"]) <= 1
    assert asked["proration"] == asked["amount_due_now"]
    assert abs(asked["effective_at"] - site.double.control.now()) < 120
    assert price_at_stripe(site, ident) == PRICE["basic"]
    change(site, mover, plan="pro")
    bill = next(invoice for invoice in site.double.control.objects("invoice")
                if invoice["id"] == at_stripe(site, ident)["latest_invoice"])
    assert abs(bill["amount_paid"] - asked["amount_due_now"]) <= 2


def test_what_the_button_says_is_what_is_charged(make_site):
    """A48, C17: although the page lay open for hours; a moment of another period, or of long ago, is refused."""
    site = make_site()
    ident = buy(site, "alice")
    asked = described("/subscription/change", "GET",
                      site.client.user("alice").get("/subbill/subscription/change?plan=pro"))
    html = lifecycle.page(site, "alice", "/subbill/subscription/change?plan=pro").text
    due = re.search(r"Change now and pay €([0-9.]+)", html).group(1)
    site.double.control.advance(seconds=3 * 3600)
    later = change(site, "alice", plan="pro", preview=True, proration_date=asked["proration_date"])
    assert (later["amount_due_now"], later["proration_date"]) == \
        (asked["amount_due_now"], asked["proration_date"])
    for wrong in (1, asked["proration_date"] - 5 * 3600, asked["proration_date"] + 3600):
        answer = site.client.user("alice").post("/subbill/subscription/change",
                                                json={"plan": "pro", "proration_date": wrong})
        problem("/subscription/change", "POST", answer, 400, "bad_request")
    answer = press(site, "alice", html, "/subbill/subscription/change")
    assert answer.headers["Location"] == "/subbill/account?done=changed"
    bill = next(invoice for invoice in site.double.control.objects("invoice")
                if invoice["id"] == at_stripe(site, ident)["latest_invoice"])
    assert f"{bill['amount_paid'] / 100:.2f}" == due
    assert changes(site, ident)[-1]["params"]["proration_date"] is not None


def test_a_longer_interval_is_an_upgrade(site, mover):
    """A48: of the same plan; the year begins now and what is left of the month is credited."""
    ident = buy(site, mover)
    asked = change(site, mover, interval="yearly", preview=True)
    assert asked["change"] == "upgrade" and asked["price"] == PRICE["basic_year"]
    assert 8000 <= asked["amount_due_now"] < 9000 and -900 <= asked["proration"] < 0
    document = change(site, mover, interval="year")
    assert document["interval"] == "year" and document["days_remaining"] > 360
    assert price_at_stripe(site, ident) == PRICE["basic_year"]


def test_a_second_click_changes_nothing_twice(site, mover):
    """F17, T11: the same wish again is its success, and no second call."""
    ident = buy(site, mover)
    change(site, mover, plan="pro")
    site.double.control.forget_requests()
    assert change(site, mover, plan="pro")["plan"] == "pro"
    assert not changes(site, ident)
    answer = site.client.user(mover).get("/subbill/subscription/change?plan=pro")
    problem("/subscription/change", "GET", answer, 409, "no_change")


def test_a_card_that_does_not_pay_changes_nothing(site, mover):
    """A48, C15: 402 with the way to the invoice; paying it makes the change."""
    ident = buy(site, mover)
    stripe = Client(site.double.url)
    customer = at_stripe(site, ident)["customer"]
    card = stripe.post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", {"customer": customer})
    stripe.post(f"/v1/subscriptions/{ident}", {"default_payment_method": card["id"]})
    answer = site.client.user(mover).post("/subbill/subscription/change", json={"plan": "pro"})
    document = problem("/subscription/change", "POST", answer, 402, "payment_incomplete")
    assert document["links"]["account"].endswith("/subbill/account")
    site.double.control.forget_requests()
    answer = site.client.user(mover).post("/subbill/subscription/change", json={"plan": "pro"})
    problem("/subscription/change", "POST", answer, 402, "payment_incomplete")
    assert not changes(site, ident), "a second click makes no second invoice"
    site.double.control.flush()
    status = told(site, mover)
    assert (status["plan"], status["active"]) == ("basic", True)
    assert status["pay_url"].startswith(site.double.url)
    assert "is still open" in lifecycle.page(site, mover).text
    good = stripe.post("/v1/payment_methods/pm_card_visa/attach", {"customer": customer})
    stripe.post(f"/v1/invoices/{at_stripe(site, ident)['latest_invoice']}/pay",
                {"payment_method": good["id"]})
    site.double.control.flush()
    status = told(site, mover)
    assert (status["plan"], status["pay_url"]) == ("pro", None)


def test_a_trial_does_not_go_on_in_a_plan_that_gives_none(site, mover):
    """A47, A48: it ends with the change, and the first period is paid at once, as the page says."""
    ident = buy(site, mover, plan="taste")
    assert told(site, mover)["status"] == "trialing"
    assert change(site, mover, interval="year", preview=True)["amount_due_now"] == 0
    html = lifecycle.page(site, mover, "/subbill/subscription/change?plan=whole").text
    assert "ends your trial" in html and "Change now and pay €29.00" in html
    press(site, mover, html, "/subbill/subscription/change")
    status = told(site, mover)
    assert (status["plan"], status["status"], status["days_remaining"] > 20) == ("whole", "active", True)
    assert changes(site, ident)[-1]["params"]["trial_end"] == "now"
    bill = next(invoice for invoice in site.double.control.objects("invoice")
                if invoice["id"] == at_stripe(site, ident)["latest_invoice"])
    assert bill["amount_paid"] == 2900


def test_a_trial_goes_on_within_its_plan(site, mover):
    """A47, A48: the year instead of the month costs nothing before the trial is over."""
    ident = buy(site, mover, plan="taste")
    assert change(site, mover, interval="year")["status"] == "trialing"
    assert "trial_end" not in changes(site, ident)[-1]["params"]


def test_a_trial_stays_when_the_card_does_not_pay_for_its_end(site, mover):
    """A48, C15: 402, and the trial goes on as it was."""
    ident = buy(site, mover, plan="taste")
    stripe = Client(site.double.url)
    card = stripe.post("/v1/payment_methods/pm_card_chargeCustomerFail/attach",
                       {"customer": at_stripe(site, ident)["customer"]})
    stripe.post(f"/v1/subscriptions/{ident}", {"default_payment_method": card["id"]})
    answer = site.client.user(mover).post("/subbill/subscription/change", json={"plan": "whole"})
    problem("/subscription/change", "POST", answer, 402, "payment_incomplete")
    status = told(site, mover)
    assert (status["plan"], status["status"]) == ("taste", "trialing")


# --- by the catalogue ----------------------------------------------------------------------------


def test_the_catalogue_says_when(site, mover):
    """A48, A49: "change": {"upgrade": "period_end", "downgrade": "now"} of the plan that is left."""
    ident = buy(site, mover, plan="eager", quantity=3)
    asked = change(site, mover, interval="year", preview=True)
    assert asked["change"] == "upgrade" and asked["amount_due_now"] == 0
    assert asked["effective_at"] == told(site, mover)["current_period_end"]
    document = change(site, mover, plan="team")
    assert (document["plan"], document["quantity"], document["planned"]) == ("team", 3, None)
    assert price_at_stripe(site, ident) == TEAM["prices"][0]["id"]


def test_seats_are_changed_within_the_plans_bounds(site, mover):
    """A48, A49: more seats now, fewer at the end of the period."""
    ident = buy(site, mover, plan="team", quantity=4)
    asked = change(site, mover, quantity=6, preview=True)
    assert asked["change"] == "upgrade" and 900 <= asked["amount_due_now"] <= 1000
    assert change(site, mover, quantity=6)["quantity"] == 6
    assert at_stripe(site, ident)["items"]["data"][0]["quantity"] == 6
    assert change(site, mover, quantity=2)["planned"]["quantity"] == 2
    for wrong in (1, 10, 10**12, -1):
        answer = site.client.user(mover).post("/subbill/subscription/change", json={"quantity": wrong})
        problem("/subscription/change", "POST", answer, 400, "bad_quantity")
    answer = site.client.user(mover).post("/subbill/checkout", json={"plan": "team", "quantity": 1})
    problem("/checkout", "POST", answer, 400, "bad_quantity")


def test_seats_are_changed_at_a_price_that_has_left_the_catalogue(site, mover):
    """A48: the plan is still sold, at another price; a number alone keeps the one that is paid."""
    ident = buy(site, mover, plan="team", quantity=3)
    stripe = Client(site.double.url)
    old = stripe.post("/v1/prices", {"product": TEAM["product"], "currency": "eur", "unit_amount": 450,
                                     "recurring": {"interval": "month"}})
    item = at_stripe(site, ident)["items"]["data"][0]["id"]
    stripe.post(f"/v1/subscriptions/{ident}", {"items": [{"id": item, "price": old["id"]}]})
    site.double.control.flush()
    asked = change(site, mover, quantity=6, preview=True)
    assert (asked["plan"], asked["price"], asked["change"]) == ("team", old["id"], "upgrade")
    html = lifecycle.page(site, mover, "/subbill/subscription/change?quantity=6").text
    assert "€27.00" in html and 'name="price"' not in html
    answer = press(site, mover, html.split("</form>", 1)[1], "/subbill/subscription/change")
    assert answer.headers["Location"] == "/subbill/account?done=changed"
    item = at_stripe(site, ident)["items"]["data"][0]
    assert (item["price"]["id"], item["quantity"]) == (old["id"], 6)


def test_a_plan_without_seats_is_had_once(site, mover):
    """A48, A49, C17: seats are not carried into it, by a change or by a checkout; what several come to is shown."""
    ident = buy(site, mover, plan="team", quantity=5)
    html = lifecycle.page(site, mover, "/subbill/subscription/change?quantity=6").text
    assert "In total" in html and "€30.00" in html
    html = lifecycle.page(site, mover, "/subbill/subscription/change?plan=low").text
    assert "In total" not in html and "€3.00" in html
    press(site, mover, html, "/subbill/subscription/change")
    assert told(site, mover)["planned"]["quantity"] == 1
    site.double.control.advance(days=32)
    item = at_stripe(site, ident)["items"]["data"][0]
    assert (item["price"]["id"], item["quantity"]) == (LOW["prices"][0]["id"], 1)
    answer = site.client.user(mover).post("/subbill/subscription/change", json={"plan": "low", "quantity": 5})
    problem("/subscription/change", "POST", answer, 400, "bad_quantity")
    answer = site.client.user(next(_movers)).post("/subbill/checkout", json={"plan": "basic", "quantity": 2})
    problem("/checkout", "POST", answer, 400, "bad_quantity")


def test_a_quarter_stays_a_quarter(site, mover):
    """A48: whoever names a plan only keeps the length of the period, when the plan is sold by it."""
    buy(site, mover, plan="taste", price=TASTE["prices"][2]["id"])
    asked = change(site, mover, plan="whole", preview=True)
    assert (asked["price"], asked["amount_due_now"]) == (WHOLE["prices"][1]["id"], 8000)
    assert change(site, mover, plan="whole", interval="month", preview=True)["price"] == WHOLE["prices"][0]["id"]


def test_of_a_subscription_for_two_groups_the_wanted_item_is_changed(site, mover):
    """A48, A49: the plan of the other group stays as it is."""
    ident = buy(site, mover, plan="pro")
    Client(site.double.url).post(f"/v1/subscriptions/{ident}", {"items": [
        {"price": TEAM["prices"][0]["id"], "quantity": 3}]})
    site.double.control.flush()
    asked = change(site, mover, plan="team", quantity=5, preview=True)
    assert (asked["change"], asked["plan"], asked["quantity"]) == ("upgrade", "team", 5)
    change(site, mover, plan="team", quantity=5)
    items = {(each["price"]["id"], each["quantity"]) for each in at_stripe(site, ident)["items"]["data"]}
    assert items == {(PRICE["pro"], 1), (TEAM["prices"][0]["id"], 5)}


@pytest.mark.parametrize("body, status, code", [
    ({}, 400, "bad_request"),
    ({"plan": "gold"}, 400, "unknown_plan"),
    ({"plan": "free"}, 400, "free_plan"),
    ({"plan": "enterprise"}, 400, "contact_plan"),
    ({"plan": "deal"}, 400, "contact_plan"),
    ({"price": DEAL["prices"][0]["id"]}, 400, "contact_plan"),
    ({"plan": "gratis"}, 400, "free_plan"),
    ({"price": GRATIS["prices"][0]["id"]}, 400, "free_plan"),
    ({"plan": "team"}, 400, "other_group"),
    ({"price": TEAM["prices"][0]["id"]}, 400, "other_group"),
    ({"price": "price_1Foreign0000000000000001"}, 400, "unknown_price"),
    ({"price": PRICE["basic_usd"]}, 400, "unknown_price"),
    ({"plan": "pro", "interval": "week"}, 400, "unknown_price"),
    ({"plan": "pro", "price": PRICE["basic"]}, 400, "unknown_price"),
    ({"quantity": 2}, 400, "bad_quantity"),
    ({"plan": "pro", "amount": 1}, 400, "bad_request"),
    ({"plan": "basic"}, 409, "no_change"),
    ({"plan": "pro", "subscription": "sub_1SomebodyElses"}, 404, "no_subscription"),
], ids=str)
def test_nothing_but_what_is_for_sale_can_be_changed_to(site, mover, body, status, code):
    """T09, T10, A48: prices, groups and bounds are the catalogue's; nothing is changed at Stripe."""
    ident = buy(site, mover)
    site.double.control.forget_requests()
    answer = site.client.user(mover).post("/subbill/subscription/change", json=body)
    problem("/subscription/change", "POST", answer, status, code)
    assert not changes(site, ident)


@pytest.mark.parametrize("body, code", [
    ({"plan": "deal"}, "contact_plan"),
    ({"price": DEAL["prices"][0]["id"]}, "contact_plan"),
    ({"plan": "gratis"}, "free_plan"),
    ({"price": GRATIS["prices"][0]["id"]}, "free_plan"),
], ids=str)
def test_what_is_free_or_sold_by_talking_is_not_sold_here(site, mover, body, code):
    """A1, T10: however it is named, and although it has a price."""
    site.double.control.forget_requests()
    answer = site.client.user(mover).post("/subbill/checkout", json=body)
    problem("/checkout", "POST", answer, 400, code)
    assert not [call for call in site.double.control.requests("POST") if "checkout" in call["path"]]


def test_a_subscription_that_is_not_in_order_is_not_changed(site, mover):
    """A48, C15: past_due says so, with the way to pay; a planned end says so too."""
    ident = buy(site, mover)
    site.client.user(mover).post("/subbill/subscription/cancel", json={})
    answer = site.client.user(mover).post("/subbill/subscription/change", json={"plan": "pro"})
    problem("/subscription/change", "POST", answer, 409, "cancellation_planned")
    site.client.user(mover).post("/subbill/subscription/resume", json={})
    site.double.control.subscription(ident, "fail_payment")
    site.double.control.flush()
    assert told(site, mover)["pay_url"].startswith(site.double.url)
    answer = site.client.user(mover).post("/subbill/subscription/change", json={"plan": "pro"})
    document = problem("/subscription/change", "POST", answer, 409, "past_due")
    assert document["links"]["account"]


# --- pages ---------------------------------------------------------------------------------------


def test_the_plans_page_leads_to_a_page_that_asks_first(site, mover):
    """A48, C17: what is due today stands on the button; pressing it makes the change."""
    ident = buy(site, mover)
    plans = lifecycle.page(site, mover, "/subbill/plans").text
    link = re.search(r'href="(/subbill/subscription/change\?plan=pro&amp;price=%s)"' % PRICE["pro"],
                     plans).group(1).replace("&amp;", "&")
    html = lifecycle.page(site, mover, link).text
    due = re.search(r"Change now and pay (€[0-9.]+)", html).group(1)
    assert "Due today" in html and html.count(due) == 2
    answer = press(site, mover, html, "/subbill/subscription/change")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/subbill/account?done=changed")
    assert price_at_stripe(site, ident) == PRICE["pro"]
    assert "Your plan is changed." in lifecycle.page(site, mover, answer.headers["Location"]).text


def test_the_account_page_shows_what_is_planned_and_keeps_the_old_plan(site, mover):
    """A49: the date, the plan, and the button that takes it back; in German as well."""
    buy(site, mover, plan="pro")
    html = lifecycle.page(site, mover, f"/subbill/subscription/change?plan=basic&price={PRICE['basic']}").text
    assert "Plan this change" in html
    answer = press(site, mover, html, "/subbill/subscription/change")
    assert answer.headers["Location"] == "/subbill/account?done=planned"
    html = lifecycle.page(site, mover, answer.headers["Location"]).text
    assert "you have the plan Basic." in html and "Keep my current plan" in html
    assert "den Tarif Basis" in lifecycle.page(site, mover, "/subbill/account?lang=de").text
    answer = press(site, mover, html, "/subbill/subscription/resume")
    assert told(site, mover)["planned"] is None


def test_a_double_click_is_told_what_the_click_has_done(site, mover):
    """F17, C17: changed, planned or taken back; the second answer says the same as the first."""
    buy(site, mover)
    for plan, done in (("pro", "changed"), ("basic", "planned"), ("pro", "resumed")):
        csrf = lifecycle.fields(lifecycle.page(site, mover).text, "/subbill/portal")["csrf"]
        for _ in range(2):
            answer = site.client.browser(mover).post(
                "/subbill/subscription/change", headers={"Origin": site.url}, data={"csrf": csrf, "plan": plan})
            assert (answer.status_code, answer.headers.get("Location")) == (303, f"/subbill/account?done={done}")


def test_seats_are_chosen_on_the_page(site, mover):
    """A48: a number and a button that counts again, without a script."""
    buy(site, mover, plan="team", quantity=3)
    path = f"/subbill/subscription/change?plan=team&price={TEAM['prices'][0]['id']}&quantity=5"
    html = lifecycle.page(site, mover, path).text
    assert re.search(r'name="quantity" type="number" [^>]*min="2" max="9" value="5"', html)
    assert lifecycle.fields(html.split("</form>", 1)[1], "/subbill/subscription/change")["quantity"] == "5"


def test_the_plan_one_has_is_left_for_its_seats(site, mover):
    """A48, C17: "Switch plan" on one's own plan asks for another number, with nothing to pay yet; programs get 409."""
    buy(site, mover, plan="team", quantity=3)
    price = TEAM["prices"][0]["id"]
    plans = lifecycle.page(site, mover, "/subbill/plans").text
    assert f"/subbill/subscription/change?plan=team&amp;price={price}" in plans
    path = f"/subbill/subscription/change?plan=team&price={price}"
    answer = lifecycle.page(site, mover, path)
    assert answer.status_code == 200 and "This is what you have." in answer.text
    assert re.search(r'name="quantity" type="number" [^>]*value="3"', answer.text)
    assert 'method="post" action="/subbill/subscription/change"' not in answer.text
    assert "Due today" not in answer.text
    problem("/subscription/change", "GET", site.client.user(mover).get(path), 409, "no_change")


def test_where_no_page_for_a_change_is_mounted_the_portal_makes_it(make_site):
    """A48, C17: sites that mount the required routes only offer a change all the same."""
    site = make_site(routes="", directives={"SubbillRoute": [
        f"{name} /subbill/{name}" for name in ("plans", "checkout", "return", "portal", "account", "webhook")]})
    buy(site, "alice")
    html = lifecycle.page(site, "alice", "/subbill/plans").text
    assert "subscription/change" not in html
    assert html.count('action="/subbill/portal"') == 1
    assert press(site, "alice", html, "/subbill/portal").status_code == 303
    again = site.client.browser("alice").post("/subbill/checkout", headers={"Origin": site.url}, data={
        "csrf": lifecycle.fields(html, "/subbill/portal")["csrf"], "plan": "pro"})
    assert again.status_code == 409 and lifecycle.fields(again.text, "/subbill/portal")["csrf"]


def test_all_that_was_sent_is_known_to_stripes_specification(site, mover):
    """A48, A49, A50: every parameter of every call of these tests, where the specification lies beside us."""
    reason = conformance.missing()
    if reason:
        pytest.skip(reason)
    site.double.control.forget_requests()
    buy(site, mover, plan="pro")
    user = site.client.user(mover)
    assert user.get("/subbill/subscription/change?plan=pro&interval=year").status_code == 200
    assert user.get("/subbill/invoices/upcoming").status_code == 200
    change(site, mover, plan="pro", interval="year")
    change(site, mover, plan="basic")
    assert user.post("/subbill/subscription/resume", json={}).status_code == 200
    other = next(_movers)
    buy(site, other, plan="pro")
    for action, body in (("cancel", {}), ("resume", {}), ("pause", {}), ("resume", {}),
                         ("cancel", {"immediate": True})):
        answer = site.client.user(other).post(f"/subbill/subscription/{action}", json=body)
        assert answer.status_code == 200, answer.text
    sent = site.double.control.requests()
    assert {call["path"].split("/")[2] for call in sent} >= {"subscriptions", "invoices",
                                                             "subscription_schedules"}
    for call in sent:
        assert call["status"] == 200, call
        assert conformance.check_request(call["method"], call["path"], call["params"]) == []
