# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What the gate does when it cannot or shall not decide: SubbillOnError, SubbillDryRun, SubbillCache."""
import re
import time

import pytest
from harness import children, scratch
from harness.content import SECRET

PAGE = "/members/page.html"


def test_a_dry_run_lets_everybody_pass_and_tells_what_it_would_have_done(make_site):
    """SubbillDryRun: nobody is asked to log in, nothing is withheld, and the header, the log and the access
    log's variable say what a closed gate would say (D24)."""
    site = make_site(double=False, extra="""
<Location "/members">
    SubbillDryRun On
</Location>
<Location "/require">
    SubbillDryRun On
</Location>
<Location "/members/deep">
    SubbillDryRun Off
</Location>
CustomLog "${SB_LOG}" "%U %{SUBBILL_WOULD}e"
""", start=False)
    log = site.root / "logs" / "would.log"
    site.httpd.set_variables({"SB_LOG": str(log)})
    site.start()
    site.subscribe("bob", "basic")
    site.expect_log("SB127: would be refused .402.: no_account")
    anonymous = site.client.get(PAGE)
    assert (anonymous.status_code, anonymous.headers["X-Subbill-Would"]) == (200, "401 no_identity")
    assert SECRET in anonymous.text
    assert "private" not in anonymous.headers.get("Cache-Control", "")
    alice = site.client.user("alice")
    for path in (PAGE, "/members/", "/require/page.html"):
        answer = alice.get(path)
        assert answer.status_code == 200 and SECRET in answer.text
        assert answer.headers["X-Subbill-Would"] == "402 no_account"
    assert site.client.user("bob").get(PAGE).headers["X-Subbill-Would"] == "pass"
    assert site.client.browser("alice").get(PAGE).headers["X-Subbill-Would"] == "303 no_account"
    closed = alice.get("/members/deep/er/page.html")
    assert closed.status_code == 402 and "X-Subbill-Would" not in closed.headers
    assert f"{PAGE} no_account" in log.read_text()


def test_on_error_allow_lets_those_in_who_are_logged_in_and_says_so(make_site):
    """F01, CLOSED: the default is 503; `allow` is the site's own choice, visible in each answer, and
    asks for a login all the same."""
    site = make_site(double=False, migrate=False, extra="""
<Location "/members/deep">
    SubbillOnError allow
</Location>
<Location "/require">
    SubbillOnError allow
</Location>
""")
    site.allow_log("SB204|SB113")
    alice = site.client.user("alice")
    shut = alice.get(PAGE)
    assert shut.status_code == 503 and SECRET not in shut.text
    for path in ("/members/deep/er/page.html", "/require/page.html"):
        answer = alice.get(path)
        assert answer.status_code == 200 and SECRET in answer.text
        assert answer.headers["X-Subbill-Warning"] == "unavailable"
        assert "private" in answer.headers["Cache-Control"]
        assert site.client.get(path).status_code == 401
    with children.lines(site, "alice") as lines:
        _warned(lines, "/members/deep/er/page.html", "unavailable")
    _told_once(site, lines, "SB113")


def _warned(lines, page, warning):
    """Thirty requests, to every child in turn; each answer carries the warning."""
    for number in range(30):
        answer = lines[number % len(lines)].get(page)
        assert (answer.status, answer.headers["X-Subbill-Warning"]) == (200, warning)
        assert SECRET in answer.text and "private" in answer.headers["Cache-Control"]


def _told_once(site, lines, word):
    """Each child says it once a minute, and all of them have."""
    told = children.told(site.httpd, word)
    assert set(told.values()) == {1}
    assert scratch.MPM == "prefork" or set(told) == {line.pid for line in lines}


def test_stale_lets_those_in_who_are_known_and_says_so(make_site):
    """F02: SubbillStale: each answer has the warning, the log says it once a minute and process."""
    site = make_site(double=False, directives={"SubbillCache": "4096 1"}, extra="""
KeepAliveTimeout 20
<Location "/members">
    SubbillStale 600
</Location>
""")
    site.allow_log("SB2|SB112")
    site.subscribe("bob", "basic")
    with children.lines(site, "bob") as lines:
        assert all(SECRET in line.get(PAGE).text for line in lines)
        site.database.path.rename(site.database.path.with_suffix(".away"))
        for line in lines:
            until = time.monotonic() + 15
            while line.get(PAGE).headers["X-Subbill-Warning"] is None:
                assert time.monotonic() < until
                time.sleep(0.1)
        _warned(lines, PAGE, "stale")
        site.database.path.with_suffix(".away").rename(site.database.path)
    _told_once(site, lines, "SB112")


def test_on_error_also_says_what_a_switch_that_is_off_means(make_site):
    """SubbillEnabled Off: the gate follows SubbillOnError."""
    site = make_site(double=False, directives={"SubbillEnabled": "Off"}, extra="""
<Location "/members/deep">
    SubbillOnError allow
</Location>
""")
    site.allow_log("SB113")
    assert site.client.user("alice").get(PAGE).status_code == 503
    answer = site.client.user("alice").get("/members/deep/er/page.html")
    assert (answer.status_code, answer.headers["X-Subbill-Warning"]) == (200, "disabled")


def _metrics(site):
    answer = site.client.get("/metrics")
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {line.rpartition(" ")[0]: int(line.rpartition(" ")[2])
            for line in answer.text.splitlines() if not line.startswith("#")}


def test_what_the_gates_decide_is_counted(make_site):
    """SubbillStale, SubbillOnError and SubbillDryRun are visible to whoever watches the site (M7); over all processes, and
    from zero after a reload."""
    site = make_site(double=False, directives={"SubbillCache": "4096 1"}, extra="""
<Location "/metrics">
    SetHandler subbill-metrics
</Location>
<Location "/workshop">
    SubbillDryRun On
</Location>
<Location "/members">
    SubbillStale 600
</Location>
<Location "/require">
    SubbillOnError allow
</Location>
""")
    site.allow_log("SB2|SB112|SB113")
    site.subscribe("bob", "basic")
    bob, alice = site.client.user("bob"), site.client.user("alice")
    for _ in range(20):
        assert bob.get(PAGE).status_code == 200
        assert alice.get(PAGE).status_code == 402
        assert alice.get("/workshop/page.html").status_code == 200
    counted = _metrics(site)
    assert counted['subbill_gate_decisions_total{reason="ok"}'] == 20
    assert counted['subbill_gate_decisions_total{reason="no_account"}'] == 20
    assert counted['subbill_gate_rehearsed_total{reason="no_account"}'] == 20
    assert 2 <= counted["subbill_gate_queries_total"] < 50
    assert counted["subbill_gate_stale_total"] == counted["subbill_gate_on_error_total"] == 0
    site.database.path.rename(site.database.path.with_suffix(".away"))
    time.sleep(6)
    stale = sum(bob.get(PAGE).headers.get("X-Subbill-Warning") == "stale" for _ in range(10))
    allowed = sum(alice.get("/require/page.html").status_code == 200 for _ in range(10))
    site.database.path.with_suffix(".away").rename(site.database.path)
    counted = _metrics(site)
    assert stale and counted["subbill_gate_stale_total"] == stale
    assert counted["subbill_gate_on_error_total"] == allowed == 10
    assert site.client.post("/metrics").status_code == 405
    site.reconfigure()
    site.hang_up()  # or a child of before the reload may answer once more
    assert set(_metrics(site).values()) == {0}


@pytest.mark.parametrize("line, sentence", [
    ("SubbillCache 10", "not a whole number of entries"),
    ("SubbillCache 4096 -1", "not a whole number of seconds"),
    ("SubbillStale soon", "not a whole number of seconds"),
    ("SubbillOnError maybe", "neither deny nor allow"),
    ("SubbillDryRun perhaps", "must be On or Off"),
])
def test_bad_arguments_are_told(make_site, line, sentence):
    """A sentence at configtest that says what is wrong."""
    site = make_site(double=False, start=False, migrate=False, extra=line)
    done = site.httpd.configtest()
    assert done.exit and re.search(sentence, done.output)


def test_strangers_push_no_payer_out_of_a_full_cache(make_site):
    """T35, DOS: with places for 64 users, hundreds of names that nobody knows cost the payers nothing."""
    site = make_site(double=False, httpd={"processes": 1}, directives={"SubbillCache": "64 60"}, extra="""
<Location "/env">
    AuthType None
    SubbillUser "%{env:SB_WHO}"
    SubbillGate any
    Require all granted
</Location>
SetEnvIf X-Who "(.*)" SB_WHO=$1
""")
    scratch.write(site.root / "docroot" / "env" / "page.html", SECRET)
    payers = ["bob", "carol", "dave"]
    for user in payers:
        site.subscribe(user, "basic")

    def gate(user):
        return site.client.get("/env/page.html", headers={"X-Who": user}).status_code

    assert [gate(user) for user in payers] == [200] * 3
    # One after another on one connection, which is one process under prefork, too.
    assert {gate(f"nobody{n}") for n in range(600)} == {402}
    site.allow_log("SB204")
    site.database.path.rename(site.database.path.with_suffix(".away"))
    began = time.monotonic()
    assert [gate(user) for user in payers] == [200] * 3
    assert time.monotonic() - began < 4, "too slow to tell what was cached"
    site.database.path.with_suffix(".away").rename(site.database.path)
    assert site.database.count("account") == 3
