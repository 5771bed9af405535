# Licensed under the Apache License, Version 2.0; see LICENSE.
"""SubbillCORS: front ends on other origins, before doors and on our own routes."""
import pytest
from harness import scratch
from harness.content import SECRET

FRONT, OTHER, EVIL = "https://app.example.com", "http://localhost:5173", "https://evil.example"
RETURNS = "https://shop.example.net"

CHATTY = f"""#!/bin/sh
printf 'Access-Control-Allow-Origin: *\\r\\nAccess-Control-Allow-Credentials: false\\r\\n'
printf 'Access-Control-Expose-Headers: X-Total\\r\\nX-Total: 7\\r\\n'
printf 'Content-Type: text/plain\\r\\n\\r\\n{SECRET}\\n'
"""

SITE = {
    "double": False,
    "directives": {"SubbillCORS": [f"https://APP.example.com/ {OTHER}"], "SubbillReturnURLs": RETURNS},
    "extra": """
<Location "/valid">
    Require valid-user
    SubbillGate any
</Location>
<Files "door.html">
    SubbillGate any
</Files>
<Location "/either">
    <RequireAny>
        Require subscription pro
        Require method OPTIONS
    </RequireAny>
</Location>
<Location "/dry">
    SubbillGate any
    SubbillDryRun On
</Location>
""",
}

DOORS = ["/members/page.html", "/members/", "/cgi/hello.cgi", "/dav/file.txt", "/app/x", "/require/page.html",
         "/workshop/page.html", "/valid/x", "/open/door.html", "/members/none"]


@pytest.fixture(scope="module", autouse=True)
def _world(site):
    scratch.write(site.root / "docroot" / "open" / "door.html", SECRET)
    scratch.write(site.root / "docroot" / "cgi" / "chatty.cgi", CHATTY, 0o755)
    site.subscribe("bob", "pro")


def _asks(origin, method="PUT", headers="authorization, content-type, x-trace"):
    return {"Origin": origin, "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": headers}


def _told(answer):
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("path", DOORS)
def test_preflights_of_a_door_are_answered_here(site, path):
    """C10, T13, B30: 204 for listed origins, without a login and without asking what lies behind."""
    seen = len(site.backend.requests)
    for origin in (FRONT, OTHER):
        answer = site.client.options(path, headers=_asks(origin))
        assert answer.status_code == 204 and not answer.content, (answer.status_code, answer.text)
        assert "WWW-Authenticate" not in answer.headers
        assert _told(answer) == {
            "access-control-allow-origin": origin, "access-control-allow-credentials": "true",
            "access-control-allow-methods": "PUT",
            "access-control-allow-headers": "authorization, content-type, x-trace",
            "access-control-max-age": "7200"}
        assert "Origin" in answer.headers["Vary"]
    assert len(site.backend.requests) == seen


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("origin", [EVIL, "null", FRONT + ".evil.example", FRONT + ":8443",
                                    "http://app.example.com", RETURNS])
def test_a_foreign_preflight_gets_nothing_and_reaches_nothing(site, path, origin):
    """T13, T25: no header for it, no backend asked; SubbillReturnURLs is no list of doors."""
    seen = len(site.backend.requests)
    answer = site.client.options(path, headers=_asks(origin))
    assert (answer.status_code, answer.content, _told(answer)) == (204, b"", {})
    assert "Origin" in answer.headers["Vary"] and len(site.backend.requests) == seen


@pytest.mark.parametrize("path", [path for path in DOORS if "none" not in path])
def test_answers_and_refusals_can_be_read_by_a_listed_front_end(site, path):
    """C10, B30, E21: 200, 401, 402 and 403 alike, with the reason; a foreign one reads nothing."""
    site.subscribe("carol", "basic")
    for user in (None, "alice", "carol", "bob"):
        client = site.client.user(user) if user else site.client
        for origin in (FRONT, EVIL):
            answer = client.get(path, headers={"Origin": origin})
            assert answer.status_code in (200, 401, 402, 403, 404), (user, answer)
            assert "Origin" in answer.headers["Vary"], (user, answer.status_code)
            if origin == EVIL:
                assert _told(answer) == {}, (user, answer.status_code)
                continue
            assert answer.headers.get_list("Access-Control-Allow-Origin") == [FRONT], (user, answer)
            assert answer.headers["Access-Control-Allow-Credentials"] == "true"
            assert "X-Subbill-Reason" in answer.headers["Access-Control-Expose-Headers"]
            assert (SECRET in answer.text) == (answer.status_code == 200)
    assert "Origin" in site.client.user("bob").get(path).headers["Vary"]


def test_the_backends_own_headers_are_replaced_not_doubled(site):
    """C10: one answer for a listed origin; what the backend exposes stays exposed."""
    answer = site.client.user("bob").get("/cgi/chatty.cgi", headers={"Origin": FRONT})
    assert answer.headers.get_list("Access-Control-Allow-Origin") == [FRONT]
    assert answer.headers.get_list("Access-Control-Allow-Credentials") == ["true"]
    assert answer.headers["Access-Control-Expose-Headers"] == \
        "Retry-After, WWW-Authenticate, X-Subbill-Reason, X-Total"
    foreign = site.client.user("bob").get("/cgi/chatty.cgi", headers={"Origin": EVIL})
    assert foreign.headers["Access-Control-Allow-Origin"] == "*"  # the backend's own business


def test_open_pages_and_plain_options_are_left_alone(site):
    """T13: OPTIONS without a preflight's questions is gated as every method; open paths are not ours."""
    for headers in ({}, {"Origin": FRONT}, {"Access-Control-Request-Method": "PUT"}):
        answer = site.client.user("alice").options("/members/page.html", headers=headers)
        assert answer.status_code == 402
    answer = site.client.options("/open/page.html", headers=_asks(FRONT))
    assert answer.status_code == 200 and _told(answer) == {}
    assert _told(site.client.get("/open/page.html", headers={"Origin": FRONT})) == {}
    # Where the site itself opens the door for OPTIONS, what lies behind answers.
    assert site.client.options("/either/x", headers=_asks(EVIL)).status_code in (200, 404)


def test_a_door_that_only_rehearses_leaves_preflights_to_what_lies_behind(site):
    """D24: under SubbillDryRun nothing is changed."""
    for answer in (site.client.options("/dry/x", headers=_asks(FRONT)),
                   site.client.get("/dry/x", headers={"Origin": FRONT})):
        assert not _told(answer) and answer.status_code != 204


@pytest.mark.parametrize("asked", ["x\"y", "a<b>", "x" * 3000, "caf\xe9"])
def test_only_names_are_repeated(site, asked):
    """T25: what a preflight asks comes back only as a list of names."""
    headers = {"Origin": FRONT, "Access-Control-Request-Method": "GET",
               "Access-Control-Request-Headers": asked.encode("latin-1")}
    answer = site.client.options("/members/page.html", headers=headers)
    assert answer.status_code == 204
    assert "Access-Control-Allow-Headers" not in answer.headers


@pytest.mark.parametrize("origin", [FRONT, RETURNS])
def test_our_own_routes_know_both_lists(site, origin):
    """C10, C45: SubbillCORS adds to what SubbillReturnURLs lets call our JSON routes."""
    answer = site.client.options("/subbill/checkout", headers=_asks(origin, "POST"))
    assert answer.status_code == 204 and answer.headers["Access-Control-Allow-Origin"] == origin
    answer = site.client.user("bob").post("/subbill/checkout", json={"nonsense": 1}, headers={"Origin": origin})
    assert answer.status_code == 400 and answer.headers["Access-Control-Allow-Origin"] == origin
    assert "X-Subbill-Reason" in answer.headers["Access-Control-Expose-Headers"]
    answer = site.client.user("bob").post("/subbill/checkout", json={"nonsense": 1}, headers={"Origin": EVIL})
    assert answer.status_code == 403 and _told(answer) == {}


def test_http2_preflights_alike(site):
    """T18: the same answer on every stream."""
    if not site.httpd_has_http2:
        pytest.skip("HTTP/2 needs a threaded MPM")
    client = site.client.http2()
    answer = client.options("/app/x", headers=_asks(FRONT))
    assert answer.status_code == 204 and answer.headers["access-control-allow-origin"] == FRONT
    answer = client.get("/app/x", headers={"Origin": FRONT})
    assert answer.status_code == 401 and answer.headers["access-control-allow-origin"] == FRONT


def test_a_virtual_host_has_its_own_list(make_site):
    """C10: inherited by hosts without a list, replaced by one; without any list nothing changes."""
    site = make_site(double=False, directives={"SubbillCORS": FRONT})
    hosts = "".join(f"""
<VirtualHost *:{site.port}>
    ServerName {name}.example
    {line}
</VirtualHost>
""" for name, line in (("plain", ""), ("own", f"SubbillCORS {OTHER}"), ("more", "SubbillCatchUp 60")))
    site.reconfigure(extra=hosts)
    for name, origin in (("plain", FRONT), ("own", OTHER), ("more", FRONT)):
        for asked in (FRONT, OTHER):
            answer = site.client.options("/members/page.html",
                                         headers={**_asks(asked), "Host": f"{name}.example",
                                                  "Connection": "close"})
            assert answer.status_code == 204, name
            assert ("access-control-allow-origin" in answer.headers) == (asked == origin), (name, asked)
    dump = site.httpd.apachectl("-t", "-D", "DUMP_SUBBILL").output
    assert '"cors"' in dump and f'"{OTHER}"' in dump
    site.reconfigure(directives={"SubbillCORS": None}, extra="")
    answer = site.client.options("/members/page.html", headers=_asks(FRONT))
    assert answer.status_code == 401 and _told(answer) == {} and "Origin" not in answer.headers.get("Vary", "")


@pytest.mark.parametrize("line,word", [
    ("SubbillCORS", "SubbillCORS"), ("SubbillCORS *", "https://www.example.com"),
    ("SubbillCORS null", "https://"), ("SubbillCORS app.example.com", "https://"),
    ("SubbillCORS https://app.example.com/shop", "has a path"),
    ("SubbillCORS https://app.example.com?x", "SubbillCORS"), ("SubbillCORS ftp://app.example.com", "https://"),
    ('<Location "/x">\nSubbillCORS https://app.example.com\n</Location>', "not allowed in")])
def test_what_is_no_origin_is_refused(make_site, line, word):
    """T25: configtest names the directive and says what to write."""
    site = make_site(double=False, start=False)
    site.reconfigure(graceful=False, extra=f"{line}\n")
    done = site.httpd.configtest()
    assert done.exit != 0 and "SubbillCORS" in done.output and word in done.output
