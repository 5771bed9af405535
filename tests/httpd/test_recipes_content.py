# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The configurations of conf/recipes that say what is behind the gate, behind those that say who asks."""
import glob
import time

import httpx
import pytest
from harness import catalogue, events, processes, recipes, scratch
from harness.client import BROWSER
from harness.content import PUBLIC, SECRET

CGI = f"#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n{SECRET} for %s\\n' \"$REMOTE_USER$SUBBILL_REASON\"\n"
PHP = f"<?php echo '{SECRET} for ', $_SERVER['REMOTE_USER'] ?? 'nobody', $_SERVER['SUBBILL_REASON'] ?? '';"


@pytest.fixture
def served(make_recipe):
    """start(*recipes, method="basic", **arguments): a site of these files on which bob has paid."""
    def start(*names, method="basic", **arguments):
        try:
            made = recipes.METHODS[method]()
        except recipes.Missing as missing:
            pytest.skip(str(missing))
        make_recipe(made, more=names, **arguments)
        made.site.subscribe("bob", "basic")
        made.site.allow_log(r"SB402|AH01630|AH01797|auth_form|\[session|auth_openidc")
        return made
    return start


def refused(answer, status=402):
    assert answer.status_code == status, (answer, answer.url)
    assert SECRET not in answer.text
    return answer


def opened(answer):
    assert answer.status_code == 200, f"{answer} {answer.text[:200]}"
    assert SECRET in answer.text


def test_the_webhook_answers_below_a_site_wide_login(served):
    """B34, A38, E13: everything else asks for the password, the webhook for a signature only."""
    made = served(method="site-wide-login")
    stranger = made.client()
    for path in ("/", "/open/page.html", "/members/page.html", "/subbill/account",
                 "/subbill/subscription", "/subbill/webhooks", "/subbill/webhook%2f..%2faccount"):
        refused(stranger.get(path, headers=BROWSER), 404 if "%2f" in path else 401)
    assert stranger.post("/subbill/webhook", content=b"{}").status_code == 400
    for path in ("/subbill/plans", "/subbill/config"):
        assert stranger.get(path).status_code == 200
    assert made.program("alice").get("/open/page.html").status_code == 200
    refused(made.program("alice").get("/members/page.html"))
    opened(made.program("bob").get("/members/page.html"))
    assert SECRET not in made.program("bob").get("/.htpasswd").text


@pytest.mark.parametrize("method", ["basic", "form", "openid-connect"])
def test_a_closed_site_still_sells(served, method):
    """M7, A38: all of it is closed but the way in: plans, webhook, login, the certificate authority's files."""
    made = served("closed-site", method=method)
    scratch.write(made.site.root / "docroot" / ".well-known" / "acme-challenge" / "x", PUBLIC)
    stranger = made.client()
    for path in ("/", "/open/page.html", "/members/page.html", "/.htpasswd", "/none", "/login/x",
                 "/.well-known/security.txt", "/subbill/account", "/subbillx"):
        # A browser of its own each time: mod_auth_openidc takes no more than seven logins at once.
        assert made.client().get(path, headers=BROWSER).status_code in (403, made.stranger), path
        refused(made.program("alice").get(path),
                200 if path == "/subbill/account" else 403 if path == "/.htpasswd" else 402)
    assert stranger.get("/.well-known/acme-challenge/x").text == PUBLIC
    assert stranger.get("/subbill/plans", headers=BROWSER).status_code == 200
    assert stranger.post("/subbill/webhook", content=b"{}").status_code == 400
    assert made.browser("alice").get("/").headers["Location"].startswith("/subbill/plans?")
    assert made.program("bob").get("/open/page.html").text.find(PUBLIC) > 0


def test_the_form_leads_back_to_the_page_that_was_asked_for(served):
    """T24, A38: but to no other site, however the way back is spelled."""
    made = served(method="form")
    client = made.browser("bob")
    assert client.logged_in.status_code == 302
    assert client.logged_in.headers["Location"] == "/members/page.html"
    opened(client.get("/members/page.html"))
    for way in ("https://evil.example/", "//evil.example/", "/\\evil.example", "/%09/evil", "\\\\evil", "",
                "/a%0d%0aSet-Cookie:x=y", "/members/page.html?x=https://evil.example", "javascript:x"):
        told = made.client().post("/login", data={"httpd_username": "bob", "httpd_password": "bob"},
                                  headers={"Referer": f"{made.site.url}/login.html?next={way}"})
        target = told.headers["Location"]
        assert target.startswith("/") and not target.startswith(("//", "/\\")), (way, target)
        assert "x=y" not in told.headers.get("Set-Cookie", "")
    out = client.get("/logout")
    assert out.headers["Location"] == "/"
    assert client.get("/members/page.html").status_code == 302


def test_an_id_that_is_a_number_comes_from_the_claims(served):
    """B24, C10: mod_auth_openidc makes no REMOTE_USER of it, so SubbillUser names the claim."""
    made = served(method="jwt-shared-key")
    made.site.subscribe("42", "basic")
    opened(made.program("bob").get(made.place))
    assert made.program("bob").get("/subbill/subscription").json()["user"] == "42"
    made.site.reconfigure(extra=made.site.extra + "OIDCOAuthRemoteUserClaim user_id\n")
    refused(made.program("bob").get(made.place), 401)


def test_an_application_behind_the_proxy(served):
    """M9, B6, T23: it hears of granted requests only, and of no name but the right one."""
    made = served("proxied-application",
                  before=lambda site: f"Define SUBBILL_APPLICATION {site.backend.url}\n")
    lie = {"RemoteUser": "bob", "REMOTEUSER": "bob"}
    # However the application may spell them; some spellings are nobody's.
    spelled = ("/premium/x", "/workshop/x", "/premium", "/PREMIUM/x", "/Premium", "/premium;a/x", "/premium%3bx/x",
               "/premium.json", "/%70remium/x", "/wOrkshop;/x")
    denied = ("/x/..;/premium/x", "/;a/premium/x", "/.;a/premium/x", "/x/..%3b/premium/x")
    for path in (*spelled, *denied):
        seen = len(made.site.backend.requests)
        refused(made.client(headers=lie).get(path), 403 if path in denied else 401)
        refused(made.program("alice").get(path, headers=lie), 403 if path in denied else 402)
        assert len(made.site.backend.requests) == seen
    opened(made.program("bob").get("/premium/x", headers={"RemoteUser": "alice"}))
    refused(made.program("bob").get("/workshop/x"), 403)
    opened(made.client(headers=lie).get("/anything"))  # not for subscribers: the application's own matter
    names = [[value for name, value in request["headers"] if name.lower() == "remoteuser"]
             for request in made.site.backend.requests[-2:]]
    assert names == [["bob"], []]
    assert made.client().get("/subbill/plans").status_code == 200
    assert not [request for request in made.site.backend.requests if "subbill" in request["path"]]


def test_a_form_logs_people_in_to_an_application(served):
    """B24: the addresses of the login are not the application's, though it has all the others."""
    made = served("proxied-application", method="form",
                  before=lambda site: f"Define SUBBILL_APPLICATION {site.backend.url}\n")
    opened(made.browser("bob").get("/premium/x"))
    assert made.browser("alice").get("/premium/x").status_code == 303
    assert made.client().get("/login.html").text.startswith("<!doctype html>")
    paths = {request["path"] for request in made.site.backend.requests}
    assert paths == {"/premium/x"}


def test_no_htaccess_names_the_visitor_of_a_trusted_proxy(served):
    """T45: who may set variables and headers in a folder may not say who somebody is."""
    made = served(method="trusted-proxy", allow_override="FileInfo")
    scratch.write(made.site.root / "docroot" / "members" / ".htaccess", """
SetEnvIf Request_URI . PROXY_USER=bob REMOTE_USER=bob X-Remote-User=bob
SetEnv REMOTE_USER bob
RequestHeader set X-Remote-User bob
""")
    # Nor from a folder that is open to all.
    scratch.write(made.site.root / "docroot" / "open" / ".htaccess", """
RequestHeader set X-Remote-User bob
ErrorDocument 404 /members/page.html
""")
    for client, status in ((made.client(), 401), (made.client(made.PROXY), 401), (made.program("alice"), 402)):
        refused(client.get("/members/page.html"), status)
        assert SECRET not in client.get("/open/none").text
    opened(made.program("bob").get("/members/page.html"))


def test_a_network_folder(served):
    """T17, M9: subscribers read and write; whatever is uploaded is not run; no copy leads round a gate."""
    def folder(site):
        place = site.root / "folder"
        (place / "workshop").mkdir(parents=True)
        scratch.write(place / "workshop" / "file.txt", SECRET)
        for path in (place, place / "workshop", place / "workshop" / "file.txt"):
            scratch.give(path)
        return f'Define SUBBILL_DAV "{place}"\n'

    made = served("webdav", before=folder)
    bob, carol = made.program("bob"), made.program("carol")
    made.site.subscribe("carol", "pro")
    for method in ("GET", "HEAD", "PUT", "DELETE", "PROPFIND", "OPTIONS", "MKCOL", "COPY", "MOVE", "LOCK"):
        refused(made.client().request(method, "/files/a.txt"), 401)
        refused(made.program("alice").request(method, "/files/a.txt", headers=BROWSER))
    assert bob.request("PUT", "/files/a.cgi", content=CGI).status_code == 201
    told = bob.get("/files/a.cgi")
    assert told.status_code == 200 and "#!/bin/sh" in told.text
    assert bob.request("PROPFIND", "/files/", headers={"Depth": "1"}).status_code == 207
    away = {"Destination": f"{made.site.url}/files/b.txt"}
    for method in ("COPY", "MOVE"):
        refused(bob.request(method, "/files/workshop/file.txt", headers=away))
        inside = {"Destination": f"{made.site.url}/files/workshop/b.txt"}
        assert bob.request(method, "/files/a.cgi", headers=inside).status_code >= 400
    assert not (made.site.root / "folder" / "workshop" / "b.txt").exists()
    refused(bob.get("/files/b.txt"), 404)
    opened(carol.get("/files/workshop/file.txt"))
    assert carol.request("COPY", "/files/workshop/file.txt", headers=away).status_code == 201
    opened(bob.get("/files/b.txt"))  # who may read it has put it there


@pytest.fixture
def php():
    """start(folder): php-fpm of our own, listening at folder/php.sock."""
    started = []

    def start(folder):
        programs = sorted(glob.glob("/usr/sbin/php-fpm*"))
        if not programs:
            pytest.skip("php-fpm is not installed")
        socket = folder / "php.sock"
        user = scratch.RUN_AS
        scratch.write(folder / "php-fpm.conf", f"""[global]
error_log = {folder}/php.log
daemonize = no
[www]
user = {user}
group = {user}
listen = {socket}
listen.owner = {user}
pm = static
pm.max_children = 2
""")
        started.append(processes.start([programs[-1], "-n", "-y", str(folder / "php-fpm.conf")],
                                       cwd=folder))
        until = time.monotonic() + 10
        while not socket.exists() and time.monotonic() < until:
            time.sleep(0.02)
        return socket

    yield start
    for process in started:
        processes.end(process)


def test_php_and_cgi_programs(served, php):
    """M9, B6, E21: no program runs for who has not paid; one that runs knows the user."""
    def programs(site):
        scratch.write(site.root / "cgi-bin" / "hello", CGI, 0o755)
        scratch.write(site.root / "docroot" / "premium" / "index.php", PHP)
        scratch.write(site.root / "docroot" / "open" / "page.php", PHP)
        return (f'Define SUBBILL_CGI "{site.root}/cgi-bin"\n'
                f'Define SUBBILL_PHP "{php(site.root)}"\n')

    made = served("scripts", before=programs, load=("proxy_fcgi",))
    for path in ("/premium/index.php", "/premium/index.php/extra", "/premium/", "/cgi-bin/hello"):
        refused(made.client().get(path), 401)
        refused(made.program("alice").get(path))
    for path in ("/premium/index.php", "/premium/index.php/extra", "/cgi-bin/hello"):
        answer = made.program("bob").get(path)
        opened(answer)
        assert "for bobok" in answer.text  # REMOTE_USER and SUBBILL_REASON
        assert "private" in answer.headers["Cache-Control"]
    assert "for nobody" in made.client().get("/open/page.php").text


def test_refusals_in_the_sites_own_words(served):
    """A33, E21: page and status, with the reason, and nothing of what is behind."""
    made = served("own-error-pages", before=lambda _: """
<Location "/workshop">
    SubbillGate pro
</Location>
""")
    folder = made.site.root / "docroot" / "errors"
    scratch.write(folder / "pay.shtml", (recipes.RECIPES / "pay.shtml").read_text())
    scratch.write(folder / "forbidden.html", "not with this plan")
    thing = made.site.subscribe("erin", "basic")
    made.site.webhook(events.subscription_updated({**thing, "status": "past_due"},
                                                  previous={"status": "active"}))
    for user, reason, words in (("alice", "no_account", "Choose a plan"), ("erin", "past_due", "Pay now")):
        for client in (made.program(user), made.browser(user)):
            answer = refused(client.get("/members/page.html"))
            assert words in answer.text and answer.text.count("<p>") == 1
            assert answer.headers["X-Subbill-Reason"] == reason
            assert "no-store" in answer.headers["Cache-Control"]
    assert refused(made.browser("bob").get("/workshop/page.html"), 403).text == "not with this plan"
    refused(made.client().get("/members/page.html"), 401)
    opened(made.program("bob").get("/members/page.html"))


def test_a_subscription_among_other_conditions(served):
    """E21, B30: any of, all of, none of."""
    def pages(site):
        for folder in ("library", "laboratory", "offer"):
            scratch.write(site.root / "docroot" / folder / "page.html", SECRET)
            scratch.write(site.root / "docroot" / folder / ".htpasswd", SECRET)
        return "Define HOUSE_NETWORK 127.0.0.9\n"

    made = served("composed", before=pages)
    made.site.subscribe("carol", "pro")

    def ask(path, user=None, house=False):
        where = {"transport": httpx.HTTPTransport(local_address="127.0.0.9" if house else "127.0.0.1")}
        with made.client(auth=(user, user) if user else None, **where) as client:
            return client.get(f"/{path}/page.html")

    refused(ask("library"), 401)
    refused(ask("library", "dave"), 402)
    for answer in (ask("library", house=True), ask("library", "alice"), ask("library", "bob")):
        opened(answer)
    assert ask("laboratory", "carol").status_code == 403
    refused(ask("laboratory", house=True), 401)
    refused(ask("laboratory", "dave", house=True), 402)
    assert refused(ask("laboratory", "bob", house=True), 403).headers["X-Subbill-Reason"] == "plan_too_low"
    opened(ask("laboratory", "carol", house=True))
    refused(ask("offer"), 401)
    opened(ask("offer", "dave"))
    refused(ask("offer", "bob"), 403)
    for folder in ("library", "laboratory", "offer"):
        assert SECRET not in made.program("bob").get(f"/{folder}/.htpasswd").text


def test_features_courses_and_credit(served):
    """B30, E21: by the catalogue's feature, by the course that the address names, by what is left."""
    def pages(site):
        made = catalogue.default()
        catalogue.plan(made, "pro")["entitlements"] = ["export"]
        site.set_catalog(made)
        for folder in ("export", "courses/knots", "courses/tides", "generate"):
            scratch.write(site.root / "docroot" / folder / "page.html", SECRET)
        return ""

    made = served("features-and-purchases", before=pages)
    made.site.subscribe("carol", "pro")
    alice, bob, carol = (made.program(name) for name in ("alice", "bob", "carol"))
    refused(made.client().get("/courses/knots/page.html"), 401)
    refused(alice.get("/export/page.html"))
    refused(bob.get("/export/page.html"), 403)
    opened(carol.get("/export/page.html"))
    refused(alice.get("/courses/knots/page.html"))
    assert made.site.ctl("purchases", "give", "alice", "course:knots").exit == 0
    opened(alice.get("/courses/knots/page.html"))
    refused(alice.get("/courses/tides/page.html"))
    refused(bob.get("/courses/knots/page.html"), 403)
    opened(carol.get("/courses/tides/page.html"))
    refused(alice.get("/generate/page.html"))
    assert made.site.ctl("credit", "set", "alice", "tokens", "100").exit == 0
    opened(alice.get("/generate/page.html"))
    assert made.site.ctl("credit", "set", "alice", "tokens", "99").exit == 0
    refused(alice.get("/generate/page.html"))
