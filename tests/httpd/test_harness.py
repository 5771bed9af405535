# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The harness itself, on stock httpd: it serves, reloads, ends, and its log check bites."""
import os
import signal
import socket
import time

import pytest

from harness import events, killer, processes, sender, stories
from harness.content import PUBLIC, SECRET
from harness.errorlog import ErrorLog
from harness.site import Site

SITE = {"module": False, "double": False}

LOGIN = '<Location "/members">\n    Require valid-user\n</Location>\n'


@pytest.fixture
def stock(make_site):
    return lambda **arguments: make_site(**{**SITE, **arguments})


def test_a_site_serves_every_kind_of_content(site):
    for path in ("/members/", "/members/page.html", "/open/includes.shtml", "/cgi/hello.cgi",
                 "/dav/file.txt"):
        answer = site.client.get(path)
        assert (answer.status_code, SECRET in answer.text) == (200, True), path
    assert site.client.get("/app/x", headers={"X-Probe": "1"}).json()["path"] == "/x"
    assert site.backend.requests[-1]["path"] == "/x"
    assert PUBLIC in site.client.browser().get("/").text


def test_people_log_in_with_their_name_as_password(stock):
    site = stock(extra=LOGIN)
    assert site.client.get("/members/").status_code == 401
    assert SECRET in site.client.user("bob").get("/members/").text


def test_http2_is_spoken_where_the_mpm_allows_it(site):
    if not site.httpd_has_http2:
        pytest.skip("mod_http2 does not work with prefork")
    answer = site.client.http2().get("/open/")
    assert (answer.http_version, answer.status_code) == ("HTTP/2", 200)


def test_a_file_can_be_put_by_dav(site):
    assert site.client.put("/dav/new.txt", content=b"x").status_code == 201


def test_graceful_takes_a_new_configuration_and_refuses_a_broken_one(stock):
    site = stock()
    assert site.reconfigure(extra="Redirect 410 /open").exit == 0
    assert site.client.get("/open/").status_code == 410
    result = site.reconfigure(extra="Nonsense On")
    assert result.exit != 0 and "Nonsense" in result.output
    assert site.httpd.configtest().exit != 0
    assert site.client.get("/open/").status_code == 410


def test_a_server_that_cannot_start_says_why(stock):
    site = stock(start=False, extra="Nonsense On")
    with pytest.raises(RuntimeError, match="Invalid command 'Nonsense'"):
        site.start()
    site.httpd.process = None


def test_the_end_of_a_server_leaves_no_process_and_no_port(stock):
    site = stock()
    session, port = site.httpd.process.pid, site.port
    end = time.monotonic() + 10
    while not site.httpd.pids():  # the parent answers before its children have their threads
        assert time.monotonic() < end
        time.sleep(0.05)
    site.httpd.stop()
    assert processes.members(session) == []
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_an_unannounced_warning_is_a_problem_and_an_announced_one_is_not(stock):
    site = stock()
    site.client.get("/cgi/none.cgi")
    site.httpd.log.wait("script not found", timeout=5)
    assert any("script not found" in problem for problem in site.httpd.judge())
    site.client.get("/cgi/none.cgi")
    site.httpd.log.wait("script not found", since=site.httpd.log._seen, timeout=5)
    site.expect_log("script not found", times=1)


def test_a_log_line_that_was_announced_and_did_not_come_is_a_problem(tmp_path):
    log = ErrorLog(tmp_path / "error.log")
    log.path.write_text("[x] [core:warn] [pid 1] AH1: known\n[x] [core:notice] [pid 1] fine\n")
    log.expect("AH1")
    log.expect("AH2")
    problems = log.judge()
    assert len(problems) == 1 and "AH2" in problems[0]
    assert log.judge() == []


def test_a_crashed_child_is_a_problem(tmp_path):
    log = ErrorLog(tmp_path / "error.log")
    log.path.write_text("[x] [core:notice] [pid 1] AH00052: child pid 7 exit signal "
                        "Segmentation fault (11)\n")
    assert len(log.judge()) == 1


def test_a_story_is_moved_to_now(story):
    told = story("newest")
    start = next(event for event in told if event.type == "customer.subscription.created")
    assert abs(start.created - time.time()) < 60
    assert start.json["created"] == start.created
    assert start.json["data"]["object"]["trial_end"] > time.time()
    assert [event.id for event in told] == [event.json["id"] for event in told]
    assert stories.available()


def test_built_events_carry_what_the_module_reads():
    thing = events.subscription("bob", "pro", status="past_due")
    event = events.subscription_updated(thing, previous={"status": "active"})
    assert event["data"]["object"]["metadata"] == {"subbill_user": "bob"}
    assert event["data"]["previous_attributes"] == {"status": "active"}
    with pytest.raises(TypeError, match="no statuss"):
        events.subscription(statuss="active")


def test_the_senders_model_notices_what_is_lost_changed_and_done_twice(make_site):
    """Else the tests of killed processes and databases could not fail."""
    site = make_site(double=False)
    lives = sender.make_lives(60, 8)
    sender.Sender(site, sender.disordered(lives)).run()
    assert sender.differences(site.database, lives) == []
    first, second = lives[0], lives[1]
    for sql, table in (
            (f"DELETE FROM event WHERE id = '{first.events[0]['id']}'", "events"),
            (f"UPDATE subscription SET status = 'paused' WHERE user_name = '{first.user}'",
             "subscriptions"),
            ("INSERT INTO payment (id, status, amount) VALUES ('in_again', 'succeeded', 900)",
             "payments"),
            ("INSERT INTO link_audit (id, user_name, customer) "
             f"VALUES ('again', '{second.user}', '{second.customer['id']}')", "bindings")):
        site.database.execute(sql)
        assert any(told.startswith(f"{table}:")
                   for told in sender.differences(site.database, lives)), table


def _two_children(site):
    """The parent answers before its last child is there."""
    for _ in range(200):
        if len(site.httpd.pids()) >= 2:
            return site.httpd.pids()[:2]
        time.sleep(0.05)
    raise AssertionError("httpd has not got two children")


def test_a_death_that_was_not_ours_is_told_from_one_that_was(stock):
    """I5: httpd says nothing of kill -9, and of a crash which child it was."""
    site = stock()
    site.expect_log("AH0005[12]", times=1)
    ours, strange = _two_children(site)
    os.kill(ours, signal.SIGKILL)
    killer.judge_deaths(site.httpd, {ours})
    os.kill(strange, signal.SIGSEGV)
    site.httpd.log.wait(f"AH0005[12].*{strange}")
    with pytest.raises(AssertionError, match=str(strange)):
        killer.judge_deaths(site.httpd, {ours})


def test_a_site_can_be_built_without_starting(stock):
    site = stock(start=False)
    assert isinstance(site, Site) and not site.httpd.running
    assert site.httpd.configtest().exit == 0
