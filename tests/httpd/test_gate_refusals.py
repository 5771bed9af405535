# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What one refusal tells: to the program in body and header, to the administrator in both logs; and the
shapes that SubbillOnDeny gives it.
"""
import time

import pytest
from harness import events, scratch
from harness.content import SECRET

SITE = {
    "extra": """
LogFormat "%{X-Trace}i %>s %{SUBBILL_REASON}e" reasons
CustomLog "logs/reasons.log" reasons
<LocationMatch "^/deny-">
    SubbillGate pro
</LocationMatch>
<Location "/deny-402">
    SubbillOnDeny 402
</Location>
<Location "/deny-403">
    SubbillOnDeny 403
</Location>
<Location "/deny-plans">
    SubbillOnDeny redirect
</Location>
<Location "/deny-shop">
    SubbillOnDeny redirect "https://shop.example/buy?from=site"
</Location>
""",
}

# What Stripe says about a subscription, and how the gate says it.
STATUSES = {"incomplete": "incomplete", "incomplete_expired": "incomplete", "past_due": "past_due",
            "unpaid": "unpaid", "canceled": "ended", "paused": "paused", "frozen": "unknown_status"}
# Of these Stripe still has a subscription, which is to be changed or paid, not bought again.
RUNNING = {"past_due", "unpaid", "paused", "frozen", "plan_too_low"}


def _somebody(site, case):
    """A user in that case, the page that is closed to him, and what the refusal has to be."""
    user, page, status, reason = site.new_user(), "/members/page.html", 402, case
    if case.startswith("incomplete"):  # it never was anything else
        site.subscribe(user, "basic", status=case)
        reason = STATUSES[case]
    elif case in STATUSES:
        thing = site.subscribe(user, "basic")
        assert SECRET in site.client.user(user).get(page).text
        changed = {**thing, "status": case}
        kind = events.subscription_deleted if case == "canceled" else events.subscription_updated
        assert site.webhook(kind(changed)).status_code == 200
        reason = STATUSES[case]
    elif case == "plan_too_low":
        site.subscribe(user, "basic")
        page, status = "/workshop/page.html", 403
    elif case == "no_subscription":
        assert site.webhook(events.customer_created(events.customer(user))).status_code == 200
    return user, page, status, reason


def _logged(site, trace):
    """httpd writes the line after the answer."""
    until = time.monotonic() + 5
    while True:
        for line in (site.root / "logs" / "reasons.log").read_text().splitlines():
            if line.startswith(trace + " "):
                return line.split(" ", 1)[1]
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize("case", [*STATUSES, "plan_too_low", "no_subscription", "no_account"])
def test_one_refusal_says_the_same_everywhere(site, case):
    """A16, E21, D24: body, header, access log and error log name one reason; the page's bytes are in none."""
    user, page, status, reason = _somebody(site, case)
    client, trace, mark = site.client.user(user), events.new_id("trace"), site.httpd.log.mark()
    answer = client.get(page, headers={"X-Trace": trace})
    assert SECRET not in answer.text and answer.status_code == status
    problem = answer.json()
    assert (problem["status"], problem["reason"], problem["code"]) == (status, reason, reason)
    assert answer.headers["X-Subbill-Reason"] == reason
    assert answer.headers["Cache-Control"] == "no-store"
    assert _logged(site, trace) == f"{status} {reason}"
    told = [line for line in site.httpd.log.since(mark) if "SB105" in line]
    assert len(told) == 1 and told[0].endswith(f"SB105: refused: {reason}")

    plans = client.get(problem["links"]["plans"])
    assert plans.status_code == 200 and {plan["plan"] for plan in plans.json()["plans"]} >= {"basic", "pro"}
    site.allow_log("SB405")  # the customers of these tests are not the double's
    bought = client.post(problem["links"]["checkout"], json={"plan": "pro"})
    if case in RUNNING:
        assert (bought.status_code, bought.json()["code"]) == (409, "already_subscribed")
        assert bought.json()["links"]["change"]
        assert {"portal", "account"} <= set(problem["links"])
        assert ("change" in problem["links"]) == (case == "plan_too_low")
        assert client.get(problem["links"]["account"]).status_code == 200
    else:
        assert bought.status_code == 200 and bought.json()["url"].startswith(site.double.url)


# --- SubbillOnDeny ----------------------------------------------------------------------------

SHOP = "https://shop.example/buy?from=site"
PLANS = "/subbill/plans?reason={reason}&next=%2Fdeny-{name}%2Fpage.html"

# What a browser and a program get: a status, or where they are sent.
SHAPES = {
    "auto": {"no_subscription": (PLANS, 402), "plan_too_low": (403, 403)},
    "402": {"no_subscription": (402, 402), "plan_too_low": (402, 402)},
    "403": {"no_subscription": (403, 403), "plan_too_low": (403, 403)},
    "plans": {"no_subscription": (PLANS, PLANS), "plan_too_low": (PLANS, PLANS)},
    "shop": {"no_subscription": (SHOP, SHOP), "plan_too_low": (SHOP, SHOP)},
}


@pytest.fixture(scope="module")
def people(site):
    """By the reason why they are refused at a door that asks for pro."""
    for name in SHAPES:
        scratch.write(site.root / "docroot" / f"deny-{name}" / "page.html", SECRET)
    made = {"no_subscription": site.new_user(), "plan_too_low": site.new_user(), "ok": site.new_user()}
    assert site.webhook(events.customer_created(events.customer(made["no_subscription"]))).status_code == 200
    site.subscribe(made["plan_too_low"], "basic")
    site.subscribe(made["ok"], "pro")
    return made


@pytest.mark.parametrize("name", SHAPES)
def test_a_refusal_has_the_shape_that_the_site_says(site, people, name):
    """A38, E21: SubbillOnDeny for browsers and programs, with nothing bought and with too little."""
    page = f"/deny-{name}/page.html"
    assert SECRET in site.client.user(people["ok"]).get(page).text
    for reason, wanted in SHAPES[name].items():
        user = people[reason]
        for client, shape, kind in ((site.client.browser(user), wanted[0], "text/html"),
                                    (site.client.user(user), wanted[1], "application/problem+json")):
            answer = client.get(page)
            assert SECRET not in answer.text
            assert answer.headers["X-Subbill-Reason"] == reason
            assert answer.headers["Cache-Control"] == "no-store"
            if isinstance(shape, int):
                assert answer.status_code == shape and "Location" not in answer.headers
                assert answer.headers["Content-Type"].startswith(kind)
            else:
                assert answer.status_code == 303
                assert answer.headers["Location"] == shape.format(reason=reason, name=name)
    stranger = site.client.browser().get(page)
    assert stranger.status_code == 401 and "Location" not in stranger.headers and SECRET not in stranger.text


@pytest.mark.parametrize("headers", [
    {"Sec-Fetch-Mode": "cors"}, {"Sec-Fetch-Mode": "no-cors"}, {"Sec-Fetch-Mode": "websocket"},
    {"X-Requested-With": "XMLHttpRequest"}, {"Accept": "*/*"}, {"Accept": "application/json, text/html;q=0.9"},
    {"Accept": "text/html;q=0"}], ids=lambda headers: " ".join(headers.values()))
def test_a_script_in_a_browser_is_a_program(site, people, headers):
    """A38, E21: it asks for HTML and cannot follow a person's way to the checkout."""
    client = site.client.browser(people["no_subscription"])
    assert client.get("/deny-auto/page.html").status_code == 303
    answer = client.get("/deny-auto/page.html", headers=headers)
    assert answer.status_code == 402 and "Location" not in answer.headers and SECRET not in answer.text
    assert answer.json()["links"]["plans"] == f"{site.url}/subbill/plans"


def test_a_form_that_is_sent_to_a_closed_page_is_a_person(site, people):
    """A38, E21: a POST that navigates goes to the plans by GET; a script's POST is told 402."""
    user = people["no_subscription"]
    answer = site.client.browser(user).post("/deny-auto/page.html", data={"text": "mine"})
    assert answer.status_code == 303 and SECRET not in answer.text
    assert answer.headers["Location"] == "/subbill/plans?reason=no_subscription"
    for client, headers in ((site.client.user(user), {}),
                            (site.client.browser(user), {"Sec-Fetch-Mode": "cors"})):
        answer = client.post("/deny-auto/page.html", data={"text": "mine"}, headers=headers)
        assert answer.status_code == 402 and SECRET not in answer.text
