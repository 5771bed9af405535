# Licensed under the Apache License, Version 2.0; see LICENSE.
"""SubbillTeaser: who has not paid sees another document, or the page up to its marker, and no more."""
import gzip
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from harness import cached, scratch
from harness.content import SECRET

VISIBLE = "<!doctype html><title>News</title><p>Everybody may read how it begins."
MARKER = "<!--paywall-->"
PAGE = f"{VISIBLE}{MARKER}<p>{SECRET}</p>\n"
INSTEAD = "<!doctype html><p>Become a member to read this."

EXTRA = """
<LocationMatch "^/(news|wire|pro)/">
    SubbillGate any
    SubbillTeaser marker
</LocationMatch>
<Location "/news/shut">
    SubbillTeaser off
</Location>
<Location "/pro">
    SubbillGate pro
</Location>
<Location "/news/packed">
    SetOutputFilter DEFLATE
</Location>
<Location "/paper">
    SubbillGate any
    SubbillTeaser /open/instead.html
</Location>
<Location "/paper/round">
    SubbillTeaser /paper/round/page.html
</Location>
<Location "/paper/lost">
    SubbillTeaser /open/nothing.html
</Location>
<Location "/news/login">
    Require valid-user
</Location>
ProxyPass /wire/ {wire}/
AddEncoding x-gzip .gz
"""

SITE = {"double": False, "load": ("deflate",), "allow_override": "All"}


class _Wire(BaseHTTPRequestHandler):
    """An application that says its page in many ways."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body, status, extra = PAGE.encode(), 200, {}
        way = self.path.split("?")[0].strip("/")
        if way == "gzip" or (way == "may-gzip" and "gzip" in self.headers.get("Accept-Encoding", "")):
            body, extra = gzip.compress(body), {"Content-Encoding": "gzip"}
        elif way == "sendfile":
            extra = {"X-Accel-Redirect": "/inside/page.html", "X-Sendfile": "/var/page.html"}
        elif way == "digests":
            extra = {"ETag": '"whole"', "Last-Modified": "Mon, 02 Nov 2026 10:00:00 GMT", "Content-MD5": "bad",
                     "Repr-Digest": "sha-256=:bad:", "Expires": "Mon, 02 Nov 2037 10:00:00 GMT",
                     "Cache-Control": "public, max-age=600"}
        elif way == "error":
            status = 404
        elif way == "moved":
            status, extra = 302, {"Location": "/open/page.html"}
        elif way == "no-marker":
            body = body.replace(MARKER.encode(), b"")
        elif way == "far":
            body = b" " * (1 << 20) + body
        elif way == "part":
            status, extra = 206, {"Content-Range": f"bytes 0-{len(body) - 1}/9999"}
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if way == "text" else "text/html; charset=utf-8")
        for name, value in extra.items():
            self.send_header(name, value)
        pieces = [body]
        if way in ("bytes", "broken"):  # the marker never lies in one piece
            pieces = [bytes([one]) for one in body]
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        for piece in pieces:
            if way == "broken" and piece == b"-":
                self.close_connection = True
                return
            self.wfile.write(b"1\r\n" + piece + b"\r\n" if len(pieces) > 1 else piece)
        if len(pieces) > 1:
            self.wfile.write(b"0\r\n\r\n")

    do_HEAD = do_POST = do_GET

    def log_message(self, *_):
        pass


def _program(text):
    return f"#!/bin/sh\nprintf '{text}'\nprintf '%s' '{PAGE}'\n"


@pytest.fixture(scope="module", autouse=True)
def _world(site):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Wire)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    files = {"news/page.html": PAGE, "news/index.html": PAGE, "news/shut/page.html": PAGE, "pro/page.html": PAGE,
             "news/packed/page.html": PAGE * 20, "news/none.html": SECRET, "news/page.txt": PAGE,
             "news/start.html": MARKER + SECRET, "news/login/page.html": PAGE, "news/twice.html": PAGE + PAGE,
             "news/spelt.html": PAGE.replace(MARKER, "<!-- paywall -->"),
             "news/far.html": "x" * (1 << 20) + PAGE, "news/near.html": "x" * 300000 + PAGE,
             "news/includes.shtml": f'{VISIBLE}<!--#include virtual="/news/none.html" -->{MARKER}{SECRET}',
             "news/reason.shtml": f'<!--#echo var="SUBBILL_REASON" -->{MARKER}{SECRET}',
             "paper/page.html": SECRET, "paper/round/page.html": SECRET, "paper/lost/page.html": SECRET,
             "open/instead.html": INSTEAD, "news/rewritten/.htaccess":
             "Options +FollowSymLinks\nRewriteEngine On\nRewriteRule ^story$ /news/page.html [L]\n"
             "RewriteRule ^open$ /open/page.html [L]\n"}
    for path, text in files.items():
        scratch.write(site.root / "docroot" / path, text)
    # The ETag of a file is weak while it is younger than a second.
    os.utime(site.root / "docroot" / "open" / "instead.html", (0, 0))
    site.root.joinpath("docroot/news/zipped.html.gz").write_bytes(gzip.compress(PAGE.encode()))
    for name, head in (("hello.cgi", "Content-Type: text/html\\r\\n\\r\\n"),
                       ("nph-hello.cgi", "HTTP/1.0 200 OK\\r\\nContent-Type: text/html\\r\\n\\r\\n"),
                       ("away.cgi", "Location: /open/page.html\\r\\n\\r\\n"),
                       ("gone.cgi", "Status: 410\\r\\nContent-Type: text/html\\r\\n\\r\\n")):
        scratch.write(site.root / "docroot" / "news" / name, _program(head), 0o755)
    site.reconfigure(extra=EXTRA.format(wire=f"http://127.0.0.1:{server.server_address[1]}"))
    site.subscribe("bob", "pro")
    yield
    server.shutdown()
    server.server_close()


def _poor(site):
    return site.client, site.client.user("alice"), site.client.browser(), site.client.browser("alice")


def _teased(answer, body=VISIBLE):
    assert answer.status_code == 200, (answer.status_code, answer.headers, answer.text[:300])
    assert answer.text == body
    assert int(answer.headers["Content-Length"]) == len(body.encode())
    assert answer.headers["X-Subbill-Reason"].startswith("no_")
    assert {"private", "no-store"} <= set(answer.headers["Cache-Control"].split(", "))
    assert "WWW-Authenticate" not in answer.headers


def _shut(answer):
    assert answer.status_code in (303, 401, 402), (answer.status_code, answer.headers, answer.text[:300])
    assert SECRET not in answer.text and VISIBLE not in answer.text
    assert "ETag" not in answer.headers and "Last-Modified" not in answer.headers


SHOWN = ["/news/page.html", "/news/", "/news/twice.html", "/news/hello.cgi", "/wire/plain", "/wire/bytes",
         "/wire/may-gzip", "/wire/sendfile", "/wire/digests", "/news/rewritten/story", "/pro/page.html"]
CLOSED = ["/news/none.html", "/news/page.txt", "/news/spelt.html", "/news/far.html", "/news/zipped.html.gz",
          "/news/shut/page.html", "/news/nph-hello.cgi", "/news/gone.cgi", "/news/away.cgi", "/news/rewritten/open",
          "/wire/gzip", "/wire/text", "/wire/error", "/wire/moved", "/wire/no-marker", "/wire/far", "/wire/part"]


@pytest.mark.parametrize("path", SHOWN)
def test_who_has_not_paid_sees_the_page_up_to_its_marker(site, path):
    """B30, E21: files, indexes, programs and proxied applications, without a login; who has paid sees all."""
    for client in _poor(site):
        _teased(client.get(path))
    whole = site.client.user("bob").get(path)
    assert whole.status_code == 200 and SECRET in whole.text
    assert "X-Subbill-Reason" not in whole.headers


@pytest.mark.parametrize("path", CLOSED)
def test_a_page_that_cannot_be_cut_is_refused(site, path):
    """T14, T16: no marker, another type, status or encoding, programs that write past filters: nothing at all."""
    for client in _poor(site):
        _shut(client.get(path))
        _shut(client.head(path))
    assert site.client.user("alice").get(path).headers["X-Subbill-Reason"].startswith("no_")


@pytest.mark.parametrize("path", ["/news/page.html", "/wire/plain", "/wire/digests", "/news/hello.cgi", "/wire/bytes"])
def test_no_header_tells_about_the_rest(site, path):
    """T14, T20: length, tag, date and digests are those of the part; HEAD says what GET says."""
    whole = site.client.user("bob").get(path).headers
    part = site.client.user("alice").get(path)
    head = site.client.user("alice").head(path)
    for headers in (part.headers, head.headers):
        assert headers["ETag"].startswith('"teaser-') and headers["ETag"] != whole.get("ETag")
        assert headers["Content-Length"] == str(len(VISIBLE))
        for name in ("Last-Modified", "Accept-Ranges", "Content-MD5", "Repr-Digest", "Content-Encoding", "Expires",
                     "X-Accel-Redirect", "X-Sendfile"):
            assert name not in headers, name
        assert "max-age" not in headers["Cache-Control"] and "public" not in headers["Cache-Control"]
    assert head.status_code == 200 and not head.content


@pytest.mark.parametrize("headers", [
    {"Range": "bytes=0-9"}, {"Range": "bytes=60-200"}, {"If-None-Match": "*"}, {"If-Match": '"x"'},
    {"If-Modified-Since": "Mon, 01 Jan 2035 00:00:00 GMT"}, {"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
    {"If-Range": '"x"', "Range": "bytes=0-"}, {"Accept-Encoding": "gzip, br"}, {"Cookie": "session=old"},
    {"Upgrade": "websocket", "Connection": "Upgrade"}, {"Request-Range": "bytes=60-200"}])
def test_no_wish_makes_another_answer_of_it(site, headers):
    """T14, T19: ranges, conditions, encodings and upgrades get the whole teaser."""
    tag = site.client.user("bob").get("/news/page.html").headers["ETag"]
    for path in ("/news/page.html", "/wire/plain", "/wire/may-gzip"):
        _teased(site.client.user("alice").get(path, headers=headers))
        _teased(site.client.get(path, headers={**headers, "If-None-Match": tag}))
    _teased(site.client.get("/paper/page.html", headers=headers), INSTEAD)


def test_packing_comes_after_cutting(site):
    """T14: mod_deflate on the way out packs the part at most."""
    answer = site.client.user("alice").get("/news/packed/page.html", headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200 and answer.text == VISIBLE
    answer = site.client.user("bob").get("/news/packed/page.html", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip" and SECRET in answer.text


def test_a_large_beginning_and_an_empty_one(site):
    """E21: what stands before the marker may be long, or nothing."""
    assert site.client.get("/news/near.html").text == "x" * 300000 + VISIBLE
    empty = site.client.get("/news/start.html")
    assert (empty.status_code, empty.content, empty.headers["Content-Length"]) == (200, b"", "0")


def test_includes_are_cut_and_bring_nothing_gated_in(site):
    """T15: what an include makes is looked at as a whole; a gated page is not shown before the marker."""
    site.allow_log("unable to include")
    answer = site.client.user("alice").get("/news/includes.shtml")
    assert answer.text.startswith(VISIBLE) and SECRET not in answer.text
    assert site.client.user("alice").get("/news/reason.shtml").text == "no_account"
    assert site.client.get("/news/reason.shtml").text == "no_identity"


def test_another_document_stands_in_for_the_page(site):
    """E21: SubbillTeaser PATH, with its own tag; HEAD alike."""
    own = site.client.get("/open/instead.html").headers["ETag"]
    for client in _poor(site):
        answer = client.get("/paper/page.html")
        _teased(answer, INSTEAD)
        assert answer.headers["ETag"] == own
        head = client.head("/paper/page.html")
        assert (head.status_code, head.headers["ETag"], head.content) == (200, own, b"")
    assert site.client.user("bob").get("/paper/page.html").text == SECRET


def test_a_document_that_is_shut_or_missing_shows_nothing(site):
    """T15: a teaser behind the same door is a refusal, a lost one a 404."""
    for client in (site.client.user("alice"), site.client.browser("alice"), site.client):
        _shut(client.get("/paper/round/page.html"))
    answer = site.client.user("alice").get("/paper/lost/page.html")
    assert answer.status_code == 404 and SECRET not in answer.text


def test_credentials_that_are_sent_count(site):
    """T12, B24: a wrong password is asked for again, and the site's own Require stands before the teaser."""
    site.allow_log("AH01617|AH01618")
    for path in ("/news/page.html", "/paper/page.html"):
        answer = site.client.get(path, auth=("bob", "wrong"))
        assert answer.status_code == 401 and SECRET not in answer.text and VISIBLE not in answer.text
    assert site.client.get("/news/login/page.html").status_code == 401
    _teased(site.client.user("alice").get("/news/login/page.html"))


def test_other_methods_are_refused_as_ever(site):
    """T13: a teaser is something to look at."""
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PROPFIND", "PATCH", "BREW"):
        for path in ("/news/page.html", "/wire/plain", "/paper/page.html"):
            answer = site.client.user("alice").request(method, path)
            assert answer.status_code in (402, 405, 501), (method, path, answer.status_code)
            assert SECRET not in answer.text and VISIBLE not in answer.text


def test_a_plan_too_low_is_shown_it_too(site):
    """E21: more money would open."""
    site.subscribe("carol", "basic")
    answer = site.client.user("carol").get("/pro/page.html")
    assert (answer.status_code, answer.text) == (200, VISIBLE)
    assert answer.headers["X-Subbill-Reason"] == "plan_too_low"


def test_an_application_that_breaks_off_shows_nothing(site):
    """T14: the beginning is not sent before the marker has come."""
    site.allow_log("AH01110|AH01102|AH01097")
    for _ in range(3):
        answer = site.client.user("alice").get("/wire/broken")
        assert answer.status_code >= 400 and VISIBLE[:20] not in answer.text


def test_http2_cuts_alike(site):
    """T18: the same over h2, HEAD and refusals as well."""
    if not site.httpd_has_http2:
        pytest.skip("HTTP/2 needs a threaded MPM")
    client = site.client.http2()
    for path in ("/news/page.html", "/wire/bytes", "/news/"):
        _teased(client.get(path))
        head = client.head(path)
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(VISIBLE)))
    _teased(client.get("/paper/page.html"), INSTEAD)
    for path in CLOSED:
        _shut(client.get(path, auth=("alice", "alice")))


def test_a_cache_never_mixes_part_and_whole(make_site):
    """T20: mod_cache, whoever comes first; people are told by a header, of which mod_cache knows nothing."""
    site = make_site(double=False, load=("cache", "cache_disk"), start=False)
    cached.configure(site, """
<Location "/members">
    SubbillTeaser marker
</Location>
""")
    scratch.write(site.root / "docroot" / "members" / "page.html", PAGE)
    scratch.write(site.root / "docroot" / "members" / "other.html", PAGE)
    site.start()
    site.subscribe("bob", "basic")
    cached.works(site)

    def part(path, name=None):
        _teased(site.client.get(path, headers={"X-Who": name} if name else {}))

    def whole(path):
        answer = site.client.get(path, headers={"X-Who": "bob"})
        assert answer.status_code == 200 and SECRET in answer.text

    for _ in range(2):
        part("/members/page.html")
        whole("/members/page.html")
        part("/members/page.html", "alice")
        whole("/members/other.html")
        part("/members/other.html")
        part("/members/other.html", "alice")
        whole("/members/other.html")


def test_what_cannot_be_decided_is_no_teaser(make_site):
    """E21: 503 while nothing is known about who has paid."""
    site = make_site(double=False, directives={"SubbillEnabled": "Off"},
                     extra='<Location "/members">\nSubbillTeaser marker\n</Location>\n')
    scratch.write(site.root / "docroot" / "members" / "page.html", PAGE)
    for client in (site.client, site.client.user("alice")):
        answer = client.get("/members/page.html")
        assert answer.status_code == 503 and VISIBLE not in answer.text


@pytest.mark.parametrize("line", ["SubbillTeaser", "SubbillTeaser teaser.html", "SubbillTeaser //evil.example/x",
                                  "SubbillTeaser /x?y", "SubbillTeaser https://www.example.com/x",
                                  "<Limit GET>\nSubbillTeaser marker\n</Limit>"])
def test_what_is_no_teaser_is_refused(make_site, line):
    """T45: configtest names the directive."""
    site = make_site(double=False, start=False)
    site.reconfigure(graceful=False, extra=f'<Location "/x">\n{line}\n</Location>\n')
    done = site.httpd.configtest()
    assert done.exit != 0 and "SubbillTeaser" in done.output
