# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Stripe takes its time, and holds neither the server's end nor its other visitors."""
import threading
import time

import httpx
import pytest
from harness import scratch

pytestmark = pytest.mark.alone


def _checkout_in_background(site, user):
    """A checkout whose calls of Stripe drip; returns when the first is under way."""
    site.double.control.forget_requests()

    def buy():
        try:
            site.client.user(user).post("/subbill/checkout", json={"plan": "basic"}, timeout=30)
        except httpx.HTTPError:
            pass

    thread = threading.Thread(target=buy)
    thread.start()
    end = time.monotonic() + 5
    while not site.double.control.requests("POST", "/v1/customers"):
        assert time.monotonic() < end, "Stripe was not asked"
        time.sleep(0.05)
    return thread


@pytest.mark.parametrize("fault", [{"action": "dribble", "delay": 1}, {"action": "hang"}])
def test_a_stop_does_not_wait_for_stripe(make_site, fault):
    """F14, F23: a call under way is given up when the server is told to stop at once."""
    site = make_site()
    site.allow_log("SB30[249]|SB301|AH")
    site.double.control.fault(method="POST", path_prefix="/v1/customers", times=-1, **fault)
    thread = _checkout_in_background(site, "bob")
    began = time.monotonic()
    site.httpd.stop()
    took = time.monotonic() - began
    thread.join()
    site.double.control.clear_faults()
    assert took < 3, f"{took:.1f} s"


@pytest.mark.skipif(scratch.MPM == "prefork", reason="prefork: one thread per process")
def test_slow_calls_leave_threads_to_others(make_site):
    """F14, T11: of a process's 16 threads four may wait for Stripe; httpd may run two processes."""
    site = make_site(httpd={"processes": 1, "threads": 16})
    site.allow_log("SB30[0-9]|AH")
    site.double.control.fault("slow", method="POST", path_prefix="/v1/customers", times=-1, delay=2)
    buyers = [site.client.user(name) for name in ("alice", "bob", "carol", "dave")]
    answers = []

    def buy(number):
        answers.append(buyers[number % 4].post("/subbill/checkout", json={"plan": "basic"},
                                               timeout=30))

    threads = [threading.Thread(target=buy, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    began = time.monotonic()
    assert site.client.get("/open/").status_code == 200
    assert time.monotonic() - began < 1
    for thread in threads:
        thread.join()
    site.double.control.clear_faults()
    busy = [answer for answer in answers if answer.status_code == 503]
    assert len(answers) - len(busy) <= 8, [answer.text for answer in answers]
    assert len(busy) < len(answers)
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in busy)
