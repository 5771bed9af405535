# Licensed under the Apache License, Version 2.0; see LICENSE.
"""SubbillRevokeRunning: what runs when the right to it goes ends within so many seconds, visibly."""
import time

import pytest
from harness.streams import Reader, Reader2, Streams

EXTRA = """
<LocationMatch "^/(members|streams|socket|tunnel|plain|required)">
    SubbillRevokeRunning 1
</LocationMatch>
<LocationMatch "^/(streams|socket|tunnel|plain)">
    SubbillGate any
</LocationMatch>
<Location "/required">
    Require subscription
</Location>
<Location "/hall">
    DirectoryIndex huge.bin
</Location>
<Location "/hall/huge.bin">
    SubbillGate any
    SubbillRevokeRunning 1
</Location>
Alias "/hall" "{members}"
<Location "/both">
    SubbillGate any purchase:book purchase:film
    SubbillRevokeRunning 1
</Location>
ProxyPass /both/ http://127.0.0.1:{port}/
<Location "/bought">
    Require purchase book
    SubbillRevokeRunning 1
</Location>
ProxyPass /bought/ http://127.0.0.1:{port}/
<Location "/doubly">
    Require purchase book
    SubbillGate any
    SubbillRevokeRunning 1
</Location>
ProxyPass /doubly/ http://127.0.0.1:{port}/
<Proxy "http://127.0.0.1:{port}/beneath/*">
    SubbillGate purchase:book
</Proxy>
<Location "/beneath">
    SubbillGate any
    SubbillRevokeRunning 1
</Location>
ProxyPass /beneath/ http://127.0.0.1:{port}/beneath/
<Location "/plain">
    SubbillRevokeRunning 0
</Location>
ProxyPass /streams/ http://127.0.0.1:{port}/
ProxyPass /plain/ http://127.0.0.1:{port}/
ProxyPass /required/ http://127.0.0.1:{port}/
ProxyPass /socket/ http://localhost:{port}/ upgrade=websocket
ProxyPass /tunnel/ ws://127.0.0.1:{port}/
"""

SITE = {"double": False, "load": ("proxy_wstunnel",), "httpd": {"processes": 1, "threads": 40}}

# The directive says 1; half as often again it is looked at. The rest is for a busy machine.
PATIENCE = 3.0
FILE = 256 << 20


@pytest.fixture(scope="module")
def streams(site):
    backend = Streams()
    huge = site.root / "docroot" / "members" / "huge.bin"
    huge.touch()
    with huge.open("r+b") as file:
        file.truncate(FILE)
    site.reconfigure(extra=EXTRA.format(port=backend.port, members=huge.parent))
    yield backend
    # What still waits for a silent backend hears of its end.
    site.allow_log("AH01102|AH01110")
    backend.stop()


@pytest.fixture(autouse=True)
def _told_of_silent_backends(site):
    """What an earlier test has left waiting for one ends by itself after ten seconds."""
    site.allow_log("AH01102|AH01110")


@pytest.fixture
def payer(site, streams):
    user = site.new_user()
    user_thing = site.subscribe(user, "basic")
    return user, lambda: site.cancel(user_thing)


WAYS = [("/members/huge.bin", False, b"\0" * 100), ("/hall/", False, b"\0" * 100), ("/streams/ticks", False, b"tick"),
        ("/streams/silence", False, b"tick"), ("/required/ticks", False, b"tick"),
        ("/socket/ticks", True, b"tick"), ("/socket/silence", True, b"tick"),
        ("/tunnel/ticks", True, b"tick"), ("/tunnel/silence", True, b"tick")]


@pytest.mark.parametrize("path,upgrade,first", WAYS, ids=[path for path, _, _ in WAYS])
def test_what_runs_ends_when_the_right_goes(site, payer, path, upgrade, first):
    """T21, A16: downloads, event streams and WebSockets, silent ones too, are cut and look cut."""
    user, revoke = payer
    reader = Reader(site.port, path, user, upgrade).read_until(first)
    assert reader.got.startswith(b"HTTP/1.1 101" if upgrade else b"HTTP/1.1 200")
    if upgrade:
        reader.socket.sendall(b"hello")
        reader.read_until(b"echo hello")
    revoke()
    seconds = reader.seconds_to_end(PATIENCE)
    assert seconds is not None, "it goes on"
    if b"\0" in first:
        assert len(reader.got) < FILE
    assert not reader.got.endswith(b"0\r\n\r\n")
    assert site.client.user(user).get("/members/page.html").status_code == 402
    reader.close()


def test_others_are_left_alone(site, payer, streams):
    """T21: who still pays goes on, and so does every place without the directive."""
    user, revoke = payer
    site.subscribe("bob", "basic")
    kept = [Reader(site.port, path, who, upgrade).read_until(b"tick") for path, who, upgrade in (
        ("/streams/ticks", "bob", False), ("/socket/ticks", "bob", True), ("/plain/ticks", user, False))]
    site.cancel(site.subscribe(site.new_user(), "basic"))
    revoke()
    for reader in kept:
        assert reader.seconds_to_end(0.7) is None
        reader.close()


def test_time_alone_ends_what_runs(site, streams):
    """T21, A16: the last moment of a subscription, without any event."""
    site.allow_log("AH01102|AH01110")
    user = site.new_user()
    site.subscribe(user, "basic", cancel_at=int(time.time()) + 2)
    reader = Reader(site.port, "/streams/ticks", user).read_until(b"tick")
    assert reader.seconds_to_end(2 + PATIENCE) is not None
    reader.close()


def test_a_stream_of_http2_is_reset_and_its_connection_goes_on(site, payer):
    """T18, T21: the stream of the revoked user, not those of others beside it; never a clean end."""
    if not site.httpd_has_http2:
        pytest.skip("HTTP/2 needs a threaded MPM")
    user, revoke = payer
    site.subscribe("bob", "basic")
    reader = Reader2(site.port)
    mine, other = reader.ask("/streams/ticks", user), reader.ask("/streams/ticks", "bob")
    assert reader.pump(5, lambda: b"tick" in reader.data[mine] and b"tick" in reader.data[other])
    revoke()
    assert reader.pump(PATIENCE, lambda: mine in reader.how), "it goes on"
    assert reader.how == {mine: "reset"} and not reader.gone
    seen = len(reader.data[other])
    assert reader.pump(2, lambda: len(reader.data[other]) > seen)
    reader.close()


def test_a_file_over_http2_is_not_sent_to_its_end(site, payer):
    """T21: a client that reads slowly; the file does not belong to the session."""
    if not site.httpd_has_http2:
        pytest.skip("HTTP/2 needs a threaded MPM")
    user, revoke = payer
    reader = Reader2(site.port)
    mine = reader.ask("/members/huge.bin", user, hold=True)
    assert reader.pump(5, lambda: len(reader.data[mine]) >= 60000)
    revoke()
    assert reader.pump(PATIENCE, lambda: mine in reader.how or reader.gone), "it goes on"
    assert reader.how.get(mine) != "ended"
    reader.close()


def test_a_silent_stream_of_http2_takes_its_connection_along(site, payer):
    """T21: nothing flows that could be cut, so within the time the connection is."""
    if not site.httpd_has_http2:
        pytest.skip("HTTP/2 needs a threaded MPM")
    user, revoke = payer
    reader = Reader2(site.port)
    mine = reader.ask("/streams/silence", user)
    assert reader.pump(5, lambda: b"tick" in reader.data[mine])
    revoke()
    assert reader.pump(PATIENCE, lambda: mine in reader.how or reader.gone), "it goes on"
    assert reader.how.get(mine) != "ended"
    reader.close()


def test_what_was_bought_ends_when_it_is_taken_back(site, streams):
    """T21, B30: a purchase that let a stream in is asked about again, and so is nothing else."""
    user = site.new_user()
    assert site.ctl("purchases", "give", user, "book").exit == 0
    reader = Reader(site.port, "/bought/ticks", user).read_until(b"tick")
    thing = site.subscribe(user, "basic")
    site.cancel(thing)
    assert reader.seconds_to_end(2) is None, "a subscription is no matter of this door"
    assert site.ctl("purchases", "take", user, "book").exit == 0
    assert reader.seconds_to_end(PATIENCE) is not None, "it goes on"
    assert site.client.user(user).get("/bought/ticks").status_code == 402
    reader.close()


def test_what_opens_by_something_else_goes_on(site, streams):
    """T21: each of the things that a door asks for is asked about again."""
    user = site.new_user()
    thing = site.subscribe(user, "basic")
    for sku in ("book", "film"):
        assert site.ctl("purchases", "give", user, sku).exit == 0
    reader = Reader(site.port, "/both/ticks", user).read_until(b"tick")
    site.cancel(thing)
    assert site.ctl("purchases", "take", user, "book").exit == 0
    assert reader.seconds_to_end(2) is None, "the film is still his"
    assert site.ctl("purchases", "take", user, "film").exit == 0
    assert reader.seconds_to_end(PATIENCE) is not None, "it goes on"
    reader.close()


@pytest.mark.parametrize("lost", ["purchase", "subscription"])
@pytest.mark.parametrize("place", ["doubly", "beneath"])
def test_what_came_through_two_doors_ends_when_one_shuts(site, streams, lost, place):
    """T21: the Require line's and the gate's; the gates of a <Proxy> and of a <Location>."""
    user = site.new_user()
    thing = site.subscribe(user, "basic")
    assert site.ctl("purchases", "give", user, "book").exit == 0
    reader = Reader(site.port, f"/{place}/ticks", user).read_until(b"tick")
    if lost == "purchase":
        assert site.ctl("purchases", "take", user, "book").exit == 0
    else:
        site.cancel(thing)
    assert reader.seconds_to_end(PATIENCE) is not None, "it goes on"
    reader.close()


def test_a_database_that_is_away_cuts_nobody_off(make_site):
    """T21: what cannot be decided is no refusal; the next request is asked."""
    site = make_site(double=False, httpd={"processes": 1}, start=False)
    backend = Streams()
    try:
        site.reconfigure(graceful=False, extra=EXTRA.format(port=backend.port, members=site.root).replace(
            "ProxyPass /tunnel/ ws:", "ProxyPass /tunnel/ http:"))
        site.start()
        site.subscribe("bob", "basic")
        reader = Reader(site.port, "/streams/ticks", "bob").read_until(b"tick")
        site.allow_log("SB2|AH01102|AH01110")
        site.database.path.rename(site.database.path.with_suffix(".away"))
        time.sleep(5)  # the cache's time is over
        assert reader.seconds_to_end(1) is None
        site.database.path.with_suffix(".away").rename(site.database.path)
        reader.close()
    finally:
        site.allow_log("AH01102|AH01110")
        backend.stop()


@pytest.mark.parametrize("line", ["SubbillRevokeRunning", "SubbillRevokeRunning soon", "SubbillRevokeRunning -1",
                                  "SubbillRevokeRunning 3601", "<Limit GET>\nSubbillRevokeRunning 1\n</Limit>"])
def test_what_is_no_time_is_refused(make_site, line):
    """T45: configtest names the directive."""
    site = make_site(double=False, start=False)
    site.reconfigure(graceful=False, extra=f'<Location "/x">\n{line}\n</Location>\n')
    done = site.httpd.configtest()
    assert done.exit != 0 and "SubbillRevokeRunning" in done.output
