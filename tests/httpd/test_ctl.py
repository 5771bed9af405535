# Licensed under the Apache License, Version 2.0; see LICENSE.
"""subbillctl: what an operator asks and orders, how it ends, and what it must never show."""
import json
import os
import pwd
import re
import stat
import subprocess
import time
from collections import namedtuple

import pytest
from harness import catalogue, events, scratch
from stripe_double.client import Client as Stripe

Done = namedtuple("Done", "exit out err")

COMMANDS = (["migrate"], ["catalog", "check"], ["user", "show"], ["events", "list"],
            ["events", "show"], ["events", "replay"], ["events", "rebuild"], ["jobs", "list"],
            ["work"], ["links", "set"], ["trials", "mark"])
ESCAPES = "\x1b]0;owned\x07\x9b31m\u202e"
CANARY = "canary77OfTheCommandLine"


def run(*arguments, cwd="/", environment=None):
    """subbillctl with both outputs apart."""
    words = [word if isinstance(word, bytes) else str(word) for word in arguments]
    sanitizer = {"ASAN_OPTIONS": "detect_leaks=0"} if scratch.SAN else {}
    done = subprocess.run([str(scratch.CTL), *words], cwd=cwd, timeout=60,
                          env={**(environment or os.environ), **sanitizer}, capture_output=True,
                          stdin=subprocess.DEVNULL)
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def ask(site, *arguments, cwd="/"):
    return run(*arguments, cwd=cwd, environment=site.httpd.environment())


def as_root():
    if os.geteuid() != 0:
        pytest.skip("only root can give files to httpd's User")


@pytest.fixture
def offline(tmp_path):
    """Words that stand in for httpd: a dump in a file, and the path of its SQLite database."""
    path = tmp_path / "data" / "subbill.db"
    dump = tmp_path / "dump.json"
    dump.write_text(json.dumps({"subbill": "0.1.0", "servers": [{
        "server_name": "", "database_driver": "sqlite3", "database_params": str(path)}]}))
    return ["--config", dump], path


# --- the command line -----------------------------------------------------------------------


def test_help_names_every_command_and_every_exit_status():
    """M9, E31: --help alone, and behind each command."""
    for arguments in (["--help"], ["-h"]):
        done = run(*arguments)
        assert (done.exit, done.err) == (0, "")
        for words in COMMANDS:
            assert " ".join(words) in done.out
        assert "Exit status" in done.out
    for words in COMMANDS:
        done = run(*words, "--help")
        assert done.exit == 0 and done.out.startswith(f"usage: subbillctl {' '.join(words)}")
    assert re.fullmatch(r"subbillctl \d+\.\d+\.\d+\n", run("--version").out)


@pytest.mark.parametrize("arguments", [
    [], ["sell"], ["events"], ["events", "burn"], ["user", "show"], ["user", "show", "a", "b"],
    ["migrate", "now"], ["links", "set", "bob"], ["--colour", "events", "list"], ["-x", "migrate"],
    ["events", "list", "--force"], ["migrate", "--limit", "3"], ["events", "list", "--limit", "0"],
    ["events", "list", "--limit", "1001"], ["events", "list", "--limit", "9x"],
    ["work"], ["work", "--once", "now"], ["jobs"], ["jobs", "list", "--once"], ["events", "replay"],
    ["events", "list", "--limit"], ["events", "list", "--state", "lost"], ["migrate", "--check=no"],
    ["migrate", "--database", "sqlite3"], ["migrate", "--owner", "root"],
    ["migrate", "--database", "sqlite3", "subbill.db"], ["user", "show", ""],
    ["user", "show", "a\tb"], ["user", "show", b"\xff\xfe"], ["user", "show", "x" * 191],
    ["migrate", "--database", "sqlite3", "/tmp/x/y.db", "--owner", "nobody-at-all"]])
def test_wrong_use_ends_with_2_and_a_sentence_and_does_nothing(arguments):
    """M9: what is wrong stands on standard error; nothing was asked of httpd or a database."""
    done = run("--httpd", "/bin/false", *arguments)
    assert (done.exit, done.out) == (2, ""), done
    first = done.err.splitlines()[0]
    assert first.startswith("subbillctl: ") and first.endswith(".")


def test_a_failure_with_json_is_one_document_too():
    """M9: a program reads code and message from standard output, a person the sentence beside it."""
    done = run("--json", "events", "burn")
    error = json.loads(done.out)["error"]
    assert done.exit == 2 and error["code"] == "usage"
    assert error["message"] in done.err and error["hint"] in done.err


def test_a_name_that_begins_with_a_dash_stands_behind_two(offline):
    """T22: every user name can be written."""
    config, _ = offline
    assert run(*config, "migrate").exit == 0
    assert run(*config, "links", "set", "--offline", "--", "--force", "cus_T1234567890").exit == 0
    shown = json.loads(run(*config, "--json", "user", "show", "--", "--force").out)
    assert (shown["user"], shown["customer"]) == ("--force", "cus_T1234567890")


def test_an_answer_that_nobody_takes_is_a_failure():
    """A full disk behind standard output must not look like success."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run([str(scratch.CTL), "--help"], stdout=full, timeout=20,
                              stderr=subprocess.PIPE)
    assert done.returncode == 1 and b"standard output" in done.stderr


# --- where the settings come from -----------------------------------------------------------


def test_settings_come_from_httpd_wherever_one_stands(site, tmp_path):
    """A62, C32: apachectl is asked, from any working directory, also one that has gone."""
    gone = tmp_path / "gone"
    for folder in ("/", site.root, tmp_path):
        assert ask(site, "migrate", "--check", cwd=folder).exit == 0
    done = subprocess.run(["/bin/sh", "-c", f'mkdir {gone}; cd {gone}; rmdir {gone}; '
                           f'exec {scratch.CTL} migrate --check'], capture_output=True,
                          env=site.httpd.environment(), timeout=60)
    assert done.returncode == 0, done.stderr


def test_another_httpd_can_be_asked(site):
    """$SUBBILL_HTTPD and --httpd replace apachectl; their words are no shell."""
    environment = {**os.environ, "SUBBILL_HTTPD": f"{site.root}/bin/httpd -d '{site.root}'"}
    assert run("migrate", "--check", environment=environment).exit == 0
    done = run("--httpd", f"{site.root}/bin/httpd -d {site.root}; touch {site.root}/pwned",
               "migrate", "--check")
    assert done.exit == 3 and not (site.root / "pwned").exists()


def test_a_saved_dump_stands_in_for_httpd(site, tmp_path):
    """C32: --config reads what -D DUMP_SUBBILL printed."""
    saved = tmp_path / "dump"
    saved.write_text(site.httpd.apachectl("-t", "-D", "DUMP_SUBBILL").output)
    assert run("--config", saved, "--httpd", "/bin/false", "migrate", "--check").exit == 0


def test_trouble_with_the_configuration_ends_with_3_and_httpds_own_words(make_site):
    """A65: the sentence of configtest is the sentence of the command."""
    site = make_site(start=False, double=False, directives={"SubbillCatalog": "/nowhere/x.json"})
    done = ask(site, "events", "list")
    assert done.exit == 3 and "/nowhere/x.json cannot be read" in done.err
    assert "refuses its configuration" in done.err


@pytest.mark.parametrize("options, word", [
    (["--httpd", "/nowhere/apachectl"], "/nowhere/apachectl cannot be started"),
    (["--httpd", "no-such-program-anywhere"], "is not installed"),
    (["--httpd", "/bin/true"], "does not load it"),
    (["--httpd", "/bin/false"], "status 1"),
    (["--config", "/nowhere/dump.json"], "cannot be read"),
    (["--config", "/etc/hostname"], "holds no dump")])
def test_no_settings_no_work(options, word):
    """A65: which of the ways to the settings failed, and how to mend it; status 3."""
    done = run(*options, "events", "list")
    assert done.exit == 3 and word in done.err and done.out == ""
    assert len(done.err.splitlines()) >= 2 or word == "status 1"


def test_one_of_several_servers_is_named(tmp_path):
    """Several sites in one httpd: no command guesses whose database is meant."""
    servers = [{"server_name": name, "database_driver": "sqlite3",
                "database_params": str(tmp_path / (name or "m") / "s.db")}
               for name in ("", "shop.example", "club.example")]
    dump = tmp_path / "dump.json"
    dump.write_text("AH00558: noise {\n" + json.dumps(
        {"subbill": "0.1.0", "servers": servers}) + "\nSyntax OK\n")
    assert run("--config", dump, "migrate").exit == 2
    done = run("--config", dump, "--server", "other.example", "migrate")
    assert done.exit == 2 and "main, shop.example, club.example" in done.err
    for name, folder in (("main", "m"), ("club.example", "club.example")):
        assert run("--config", dump, "--server", name, "migrate").exit == 0
        assert (tmp_path / folder / "s.db").exists()
    assert not (tmp_path / "shop.example").exists()
    # Hosts that share everything a command needs are one.
    dump.write_text(json.dumps({"subbill": "0.1.0", "servers": [
        {**servers[0], "server_name": name} for name in ("", "a.example")]}))
    assert run("--config", dump, "migrate", "--check").exit == 0


# --- migrate --------------------------------------------------------------------------------


def test_migrate_makes_gives_and_tells(make_site):
    """A62, F01: folder and file are httpd's User's alone; a second run finds nothing to do."""
    site = make_site(start=False, double=False)
    (site.root / "data").rmdir()
    done = ask(site, "migrate", "--check")
    assert done.exit == 1 and "subbillctl migrate" in done.out
    done = ask(site, "migrate", "--dry-run")
    assert done.exit == 0 and "Would" in done.out and not (site.root / "data").exists()
    told = json.loads(ask(site, "--json", "migrate").out)
    assert told["state"] == "current" and told["database"] == "sqlite3"
    assert told["found"] == told["ours"] and not told["dry_run"]
    assert any("0001_spine" in step for step in told["steps"])
    for path, mode in ((site.root / "data", 0o700), (site.root / "data" / "subbill.db", 0o600)):
        found = path.stat()
        assert stat.S_IMODE(found.st_mode) == mode
        assert pwd.getpwuid(found.st_uid).pw_name == scratch.RUN_AS
    before = site.database.dump()
    assert json.loads(ask(site, "--json", "migrate").out)["steps"] == []
    assert ask(site, "migrate", "--check").exit == 0
    assert site.database.dump() == before


def test_no_command_leaves_a_file_that_only_root_may_touch(make_site):
    """F01: run by root beside a running httpd, or before it, the journal is httpd's as well."""
    as_root()
    site = make_site(double=False)
    site.subscribe("bob")
    user = pwd.getpwnam(scratch.RUN_AS)
    for arguments in (["migrate"], ["migrate", "--check"], ["user", "show", "bob"], ["events", "list"],
                      ["links", "set", "carol", "cus_T7777777777", "--offline"]):
        assert ask(site, *arguments).exit == 0, arguments
        for path in (site.root / "data").iterdir():
            assert (path.stat().st_uid, path.stat().st_gid) == (user.pw_uid, user.pw_gid), path
    for name in ("subbill.db", "subbill.db-wal", "subbill.db-shm"):
        path = site.root / "data" / name
        if path.exists():
            os.chown(path, 0, 0)
    assert ask(site, "migrate").exit == 0
    assert {path.stat().st_uid for path in (site.root / "data").iterdir()} == {user.pw_uid}
    assert site.client.user("bob").get("/members/page.html").status_code == 200


def test_root_follows_no_link_that_the_web_server_may_have_laid(make_site):
    """Who owns the folder must not get root to give him a file of somebody else."""
    as_root()
    site = make_site(start=False, double=False)
    victim = site.root / "victim"
    victim.write_text("root's own\n")
    for lay in (os.symlink, os.link):
        lay(victim, site.root / "data" / "subbill.db")
        done = ask(site, "migrate")
        assert done.exit == 4 and "link" in done.err
        assert victim.stat().st_uid == 0 and victim.read_text() == "root's own\n"
        (site.root / "data" / "subbill.db").unlink()


def test_migrate_works_without_httpd(tmp_path):
    """A62: --database for whoever has no configuration yet; --owner names httpd's User."""
    path = tmp_path / "data" / "s.db"
    asked = ["--httpd", "/bin/false", "migrate", "--database", "sqlite3", path]
    assert run(*asked, "--check").exit == 1 and not path.exists()
    owner = ["--owner", scratch.RUN_AS] if os.geteuid() == 0 else []
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(0o711)
    done = run(*asked, *owner)
    assert done.exit == 0, done
    assert pwd.getpwuid(path.stat().st_uid).pw_name == scratch.RUN_AS
    assert run(*asked, *owner, "--check").exit == 0


def test_a_database_that_is_none_ends_with_4(offline):
    """F01: neither a stack of codes nor a changed file."""
    config, path = offline
    path.parent.mkdir()
    path.write_text("Dear diary, this is no database.\n" * 100)
    for arguments in (["migrate", "--check"], ["migrate"], ["events", "list"], ["user", "show", "bob"]):
        done = run(*config, *arguments)
        assert done.exit == 4, (arguments, done)
        assert done.err.startswith("subbillctl: ") and len(done.err.splitlines()) <= 3
    assert path.read_text().startswith("Dear diary")


def test_a_command_before_migrate_says_so(offline):
    """F01: the cure is named."""
    config, path = offline
    for arguments in (["user", "show", "bob"], ["events", "list"], ["events", "show", "evt_1"],
                      ["links", "set", "bob", "cus_T1234567890", "--offline"]):
        done = run(*config, *arguments)
        assert done.exit == 4 and "subbillctl migrate" in done.err
    assert not path.exists()


# --- catalog --------------------------------------------------------------------------------


def test_a_good_catalogue_is_listed(site):
    """A10, E5: plans with their prices, from the configuration or from a file."""
    done = ask(site, "catalog", "check")
    assert done.exit == 0 and "is valid: 4 plans." in done.out
    assert re.search(r"^basic +Basic +membership +10 .*€9\.00/month, €90\.00/year, \$10\.00/month$",
                     done.out, re.M)
    told = site.ctl_json("catalog", "check")
    assert told["valid"] and told["findings"] == []
    assert [plan["plan"] for plan in told["plans"]] == ["free", "basic", "pro", "enterprise"]
    (basic,) = [plan for plan in told["plans"] if plan["plan"] == "basic"]
    assert basic["prices"][0] == {
        "id": {"test": catalogue.PRICE["basic"], "live": catalogue.PRICE["basic"]},
        "lookup_key": "basic_monthly", "interval": "month", "interval_count": 1, "currency": "eur",
        "amount": 900, "plan_id": 1}


def test_a_bad_catalogue_is_a_finding_with_its_path(tmp_path):
    """A10, E5: status 1, the place, what was found, what is meant; httpd is not asked."""
    wrong = catalogue.default()
    catalogue.plan(wrong, "pro")["prices"][1]["id"] = "price_XXX"
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(wrong))
    done = run("--httpd", "/bin/false", "catalog", "check", path)
    assert done.exit == 1 and "plans[2].prices[1].id: " in done.out
    done = run("--json", "catalog", "check", path.name, cwd=tmp_path)
    told = json.loads(done.out)
    assert done.exit == 1 and told["valid"] is False and told["plans"] == []
    (finding,) = told["findings"]
    assert finding["path"] == "plans[2].prices[1].id" and "price_XXX" in finding["message"]
    path.write_text("{")
    assert run("catalog", "check", path).exit == 1
    assert run("catalog", "check", tmp_path / "nothing.json").exit == 3
    assert run("catalog", "check", tmp_path).exit == 3


# --- user, events, links --------------------------------------------------------------------


def test_user_show_tells_what_was_bought_and_which_gate_opens_why(site):
    """A58, B36, C43: the question of every support call in one answer."""
    user = site.new_user()
    thing = site.subscribe(user, "basic")
    site.webhook(events.invoice_paid(events.invoice(thing)))
    shown = site.ctl_json("user", "show", user)
    assert (shown["user"], shown["known"], shown["mode"]) == (user, True, "test")
    assert shown["customer"] == thing["customer"]
    assert {gate["gate"]: (gate["opens"], gate["reason"]) for gate in shown["gates"]} == {
        "any": (True, "ok"), "free": (True, "ok"), "basic": (True, "ok"),
        "pro": (False, "plan_too_low"), "enterprise": (False, "plan_too_low")}
    (held,) = shown["subscriptions"]
    assert (held["id"], held["status"], held["plan"], held["amount"], held["currency"]) == (
        thing["id"], "active", "basic", 900, "eur")
    assert held["opens"] and held["current_period_end"] > held["current_period_start"]
    assert [(invoice["status"], invoice["amount_paid"]) for invoice in shown["invoices"]] == [
        ("paid", 900)]
    assert {event["type"] for event in shown["events"]} == {
        "customer.subscription.created", "invoice.paid"}
    text = ask(site, "user", "show", user)
    for word in (thing["id"], thing["customer"], "plan_too_low", "active", "invoice.paid"):
        assert word in text.out
    assert (text.exit, text.err) == (0, "")


def test_an_unknown_user_is_told_as_such(site):
    """A58: status 1, and what such a user may see nevertheless."""
    done = ask(site, "--json", "user", "show", "nobody at all")
    shown = json.loads(done.out)
    assert done.exit == 1 and shown["known"] is False and shown["subscriptions"] == []
    assert {gate["gate"] for gate in shown["gates"] if gate["opens"]} == {"free"}


def test_names_that_look_alike_are_different_users(site):
    """T22: exact bytes, on the command line as well."""
    user = site.new_user("Kay")
    site.subscribe(user, "basic")
    assert ask(site, "user", "show", user).exit == 0
    for other in (user.lower(), user + " ", user.replace("a", "á")):
        assert ask(site, "user", "show", other).exit == 1


def test_grace_is_asked_for(site):
    """A16: past_due opens as long as SubbillGrace says; --grace asks with another figure."""
    user = site.new_user()
    assert site.webhook(events.subscription_created(
        events.subscription(user, "basic", status="past_due"))).status_code == 200

    def gate(*more):
        return next(gate for gate in site.ctl_json("user", "show", user, *more)["gates"]
                    if gate["gate"] == "any")
    assert (gate()["opens"], gate()["reason"]) == (False, "past_due")
    assert gate("--grace", "3")["opens"] and gate("--grace", "3")["until"]


def test_events_are_listed_newest_first_and_shown_whole(site):
    """A58, B32, C44, D24: state and reason of each, and the very body Stripe sent."""
    user = site.new_user()
    thing = events.subscription(user, "basic")
    event = events.subscription_created(thing)
    site.webhook(event)
    site.webhook(events.envelope("customer.teleported", {"id": "x_1", "object": "x"}))
    rows = site.ctl_json("events", "list", "--limit", "1000")["events"]
    assert [row["received"] for row in rows] == sorted(
        (row["received"] for row in rows), reverse=True)
    (row,) = [row for row in rows if row["id"] == event["id"]]
    assert (row["type"], row["state"], row["reason"], row["source"], row["object"]) == (
        event["type"], "done", None, "webhook", thing["id"])
    assert {row["state"] for row in site.ctl_json("events", "list", "--state", "ignored")["events"]} \
        == {"ignored"}
    assert len(site.ctl_json("events", "list", "--limit", "1")["events"]) == 1
    assert event["id"] in ask(site, "events", "list").out
    shown = site.ctl_json("events", "show", event["id"])["event"]
    assert shown["body"] == event and shown["id"] == event["id"]
    text = ask(site, "events", "show", event["id"]).out
    assert json.loads(text[text.index("\n{"):]) == event
    done = ask(site, "events", "show", "evt_nothing")
    assert done.exit == 1 and "evt_nothing" in done.err


def test_links_set_binds_once_and_moves_only_by_force(site):
    """B15, B28, B36, T08: tried dry, refused with the owner's name, moved with its subscription."""
    first, second = site.new_user(), site.new_user()
    thing = events.subscription(None, "basic")
    site.webhook(events.subscription_created(thing))
    customer = thing["customer"]
    words = ["links", "set", first, customer, "--offline"]
    before = site.database.dump()
    told = site.ctl_json(*words, "--dry-run")
    assert told["changed"] and told["dry_run"] and site.database.dump() == before
    assert site.client.user(first).get("/members/page.html").status_code == 402
    told = site.ctl_json(*words)
    assert told == {"user": first, "customer": customer, "changed": True, "dry_run": False,
                    "from_user": None, "from_customer": None, "subscriptions": 1}
    # The door opens at once, although the refusal had been remembered.
    assert site.client.user(first).get("/members/page.html").status_code == 200
    assert site.ctl_json(*words)["changed"] is False
    done = ask(site, "links", "set", second, customer, "--offline")
    assert done.exit == 1 and first in done.err and "--force" in done.err
    assert site.client.user(second).get("/members/page.html").status_code == 402
    done = ask(site, "links", "set", second, customer, "--offline", "--force")
    assert done.exit == 0 and first in done.out
    assert site.client.user(second).get("/members/page.html").status_code == 200
    assert site.client.user(first).get("/members/page.html").status_code == 402
    trail = site.database.rows(f"SELECT who FROM link_audit WHERE customer = '{customer}'")
    assert trail and all(who for (who,) in trail)


def test_an_operator_notes_that_somebody_has_had_the_trial(make_site):
    """B9, B36: tried dry, written once with its source, told by user show; the next purchase has none."""
    site = make_site(catalog=catalogue.default(trial_days=14))
    user = site.new_user()
    site.client.user(user).get("/subbill/account")
    assert site.ctl_json("user", "show", user)["trial"] is None
    before = site.database.dump()
    told = site.ctl_json("trials", "mark", user, "--dry-run")
    assert told == {"user": user, "changed": True, "dry_run": True}
    assert site.database.dump() == before
    assert site.ctl_json("trials", "mark", user)["changed"] is True
    trial = site.ctl_json("user", "show", user)["trial"]
    assert trial["source"] == "operator" and abs(trial["used_at"] - time.time()) < 60
    assert "(operator)" in ask(site, "user", "show", user).out
    before = site.database.dump()
    assert site.ctl_json("trials", "mark", user)["changed"] is False
    assert site.database.dump() == before
    assert ask(site, "trials", "mark", "").exit in (1, 2)
    stranger = site.new_user()  # was never here
    assert site.ctl_json("trials", "mark", stranger)["changed"] is True
    shown = site.ctl("user", "show", stranger, "--json")
    assert shown.exit == 1 and json.loads(shown.output)["trial"]["source"] == "operator"
    offers = [site.client.browser(each).get("/subbill/plans").text for each in (stranger, site.new_user())]
    assert ["trial" in offer for offer in offers] == [False, True]
    bought = site.client.user(user).post("/subbill/checkout", json={"plan": "basic"})
    assert bought.status_code == 200, bought.text
    asked = site.double.control.requests("POST", "/v1/checkout/sessions")[-1]
    assert "trial" not in json.dumps(asked)


def test_stripe_is_asked_whether_the_customer_exists(site):
    """B15, B36: a typing error binds nobody; no wrong id reaches an address."""
    user = site.new_user()
    made = Stripe(site.double.url, "sk_test_canary51TheKeyOfTheTestSite0001").post(
        "/v1/customers", {"email": "old@example.com"})
    site.double.control.flush()
    before = site.database.dump()
    done = ask(site, "links", "set", user, "cus_TnobodyHasThis1")
    assert done.exit == 1 and site.database.dump() == before
    site.double.control.forget_requests()
    for wrong in ("bob", "sub_1234567890", "cus_", "cus_../../v1/charges", "cus_a b"):
        assert ask(site, "links", "set", user, wrong).exit == 2
    assert site.double.control.requests() == []
    assert ask(site, "links", "set", user, made["id"]).exit == 0
    assert site.ctl_json("user", "show", user)["customer"] == made["id"]


def test_stripe_down_ends_with_5_and_names_the_way_without_it(make_site):
    """B36, F10: nothing is bound that could not be checked, unless the operator says so."""
    site = make_site(double=False)
    done = ask(site, "links", "set", "bob", "cus_T1234567890")
    assert done.exit == 5 and "--offline" in done.err
    assert site.database.count("customer") == 0
    assert ask(site, "links", "set", "bob", "cus_T1234567890", "--offline").exit == 0


@pytest.mark.parametrize("dialect", ["pgsql", "mysql"])
def test_every_command_works_on_the_other_databases(make_site, dialect):
    """A62, M8: the same words and answers; a dead server is status 4."""
    site = make_site(database=dialect, double=False)
    assert ask(site, "migrate", "--check").exit == 0
    thing = site.subscribe("Zoë ’s", "pro")
    shown = site.ctl_json("user", "show", "Zoë ’s")
    assert shown["subscriptions"][0]["id"] == thing["id"]
    assert ask(site, "user", "show", "zoë ’s").exit == 1
    (row,) = site.ctl_json("events", "list")["events"]
    assert site.ctl_json("events", "show", row["id"])["event"]["body"]["id"] == row["id"]
    assert ask(site, "links", "set", "eve", thing["customer"], "--offline").exit == 1
    assert site.ctl_json("links", "set", "eve", thing["customer"], "--offline", "--force")["changed"]
    site.reconfigure(graceful=False, directives={
        "SubbillDatabase": {"pgsql": 'pgsql "host=127.0.0.1 port=9 dbname=x user=x"',
                            "mysql": 'mysql "host=127.0.0.1,port=9,user=x,dbname=x"'}[dialect]})
    for arguments in (["migrate", "--check"], ["events", "list"]):
        done = ask(site, *arguments)
        assert done.exit == 4 and len(done.err.splitlines()) <= 3, done


# --- what must never be seen ----------------------------------------------------------------


def test_no_stored_text_can_move_a_terminal(site):
    """T43: whatever came from outside is shown as harmless text, in tables, bodies and JSON."""
    event = events.envelope("customer.teleported", {"id": "x_1", "object": "x",
                                                    "name": ESCAPES + "\x7f"})
    body = json.dumps(event, ensure_ascii=False).encode()
    assert site.webhook(body).json()["state"] == "ignored"
    site.database.execute("UPDATE event SET reason = CAST(x'1b5d303b6f776e6564079b1b5b324a' AS TEXT)"
                          f" WHERE id = '{event['id']}'")
    bidi = "admin\u202etxt.exe"
    outputs = [ask(site, *words) for words in (
        ["events", "list"], ["events", "list", "--json"], ["events", "show", event["id"]],
        ["events", "show", event["id"], "--json"], ["user", "show", bidi],
        ["user", "show", bidi, "--json"], ["links", "set", bidi, "cus_T5555555555", "--offline"],
        ["events", "show", "evt_" + ESCAPES], ["nothing" + ESCAPES], ["--server", ESCAPES, "migrate"],
        ["--" + ESCAPES], ["catalog", "check", "/nowhere/" + ESCAPES])]
    assert event["id"] in outputs[0].out
    for done in outputs:
        for text in (done.out, done.err):
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e]", text), done
    assert json.loads(outputs[3].out)["event"]["body"]["data"]["object"]["name"] == ESCAPES + "\x7f"


def test_no_secret_in_output_or_argument_lists(make_site):
    """T37, A20: sources are read, never shown, however talkative the command is; and none is an argument."""
    site = make_site(start=False, double=False)
    for name, text in (("stripe.key", f"sk_test_{CANARY}"), ("webhook.secret", f"whsec_{CANARY}"),
                       ("pg", f"host=127.0.0.1 port=9 user=x dbname=x password={CANARY}")):
        scratch.write(site.root / "secrets" / name, text + "\n", 0o600)
    site.ctl("migrate")
    for database in (site.directives["SubbillDatabase"], f"pgsql file:{site.root}/secrets/pg"):
        site.reconfigure(graceful=False, directives={"SubbillDatabase": database})
        for words in (["migrate", "--check"], ["migrate", "--dry-run"], ["migrate"], ["user", "show", "bob"],
                      ["events", "list"], ["catalog", "check"], ["links", "set", "bob", "cus_T1234567"]):
            for more in ([], ["--json"], ["--verbose"]):
                done = ask(site, *words, *more)
                assert CANARY not in done.out + done.err, words
    for driver, params in (("pgsql", f"host=h password={CANARY}"), ("mysql", f"host=h,pass={CANARY}"),
                           ("pgsql", f"postgres://u:{CANARY}@h/db")):
        done = run("migrate", "--database", driver, params)
        assert done.exit == 2 and "file:" in done.err and CANARY not in done.err + done.out


def test_an_unreadable_source_is_a_sentence(make_site):
    """A64, T37: which source, and for env: that httpd's environment is not the shell's."""
    site = make_site(start=False, double=False)
    saved = site.root / "dump.json"
    saved.write_text(site.httpd.apachectl("-t", "-D", "DUMP_SUBBILL").output)
    text = saved.read_text()
    for source, word in (("env:SB_NOT_SET_HERE", "envvars"), ("file:/nowhere/db", "/nowhere/db")):
        changed = re.sub(r'"database_params": "[^"]*"', f'"database_params": "{source}"', text)
        saved.write_text(changed)
        done = run("--config", saved, "events", "list")
        assert done.exit == 3 and word in done.err and "SubbillDatabase" in done.err
