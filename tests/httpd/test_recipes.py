# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The configurations of conf/recipes and docs/gate.md do what they say: the very files, with the real modules.

Each way to log in climbs the same ladder: a stranger meets its login, who has not paid is told so, who has gets
the page, and whoever only pretends to be somebody gets nothing.
"""
import pytest
from harness import recipes
from harness.client import BROWSER
from harness.content import SECRET

# mod_auth_openidc, mod_ssl and mod_auth_form tell of each failed login at warn or error.
FAILED_LOGINS = r"auth_openidc|\[ssl:|AH0181\d|AH0161[78]|session_crypto|auth_form|auth_basic"


@pytest.fixture(scope="module", params=list(recipes.METHODS))
def method(request, make_module_recipe):
    try:
        made = recipes.METHODS[request.param]()
    except recipes.Missing as missing:
        pytest.skip(str(missing))
    site = make_module_recipe(made)
    site.allow_log(FAILED_LOGINS)
    site.subscribe(made.name_of("bob"), "basic")
    return made


def test_a_stranger_meets_the_login_of_the_method(method):
    """B24, B30, E21: a page's visitor is asked who it is, in the way of this method."""
    answer = method.client(headers=BROWSER).get(method.place)
    assert answer.status_code == method.stranger
    assert SECRET not in answer.text
    assert "subbill/plans" not in answer.headers.get("Location", "")


def test_a_program_that_nobody_knows_gets_nothing(method):
    """B24, E8: whether with a document or with the way to the login; the account's routes likewise."""
    for path in (method.place, "/subbill/subscription", "/subbill/account"):
        answer = method.client().get(path)
        assert answer.status_code in (401, method.stranger), path
        assert SECRET not in answer.text


def test_who_has_not_paid_is_told_so(method):
    """B24, B30, E21: known and without a subscription: 402 for a program, the plans for a browser."""
    method.site.allow_log(FAILED_LOGINS)
    answer = method.program("alice").get(method.place)
    assert (answer.status_code, answer.headers["X-Subbill-Reason"]) == (402, "no_account")
    assert SECRET not in answer.text
    answer = method.browser("alice").get(method.place)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/subbill/plans?reason=no_account&next=")


def test_a_subscriber_gets_the_page(method):
    """B24, E8, E21: the folder's, too, which httpd finds by a request of its own; and reads about the subscription."""
    for client in (method.program("bob"), method.browser("bob")):
        for path in (method.place, method.place.removesuffix("page.html")):
            answer = client.get(path)
            assert (answer.status_code, SECRET in answer.text) == (200, True), (path, answer.text[:300])
            assert "private" in answer.headers["Cache-Control"]
    told = method.program("bob").get("/subbill/subscription").json()
    assert (told["user"], told["plan"], told["active"]) == (method.name_of("bob"), "basic", True)


def test_no_pretence_opens_the_gate(method):
    """T22, T23, B24: wrong passwords, cookies, certificates, tokens and headers; each next to the right one."""
    method.site.allow_log(FAILED_LOGINS)
    tried = 0
    for what, client in method.forgeries():
        for path in (method.place, "/subbill/subscription"):
            try:
                answer = client.get(path)
            except recipes.REFUSED_CONNECTIONS:
                continue
            assert answer.status_code in (302, 400, 401, 402, 403), (what, path, answer)
            assert SECRET not in answer.text and '"basic"' not in answer.text, (what, path)
        tried += 1
    assert tried >= 3


def test_the_pages_that_sell_are_open_and_stripe_needs_no_login(method):
    """A38, E13, D23: the plans, and the webhook, which the subscriber of this test came by."""
    method.site.allow_log(FAILED_LOGINS + "|SB402")
    for path in ("/subbill/plans", "/subbill/config"):
        assert method.client().get(path).status_code == 200
        assert method.client(headers={**BROWSER, "Cookie": "session=x"}).get(path).status_code == 200
    answer = method.client().post("/subbill/webhook", content=b"{}")
    assert answer.status_code == 400


def test_what_was_forbidden_stays_forbidden(method):
    """T45: a Require in <Location "/"> does not open what other sections close."""
    method.site.allow_log(FAILED_LOGINS + "|AH01630|AH01797")
    for client in (method.client(), method.program("bob"), method.browser("bob")):
        for path in ("/.htpasswd", "/api/.htpasswd", "/members/.htpasswd", "/members/vault/page.html"):
            answer = client.get(path)
            assert answer.status_code in (401, 403, method.stranger), (path, answer)
            assert SECRET not in answer.text, path


FRONT, EVIL = "https://app.example.com", "https://evil.example"


@pytest.mark.parametrize("kind", [recipes.SharedKeyToken, recipes.PublicKeyToken], ids=lambda kind: kind.recipe)
def test_a_front_end_on_another_origin_calls_with_a_bearer_token(make_recipe, kind):
    """C10, B24, T25, T13: the preflight has no token; with one the bytes can be read there, and every refusal,
    503 as well, tells the front end what it was. A foreign origin hears nothing."""
    try:
        method = kind()
    except recipes.Missing as missing:
        pytest.skip(str(missing))
    site = make_recipe(method, directives={"SubbillCORS": FRONT}, database="sqlite3")
    site.allow_log(FAILED_LOGINS)
    site.subscribe(method.name_of("bob"), "basic")

    def get(status, client, reason=None, origin=FRONT):
        answer = client.get(method.place, headers={"Origin": origin})
        assert (answer.status_code, SECRET in answer.text) == (status, status == 200)
        assert answer.headers.get_list("Access-Control-Allow-Origin") == ([FRONT] if origin == FRONT else [])
        assert ("Access-Control-Allow-Credentials" in answer.headers) == (origin == FRONT)
        assert answer.headers.get("X-Subbill-Reason") == reason and "Origin" in answer.headers["Vary"]
        exposed = answer.headers.get("Access-Control-Expose-Headers", "")
        assert all((name in exposed) == (origin == FRONT) for name in ("X-Subbill-Reason", "Retry-After"))
        return answer

    for origin, allowed in ((FRONT, FRONT), (EVIL, None)):
        preflight = method.client().options(method.place, headers={
            "Origin": origin, "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization"})
        assert preflight.status_code == 204 and not preflight.content
        assert preflight.headers.get("Access-Control-Allow-Origin") == allowed
        assert preflight.headers.get("Access-Control-Allow-Headers") == (allowed and "authorization")
        assert "WWW-Authenticate" not in preflight.headers
        get(200, method.program("bob"), origin=origin)
        assert "WWW-Authenticate" in get(401, method.client(), "no_identity", origin).headers
        get(402, method.program("alice"), "no_account", origin)

    site.allow_log("SB2")
    site.httpd.stop()
    away = site.database.path.with_suffix(".away")
    site.database.path.rename(away)
    site.httpd.start()
    assert "Retry-After" in get(503, method.program("bob"), "unavailable").headers
    get(503, method.program("bob"), "unavailable", EVIL)
    away.rename(site.database.path)
    site.reconfigure(directives={"SubbillEnabled": "Off"})
    get(503, method.program("bob"), "disabled")
    get(503, method.program("bob"), "disabled", EVIL)
