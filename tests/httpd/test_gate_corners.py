# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Where the gate meets other modules in ways that no single request shows: caches that remember what somebody
else was let in to, sections that httpd merges in its own order, handlers that change after the decision."""
import os
import re
import time

import httpx
import pytest
from harness import modules, scratch
from harness.content import PAGE, PUBLIC, SECRET

HOUSE, STREET = "127.0.0.1", "127.0.0.2"
OLD = time.time() - 90 * 86400

# Who somebody is stands in a header, as behind a proxy: mod_cache keeps nothing that has come with Authorization.
BY_HEADER = """
<Location "/">
    AuthType None
    SubbillUser "%{{req:X-Who}}"
</Location>
CacheEnable disk /
CacheRoot {cache}
"""


def _site(make_site, extra="", pages=(), **about):
    site = make_site(double=False, start=False, **about)
    for path, text in dict(pages).items():
        os.utime(scratch.write(site.root / "docroot" / path, text), (OLD, OLD))
    site.reconfigure(graceful=False, extra=extra.format(root=site.root, backend=site.backend.url))
    site.start()
    site.subscribe("bob", "basic")
    return site


def _cached(make_site, extra="", pages=(), **about):
    site = make_site(double=False, start=False, load=("cache", "cache_disk", *about.pop("load", ())), **about)
    cache = site.root / "cache"
    cache.mkdir()
    scratch.give(cache)
    for path, text in dict(pages).items():
        os.utime(scratch.write(site.root / "docroot" / path, text), (OLD, OLD))
    site.reconfigure(graceful=False, extra=extra + BY_HEADER.format(cache=cache))
    site.start()
    site.subscribe("bob", "basic")
    return site


def _get(site, path, who=None, address=STREET):
    with httpx.Client(base_url=site.url, trust_env=False,
                      transport=httpx.HTTPTransport(local_address=address)) as client:
        return client.get(path, headers={"X-Who": who} if who else {})


def _secret():
    return PAGE.format(title="Members", text=SECRET)


# --- caches -------------------------------------------------------------------------------------


def test_what_another_requirement_opens_is_kept_by_no_cache(make_site):
    """T20, CACHE: in RequireAny the visitor from the house is let in before anybody asks for a subscription; the
    page is private all the same."""
    site = _cached(make_site, pages={"library/page.html": _secret(), "library/free/page.html": PUBLIC}, extra=f"""
<Location "/library">
    <RequireAny>
        Require ip {HOUSE}
        Require subscription
    </RequireAny>
</Location>
<Location "/library/free">
    Require all granted
    SubbillGate Off
</Location>
""")
    site.allow_log("SB104")
    for _ in range(3):
        answer = _get(site, "/library/page.html", address=HOUSE)
        assert SECRET in answer.text
        assert "private" in answer.headers["Cache-Control"]
    for who in (None, "alice"):
        assert SECRET not in _get(site, "/library/page.html", who).text
    assert SECRET in _get(site, "/library/page.html", "bob").text
    # Where somebody has written that nothing is closed, a cache may work.
    assert "Cache-Control" not in _get(site, "/library/free/page.html").headers


def test_what_an_internal_redirect_leads_to_is_kept_by_no_cache(make_site):
    """T20, CACHE: a front controller behind Require subscription; httpd asks no requirement twice, and looks into
    its cache for the inner address as well."""
    site = _cached(make_site, pages={"require/sub/front.html": _secret()}, allow_override="FileInfo",
                   extra='<Location "/require">\n    Options +FollowSymLinks\n</Location>\n')
    scratch.write(site.root / "docroot" / "require" / "sub" / ".htaccess",
                  "RewriteEngine On\nRewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule ^ /require/sub/front.html [L]\n")
    for _ in range(3):
        assert SECRET in _get(site, "/require/sub/pretty", "bob").text
    for who in (None, "alice"):
        for path in ("/require/sub/front.html", "/require/sub/pretty"):
            assert SECRET not in _get(site, path, who).text


@pytest.mark.parametrize("how", ["SetOutputFilter INCLUDES", "AddOutputFilterByType INCLUDES text/html"])
def test_a_page_that_includes_a_gated_one_is_kept_by_no_cache(how, make_site):
    """T20, CACHE: however mod_include has come to the page; its head is sent before the door is met."""
    page = "x" * 9000 + '\n<!--#include virtual="/members/page.html" -->\n'
    site = _cached(make_site, pages={"pages/page.html": page}, load=("expires",), extra=f"""
<Location "/pages">
    {how}
    ExpiresActive On
    ExpiresDefault "access plus 1 hour"
</Location>
""")
    site.allow_log("unable to include|AH01374|SB403")
    for _ in range(3):
        answer = _get(site, "/pages/page.html", "bob")
        assert SECRET in answer.text
        assert "private" in answer.headers["Cache-Control"]
    for who in (None, "alice"):
        assert SECRET not in _get(site, "/pages/page.html", who).text


# --- sections -----------------------------------------------------------------------------------


def test_a_gate_of_files_holds_beside_that_of_an_address(make_site):
    """T14: httpd merges <Location> after <Directory> and <Files>; that is no nesting."""
    site = _site(make_site, pages={"vault/page.html": _secret(), "members/top.html": _secret(),
                                   "vault/free/page.html": _secret()}, extra="""
<Directory "{root}/docroot/vault">
    SubbillGate pro
    SubbillExport env
</Directory>
<Directory "{root}/docroot/vault/free">
    SubbillGate Off
</Directory>
<Files "top.html">
    SubbillGate pro
</Files>
<Location "/vault">
    SubbillGate any
</Location>
<Location "/vault/hole">
    SubbillGate Off
</Location>
Alias "/vault/hole" "{root}/docroot/vault"
Alias "/elsewhere" "{root}/docroot/vault"
""")
    site.allow_log("SB104")
    site.subscribe("carol", "pro")
    for path in ("/vault/page.html", "/members/top.html", "/vault/hole/page.html", "/elsewhere/page.html"):
        answer = site.client.user("bob").get(path)
        assert (answer.status_code, answer.headers["X-Subbill-Reason"]) == (403, "plan_too_low"), path
        assert SECRET not in answer.text
        assert site.client.get(path).status_code == 401
        assert site.client.user("alice").get(path).status_code in (402, 403)
        assert SECRET in site.client.user("carol").get(path).text, path
    # Nested gates are of one kind, and the inner one counts.
    assert SECRET in site.client.user("bob").get("/vault/free/page.html").text


def test_a_condition_belongs_to_the_section_it_stands_in(make_site):
    """T14: httpd merges <If> last of all; what one of files says replaces no gate of an address."""
    site = _site(make_site, gates="", pages={"both/page.html": _secret(), "both/open/page.html": _secret()}, extra="""
SubbillGate Off
<Directory "{root}/docroot/both">
    SubbillGate any
    <If "true">
        SubbillGate any
    </If>
</Directory>
<Directory "{root}/docroot/both/open">
    <If "true">
        SubbillGate Off
    </If>
</Directory>
<Location "/both">
    SubbillGate pro
</Location>
""")
    site.allow_log("SB104")
    site.subscribe("carol", "pro")
    for path in ("/both/page.html", "/both/open/page.html"):
        answer = site.client.user("bob").get(path)
        assert (answer.status_code, SECRET in answer.text) == (403, False), path
        assert SECRET in site.client.user("carol").get(path).text


def test_an_alias_marks_no_other_section(make_site):
    """CACHE: httpd reads <AuthzProviderAlias> outside of every section; open pages stay as they were."""
    site = _site(make_site, pages={"aliased/page.html": _secret()}, extra="""
<AuthzProviderAlias subscription paid pro>
</AuthzProviderAlias>
<Location "/aliased">
    Require paid
</Location>
""")
    assert "Cache-Control" not in site.client.get("/open/page.html").headers
    assert site.client.user("bob").get("/aliased/page.html").status_code == 403
    site.subscribe("carol", "pro")
    answer = site.client.user("carol").get("/aliased/page.html")
    assert SECRET in answer.text and "private" in answer.headers["Cache-Control"]


# --- handlers -----------------------------------------------------------------------------------


def test_what_mod_dav_takes_of_our_pages_is_gated(make_site):
    """T17: mod_dav takes whatever lies in its folders from every other handler, but GET and POST."""
    site = _site(make_site, gates="", extra="""
<Directory "{root}/docroot">
    Dav On
</Directory>
<Location "/">
    SubbillGate any
</Location>
<Location "/open">
    SubbillGate Off
</Location>
""", pages={"subbill/style/secret.html": _secret()})
    site.allow_log("SB104")
    scratch.give(site.root / "docroot" / "open")
    scratch.give(site.root / "docroot" / "subbill" / "style")
    target = {"Destination": f"{site.url}/open/copy.html"}
    for client, refused in ((site.client, 401), (site.client.user("alice"), 402)):
        for method, path, about in (
                ("PUT", "/subbill/style/evil.txt", {"content": b"x"}), ("PUT", "/subbill/plans", {"content": b"x"}),
                ("PROPFIND", "/subbill/style/", {"headers": {"Depth": "1"}}), ("MKCOL", "/subbill/style/new", {}),
                ("COPY", "/subbill/style/secret.html", {"headers": target}),
                ("MOVE", "/subbill/style/secret.html", {"headers": target}),
                ("LOCK", "/subbill/style/secret.html", {}), ("DELETE", "/subbill/style/secret.html", {})):
            answer = client.request(method, path, **about)
            assert answer.status_code == refused, (method, path, answer.status_code, answer.text[:300])
    assert SECRET not in site.client.get("/open/copy.html").text
    # The pages themselves are as open as ever.
    assert site.client.get("/subbill/plans").status_code == 200
    assert site.client.user("alice").get("/subbill/account").status_code == 200


def test_our_pages_come_before_a_proxy_of_the_whole_site(make_site):
    """T17: ProxyPass / takes every address; the module's are its own, whichever module was loaded first."""
    site = _site(make_site, gates="", extra="""
ProxyPass "/whole/" "{backend}/"
<Location "/whole">
    SubbillGate any
</Location>
<Location "/whole/sell">
    SetHandler subbill
</Location>
""")
    asked = len(site.backend.requests)
    answer = site.client.browser().get("/whole/sell/plans")
    assert answer.status_code == 200 and "Basic" in answer.text
    for path in ("/whole/sell/style/x", "/whole/sell/nothing", "/whole/sell/../other", "/whole/app"):
        answer = site.client.get(path)
        assert SECRET not in answer.text and answer.status_code in (200, 401, 404), path
    assert len(site.backend.requests) == asked
    assert SECRET in site.client.user("bob").get("/whole/app").text


def test_a_dry_run_leaves_the_body_to_the_application(make_site):
    """mod_auth_form looks for its form in the body; a rehearsal must not make it."""
    site = _site(make_site, login="", gates="", load=modules.SESSION, extra="""
<Location "/app">
    AuthType Form
    AuthName "Rehearsal"
    AuthFormProvider file
    AuthUserFile {root}/secrets/people
    Session On
    SessionCookieName session path=/
    SessionCryptoPassphrase rehearsal
    Require all granted
    SubbillGate any
    SubbillDryRun On
</Location>
""")
    for kind, body in (("application/json", b'{"a": 1}'), ("application/x-www-form-urlencoded", b"a=1&b=2")):
        answer = site.client.post("/app/x", content=body, headers={"Content-Type": kind, "Cookie": "analytics=1"})
        assert answer.status_code == 200
        assert answer.headers["X-Subbill-Would"].startswith("401")
        assert site.backend.requests[-1]["body"] == body.decode()


def test_a_401_of_the_applications_own_is_its_own(make_site):
    """D24: whoever was let in is somebody, whatever comes after the gate."""
    site = _site(make_site, extra="""
<Location "/members/own">
    RedirectMatch 401 .
</Location>
""")
    answer = site.client.user("bob").get("/members/own")
    assert answer.status_code == 401 and "X-Subbill-Reason" not in answer.headers
    assert answer.headers["Content-Type"].startswith("text/html")
    answer = site.client.get("/members/own")
    assert (answer.status_code, answer.headers["X-Subbill-Reason"]) == (401, "no_identity")


# --- what is looked up for a page ---------------------------------------------------------------


def test_a_negotiated_page_has_its_teaser(make_site):
    """mod_negotiation looks at what there is before the page's own gate is asked."""
    page = f"<!doctype html><p>{PUBLIC}</p>\n<!--paywall-->\n<p>{SECRET}</p>\n"
    site = _site(make_site, gates="", pages={"mv/page.html.en": page, "mv/page.html.de": page}, extra="""
AddLanguage en .en
AddLanguage de .de
<Directory "{root}/docroot/mv">
    Options +MultiViews
</Directory>
<Location "/mv">
    SubbillGate any
    SubbillTeaser marker
</Location>
""")
    assert SECRET in site.client.user("bob").get("/mv/page").text
    for client in (site.client, site.client.user("alice")):
        for path in ("/mv/page", "/mv/page.html", "/mv/page.html.en"):
            answer = client.get(path)
            assert answer.status_code == 200 and PUBLIC in answer.text, (path, answer.status_code)
            assert SECRET not in answer.text
    # Without the method that a teaser answers nothing is looked up for nothing.
    assert SECRET not in site.client.post("/mv/page").text


TEASED = f"<!doctype html><title>heron</title><p>{PUBLIC}</p>\n<!--paywall-->\n<p>{SECRET}</p>\n"


@pytest.mark.parametrize("extra", [
    """
<Directory "{root}/docroot/teased">
    SubbillTeaser marker
    <FilesMatch "\\.(html|txt)">
        SubbillGate any
    </FilesMatch>
</Directory>
""", """
<Location "/teased">
    SubbillTeaser marker
    SubbillGate any
</Location>
<LocationMatch "^/teased/(none)?$">
    SubbillGate Off
</LocationMatch>
"""], ids=["files", "address"])
@pytest.mark.parametrize("way", ["DirectoryIndex index.html", "DirectoryIndex index\n    Options +MultiViews",
                                 "DirectoryIndex disabled\n    FallbackResource /teased/index.html",
                                 "DirectoryIndex disabled\n    Options +Indexes\n"
                                 "    IndexOptions FancyIndexing ScanHTMLTitles\n    ReadmeName README.txt"],
                         ids=["index", "negotiated", "fallback", "listing"])
def test_an_open_folder_gives_no_gated_page_away(extra, way, make_site):
    """T13, T14: the folder has no gate and inherits the teaser; what it becomes is asked all the same."""
    site = _site(make_site, gates="", pages={"teased/index.html.en": TEASED, "teased/README.txt": SECRET}, extra=extra + f"""
AddLanguage en .en
<Directory "{{root}}/docroot/teased">
    {way}
</Directory>
""")
    os.utime(scratch.write(site.root / "docroot" / "teased" / "index.html", TEASED), (OLD, OLD))
    site.allow_log("SB104|AH01276")
    for client in (site.client, site.client.user("alice"), site.client.browser(), site.client.browser("alice")):
        for path in ("/teased/", "/teased/none", "/teased/index", "/teased/index.html"):
            answer = client.get(path)
            assert SECRET not in answer.text, (path, answer.status_code, answer.headers)
            assert "heron" not in answer.text or PUBLIC in answer.text, path
    assert SECRET in site.client.user("bob").get("/teased/index.html").text


def test_a_lookup_before_the_decision_is_decided(make_site):
    """T13: a condition may ask whether an address could be had."""
    site = _site(make_site, gates="", pages={"open/probe.html": PUBLIC, "teased/page.html": TEASED}, extra="""
<Location "/">
    SubbillTeaser marker
</Location>
<Location "/teased">
    SubbillGate any
</Location>
<Location "/open/probe.html">
    AuthMerging Off
    Require expr "-A '/teased/page.html'"
</Location>
""")
    site.allow_log("AH01630")
    assert site.client.get("/open/probe.html").status_code in (401, 403)


def test_a_gated_index_is_the_same_to_browsers_and_programs(make_site):
    """A lookup has no address to send anybody to: what comes next in DirectoryIndex is shown."""
    site = _site(make_site, gates="", pages={"mixed/index.html": _secret(), "mixed/index.txt": PUBLIC}, extra="""
<Directory "{root}/docroot/mixed">
    DirectoryIndex index.html index.txt
    <Files "*.html">
        SubbillGate any
    </Files>
</Directory>
<Directory "{root}/docroot/list">
    Options +Indexes
    DirectoryIndex disabled
    IndexOptions FancyIndexing
</Directory>
""")
    scratch.write(site.root / "docroot" / "list" / "seen.txt", PUBLIC)
    for client in (site.client.user("alice"), site.client.browser("alice"), site.client.browser(), site.client):
        answer = client.get("/mixed/")
        assert answer.status_code == 200 and PUBLIC in answer.text
    assert SECRET in site.client.user("bob").get("/mixed/").text


# --- what is counted ----------------------------------------------------------------------------


def test_a_requirement_is_counted_once(make_site):
    """One decision for each line that was asked; whoever is logged in is nobody without a name."""
    site = _site(make_site, extra="""
<Location "/metrics">
    SetHandler subbill-metrics
    Require local
</Location>
""")

    def decisions():
        text = site.client.get("/metrics").text
        return {name: int(n) for name, n in re.findall(
            r'^subbill_gate_decisions_total\{reason="(\w+)"\} (\d+)$', text, re.M) if int(n)}

    for _ in range(10):
        assert site.client.user("bob").get("/require/page.html").status_code == 200
        assert site.client.user("alice").get("/require/page.html").status_code == 402
    assert decisions() == {"ok": 10, "no_account": 10}
