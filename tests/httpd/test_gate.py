# Licensed under the Apache License, Version 2.0; see LICENSE.
"""SubbillGate and Require subscription: right status, way back, nothing of the page behind."""
import socket
import subprocess
import time

import pytest
from harness import cached, events, scratch
from harness.content import PUBLIC, SECRET

SITE = {
    "double": False,
    "load": ("access_compat",),
    "extra": """
<Location "/members/hole">
    Require all granted
    Satisfy Any
</Location>
<Location "/members/free">
    SubbillGate Off
</Location>
<Location "/loggedin">
    SubbillGate free
</Location>
<Location "/either">
    <RequireAny>
        Require subscription pro
        Require method OPTIONS
    </RequireAny>
</Location>
<Location "/both">
    <RequireAll>
        Require valid-user
        Require not subscription pro
    </RequireAll>
</Location>
<Location "/env">
    AuthType None
    SubbillUser "%{env:SB_WHO}"
    SubbillGate any
    Require all granted
</Location>
<Location "/always402">
    SubbillGate any
    SubbillOnDeny 402
</Location>
<Location "/always403">
    SubbillGate any
    SubbillOnDeny 403
</Location>
<Location "/elsewhere">
    SubbillGate any
    SubbillOnDeny redirect https://shop.example/buy
</Location>
<Location "/graceful">
    SubbillGate any
    SubbillGrace 3
</Location>
SetEnvIf X-Who "(.*)" SB_WHO=$1
""",
}

PLACES = ["/members/", "/members/page.html", "/members/deep/er/page.html", "/cgi/hello.cgi",
          "/dav/file.txt", "/app/anything", "/require/", "/require/page.html"]


def _refused(answer, status=402):
    assert answer.status_code == status, f"{answer.status_code} {answer.headers} {answer.text[:300]}"
    assert SECRET not in answer.text
    assert "no-store" in answer.headers.get("Cache-Control", "") or status == 401


@pytest.fixture(scope="module")
def payer(site):
    site.subscribe("bob", "basic")
    return "bob"


@pytest.mark.parametrize("path", PLACES)
def test_a_stranger_meets_the_sites_login(site, path):
    """M7, M9, B30: anonymous people are asked who they are; nothing is shown."""
    for client, kind in ((site.client, "application/problem+json"), (site.client.browser(), "text/html")):
        answer = client.get(path)
        _refused(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
        assert answer.headers["Content-Type"].startswith(kind)
        assert answer.headers["X-Subbill-Reason"] == "no_identity"
        assert answer.headers["Cache-Control"] == "no-store"
    problem = site.client.get(path).json()
    assert problem["status"] == 401 and problem["code"] == problem["reason"] == "no_identity"


@pytest.mark.parametrize("path", PLACES)
def test_a_program_without_a_subscription_gets_402(site, path):
    """M7, B7, B30, E21: files, directories, CGI, DAV, proxied applications and Require alike."""
    answer = site.client.user("alice").get(path)
    _refused(answer)
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.headers["X-Subbill-Reason"] in ("no_account", "no_subscription")
    assert "WWW-Authenticate" not in answer.headers
    problem = answer.json()
    assert problem["status"] == 402
    assert problem["links"]["plans"].endswith("/subbill/plans")


@pytest.mark.parametrize("path", PLACES)
def test_a_browser_without_a_subscription_is_shown_the_plans_with_the_way_back(site, path):
    """A38, E21: 303 to the plans page, which knows where the person wanted to go."""
    answer = site.client.browser("alice").get(path + "?x=1&y=2")
    _refused(answer, 303)
    assert "/subbill/plans?reason=no_" in answer.headers["Location"]
    assert answer.headers["Location"].endswith(
        "next=" + path.replace("/", "%2F") + "%3Fx%3D1%26y%3D2")


@pytest.mark.parametrize("path", PLACES)
def test_a_subscriber_gets_the_page_and_no_cache_may_keep_it(site, payer, path):
    """M7, B7, T20: granted, private."""
    answer = site.client.user(payer).get(path)
    assert answer.status_code == 200
    assert SECRET in answer.text
    control = answer.headers["Cache-Control"]
    assert "private" in control and "public" not in control and "s-maxage" not in control


def test_too_low_a_plan_is_403_with_a_link_to_a_higher_one(site, payer):
    """E21: the person is known and has paid, so neither login nor 402."""
    for path in ("/workshop/page.html", "/require-pro/page.html"):
        answer = site.client.user(payer).get(path)
        _refused(answer, 403)
        assert answer.headers["X-Subbill-Reason"] == "plan_too_low"
        page = site.client.browser(payer).get(path)
        _refused(page, 403)
        assert "/subbill/plans" in page.text
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_higher_rank_opens_what_a_lower_one_opens(site):
    """E21: pro passes where basic does."""
    site.subscribe("carol", "pro")
    for path in ("/members/page.html", "/workshop/page.html", "/require-pro/page.html"):
        assert site.client.user("carol").get(path).status_code == 200


def test_the_free_plan_is_held_by_everybody_who_is_logged_in(site):
    """A1, E1: named it opens, `any` does not count it."""
    _refused(site.client.get("/loggedin/x"), 401)
    assert site.client.user("alice").get("/loggedin/x").status_code == 404  # open, no such file


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND", "MKCOL",
                                    "COPY", "MOVE", "LOCK", "TRACE", "BREW"])
def test_every_method_is_gated(site, method):
    """T13, T17: no method passes, and the proxied application never hears of it."""
    seen = len(site.backend.requests)
    for path in ("/members/page.html", "/dav/file.txt", "/app/x"):
        for client in (site.client, site.client.user("alice")):
            answer = client.request(method, path)
            # httpd answers TRACE itself, with the request and nothing else.
            echoed = method == "TRACE" and answer.status_code == 200
            assert echoed or answer.status_code in (401, 402, 405, 501), (method, path, answer)
            assert SECRET not in answer.text
    assert len(site.backend.requests) == seen


@pytest.mark.parametrize("path", [
    "/members/./page.html", "//members/page.html", "/members//page.html", "/open/../members/page.html",
    "/%6dembers/page.html", "/members/%70age.html", "/open/%2e%2e/members/page.html",
    "/members/page.html/", "/members/page.html/extra", "/members/page.html;x", "/members/page.html%00",
    "/MEMBERS/page.html", "/members%2fpage.html", "/.%2e/members/page.html", "/members/page.html?",
    "/open/includes.shtml", "/members/page.html%3fx", "/members/%2e/page.html", "/members/page%2ehtml"])
def test_no_spelling_of_the_path_leads_round_the_gate(site, path):
    """T12, T15: dots, slashes, escapes, path info, SSI."""
    site.allow_log("AH10244|unable to include")
    for client in (site.client, site.client.user("alice")):
        raw = client.build_request("GET", site.url + "/")
        with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
            lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{site.port}", "Connection: close"]
            if client is not site.client:
                lines.append("Authorization: Basic YWxpY2U6YWxpY2U=")
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert SECRET.encode() not in answer, raw


@pytest.mark.parametrize("headers", [
    {"Range": "bytes=0-99"}, {"If-None-Match": "*"}, {"If-Modified-Since": "Mon, 01 Jan 2035 00:00:00 GMT"},
    {"If-Range": '"x"', "Range": "bytes=0-"}, {"X-Original-URL": "/open/"}, {"X-Rewrite-URL": "/open/"},
    {"X-HTTP-Method-Override": "OPTIONS"}, {"Upgrade": "h2c"}, {"Expect": "100-continue"},
    {"X-Forwarded-User": "bob"}, {"Remote-User": "bob"}])
def test_no_header_opens_or_probes_the_gate(site, payer, headers):
    """T14, T19, T23: ranges, conditions and pretended identities say nothing about the page."""
    for path in ("/members/page.html", "/app/x"):
        answer = site.client.user("alice").get(path, headers=headers)
        assert answer.status_code == 402, (headers, answer.status_code)
        assert SECRET not in answer.text
        assert "ETag" not in answer.headers and "Last-Modified" not in answer.headers


def test_nested_configuration_does_not_open_the_gate(site):
    """T45: Require all granted and Satisfy Any in a nested section change nothing."""
    scratch.write(site.root / "docroot" / "members" / "hole" / "page.html", SECRET)
    _refused(site.client.get("/members/hole/page.html"), 401)
    _refused(site.client.user("alice").get("/members/hole/page.html"))


def test_htaccess_does_not_open_the_gate(make_site):
    """T45: twelve ways an author of .htaccess may try."""
    site = make_site(double=False, allow_override="All", load=("access_compat",))
    for line in ("Require all granted", "Satisfy Any", "Require all granted\nSatisfy Any",
                 "Allow from all\nSatisfy Any", "AuthType None", "AuthType None\nRequire all granted",
                 "RewriteEngine On\nRewriteRule .* - [E=REMOTE_USER:bob]", "SetHandler default-handler",
                 "Options +Indexes", "DirectoryIndex page.html", "ErrorDocument 402 /members/page.html",
                 "FallbackResource /members/page.html"):
        scratch.write(site.root / "docroot" / "members" / ".htaccess", line + "\n")
        site.allow_log("access_compat|AH01797|AH01630")
        for client in (site.client, site.client.user("alice"), site.client.browser("alice")):
            for path in ("/members/", "/members/page.html", "/members/none"):
                answer = client.get(path)
                assert SECRET not in answer.text, (line, path)
                assert answer.status_code in (303, 401, 402, 403, 500), (line, path, answer.status_code)


def test_only_the_gates_own_directive_changes_it(site):
    """T45: SubbillGate Off in the server's configuration is the one way to open a part."""
    scratch.write(site.root / "docroot" / "members" / "free" / "page.html", PUBLIC)
    assert site.client.get("/members/free/page.html").text == PUBLIC


def test_internal_requests_do_not_walk_in(make_site):
    """T15: DirectoryIndex, SSI, rewrites with PT, ErrorDocument, FallbackResource, Alias."""
    site = make_site(double=False, extra="""
RewriteEngine On
RewriteRule ^/back-door$ /members/page.html [PT]
Alias "/cellar" "${SB_ROOT}/docroot/members"
<Location "/cellar">
    SubbillGate any
</Location>
<Location "/broken">
    ErrorDocument 404 /members/page.html
</Location>
<Location "/fallback">
    FallbackResource /members/page.html
</Location>
""", start=False)
    site.httpd.configure(f"Define SB_ROOT {site.root}\n" + site._conf())
    site.start()
    site.allow_log("unable to include")
    for client in (site.client, site.client.user("alice")):
        for path in ("/back-door", "/cellar/page.html", "/cellar/", "/broken/x", "/fallback/x",
                     "/open/includes.shtml"):
            answer = client.get(path)
            assert SECRET not in answer.text, path


def test_the_refusal_is_the_same_whatever_is_behind(site):
    """T16: byte for byte one body for file, directory, CGI, DAV and proxy."""
    bodies = {site.client.user("alice").get(path).text.replace(path, "")
              for path in ("/members/page.html", "/members/", "/cgi/hello.cgi", "/dav/file.txt", "/app/x")}
    assert len(bodies) == 1


def test_mod_cache_never_hands_a_gated_page_to_a_stranger(make_site):
    """T20: the quick handler runs before every check, so nothing gated may be stored, even where mod_cache is
    told to store what is private; people are told by a header, of which it knows nothing."""
    site = _cached_site(make_site, "CacheStorePrivate On\nCacheStoreNoStore On\n")
    site.allow_log("unable to include")
    for path in ("/members/page.html", "/members/", "/app/x", "/cgi/hello.cgi", "/require/page.html",
                 "/open/includes.shtml"):
        for _ in range(2):
            answer = site.client.get(path, headers={"X-Who": "bob"})
            assert SECRET in answer.text and "Age" not in answer.headers, path
            for headers in ({}, {"X-Who": "alice"}):
                answer = site.client.get(path, headers=headers)
                if path == "/open/includes.shtml":
                    assert SECRET not in answer.text
                else:
                    _refused(answer, 402 if headers else 401)


def test_requirements_compose(site):
    """E21: RequireAny, RequireAll and not, with the codes a person understands."""
    assert site.client.user("alice").options("/either/").status_code in (200, 404)
    _refused(site.client.user("alice").get("/either/"))
    site.subscribe("dave", "pro")
    assert site.client.user("dave").get("/either/").status_code == 404
    assert site.client.user("alice").get("/both/").status_code == 404
    assert site.client.user("dave").get("/both/").status_code in (401, 403)


def test_an_identity_from_an_expression_needs_no_authtype(site, payer):
    """B24: whoever another module put into the environment."""
    assert site.client.get("/env/x", headers={"X-Who": payer}).status_code == 404
    assert site.client.get("/env/x", headers={"X-Who": "alice"}).status_code == 402
    assert site.client.get("/env/x").status_code == 401


@pytest.mark.parametrize("name", ["a" * 191, "tab\there", "caf\xe9"])
def test_names_we_do_not_take_are_refused(site, name):
    """T22: control bytes, over-long names, invalid UTF-8."""
    site.allow_log("SB101")
    answer = site.client.get("/env/x", headers={"X-Who": name.encode("latin-1")})
    assert answer.status_code == 403
    assert answer.headers["X-Subbill-Reason"] == "bad_identity"


def test_names_are_exact_bytes(site, payer):
    """T22: neither case nor space nor accent makes another's plan mine."""
    # Leading and trailing blanks never reach us: HTTP strips them from a header's value.
    for name in ("Bob", "BOB", "bo b", "b\u00f3b", "bob\u200b", "bo\u0062\u0301", "bob%20", "bob,bob"):
        answer = site.client.get("/env/x", headers={"X-Who": name.encode()})
        assert answer.status_code == 402, name


def test_what_a_refusal_looks_like_is_the_sites_choice(site):
    """E21: SubbillOnDeny."""
    for client in (site.client.user("alice"), site.client.browser("alice")):
        _refused(client.get("/always402/x"), 402)
        _refused(client.get("/always403/x"), 403)
        answer = client.get("/elsewhere/x")
        _refused(answer, 303)
        assert answer.headers["Location"] == "https://shop.example/buy"
    page = site.client.browser("alice").get("/always402/x")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "/subbill/plans" in page.text


def test_the_administrators_error_document_is_used(make_site):
    """Facts of httpd: ErrorDocument 402 goes on working, and knows the reason."""
    site = make_site(double=False, extra='ErrorDocument 402 "please pay"\n')
    answer = site.client.user("alice").get("/members/page.html")
    assert (answer.status_code, answer.text) == (402, "please pay")


def test_grace_keeps_a_past_due_subscriber_in_where_the_site_says_so(site):
    """A16: past_due is the site's own decision, per location, and never for ever."""
    thing = site.subscribe("erin", "basic")
    late = {**thing, "status": "past_due"}
    site.webhook(events.subscription_updated(late, previous={"status": "active"}))
    answer = site.client.user("erin").get("/members/page.html")
    _refused(answer)
    assert answer.headers["X-Subbill-Reason"] == "past_due"
    assert site.client.user("erin").get("/graceful/x").status_code == 404


def test_http2_is_gated_alike(site, payer):
    """T18: the same decision on every stream."""
    if not site.httpd_has_http2:
        pytest.skip("HTTP/2 needs a threaded MPM")
    client = site.client.http2()
    assert client.get("/members/page.html").status_code == 401
    assert client.get("/members/page.html", auth=("alice", "alice")).status_code == 402
    assert SECRET in client.get("/members/page.html", auth=("bob", "bob")).text


def test_a_site_can_be_closed_as_a_whole(make_site):
    """M9: <Location "/"> closed; our own pages and the webhook stay open."""
    site = make_site(double=False, gates='<Location "/">\nSubbillGate any\n</Location>\n')
    _refused(site.client.get("/open/"), 401)
    _refused(site.client.user("alice").get("/"))
    assert site.client.get("/subbill/plans").status_code == 200
    site.subscribe("bob", "basic")
    assert site.client.user("bob").get("/open/").status_code == 200


def test_with_the_switch_off_the_gate_stays_closed(make_site):
    """C33: Off is no way in."""
    site = make_site(double=False, directives={"SubbillEnabled": "Off"})
    answer = site.client.user("alice").get("/members/page.html")
    assert answer.status_code == 503 and answer.headers["X-Subbill-Reason"] == "disabled"
    assert SECRET not in answer.text


def test_routes_fit_addresses_that_exist_already(make_site):
    """A12, B1, C10, C12, D5, E6, E7: SubbillRoute mounts exactly there and wins over everything."""
    site = make_site(double=False, extra='ProxyPass / http://127.0.0.1:9/\n', directives={"SubbillRoute": [
        "webhook /payments/webhook/stripe/", "plans /payments/plans/", "plans /pricing",
        "account /accounts/profil/", "checkout /billing/stripe/checkout-session/"]})
    assert site.client.get("/payments/plans/").status_code == 200
    assert site.client.get("/pricing").status_code == 200
    assert site.webhook(events.customer_created(events.customer(None)),
                        path="/payments/webhook/stripe/").status_code == 200
    assert site.webhook(events.customer_created(events.customer(None)),
                        path="/payments/webhook/stripe").status_code == 200
    answer = site.client.browser("alice").get("/members/page.html")
    assert "/payments/plans/?reason=" in answer.headers["Location"]


def test_a_warm_gate_asks_the_database_nothing(make_site):
    """No query on a cache hit: the database may vanish and a known subscriber still gets in."""
    site = make_site(double=False, httpd={"processes": 1})
    site.subscribe("bob", "basic")
    assert site.client.user("bob").get("/members/page.html").status_code == 200
    site.database.path.rename(site.database.path.with_suffix(".away"))
    started = time.monotonic()
    assert site.client.user("bob").get("/members/page.html").status_code == 200
    assert time.monotonic() - started < 2
    site.database.path.with_suffix(".away").rename(site.database.path)


def test_access_logs_can_tell_the_reason(make_site):
    """D24: %{SUBBILL_REASON}e in a LogFormat."""
    site = make_site(double=False, extra='CustomLog "${SB_LOG}" "%s %{SUBBILL_REASON}e"\n', start=False)
    site.httpd.configure(f"Define SB_LOG {site.root}/logs/reason.log\n" + site._conf())
    site.start()
    site.client.user("alice").get("/members/page.html")
    for _ in range(50):  # httpd writes the line after the answer
        if (text := (site.root / "logs" / "reason.log").read_text()):
            break
        time.sleep(0.02)
    assert "402 no_" in text


def test_litmus_free_dav_work_goes_on_for_a_subscriber(site, payer):
    """T17: PUT, PROPFIND, COPY, DELETE for who has paid."""
    client = site.client.user(payer)
    assert client.put("/dav/new.txt", content=b"mine").status_code == 201
    assert client.request("PROPFIND", "/dav/", headers={"Depth": "1"}).status_code == 207
    assert client.delete("/dav/new.txt").status_code == 204


def test_the_way_to_a_login_form_is_not_kept(make_site):
    """T20, GATE: mod_auth_form sends away before the gate is asked, and mod_expires would let everybody keep that."""
    site = make_site(double=False, load=("session", "session_cookie", "auth_form", "request", "expires"), extra="""
<Location "/members">
    AuthType form
    AuthFormProvider file
    AuthFormLoginRequiredLocation "/open/login.html"
    Session On
    SessionCookieName session path=/
    ExpiresActive On
    ExpiresDefault "access plus 1 hour"
</Location>
""")
    answer = site.client.get("/members/page.html")
    assert answer.status_code == 302 and answer.headers["Location"].endswith("/open/login.html")
    assert answer.headers["Cache-Control"] == "no-store" and "Expires" not in answer.headers


def test_nobody_looks_up_members_for_a_listing_that_mod_dav_refuses(make_site):
    """T17, DOS: a listing without end is for mod_dav to refuse, unless it may be had: then its members are asked for."""
    shelf = """
<Directory "{root}/docroot/shelf">
    Dav On
    {endless}
</Directory>
<Location "/shelf/closed">
    SubbillGate any
</Location>
"""
    site = make_site(double=False)
    site.allow_log("AH01229|AH00571|depth")
    scratch.write(site.root / "docroot" / "shelf" / "closed" / "book.txt", SECRET)
    for endless, status in (("", 403), ("DavDepthInfinity Off", 403), ("DavDepthInfinity On", 402),
                            ("davdepthinfinity \"on\"", 402)):
        site.reconfigure(extra=shelf.format(root=site.root, endless=endless))
        answer = site.client.user("alice").request("PROPFIND", "/shelf/")
        assert answer.status_code == status
        assert ('Depth of "infinity"' in answer.text) == (status == 403)


def test_a_refused_upload_leaves_nothing(site):
    """T17: the body of a refused PUT is never stored."""
    _refused(site.client.user("alice").put("/dav/theirs.txt", content=b"x" * 100000))
    assert not (site.root / "docroot" / "dav" / "theirs.txt").exists()
    assert subprocess.run(["ls", site.root / "docroot" / "dav"], check=True,
                          capture_output=True).stdout == b"file.txt\n"


def _cached_site(make_site, extra=""):
    site = make_site(double=False, load=("cache", "cache_disk"), start=False)
    cached.configure(site, extra)
    site.start()
    site.subscribe("bob", "basic")
    cached.works(site)
    return site


def test_no_cache_keeps_what_a_requirement_or_an_included_page_guards(make_site):
    """T20: Require subscription, and a public page that includes a gated one, identity by a header."""
    site = _cached_site(make_site)
    site.allow_log("unable to include|SB403")
    for path in ("/require/page.html", "/members/page.html", "/open/includes.shtml"):
        for _ in range(3):
            answer = site.client.get(path, headers={"X-Who": "bob"})
            assert SECRET in answer.text, path
            assert "private" in answer.headers["Cache-Control"], path
        for headers in ({}, {"X-Who": "alice"}):
            assert SECRET not in site.client.get(path, headers=headers).text, path


def test_a_gated_answer_stays_private_through_internal_redirects(make_site):
    """T15, T20: front controllers, DirectoryIndex and local redirects of programs."""
    site = make_site(double=False, allow_override="All", extra="""
<Files "one.html">
    SubbillGate any
</Files>
""")
    root = site.root / "docroot"
    scratch.write(root / "members" / "virtual" / ".htaccess",
                  "Options +FollowSymLinks\nRewriteEngine On\nRewriteRule ^ /open/page.html [L]\n")
    scratch.write(root / "files" / ".htaccess", "DirectoryIndex one.html\n")
    scratch.write(root / "files" / "one.html", SECRET)
    scratch.write(root / "cgi" / "away.cgi",
                  "#!/bin/sh\nprintf 'Location: /open/page.html\\r\\n\\r\\n'\n", 0o755)
    site.subscribe("bob", "basic")
    for path in ("/members/virtual/x", "/files/", "/cgi/away.cgi"):
        answer = site.client.user("bob").get(path)
        assert answer.status_code == 200, path
        assert "private" in answer.headers.get("Cache-Control", ""), path
    refused = site.client.user("alice").get("/files/")
    _refused(refused)
    assert refused.headers["X-Subbill-Reason"].startswith("no_")
    assert refused.json()["links"]["plans"].endswith("/subbill/plans")


@pytest.mark.parametrize("document", ["/subbill/account", "/workshop/page.html", "/members/page.html"])
def test_the_name_of_a_failed_login_is_nobodys(make_site, document):
    """T12, T15: ErrorDocument 401 inherits r->user although the password was wrong."""
    site = make_site(double=False, extra=f"ErrorDocument 401 {document}\n")
    site.subscribe("bob", "pro")
    site.allow_log("AH01617|AH01618")
    for path in ("/subbill/account", "/members/page.html", "/workshop/page.html"):
        for accept in ("application/json", "text/html"):
            answer = site.client.get(path, auth=("bob", "wrong"), headers={"Accept": accept})
            assert answer.status_code == 401, (path, answer.status_code)
            assert SECRET not in answer.text and "basic" not in answer.text
            assert "csrf" not in answer.text


def test_a_limit_around_a_gate_is_refused(make_site):
    """T13, T45: httpd drops <Limit> round a directive like ours; an Off for one method must not open all."""
    site = make_site(double=False, start=False)
    for line in ("SubbillGate Off", "SubbillUser bob", "SubbillOnDeny 402", "SubbillGrace 3"):
        site.reconfigure(graceful=False, extra='<Location "/members">\n<Limit OPTIONS>\n'
                                               f'{line}\n</Limit>\n</Location>\n')
        done = site.httpd.configtest()
        assert done.exit != 0 and line.split()[0] in done.output


def test_only_our_own_handlers_are_waived(make_site):
    """T12, T15: a rewrite to a route's path finds the route, never a file that lies there too."""
    site = make_site(double=False, gates='<Location "/">\nSubbillGate any\n</Location>\n',
                     directives={"SubbillRoute": ["style /styles", "plans /pricing"]}, extra="""
RewriteEngine On
RewriteRule ^/x/(.*)$ /styles/$1 [PT]
RewriteRule ^/cheap$ /pricing [PT]
""")
    scratch.write(site.root / "docroot" / "styles" / "secret.html", SECRET)
    for path in ("/x/secret.html", "/styles/secret.html"):
        for client in (site.client, site.client.user("alice")):
            assert SECRET not in client.get(path).text
    assert site.client.get("/cheap").json()["plans"]


def test_a_payers_conditional_request_keeps_its_validators(site, payer):
    """T14: a 304 is part of a granted answer, not a refusal."""
    first = site.client.user(payer).get("/members/page.html")
    again = site.client.user(payer).get("/members/page.html",
                                        headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.headers["ETag"]) == (304, first.headers["ETag"])
    assert again.headers["Cache-Control"] == "private, no-cache"


def test_a_page_of_ours_as_error_document_keeps_the_error(make_site):
    """E21: ErrorDocument 402 /subbill/plans shows the plans and still says 402."""
    site = make_site(double=False, extra="ErrorDocument 402 /subbill/plans\n")
    answer = site.client.user("alice").get("/members/page.html")
    assert answer.status_code == 402 and answer.json()["plans"]
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_way_to_the_plans_knows_the_sites_own_address(make_site):
    """A13, A22: behind a proxy with a path prefix the redirect stays on the public address."""
    site = make_site(double=False, directives={"SubbillBaseURL": "https://www.example.com/club"})
    answer = site.client.browser("alice").get("/members/page.html")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/club/subbill/plans?reason=no_")
    assert answer.headers["Location"].endswith("next=%2Fclub%2Fmembers%2Fpage.html")


def test_the_backends_own_words_for_shared_caches_are_dropped(make_site):
    """T20: vendor headers that outrank Cache-Control."""
    site = make_site(double=False, extra="""
Header always set X-Accel-Expires 3600
Header set Surrogate-Control "max-age=600"
Header set CDN-Cache-Control "max-age=600"
Header set Vercel-CDN-Cache-Control "max-age=600"
Header set acme-cache-control "max-age=600"
Header set Cache-Control "public, s-maxage=600, max-age=60"
""")
    site.subscribe("bob", "basic")
    headers = site.client.user("bob").get("/members/page.html").headers
    assert headers["Cache-Control"] == "private, max-age=60"
    for name in ("X-Accel-Expires", "Surrogate-Control", "CDN-Cache-Control", "Vercel-CDN-Cache-Control",
                 "acme-cache-control"):
        assert name not in headers


def test_what_the_site_says_about_keeping_holds_for_the_payer_alone(make_site):
    """T20: max-age and Expires stay, for the browser's own cache, which is told whose answer it was."""
    site = make_site(double=False, load=("expires",), extra="""
<Location "/members/deep">
    Header set Cache-Control "public, max-age=60"
</Location>
<Location "/members/page.html">
    ExpiresActive On
    ExpiresDefault "access plus 1 minute"
    Header unset Cache-Control
</Location>
""")
    site.subscribe("bob", "basic")
    client = site.client.user("bob")
    deep = client.get("/members/deep/er/page.html")
    assert deep.headers["Cache-Control"] == "private, max-age=60"
    assert "Cookie" in deep.headers["Vary"] and "Authorization" in deep.headers["Vary"]
    assert "no-cache" in client.get("/members/").headers["Cache-Control"]
