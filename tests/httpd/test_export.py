# Licensed under the Apache License, Version 2.0; see LICENSE.
"""SubbillExport: applications learn who was let in, and from nobody but the module."""
import itertools
import json
import socket

import pytest
from harness import catalogue, events, scratch

EXTRA = """
ProxyPass /plain/ {backend}/
ProxyPass /told/ {backend}/
ProxyPass /asked/ {backend}/
<Location "/told">
    SubbillGate any
    SubbillExport headers
</Location>
<Location "/told/quiet">
    SubbillExport env
</Location>
<Location "/asked">
    Require subscription
    SubbillExport headers
    RequestHeader set X-Subbill-Plan "overwritten" early
    RequestHeader set X-Noted "%{{SUBBILL_PLAN}}e/%{{SUBBILL_STATUS}}e"
</Location>
<Location "/cgi">
    SubbillExport env
</Location>
<Location "/cgi/off">
    SubbillExport off
</Location>
<Location "/foyer">
    DirectoryIndex echo.cgi
</Location>
<Location "/foyer/echo.cgi">
    SubbillGate any
    SubbillExport headers
</Location>
<Location "/named">
    AuthType None
    SubbillUser "%{{env:SB_WHO}}"
    SubbillGate any
    SubbillExport headers
</Location>
ProxyPass /named/ {backend}/
SetEnvIf X-Who "\\"(.*)\\"" SB_WHO=$1
MergeTrailers on
ErrorDocument 402 /open/echo.cgi
"""

ECHO = """#!/bin/sh
[ -n "$CONTENT_LENGTH$HTTP_TRANSFER_ENCODING" ] && cat >/dev/null
printf 'Content-Type: text/plain\\r\\n\\r\\n'
env | sort
"""

SITE = {"double": False}

# What RFC 9110 allows in a name besides letters and digits; CGI folds all of it to one underscore.
SEPARATORS = "-_.~!#$%&'*+^`|"
SPELLINGS = [f"{x}{one}{word}{two}{name}"
             for one, two in itertools.product(SEPARATORS, SEPARATORS)
             for x, word, name in [("X", "Subbill", "User"), ("x", "SUBBILL", "plan"),
                                   ("X", "subbill", "Status")]]
SPOOF = "spoofed-by-a-client"


def _catalogue():
    made = catalogue.default()
    catalogue.plan(made, "basic")["entitlements"] = ["downloads", "forum"]
    catalogue.plan(made, "pro")["entitlements"] = ["downloads", "forum", "workshop"]
    made["plans"].append({"plan": "video", "name": "Video", "group": "video", "rank": 1,
                          "entitlements": ["forum", "video.hd"],
                          "prices": [{"interval": "month", "amount": 500,
                                      "id": "price_1SbVideoMonthEUR0000001"}]})
    return made


@pytest.fixture(scope="module", autouse=True)
def _world(site):
    scratch.write(site.root / "docroot" / "open" / "echo.cgi", ECHO, 0o755)
    for place in ("cgi", "cgi/off", "foyer"):
        scratch.write(site.root / "docroot" / place / "echo.cgi", ECHO, 0o755)
    site.set_catalog(_catalogue())
    site.reconfigure(extra=EXTRA.format(backend=site.backend.url))
    site.subscribe("bob", "basic")


def fold(name):
    return "".join(c.upper() if c.isascii() and c.isalnum() else "_" for c in name)


def ours(answer):
    """What an application saw of ours, by folded name; the answer of the echoing programs."""
    if answer.headers["Content-Type"].startswith("application/json"):
        pairs = answer.json()["headers"]
    else:
        pairs = [line.split("=", 1) for line in answer.text.splitlines() if "=" in line]
    found = {}
    for name, value in pairs:
        if "SUBBILL" in fold(name) or SPOOF in value:
            found.setdefault(fold(name), []).append(value)
    return found


def raw(site, lines, body=b"", host=None):
    """Sends a request of these lines and returns all that came back."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as connection:
        head = "\r\n".join([*lines, f"Host: {host or f'127.0.0.1:{site.port}'}", "", ""])
        connection.sendall(head.encode("latin-1") + body)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode("latin-1")


BOB = "Authorization: Basic Ym9iOmJvYg=="


def test_a_program_learns_who_was_let_in(site):
    """E21: user, plan, status, entitlements and reason as environment, without any directive."""
    seen = ours(site.client.user("bob").get("/cgi/echo.cgi"))
    assert {name: values[0] for name, values in seen.items()} == {
        "SUBBILL_USER": "bob", "SUBBILL_PLAN": "basic", "SUBBILL_STATUS": "active",
        "SUBBILL_ENTITLEMENTS": "downloads,forum", "SUBBILL_REASON": "ok"}


def test_the_index_of_an_open_folder_hears_what_its_own_door_found(site):
    """T23: httpd lets the folder become its index, and forgets what the index was told."""
    for path in ("/foyer/", "/foyer/echo.cgi"):
        found = ours(site.client.user("bob").get(path))
        assert found["SUBBILL_USER"] == found["HTTP_X_SUBBILL_USER"] == ["bob"], path
        assert found["SUBBILL_REASON"] == ["ok"]
    assert site.client.get("/foyer/").status_code == 401


def test_a_proxied_application_learns_it_by_headers_where_the_site_says_so(site):
    """E21, B30: SubbillExport headers, each header once; inherited, and changed by a nested section."""
    seen = ours(site.client.user("bob").get("/told/x"))
    assert seen == {"X_SUBBILL_USER": ["bob"], "X_SUBBILL_PLAN": ["basic"],
                    "X_SUBBILL_STATUS": ["active"], "X_SUBBILL_REASON": ["ok"],
                    "X_SUBBILL_ENTITLEMENTS": ["downloads,forum"]}
    assert ours(site.client.user("bob").get("/told/quiet/x")) == {}
    assert ours(site.client.user("bob").get("/app/x")) == {}
    assert ours(site.client.get("/plain/x")) == {}


def test_off_tells_nothing_but_the_reason_for_the_log(site):
    """E21: SubbillExport off."""
    assert ours(site.client.user("bob").get("/cgi/off/echo.cgi")) == {"SUBBILL_REASON": ["ok"]}


def test_a_requirement_tells_as_a_gate_does(site):
    """E21: Require subscription; nothing that others write earlier stays."""
    answer = site.client.user("bob").get("/asked/x")
    seen = ours(answer)
    assert (seen["X_SUBBILL_USER"], seen["X_SUBBILL_PLAN"]) == (["bob"], ["basic"])
    assert ["X-Noted", "basic/active"] in answer.json()["headers"]


def test_status_and_the_keys_of_several_plans(site):
    """E21: a trial is told as one, a default plan has no status, keys of two plans stand once each."""
    site.subscribe("carol", "pro", status="trialing")
    assert ours(site.client.user("carol").get("/cgi/echo.cgi"))["SUBBILL_STATUS"] == ["trialing"]
    video = events.subscription("carol", "pro", customer=site._customers["carol"])
    video["items"]["data"][0]["price"]["id"] = "price_1SbVideoMonthEUR0000001"
    video["items"]["data"][0]["price"]["product"] = "prod_TVideo0001"
    video["items"]["data"][0]["price"]["lookup_key"] = None
    assert site.webhook(events.subscription_created(video)).status_code == 200
    seen = ours(site.client.user("carol").get("/told/x"))
    assert seen["X_SUBBILL_ENTITLEMENTS"] == ["downloads,forum,workshop,video.hd"]
    assert seen["X_SUBBILL_PLAN"] == ["pro"]


@pytest.mark.parametrize("start", range(0, len(SPELLINGS), 75))
def test_no_spelling_of_our_names_reaches_an_application(site, start):
    """T23, E21: SPOOF: names that CGI folds to ours, on gated and open paths, files, programs, proxies, h1."""
    lines = [f"{name}: {SPOOF}" for name in SPELLINGS[start:start + 75]]
    for path, expected in (("/plain/x", {}), ("/open/echo.cgi", {}), ("/told/x", {"bob"})):
        answer = raw(site, [f"GET {path} HTTP/1.1", BOB, "Connection: close", *lines])
        assert answer.startswith("HTTP/1.1 200"), answer[:300]
        assert SPOOF not in answer, path
        assert ("bob" in answer) >= bool(expected)


FAKES = {"X-Subbill-User": SPOOF, "x_subbill-plan": SPOOF, "X.Subbill.Reason": SPOOF, "X-Subbill-Anything": SPOOF}


def test_error_documents_other_methods_and_included_pages_see_no_look_alike(site):
    """T13, T23: SPOOF: OPTIONS, POST, HEAD, an ErrorDocument's program, an include, HTTP/1.0."""
    for method in ("OPTIONS", "POST", "GET", "PUT", "PATCH"):
        answer = site.client.request(method, "/plain/x", headers=FAKES)
        assert answer.status_code == 200 and ours(answer) == {}, method
    # HEAD has no body that could tell; the application remembers what it heard.
    for path, client, expected in (("/plain/x", site.client, set()), ("/told/x", site.client.user("alice"), None),
                                   ("/told/x", site.client.user("bob"), {"bob", "basic", "active", "ok",
                                                                         "downloads,forum"})):
        heard = len(site.backend.requests)
        answer = client.head(path, headers=FAKES)
        assert answer.status_code == (402 if expected is None else 200) and not answer.content
        assert [{value for name, value in one["headers"] if "SUBBILL" in fold(name)}
                for one in site.backend.requests[heard:]] == ([] if expected is None else [expected])
    answer = site.client.user("alice").get("/told/x", headers=FAKES)
    assert answer.status_code == 402 and "REDIRECT_STATUS=402" in answer.text
    assert SPOOF not in answer.text
    scratch.write(site.root / "docroot" / "open" / "all.shtml",
                  '<!--#include virtual="/open/echo.cgi" --><!--#echo var="HTTP_X_SUBBILL_USER" -->')
    included = site.client.get("/open/all.shtml", headers=FAKES).text
    assert SPOOF not in included and "GATEWAY_INTERFACE" in included
    old = raw(site, ["GET /plain/x HTTP/1.0", *(f"{name}: {SPOOF}" for name in FAKES)])
    assert " 200 " in old.splitlines()[0] and SPOOF not in old


@pytest.mark.parametrize("host, own", [("shares.example", ""), ("off.example", "SubbillEnabled Off"),
                                       ("own.example", "SubbillReturnURLs https://shop.example.net")])
def test_a_virtual_host_strips_look_alikes_as_the_main_server_does(make_site, host, own):
    """M9, T23: SPOOF: a host that shares the main server's settings, and hosts with some of their own."""
    site = make_site(double=False, start=False)
    site.reconfigure(graceful=False, extra=EXTRA.format(backend=site.backend.url) + f"""
<VirtualHost *:*>
    ServerName first.example
</VirtualHost>
<VirtualHost *:*>
    ServerName {host}
    DocumentRoot "{site.root}/docroot"
    {own}
</VirtualHost>
""")
    scratch.write(site.root / "docroot" / "open" / "echo.cgi", ECHO, 0o755)
    site.start()
    site.subscribe("bob", "basic")
    lines = [BOB, "Connection: close", *(f"{name}: {SPOOF}" for name in FAKES)]
    for path in ("/plain/x", "/told/x", "/open/echo.cgi"):
        answer = raw(site, [f"GET {path} HTTP/1.1", *lines], host=host)
        closed = host == "off.example" and path == "/told/x"
        assert answer.startswith("HTTP/1.1 503" if closed else "HTTP/1.1 200"), answer[:300]
        assert SPOOF not in answer, path
        assert ('["X-Subbill-User", "bob"]' in answer) == (path == "/told/x" and not closed)


def test_http2_tells_and_strips_alike(site):
    """T18, T23: SPOOF over h2: the names arrive in lower case and go all the same."""
    if not site.httpd_has_http2:
        pytest.skip("HTTP/2 needs a threaded MPM")
    client = site.client.http2()
    fakes = {"x-subbill-user": SPOOF, "x_subbill_plan": SPOOF, "x.subbill.status": SPOOF}
    assert ours(client.get("/plain/x", headers=fakes)) == {}
    seen = ours(client.get("/told/x", headers=fakes, auth=("bob", "bob")))
    assert seen["X_SUBBILL_USER"] == ["bob"] and seen["X_SUBBILL_PLAN"] == ["basic"]
    assert SPOOF not in json.dumps(seen)


@pytest.mark.parametrize("named", ["X-Subbill-User", "x-subbill-plan, keep-alive", "keep-alive, X_SUBBILL_Status",
                                   "close;X-Subbill-User",
                                   "close,X-Subbill-User,X-Subbill-Plan\r\nConnection: X-Subbill-Reason"])
def test_connection_cannot_drop_what_we_tell(site, named):
    """T23: a hop-by-hop name would take the header away from a proxied application."""
    answer = raw(site, ["GET /told/x HTTP/1.1", BOB, f"Connection: {named}", "Connection: close"])
    assert '["X-Subbill-User", "bob"]' in answer
    assert '["X-Subbill-Plan", "basic"]' in answer
    assert '["X-Subbill-Status", "active"]' in answer and '["X-Subbill-Reason", "ok"]' in answer


@pytest.mark.parametrize("path", ["/told/x", "/plain/x", "/cgi/echo.cgi", "/open/echo.cgi"])
def test_trailers_are_cleaned_as_they_arrive(site, path):
    """T19, T23: MergeTrailers puts them among the headers, late."""
    # mod_proxy reads as much before it writes a header; a longer body would be sent behind them.
    for body in (b"0\r\n", b"5\r\nhello\r\n0\r\n", b"2000\r\n" + b"x" * 0x2000 + b"\r\n0\r\n"):
        answer = raw(site, [f"POST {path} HTTP/1.1", BOB, "Transfer-Encoding: chunked",
                            "Trailer: X-Subbill-User", "Connection: close"],
                     body + f"X-Subbill-User: {SPOOF}\r\nX_Subbill_Plan: {SPOOF}\r\n\r\n".encode())
        assert answer.startswith("HTTP/1.1 200"), answer[:200]
        assert SPOOF not in answer
        assert path != "/told/x" or '["X-Subbill-User", "bob"]' in answer


def test_a_name_that_http_would_trim_is_not_told_as_somebody_elses(site):
    """T22, T23: ' bob' is not bob; HTTP takes blanks from the ends of a value."""
    for name in (" bob", "bob ", "b ob"):
        site.allow_log("SB403")
        site.subscribe(name, "basic")
        seen = ours(site.client.get("/named/x", headers={"X-Who": f'"{name}"'}))
        assert seen["X_SUBBILL_PLAN"] == ["basic"]
        assert seen.get("X_SUBBILL_USER") == (["b ob"] if name == "b ob" else None)


def test_what_one_application_is_told_is_not_told_another(site):
    """T15, T23: an open page that includes, or leads to, a door hears nothing of it."""
    scratch.write(site.root / "docroot" / "open" / "door.shtml",
                  '<!--#include virtual="/told/x" --><!--#include virtual="/plain/x" -->')
    heard = len(site.backend.requests)
    answer = site.client.user("bob").get("/open/door.shtml")
    first, second = site.backend.requests[heard:]
    assert '["X-Subbill-User", "bob"]' in json.dumps(first) and "bob" in answer.text
    assert "SUBBILL" not in fold(json.dumps(second))


@pytest.mark.parametrize("line", ["SubbillExport", "SubbillExport yes", "SubbillExport env headers",
                                  "<Limit GET>\nSubbillExport headers\n</Limit>"])
def test_a_word_that_is_none_is_refused(make_site, line):
    """E21, T45: configtest names the directive."""
    site = make_site(double=False, start=False)
    site.reconfigure(graceful=False, extra=f'<Location "/x">\n{line}\n</Location>\n')
    done = site.httpd.configtest()
    assert done.exit != 0 and "SubbillExport" in done.output
