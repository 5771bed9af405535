# Licensed under the Apache License, Version 2.0; see LICENSE.
"""F29: memory runs out. APR ends a process that gets none, and httpd starts another: whoever asked loses the
connection, or hears 5xx, and nobody passes who should not."""
import contextlib
import itertools
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from harness import processes, scratch
from harness.content import SECRET
from harness.failnth import MEMORY, FailNth

FULL = scratch.TIER == "full"
LIMIT = 2000  # requests for memory; no decision comes near
GONE = 0  # the connection was lost

pytestmark = pytest.mark.skipif(scratch.SAN, reason="a sanitizer has a malloc of its own")


def _status(client, path="/members/page.html"):
    """What came; a page that is closed to this client must not be in it."""
    try:
        answer = client.get(path)
    except httpx.TransportError:
        return GONE, False
    return answer.status_code, SECRET in answer.text


def _eventually(client, wanted, seconds=15):
    until = time.monotonic() + seconds
    while (got := _status(client)) != wanted:
        assert time.monotonic() < until, (got, wanted)
        time.sleep(0.05)


@pytest.mark.parametrize("known", [False, True], ids=["miss", "hit"])
def test_each_request_for_memory_fails_once_and_no_decision_is_wrong(make_site, known):
    """F29, FAIL, CLOSED: of a gate that has to ask and of one that knows; the next request is right again."""
    site = make_site(double=False, start=False, httpd={"processes": 1})
    shim = FailNth(site.root, "failmem")
    site.httpd.set_variables(shim.environment)
    site.start()
    # AH00052 and AH00051: the child that got no memory is gone. What fails may be a thread of the one that comes in
    # its place (AH00480), which httpd then has to end by force (AH00045).
    site.allow_log("AH0005[12]|AH00480|AH00045|AH00046|SB|subbill|AH00161|[Mm]emory|AH00127|AH02454|AH0104[0-9]")
    site.subscribe("bob", "basic")
    bob, alice = site.client.user("bob"), site.client.user("alice")
    failures = 0
    for n in itertools.count(1):
        assert n < LIMIT
        _eventually(bob, (200, True))
        _eventually(alice, (402, False))
        if not known:
            # The slot of both moves: what is cached counts no more.
            site.subscribe("bob", "basic", id="sub_F29bob0000000000000000001")
        with shim.armed(n, kinds=MEMORY):
            asked = [_status(bob), _status(alice)]
        assert asked[0] in ((200, True), (500, False), (503, False), (GONE, False)), (n, asked)
        assert asked[1] in ((402, False), (500, False), (503, False), (GONE, False)), (n, asked)
        if not shim.failed:
            break
        failures += 1
    assert failures, "the shim has seen nothing"
    _eventually(bob, (200, True))
    _eventually(alice, (402, False))


def _children_first(parent, stopped):
    """For want of memory the kernel kills children and spares the parent, as an administrator would have it."""
    graded = {parent}
    while not stopped.wait(0.001):
        for pid in set(processes.members(parent)) - graded:
            with contextlib.suppress(OSError):
                Path(f"/proc/{pid}/oom_score_adj").write_text("1000")
            graded.add(pid)


@contextlib.contextmanager
def _limited(pid, size):
    """The process and the children it makes from now on have this much memory; as root, where cgroups are."""
    for root, name in ((Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
                       (Path("/sys/fs/cgroup"), "memory.max")):
        group = root / f"subbill-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        if (group / name).exists():
            break
        group.rmdir()
    else:
        pytest.skip("there is no memory cgroup that this user may make")
    home = root / "cgroup.procs"
    stopped = threading.Event()
    guard = threading.Thread(target=_children_first, args=(pid, stopped))
    guard.start()
    try:
        (group / name).write_text(str(size))
        (group / "cgroup.procs").write_text(str(pid))
        yield lambda: (group / name).write_text(str(8 << 30))
    finally:
        stopped.set()
        guard.join()
        until = time.monotonic() + 10
        while (left := (group / "cgroup.procs").read_text().split()) and time.monotonic() < until:
            for one in left:
                with contextlib.suppress(OSError):
                    home.write_text(one)
            time.sleep(0.05)
        group.rmdir()


def test_a_server_that_has_too_little_memory_closes_and_heals(make_site):
    """F29, CLOSED: 128 MiB for children that want more: they are killed and born again; strangers stay outside all the
    while, and with enough of it everything is as it was."""
    site = make_site(double=False, httpd={"processes": 2})
    site.allow_log("AH0005|AH0004[56]|SB|subbill|AH00161|AH00094|AH02454|[Mm]emory|AH01239")
    site.subscribe("bob", "basic")
    with _limited(site.httpd.process.pid, 128 << 20) as enough:
        # About 400 bytes for each place, in each process.
        site.reconfigure(graceful=False, directives={"SubbillCache": "262144 60"})
        assert site.httpd.graceful(wait=False).exit == 0
        people = [("bob", (200, True)), ("alice", (402, False))] * 2
        until = time.monotonic() + (20 if FULL else 5)

        def visit(user, right):
            seen, client = set(), site.client.user(user)
            while time.monotonic() < until:
                seen.add(_status(client))
            return seen - {right, (500, False), (503, False), (GONE, False)}

        with ThreadPoolExecutor(len(people)) as pool:
            wrong = list(pool.map(lambda each: visit(*each), people))
        assert not any(wrong), wrong
        enough()
        # httpd does not hear a second signal while it is still busy with the first.
        site.reconfigure(graceful=False, directives={"SubbillCache": "4096 60"})
        assert site.httpd.graceful(wait=False).exit == 0
        _eventually(site.client.user("bob"), (200, True), 30)
        _eventually(site.client.user("alice"), (402, False))
