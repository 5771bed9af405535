# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What the author of an .htaccess file below a gate of <Location> can do, by kind of AllowOverride, and what
not. Every line here is one that httpd takes: an error 500 would hide what it does.
"""
import pytest
from harness import content, scratch
from harness.content import PUBLIC, SECRET

SITE = {"double": False, "load": ("access_compat",)}

# No pattern, for those do not take AllowOverride.
_FOLDER = """
<Directory "{root}/docroot/members/{kind}">
    AllowOverride {kind}
    Options +FollowSymLinks
</Directory>
"""
KINDS = ("fileinfo", "authconfig", "limit")

BOB = "Basic Ym9iOmJvYg=="
REWRITE = "RewriteEngine On\nRewriteRule"

# Handlers of ours: the gate is asked all the same, and then they know nothing of this address.
OURS = ("SetHandler subbill", "SetHandler subbill-metrics", f"{REWRITE} .* - [H=subbill]")

CANNOT_OPEN = [("fileinfo", line) for line in (
    *OURS, "SetHandler default-handler", "SetHandler None",
    "ForceType text/plain", "SetOutputFilter INCLUDES", f"{REWRITE} .* - [E=REMOTE_USER:bob]",
    f"{REWRITE} ^none$ page.html [L]", f"{REWRITE} ^none$ /members/fileinfo/page.html [PT]",
    "ErrorDocument 401 /members/fileinfo/page.html", "ErrorDocument 402 /members/fileinfo/page.html",
    "ErrorDocument 403 /members/fileinfo/page.html", "ErrorDocument 404 /members/fileinfo/page.html",
    f'RequestHeader set Authorization "{BOB}"', "RequestHeader set X-Subbill-User bob",
    "RequestHeader set Remote-User bob", "SetEnv REMOTE_USER bob", "SetEnvIf Host . REMOTE_USER=bob",
    "SetEnvIf Host . SUBBILL_REASON=ok SUBBILL_USER=bob", "SetEnvIf Host . !SUBBILL_REASON",
    "Header set Cache-Control \"public, max-age=3600, s-maxage=3600\"",
    "Header always set Cache-Control \"public, s-maxage=3600\"", "Header always set CDN-Cache-Control max-age=3600",
    "Header unset Cache-Control", "Header always unset Cache-Control")]
CANNOT_OPEN += [("authconfig", line) for line in (
    "Require all granted", "Require all granted\nSatisfy Any", "Satisfy Any", "AuthType None",
    "AuthType None\nRequire all granted", "AuthMerging Or\nRequire all granted",
    "<RequireAny>\nRequire all granted\nRequire subscription\n</RequireAny>", "Require subscription free",
    "AuthBasicFake bob bob", "AuthBasicAuthoritative Off", "AuthBasicProvider file\nAuthUserFile {own}",
    "AuthType Basic\nAuthName Mine\nAuthBasicProvider file\nAuthUserFile {own}\nRequire user bob")]
CANNOT_OPEN += [("limit", line) for line in (
    "Allow from all", "Order deny,allow\nAllow from all", "<Limit GET HEAD>\nAllow from all\n</Limit>",
    "<LimitExcept POST>\nAllow from all\n</LimitExcept>", "Allow from env=nobody")]


@pytest.fixture(scope="module", autouse=True)
def _world(site):
    site.reconfigure(extra="".join(_FOLDER.format(root=site.root, kind=kind) for kind in KINDS))
    for kind in KINDS:
        for name in ("page.html", "index.html"):
            scratch.write(site.root / "docroot" / "members" / kind / name, SECRET)
    # In the author's own file bob's password is another.
    scratch.write(site.root / "docroot" / "members" / "passwords",
                  content.password_file(["evil"]).replace("evil:", "bob:"))
    site.subscribe("bob", "basic")


def _write(site, kind, line):
    scratch.write(site.root / "docroot" / "members" / kind / ".htaccess",
                  line.replace("{own}", str(site.root / "docroot" / "members" / "passwords")) + "\n")
    site.allow_log(r"AH01618|AH01617|AH01797|access_compat")


@pytest.mark.parametrize("kind, line", CANNOT_OPEN)
def test_an_author_cannot_open_the_gate(site, kind, line):
    """T45, T20: neither for strangers nor for shared caches; who has paid still gets in."""
    _write(site, kind, line)
    for client in (site.client, site.client.user("alice"), site.client.browser("alice")):
        for path in ("page.html", "", "none"):
            for method in ("GET", "POST"):
                answer = client.request(method, f"/members/{kind}/{path}")
                assert SECRET not in answer.text, path
                assert answer.status_code in (303, 401, 402, 403, 405), (path, answer.status_code)
                assert answer.headers["Cache-Control"] == "no-store"
                assert "CDN-Cache-Control" not in answer.headers
    forged = site.client.get(f"/members/{kind}/page.html", auth=("bob", "evil"))
    assert forged.status_code == 401 and SECRET not in forged.text
    answer = site.client.user("bob").get(f"/members/{kind}/page.html")
    assert (SECRET in answer.text) == (line not in OURS)
    if line not in OURS:
        control = answer.headers["Cache-Control"]
        assert "private" in control and "public" not in control and "s-maxage" not in control
        assert "CDN-Cache-Control" not in answer.headers


@pytest.mark.parametrize("kind, line", [
    *((kind, "SubbillGate Off") for kind in KINDS), *((kind, "SubbillDryRun On") for kind in KINDS),
    *((kind, "SubbillUser bob") for kind in KINDS), *((kind, "SubbillOnError allow") for kind in KINDS),
    ("authconfig", "SetHandler default-handler"), ("limit", "Require all granted"), ("fileinfo", "Satisfy Any"),
    ("limit", "Satisfy Any"), ("fileinfo", "Options +Indexes"), ("authconfig", "DirectoryIndex page.html")])
def test_a_line_that_an_author_may_not_write_closes_the_folder(site, kind, line):
    """T45: our own directives always, and others of another kind; it is an error for everybody."""
    _write(site, kind, line)
    site.allow_log(f"{line.split()[0]} not allowed here")
    for client in (site.client, site.client.user("alice"), site.client.user("bob")):
        answer = client.get(f"/members/{kind}/page.html")
        assert answer.status_code == 500 and SECRET not in answer.text


def test_what_an_author_can_do(site):
    """T45: say what a refusal looks like, send those who were let in elsewhere, add headers, close the folder."""
    alice, bob, page = site.client.user("alice"), site.client.user("bob"), "/members/fileinfo/page.html"
    _write(site, "fileinfo", 'ErrorDocument 402 "ask the author"\nHeader set X-Author me')
    answer = alice.get(page)
    assert (answer.status_code, answer.text) == (402, "ask the author")
    answer = bob.get(page)
    assert SECRET in answer.text and answer.headers["X-Author"] == "me"
    _write(site, "fileinfo", f"{REWRITE} ^page /open/page.html [L]")
    answer = alice.get(page)
    assert answer.status_code == 402 and PUBLIC not in answer.text
    answer = bob.get(page)
    assert PUBLIC in answer.text and "private" in answer.headers["Cache-Control"]
    _write(site, "limit", "Deny from all")
    for client in (site.client, alice, bob):
        answer = client.get("/members/limit/page.html")
        assert answer.status_code in (401, 403) and SECRET not in answer.text
    assert bob.get("/members/limit/page.html").status_code == 403
