# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What breaks outside, and what is promised while it is broken: closed for strangers, no 2xx for what
is not stored, no crash, back by itself."""
import os
import sqlite3
import subprocess
import threading
import time

import pytest
from harness import databases, events, scratch
from harness.chaos import Relay
from harness.content import SECRET

pytestmark = pytest.mark.alone

SERVERS = ("pgsql", "mysql")


@pytest.fixture(params=[name for name in SERVERS if name in databases.chosen()])
def far(request, make_site):
    """A site whose database is far away: (site, relay)."""
    direct = databases.make(request.param, scratch.ROOT / "build")
    relay = Relay(direct.address)
    site = make_site(double=False, database=direct.behind(relay.port))
    site.database.direct = direct.params
    site.allow_log("SB|subbill")
    try:
        yield site, relay
    finally:
        relay.mode = "pass"
        site.allow_log("SB|subbill")
        site.httpd.stop()
        relay.__exit__()
        direct.drop()


def _event(user):
    return events.subscription_created(events.subscription(user, "basic"))


def _until(check, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.1)
    return False


def test_a_site_without_its_tables_serves_the_public_part_and_heals_after_migrate(make_site):
    """F01: missing schema: gate and webhook 503, one line says which command to run; no restart."""
    site = make_site(double=False, migrate=False)
    site.expect_log("subbillctl migrate")
    site.allow_log("SB|subbill")
    assert site.client.get("/open/").status_code == 200
    answer = site.client.user("bob").get("/members/page.html")
    assert answer.status_code == 503 and "Retry-After" in answer.headers
    assert SECRET not in answer.text
    assert site.webhook(_event("bob")).status_code == 503
    assert site.ctl("migrate", "--check").exit != 0
    assert site.ctl("migrate").exit == 0
    assert _until(lambda: site.webhook(_event("bob")).status_code == 200, 5)
    # Another process may have been told a moment ago that there are no tables, and not ask again yet.
    assert _until(lambda: site.client.user("bob").get("/members/page.html").status_code == 200, 5)


def test_httpd_starts_while_the_database_is_down_and_recovers_by_itself(far):
    """F01: closed while it is down, back within five seconds of its return."""
    site, relay = far
    site.httpd.stop()
    relay.mode = "refuse"
    relay.cut()
    site.httpd.start()
    site.allow_log("SB|subbill")
    assert site.client.get("/open/").status_code == 200
    assert site.client.user("bob").get("/members/page.html").status_code == 503
    assert site.webhook(_event("bob")).status_code == 503
    relay.mode = "pass"
    assert _until(lambda: site.webhook(_event("bob")).status_code == 200, 5)
    assert _until(lambda: site.client.user("bob").get("/members/page.html").status_code == 200, 5)


def test_cut_connections_are_never_a_crash_nor_a_lost_event(far):
    """F02, F03, M1: every connection dies again and again under load; what got 200 is stored."""
    site, relay = far
    site.subscribe("bob", "basic")
    stored, lost, stop = [], [], threading.Event()

    def send(number):
        import httpx
        from harness.client import body_of, sign
        with httpx.Client(trust_env=False, timeout=30) as client:
            count = 0
            while not stop.is_set():
                count += 1
                event = _event(f"w{number}-{count}")
                body = body_of(event)
                answer = client.post(site.url + "/subbill/webhook", content=body, headers={
                    "Stripe-Signature": sign(body, site.secret)})
                (stored if answer.status_code == 200 else lost).append(event["id"])
                assert answer.status_code in (200, 503)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(scratch.scaled(100)):
        time.sleep(0.4)
        relay.cut()
    stop.set()
    for thread in threads:
        thread.join()
    assert len(stored) > 20
    known = {row[0] for row in site.database.rows("SELECT id FROM event WHERE state = 'done'")}
    assert set(stored) <= known
    assert "AH00052" not in site.httpd.log.text()
    assert _until(lambda: site.client.user("bob").get("/members/page.html").status_code == 200, 5)


def test_a_hanging_database_holds_nobody_longer_than_its_deadline(far):
    """F04: the gate answers 503 within its deadline, the public part does not notice."""
    site, relay = far
    site.subscribe("bob", "basic")
    relay.mode = "hang"
    begun = time.monotonic()
    answer = site.client.user(site.new_user()).get("/members/page.html")
    assert answer.status_code == 503
    assert time.monotonic() - begun < 5.5
    begun = time.monotonic()
    for _ in range(20):
        assert site.client.get("/open/").status_code == 200
    assert time.monotonic() - begun < 1
    relay.mode = "pass"
    relay.cut()
    assert _until(lambda: site.client.user("bob").get("/members/page.html").status_code == 200, 5)


def test_a_used_up_pool_is_503_at_once_and_no_deadlock(make_site):
    """F05: one connection, many clients: each is answered, in time."""
    site = make_site(double=False, directives={"SubbillDatabasePool": "1 250"},
                     httpd={"processes": 1, "threads": 32})
    # AH00287: worker says that all its threads are busy, which is what this test is about.
    site.allow_log("SB|subbill|AH00287")
    # prefork: no more kept connections than there are processes to hold them.
    clients = [site.client.user(site.new_user())
               for _ in range(16 if scratch.MPM == "prefork" else 48)]
    answers = []

    def ask(client):
        begun = time.monotonic()
        answers.append((client.get("/members/page.html").status_code, time.monotonic() - begun))

    threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for status, _ in answers} <= {402, 503}
    assert max(took for _, took in answers) < 5


@pytest.mark.parametrize("seconds", [1, 3])
def test_a_locked_sqlite_file_stops_writers_only(make_site, seconds):
    """F09, M6: BEGIN EXCLUSIVE by a backup: events get 503 in bounded time, readers are let in."""
    site = make_site(double=False)
    site.subscribe("bob", "basic")
    site.allow_log("SB|subbill")
    backup = sqlite3.connect(site.database.path, isolation_level=None)
    backup.execute("BEGIN EXCLUSIVE")
    try:
        begun = time.monotonic()
        assert site.client.user("bob").get("/members/page.html").status_code == 200
        assert time.monotonic() - begun < 1
        begun = time.monotonic()
        assert site.webhook(_event("carol")).status_code in (200, 503)
        assert time.monotonic() - begun < 6.5
        time.sleep(max(0, seconds - 1))
    finally:
        backup.execute("ROLLBACK")
        backup.close()
    assert _until(lambda: site.webhook(_event("carol")).status_code == 200, 5)


def test_a_full_disk_is_503_and_heals(make_site):
    """F10: nothing is lost, the file stays sound, it goes on when there is space again."""
    site = make_site(double=False, start=False)
    data = site.root / "data"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", data],
                      capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a tmpfs")
    try:
        scratch.give(data, 0o700)
        site.start()
        site.subscribe("bob", "basic")
        site.allow_log("SB|subbill")
        free = os.statvfs(data)
        with open(data / "ballast", "wb") as ballast:
            ballast.write(b"\0" * max(0, free.f_bavail * free.f_bsize - 8192))
        statuses = [site.webhook(_event(f"full{n}")).status_code for n in range(12)]
        assert set(statuses) <= {200, 503} and 503 in statuses
        assert site.client.user("bob").get("/members/page.html").status_code == 200
        (data / "ballast").unlink()
        assert _until(lambda: site.webhook(_event("after")).status_code == 200, 5)
        assert site.database.rows("PRAGMA integrity_check") == [["ok"]]
    finally:
        site.httpd.stop()
        subprocess.run(["umount", "-l", data], check=True)


def test_a_replaced_sqlite_file_is_noticed(make_site):
    """F11, M6: after a restore the new file counts, without a restart."""
    site = make_site(double=False)
    path = site.database.path
    empty = path.read_bytes()
    wal = path.with_name(path.name + "-wal")
    subprocess.run(["sqlite3", path, "PRAGMA wal_checkpoint(TRUNCATE)"], check=True,
                   capture_output=True)
    empty = path.read_bytes()
    site.subscribe("bob", "basic")
    site.allow_log("SB|subbill")
    for extra in (wal, path.with_name(path.name + "-shm")):
        extra.unlink(missing_ok=True)
    path.rename(path.with_suffix(".old"))
    scratch.write(path, empty)
    scratch.give(path)
    user = site.new_user()
    assert _until(lambda: site.webhook(_event(user)).status_code == 200, 5)
    assert site.database.count("subscription") == 1


def test_a_lost_permission_is_503_and_heals(make_site):
    """F11: unreadable: closed, said in the log; readable again: open again."""
    site = make_site(double=False, httpd={"processes": 1})
    folder = site.database.path.parent
    site.httpd.stop()
    folder.chmod(0)
    site.httpd.start()
    site.allow_log("SB|subbill")
    assert site.client.user("bob").get("/members/page.html").status_code == 503
    assert site.webhook(_event("bob")).status_code == 503
    folder.chmod(0o700)
    assert _until(lambda: site.webhook(_event("bob")).status_code == 200, 5)


@pytest.mark.parametrize("offset", [0, 18, 100, 4096, 8192, 20000])
def test_a_corrupt_sqlite_file_closes_the_gate_and_crashes_nothing(make_site, offset):
    """F12: random bytes in the file: refused or served, never a crash, never open to a stranger."""
    site = make_site(double=False)
    site.subscribe("bob", "basic")
    site.httpd.stop()
    subprocess.run(["sqlite3", site.database.path, "PRAGMA wal_checkpoint(TRUNCATE)"], check=True,
                   capture_output=True)
    with open(site.database.path, "r+b") as file:
        file.seek(offset)
        file.write(os.urandom(2000))
    site.httpd.start()
    site.allow_log("SB|subbill")
    assert site.client.user("alice").get("/members/page.html").status_code in (402, 503)
    assert site.client.user("bob").get("/members/page.html").status_code in (200, 402, 503)
    assert site.webhook(_event("carol")).status_code in (200, 503)
    assert site.client.get("/open/").status_code == 200


@pytest.mark.skipif(scratch.MPM == "prefork", reason="prefork: a circuit for each of many processes")
def test_stripe_down_does_not_touch_the_gate_and_opens_the_circuit(make_site):
    """F13: nobody answers: checkout is 503 with a page, and fails at once after five failures."""
    site = make_site(double=False, httpd={"processes": 1})
    site.subscribe("bob", "basic")
    site.allow_log("SB|subbill")
    took = []
    for _ in range(16):  # each process has a circuit of its own, and there may be two
        client = site.client.user(site.new_user())
        begun = time.monotonic()
        answer = client.post("/subbill/checkout", json={"plan": "basic"})
        took.append(time.monotonic() - begun)
        assert answer.status_code == 503, answer.text
    assert max(took) < 11
    assert min(took[-4:]) < 0.3
    assert any("SB307" in line for line in site.httpd.log.lines())
    assert site.client.user("bob").get("/members/page.html").status_code == 200


def test_a_blackholed_stripe_is_given_up_in_time(make_site):
    """F13: connects and says nothing: the whole call ends within ten seconds."""
    import socket
    with socket.create_server(("127.0.0.1", 0)) as silent:
        site = make_site(double=False, directives={
            "SubbillStripeAPI": f"http://127.0.0.1:{silent.getsockname()[1]}"})
        site.allow_log("SB|subbill")
        begun = time.monotonic()
        answer = site.client.user("alice").post("/subbill/checkout", json={"plan": "basic"})
        assert answer.status_code == 503
        assert time.monotonic() - begun < 12
