# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The demo as a person at a terminal meets it: tests/demo/run, by way of HTTP."""
import json
import os
import re
import signal
import socket
import subprocess

import httpx
import pytest

from harness import processes, scratch
from harness.client import BROWSER
from stripe_double.control import Control

RUN = ["/usr/bin/python3", str(scratch.ROOT / "tests" / "demo" / "run")]
FORM = re.compile(r'<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>', re.S)
FIELD = re.compile(r'<(?:input|button)[^>]*name="([^"]+)"[^>]*value="([^"]*)"')


@pytest.fixture
def folder():
    made = scratch.fresh("demo")
    yield made
    scratch.discard(made)


class Started:
    """A demo and everything it started."""

    def __init__(self, folder, port):
        self.base = f"http://127.0.0.1:{port}"
        self.folder = folder
        self.process = processes.start(RUN, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       env={**os.environ, "DEMO_PORT": str(port),
                                            "DEMO_DIR": str(folder)})
        self.said = ""
        while "Ctrl-C stops everything" not in self.said:
            line = self.process.stdout.readline().decode()
            if not line:
                raise AssertionError(f"the demo did not start: {self.said}")
            self.said += line
        self.sessions = [self.process.pid, *self._other_sessions()]

    def _other_sessions(self):
        pid = int((self.folder / "run" / "httpd.pid").read_text())
        return [os.getsid(pid)]

    def stripe(self):
        port = json.loads((self.folder / "ports.json").read_text())["stripe"]
        return Control(f"http://127.0.0.1:{port}")

    def end(self, how=signal.SIGINT):
        self.process.send_signal(how)
        self.said += self.process.communicate(timeout=30)[0].decode()
        return self.process.returncode

    def leftovers(self):
        return [pid for session in self.sessions for pid in processes.members(session)]


def refused(folder, port):
    """The exit status and the words of a demo that may not start."""
    done = subprocess.run(RUN, capture_output=True, text=True, timeout=60, env={
        **os.environ, "DEMO_PORT": str(port), "DEMO_DIR": str(folder)})
    return done.returncode, done.stderr


def log_in(client, name, path="/members/"):
    answer = client.get(path)
    assert answer.status_code == 302, answer.text
    page = client.get(answer.headers["Location"])
    action, form = FORM.search(page.text).groups()
    fields = dict(FIELD.findall(form))
    return client.post(action, data={**fields, "httpd_username": name, "httpd_password": name})


def buy_basic(client, stripe):
    """Presses the first button on the plans page and pays at the stand-in; the way back."""
    page = client.get("/subbill/plans").text
    action, form = next(found.groups() for found in FORM.finditer(page)
                        if "checkout" in found[1])
    answer = client.post(action, data=dict(FIELD.findall(form)))
    assert answer.status_code == 303, answer.text
    session = re.search(r"cs_test_\w+", answer.headers["Location"])[0]
    return stripe.complete(session)


def member_page(client):
    answer = client.get("/members/")
    return answer.status_code, "members-only" in answer.text


def test_the_demo_sells_keeps_its_data_and_leaves_nothing_running(folder):
    """From closed page to open page, again after a restart; Ctrl-C and SIGTERM end everything.

    A47, B26, C14, M7, M9
    """
    port = scratch.free_port()
    demo = Started(folder, port)
    try:
        for needed in (demo.base, "alice / alice", "bob / bob", "4242 4242 4242 4242"):
            assert needed in demo.said
        with httpx.Client(base_url=demo.base, headers=BROWSER, trust_env=False) as client:
            answer = log_in(client, "alice")
            assert (answer.status_code, answer.headers["Location"]) == (302, "/members/")
            assert client.get("/members/").status_code == 303
            buy_basic(client, demo.stripe())
            assert member_page(client) == (200, True)
            assert client.get("/workshop/").status_code == 403
            assert client.get("/app/").status_code == 200
            assert client.get("/.htpasswd").status_code in (302, 401, 403)
        assert demo.end(signal.SIGINT) == 0
        assert demo.leftovers() == []
        demo = Started(folder, port)
        with httpx.Client(base_url=demo.base, headers=BROWSER, trust_env=False) as client:
            log_in(client, "alice")
            assert member_page(client) == (200, True)
        assert demo.end(signal.SIGTERM) == 0
        assert demo.leftovers() == []
    finally:
        processes.end(demo.process)
    loud = [line for line in (folder / "logs" / "error.log").read_text().splitlines()
            if re.search(r":(emerg|alert|crit|error|warn)\]", line)]
    assert loud == []


def test_what_stands_in_the_way_is_said_in_one_sentence(folder):
    """A second demo, a taken port and a port that is none: status not 0, one line, nothing left."""
    port = scratch.free_port()
    demo = Started(folder, port)
    try:
        status, words = refused(folder, port)
        assert (status, "already running" in words, demo.base in words) == (1, True, True)
        assert words.count("\n") == 1
    finally:
        demo.end()
    with socket.create_server(("127.0.0.1", port)):
        status, words = refused(folder, port)
        assert (status, words.count("\n")) == (1, 1)
        assert f"Port {port} is taken by python3 (process {os.getpid()})" in words
    status, words = refused(folder, "http")
    assert (status, "DEMO_PORT" in words, words.count("\n")) == (1, True, 1)


def test_the_login_leads_back_to_pages_of_this_site_only(folder):
    """The way back after the login cannot be an address elsewhere. T24"""
    demo = Started(folder, scratch.free_port())
    try:
        with httpx.Client(base_url=demo.base, headers=BROWSER, trust_env=False) as client:
            assert 'value="/workshop/"' in client.get("/login?next=/workshop/").text
            for foreign in ("//evil.example/", "https://evil.example/", "/%5Cevil.example",
                            "/\\evil.example", "javascript:alert(1)", '/"onfocus=x'):
                page = client.get("/login", params={"next": foreign}).text
                assert 'name="httpd_location" value="/members/"' in page, foreign
            wrong = client.post("/do-login?next=/workshop/", data={
                "httpd_username": "alice", "httpd_password": "no"})
            assert wrong.headers["Location"] == "/login?failed&next=/workshop/"
            assert 'id="failed"' in client.get(wrong.headers["Location"]).text
            german = client.get("/", headers={"Accept-Language": "de"})
            assert 'lang="de"' in german.text
    finally:
        demo.end()
