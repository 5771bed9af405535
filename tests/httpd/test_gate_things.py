# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Doors that ask for something by its key: features, purchases and credit."""
import itertools
import re
import time

import pytest
from harness import catalogue, databases, events, scratch, site as sites
from harness.content import SECRET

DATABASES = databases.ALL

EXTRA = """
Alias "/need" "{root}/docroot/members"
Alias "/courses" "{root}/docroot/members"
Alias "/rooms" "{root}/docroot/members"
<Location "/need/downloads">
    SubbillGate entitlement:downloads
</Location>
<Location "/need/extra">
    SubbillGate entitlement:extra
</Location>
<Location "/need/pro-or-extra">
    SubbillGate pro entitlement:extra
</Location>
<Location "/need/required">
    Require entitlement workshop extra
</Location>
<Location "/need/basics">
    Require entitlement basics
</Location>
<LocationMatch "^/need/feature/(?<KEY>[^/]+)">
    Require entitlement %{{env:MATCH_KEY}}
</LocationMatch>
<LocationMatch "^/courses/(?<ID>[^/]*)">
    Require purchase course:%{{env:MATCH_ID}}
</LocationMatch>
<LocationMatch "^/rooms/(?<ID>[^/]*)">
    SubbillGate "purchase:room %{{env:MATCH_ID}}" purchase:all-rooms
</LocationMatch>
<Location "/need/either">
    <RequireAny>
        Require subscription pro
        Require purchase book
    </RequireAny>
</Location>
<Location "/need/both">
    <RequireAll>
        Require subscription
        Require purchase book
    </RequireAll>
</Location>
<Location "/need/not">
    <RequireAll>
        Require subscription
        Require not purchase banned
    </RequireAll>
</Location>
<Location "/need/none">
    <RequireAll>
        Require valid-user
        <RequireNone>
            Require purchase banned
            Require entitlement downloads
        </RequireNone>
    </RequireAll>
</Location>
<Location "/need/neither">
    <RequireAll>
        Require not purchase banned
        Require not entitlement downloads
        Require subscription
    </RequireAll>
</Location>
<Location "/need/not-and">
    <RequireAll>
        Require not purchase banned
        Require subscription pro
    </RequireAll>
</Location>
<Location "/need/rehearsed">
    SubbillDryRun On
    <RequireAll>
        Require not purchase banned
        Require subscription pro
    </RequireAll>
</Location>
<Location "/need/user">
    <RequireAny>
        Require user carol
        Require credit pages 5
    </RequireAny>
</Location>
<Location "/need/one">
    Require credit pages
</Location>
<LocationMatch "^/need/units/(?<N>[^/]*)">
    Require credit pages %{{env:MATCH_N}}
</LocationMatch>
<Location "/need/export">
    SubbillGate purchase:book any
    SubbillExport env
</Location>
<Location "/need/export/book">
    SubbillGate purchase:book
</Location>
"""

# What .htaccess requires holds beside what the <Location> around everything says.
SITE = {"double": False, "allow_override": "AuthConfig", "httpd": {"processes": 1},
        "login": sites.LOGIN.replace('<Location "/">', '<Location "/">\n    AuthMerging And')}


def _catalogue():
    made = catalogue.default()
    catalogue.plan(made, "free")["entitlements"] = ["basics"]
    catalogue.plan(made, "basic")["entitlements"] = ["basics", "downloads"]
    catalogue.plan(made, "pro")["entitlements"] = ["basics", "downloads", "workshop"]
    return made


ENV = """#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
env | sort
"""


@pytest.fixture(scope="module", autouse=True)
def _world(site):
    members = site.root / "docroot" / "members"
    for folder in ("downloads", "extra", "pro-or-extra", "required", "basics", "either", "both", "not", "none",
                   "user", "one", "htaccess", "neither", "not-and", "rehearsed"):
        scratch.write(members / folder / "page.html", SECRET)
    for folder in ("export", "export/book"):
        scratch.write(members / folder / "env.cgi", ENV, 0o755)
    scratch.write(members / "8" / "page.html", SECRET)
    scratch.write(members / "7" / "page.html", "the seventh")
    scratch.write(members / "7" / "include.shtml", '<!--#include virtual="/courses/8/page.html" -->')
    for name, course in (("same.cgi", 7), ("other.cgi", 8)):
        scratch.write(members / "7" / name, f"#!/bin/sh\nprintf 'Location: /courses/{course}/page.html\\n\\n'\n", 0o755)
    scratch.write(members / "htaccess" / ".htaccess", "Require purchase book\n")
    site.set_catalog(_catalogue())
    site.reconfigure(gates="", extra=EXTRA.format(root=site.root))


@pytest.fixture
def person(site):
    """A new user, and the client that is logged in as him."""
    name = site.new_user()
    return name, site.client.user(name)


def opens(client, path):
    answer = client.get(path)
    assert answer.status_code in (200, 404), (path, answer.status_code, answer.headers.get("X-Subbill-Reason"))
    return answer


def closed(client, path, status, reason):
    answer = client.get(path)
    assert (answer.status_code, answer.headers.get("X-Subbill-Reason")) == (status, reason), path
    assert SECRET not in answer.text and "WWW-Authenticate" not in answer.headers
    return answer


# No two summaries are of one second: of such a pair Stripe would be asked.
SECONDS = itertools.count(int(time.time()) - 1000)


def summary(site, thing, *keys):
    """What Stripe says when the features of a customer change."""
    answer = site.webhook(events.envelope("entitlements.active_entitlement_summary.updated", {
        "object": "entitlements.active_entitlement_summary", "customer": thing["customer"], "livemode": False,
        "entitlements": {"object": "list", "has_more": False, "data": [
            {"id": events.new_id("ent"), "object": "entitlements.active_entitlement",
             "feature": events.new_id("feat"), "lookup_key": key} for key in keys]}}, created=next(SECONDS)))
    assert answer.status_code == 200


def give(site, user, sku, verb="give"):
    done = site.ctl("purchases", verb, user, sku)
    assert done.exit == 0, done.output


def test_a_feature_of_the_catalogue_opens_for_the_plans_that_bring_it(site, person):
    """E21: and whoever pays for less is told so; a free plan's features are everybody's who is logged in."""
    user, client = person
    assert client.get("/need/basics/page.html").status_code == 200
    closed(client, "/need/downloads/page.html", 402, "no_account")
    closed(client, "/need/required/page.html", 402, "no_account")
    site.subscribe(user, "basic")
    assert opens(client, "/need/downloads/page.html").text == SECRET
    refused = closed(client, "/need/required/page.html", 403, "no_entitlement")
    body = refused.json()
    assert body["reason"] == body["code"] == "no_entitlement" and body["links"]["plans"]
    assert "include" in body["title"] and body["detail"]
    assert site.client.get("/need/required/page.html").status_code == 401
    rich = site.new_user()
    site.subscribe(rich, "pro")
    rich_client = site.client.user(rich)
    for path in ("downloads", "required", "pro-or-extra", "basics"):
        opens(rich_client, f"/need/{path}/page.html")
    closed(rich_client, "/need/extra/page.html", 403, "no_entitlement")


def test_a_feature_of_stripes_opens_and_closes_with_what_stripe_says(site, person):
    """A16, REV: the next request knows. A feature without a running subscription opens nothing."""
    user, client = person
    thing = site.subscribe(user, "basic")
    paths = ("extra", "pro-or-extra", "required", "feature/extra", "feature/unheard-of")
    # The dearer plan is what a door that names one speaks of.
    reasons = {"pro-or-extra": "plan_too_low"}
    for path in paths:
        closed(client, f"/need/{path}/page.html", 403, reasons.get(path, "no_entitlement"))
    summary(site, thing, "extra", "unheard-of", "with\ttab")
    for path in paths:
        opens(client, f"/need/{path}/page.html")
    summary(site, thing, "extra")
    opens(client, "/need/feature/extra/page.html")
    closed(client, "/need/feature/unheard-of/page.html", 403, "no_entitlement")
    summary(site, thing)
    for path in paths:
        closed(client, f"/need/{path}/page.html", 403, reasons.get(path, "no_entitlement"))
    summary(site, thing, "extra", "unheard-of")
    opens(client, "/need/extra/page.html")
    site.cancel(thing)
    for path in ("extra", "required", "feature/extra", "feature/unheard-of"):
        closed(client, f"/need/{path}/page.html", 402, "ended")


def test_a_purchase_opens_what_was_bought_and_nothing_beside(site, person):
    """B30: the key is made of the address; goods are given and taken back by the operator, and the next
    request knows."""
    user, client = person
    for path in ("/courses/7/x", "/rooms/red/x"):
        closed(client, path, 402, "not_purchased")
    give(site, user, "course:7")
    give(site, user, "room red")
    opens(client, "/courses/7/x")
    opens(client, "/rooms/red/x")
    closed(site.client.user("carol"), "/courses/7/x", 402, "not_purchased")
    for path in ("/courses/8/x", "/courses/07/x", "/courses/7%20course:8/x", "/courses//x", "/courses/7;8/x",
                 "/courses/7%0a/x", "/courses/" + "7" * 130 + "/x", "/courses/%c3%28/x", "/rooms/blue/x",
                 "/rooms/Red/x", "/rooms/red%20/x"):
        closed(client, path, 402, "not_purchased")
    give(site, user, "all-rooms")
    opens(client, "/rooms/blue/x")
    give(site, user, "course:7", "take")
    closed(client, "/courses/7/x", 402, "not_purchased")
    assert site.client.get("/courses/7/x").status_code == 401
    page = site.client.browser(user).get("/courses/7/x", follow_redirects=False)
    assert page.status_code == 303 and "reason=not_purchased" in page.headers["Location"]
    shown = site.client.browser(user).get(page.headers["Location"])
    assert "Buy it to open it" in shown.text


def test_they_compose_with_each_other_and_with_other_modules(site, person):
    """RequireAny, RequireAll, RequireNone, Require not, .htaccess, other providers; nobody who is logged in is
    asked for a password again."""
    user, client = person
    closed(client, "/need/either/page.html", 402, "no_account")
    closed(client, "/need/both/page.html", 402, "no_account")
    closed(client, "/need/htaccess/page.html", 402, "not_purchased")
    assert client.get("/need/none/page.html").status_code == 200
    give(site, user, "book")
    opens(client, "/need/either/page.html")
    opens(client, "/need/htaccess/page.html")
    closed(client, "/need/both/page.html", 402, "no_subscription")
    site.subscribe(user, "basic")
    opens(client, "/need/both/page.html")
    opens(client, "/need/not/page.html")
    closed(client, "/need/none/page.html", 403, None)
    closed(client, "/need/neither/page.html", 403, None)
    closed(client, "/need/not-and/page.html", 403, "plan_too_low")
    give(site, user, "banned")
    for path in ("not", "none", "neither"):
        closed(client, f"/need/{path}/page.html", 403, None)
    closed(client, "/need/not-and/page.html", 403, "plan_too_low")
    for who in (client, site.client):
        assert who.get("/need/rehearsed/page.html").text == SECRET
    give(site, user, "book", "take")
    closed(client, "/need/either/page.html", 403, "plan_too_low")
    closed(client, "/need/both/page.html", 402, "not_purchased")


def test_a_way_from_one_address_to_another_asks_for_its_own_key(site, person):
    """T15: httpd asks no requirement again under one configuration; a key that the address names is another one."""
    user, client = person
    give(site, user, "course:7")
    assert client.get("/courses/7/same.cgi").text == "the seventh"
    closed(client, "/courses/7/other.cgi", 402, "not_purchased")
    assert SECRET not in client.get("/courses/7/include.shtml").text
    site.allow_log("unable to include|AH01374")
    give(site, user, "course:8")
    assert client.get("/courses/7/other.cgi").text == SECRET
    assert client.get("/courses/7/include.shtml").text == SECRET


def test_very_many_features_of_stripes_are_known_all_the_same(site, person):
    """A16: a database may not tell all of them at once; none is lost, and none is made of the end of another."""
    user, client = person
    thing = site.subscribe(user, "basic")
    summary(site, thing, *(f"feature-{number:04}-{'x' * 60}" for number in range(400)), "extra-long", "z-feature",
            "with\nextra")
    opens(client, "/need/feature/z-feature/page.html")
    opens(client, f"/need/feature/feature-0399-{'x' * 60}/page.html")
    closed(client, "/need/feature/feature-0399/page.html", 403, "no_entitlement")
    closed(client, "/need/extra/page.html", 403, "no_entitlement")
    summary(site, thing, *(f"a{number:04}-{'x' * 60}" for number in range(400)), "extra")
    opens(client, "/need/extra/page.html")


def test_credit_is_enough_or_it_is_not(site, person):
    """C21 in part: the decision; each request counts anew, and nothing is spent."""
    user, client = person
    for path in ("/need/one/page.html", "/need/user/page.html"):
        closed(client, path, 402, "no_credit")
    done = site.ctl_json("credit", "set", user, "pages", "4")
    assert done == {"user": user, "meter": "pages", "units": 4, "before": 0, "dry_run": False}
    opens(client, "/need/one/page.html")
    closed(client, "/need/user/page.html", 402, "no_credit")
    opens(client, "/need/units/4")
    for path in ("5", "0", "-1", "4.0", "x", "", "9" * 16, "4%20"):
        closed(client, f"/need/units/{path}", 402, "no_credit")
    site.database.execute(f"UPDATE balance SET units = 5 WHERE user_name = '{user}'")
    opens(client, "/need/user/page.html")
    site.database.execute(f"UPDATE balance SET units = -3 WHERE user_name = '{user}'")
    closed(client, "/need/one/page.html", 402, "no_credit")
    assert site.client.user("carol").get("/need/user/page.html").status_code == 200


def test_the_application_hears_of_features_and_purchases(site, person):
    """E21: SUBBILL_ENTITLEMENTS holds the catalogue's and those of Stripe's that a door names."""
    user, client = person
    give(site, user, "book")
    told = opens(client, "/need/export/env.cgi").text
    assert f"SUBBILL_USER={user}\n" in told and "SUBBILL_PLAN=free\n" in told
    assert "SUBBILL_ENTITLEMENTS=basics\n" in told
    assert f"SUBBILL_USER={user}\n" in opens(client, "/need/export/book/env.cgi").text
    thing = site.subscribe(user, "basic")
    summary(site, thing, "extra", "unheard-of", "downloads")
    told = opens(client, "/need/export/env.cgi").text
    assert "SUBBILL_ENTITLEMENTS=basics,downloads,extra\n" in told and "SUBBILL_PLAN=basic\n" in told


def test_the_command_line_says_what_it_did(site, person):
    """Twice is once; a dry run writes nothing; a key that could be none is refused."""
    user, client = person
    first = site.ctl_json("purchases", "give", user, "book", "-n")
    assert first == {"user": user, "sku": "book", "owned": True, "changed": True, "dry_run": True}
    assert site.database.count("purchase", f"user_name = '{user}'") == 0
    assert site.ctl("purchases", "give", user, "book").output.strip() == f"User {user} owns book from now on."
    assert site.ctl("purchases", "give", user, "book").output.strip() == f"User {user} owns book already."
    assert site.ctl_json("purchases", "give", user, "book")["changed"] is False
    assert site.database.count("event", "type = 'subbill.purchase.set'") >= 1
    assert site.ctl("credit", "set", user, "pages", "12").output.startswith(f"User {user} has 12 units of pages")
    shown = site.ctl_json("user", "show", user)
    assert [(each["sku"], each["owned"]) for each in shown["purchases"]] == [("book", True)]
    assert [(each["meter"], each["units"]) for each in shown["credit"]] == [("pages", 12)]
    text = site.ctl("user", "show", user).output
    assert "PURCHASE" in text and "book" in text and "METER" in text and "12" in text
    assert site.ctl("purchases", "take", user, "book").output.strip() == f"User {user} does not own book any more."
    for words in (("purchases", "give", user, "k" * 129), ("purchases", "give", user, "a\nb"),
                  ("purchases", "give", "", "book"), ("credit", "set", user, "pages", "many"),
                  ("credit", "set", user, "pages", "1" * 16)):
        refused = site.ctl(*words)
        assert refused.exit == 2 or (refused.exit == 1 and "cannot be used" in refused.output), refused.output


def test_virtual_hosts_share_what_is_known(make_site):
    """B30: a host that only mounts the main server's routes has its service and its memory."""
    site = make_site(double=False, extra="""
<Location "/bought">
    Require purchase book
</Location>
<VirtualHost *:*>
    ServerName other.example
    <Location "/shop">
        SetHandler subbill
    </Location>
    DocumentRoot "%DOCROOT%"
</VirtualHost>
""", start=False)
    scratch.write(site.root / "docroot" / "bought" / "page.html", SECRET)
    site.reconfigure(graceful=False, extra=site.extra.replace("%DOCROOT%", str(site.root / "docroot")))
    site.start()
    give(site, "alice", "book")
    host = {"Host": "other.example"}
    assert site.client.user("alice").get("/bought/page.html", headers=host).status_code == 200
    assert site.client.user("bob").get("/bought/page.html", headers=host).status_code == 402


@pytest.mark.parametrize("line, sentence", [
    ("Require entitlement", "Require entitlement: needs one or more feature keys"),
    ("Require purchase", "Require purchase: needs one or more SKUs"),
    ("Require credit", "Require credit: needs a meter"),
    ("Require credit pages 3 4", "Require credit: needs a meter"),
    ("Require credit pages 0", "is no number of units"),
    ("Require credit pages many", "is no number of units"),
    ("Require purchase " + "k" * 129, "is no key"),
    ("Require purchase %{nonsense", "is no expression"),
    ("SubbillGate entitlement:", "is no key"),
    ("SubbillGate purchase:%{nonsense", "is no expression"),
    ("SubbillGate credit:pages", "\"credit:pages\" is not a plan"),
    ("SubbillGate", "SubbillGate"),
    ("SubbillGate Off purchase:book", "\"Off\" is not a plan"),
    ("SubbillGate entitlement:x Off", "\"Off\" is not a plan"),
])
def test_a_line_that_makes_no_sense_is_told(make_site, line, sentence):
    """A sentence at configtest that names the directive and the cure."""
    site = make_site(double=False, start=False, migrate=False, extra=f'<Location "/wrong">\n{line}\n</Location>')
    done = site.httpd.configtest()
    assert done.exit and re.search(re.escape(sentence), done.output), done.output
