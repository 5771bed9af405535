# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Processes that die at any moment, and reloads, under a sender that behaves like Stripe: nothing is
lost, nothing happens twice, nobody waits for an operator."""
import base64
import http.client
import os
import pathlib
import subprocess
import threading
import time

import pytest
from harness import databases, processes, scratch
from harness.client import body_of, sign
from harness.content import SECRET
from harness.killer import Killer, deaths, judge_deaths
from harness.sender import Sender, Visitors, differences, disordered, make_lives, payer

pytestmark = pytest.mark.alone

FULL = scratch.TIER == "full"
DATABASES = tuple(name for name in databases.chosen() if FULL or name == "sqlite3")

# What httpd and the module say while processes die; deaths are judged by themselves (I5).
DYING = r"SB|subbill|AH0005[12]|AH00098|AH00545|AH00170|AH03490"


@pytest.fixture
def mortal(database, make_site):
    site = make_site(database=database, double=False, httpd={"fixed_port": True})
    site.allow_log(DYING)
    return site


def test_ten_thousand_events_survive_kill_nine_of_children_and_parent(mortal):
    """F20, F21, KILL: I1, I2, I4, I5, I6 while a child dies every second and the parent every ten."""
    count = scratch.scaled(10000, 600)
    lives = make_lives(count, count // 12)
    sender = Sender(mortal, disordered(lives), connections=6, rate=200 if FULL else 130)
    # Fewer events are over sooner, so there they die more often.
    killer = Killer(mortal.httpd, **({} if FULL else {"child": 0.4, "parent": 2.4}))
    bob = payer("bob")
    Sender(mortal, bob.events, connections=1).run()
    with killer, Visitors(mortal, ["bob"], ["alice"], SECRET, threads=1, pause=0.05) as visitors:
        sender.run()
    assert visitors.wrong == []
    assert killer.children >= 5 and killer.parents >= 2
    judge_deaths(mortal.httpd, killer.killed)
    assert differences(mortal.database, [*lives, bob]) == []
    print(f"{count} events, {killer.children} children and {killer.parents} parents killed, "
          f"{sum(sender.refusals.values())} sendings without 2xx, {sender.seconds:.0f} s")


def test_everything_killed_at_once_again_and_again_starts_clean(make_site):
    """F21: fifty times all processes at once; pid file, sockets and locks of the dead stop no start."""
    site = make_site(double=False, httpd={"fixed_port": True})
    site.allow_log(DYING)
    rounds = scratch.scaled(50, 4)
    lives = make_lives(rounds * 30, rounds * 6)
    sender = Sender(site, disordered(lives), connections=4)
    sender.start()
    killer = Killer(site.httpd)
    before = segments()
    for _ in range(rounds):
        time.sleep(0.15)
        killer.kill_everything()
        begun = time.monotonic()
        site.httpd.start()
        assert time.monotonic() - begun < 10
    sender.join()
    judge_deaths(site.httpd, killer.killed)
    assert differences(site.database, lives) == []
    assert segments() <= before + 1


# --- reloads -----------------------------------------------------------------------------------

def segments():
    """System V shared memory on this machine."""
    told = subprocess.run(["ipcs", "-m"], capture_output=True, text=True, check=True).stdout
    return sum(line.startswith("0x") for line in told.splitlines())


def semaphores():
    told = subprocess.run(["ipcs", "-s"], capture_output=True, text=True, check=True).stdout
    return sum(line.startswith("0x") for line in told.splitlines())


def _held(httpd):
    """What the parent holds and how many children it has: the same after every reload."""
    fds = len(os.listdir(f"/proc/{httpd.process.pid}/fd"))
    mapped = pathlib.Path(f"/proc/{httpd.process.pid}/maps").read_text()
    return {"children": len(processes.members(httpd.process.pid)) - 1, "fds": fds,
            "module's mappings": sum("epoch" in line for line in mapped.splitlines()),
            "semaphores": semaphores()}


class Regular:
    """Somebody on one connection: reads the members' page and sends an event in turn.

    A server may close a kept connection between two requests (RFC 9112, 9.6); then, and only when nothing
    of an answer was seen, the request is sent once more on a new one.
    """

    def __init__(self, site, lives, number):
        self.site, self.number = site, number
        self.events = [event for life in lives for event in life.events]
        self.failed, self.done, self.reopened = [], 0, 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _ask(self, connection, method, path, body, headers):
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer

    def _request(self, connection, *what):
        if connection is not None:
            try:
                return connection, self._ask(connection, *what).status
            except (http.client.RemoteDisconnected, ConnectionError):
                self.reopened += 1
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=30)
        try:
            return connection, self._ask(connection, *what).status
        except (OSError, http.client.HTTPException) as error:
            return None, repr(error)

    def _run(self):
        login = base64.b64encode(b"bob:bob").decode()
        connection = None
        while not (self.stop.is_set() and not self.events):
            connection, status = self._request(
                connection, "GET", "/members/page.html", None, {"Authorization": f"Basic {login}"})
            if status != 200:
                self.failed.append(status)
            if self.events:
                body = body_of(self.events.pop())
                connection, status = self._request(
                    connection, "POST", "/subbill/webhook", body,
                    {"Content-Type": "application/json", "Stripe-Signature": sign(
                        body, self.site.secret)})
                if status != 200:
                    self.failed.append(status)
            self.done += 2
            time.sleep(0.005)


def test_reloads_under_load_fail_no_request_and_leak_nothing(make_site, database):
    """F23, RESTART: fifty graceful restarts, one a second: 0 failed requests, 0 lost events, as many
    children, descriptors, mappings and semaphores as before."""
    site = make_site(database=database, double=False)
    site.allow_log(r"SB|subbill|AH00045|AH00046")
    bob = payer("bob")
    Sender(site, bob.events, connections=1).run()
    site.httpd.graceful()  # the first reload maps and opens what is kept from then on
    lives = make_lives(400, 40)
    people = [Regular(site, lives[number::4], number) for number in range(4)]
    before = _settled(site)
    for person in people:
        person.thread.start()
    for _ in range(scratch.scaled(50, 6)):
        time.sleep(1 if FULL else 0.5)
        assert site.httpd.graceful().exit == 0
    for person in people:
        person.stop.set()
    for person in people:
        person.thread.join()
    assert [person.failed for person in people] == [[], [], [], []]
    assert sum(person.done for person in people) > 800
    assert differences(site.database, [*lives, bob]) == []
    assert deaths(site.httpd) == []
    assert _settled(site) == before


def _settled(site):
    """What is held once old generations are gone: the number of children has not changed for two
    seconds, or 15 are over."""
    until, seen, since = time.monotonic() + 15, None, time.monotonic()
    while time.monotonic() < min(until, since + 2):
        count = _held(site.httpd)["children"]
        if count != seen:
            seen, since = count, time.monotonic()
        time.sleep(0.05)
    return _held(site.httpd)
