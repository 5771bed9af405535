# Licensed under the Apache License, Version 2.0; see LICENSE.
"""What crosses a fork: nothing. Connections, threads and handles are each child's own."""
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from harness import databases

# SQLite has no connections that could be seen.
SERVERS = [name for name in ("pgsql", "mysql") if name in databases.chosen()]


@pytest.fixture(params=SERVERS)
def far(request, make_site):
    """A site of several processes that works in the background."""
    return make_site(database=request.param, double=False, httpd={"processes": 3},
                     directives={"SubbillWorker": "On"})


def _sockets(pid):
    """The inodes of a process's sockets."""
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            match = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(descriptor))
        except OSError:
            continue
        if match:
            found.add(match[1])
    return found


def _to_database(site):
    """The inodes of all TCP connections to the site's database."""
    port = int(re.search(r"port=(\d+)", site.database.params)[1])
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return {fields[9] for fields in map(str.split, lines)
            if int(fields[2].rpartition(":")[2], 16) == port and fields[3] == "01"}


def test_no_connection_crosses_a_fork(far):
    """F37: the parent has no connection to the database, and no two children share one."""
    user = far.new_user()
    far.subscribe(user, "basic")
    clients = [far.client.user(user) for _ in range(24)]
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda client: client.get("/members/page.html").status_code,
                                clients))
    assert set(answers) == {200}
    wires = _to_database(far)
    assert wires, "nobody is connected"
    assert not _sockets(far.httpd.process.pid) & wires
    owners = {}
    for pid in far.httpd.pids():
        for inode in _sockets(pid) & wires:
            owners.setdefault(inode, []).append(pid)
    assert owners
    assert all(len(pids) == 1 for pids in owners.values()), owners


@pytest.mark.parametrize("signal", ["graceful", "restart"])
def test_a_new_generation_starts_with_nothing_of_the_old_one(far, signal):
    """F37, F38: after a reload the parent still has no connection, and everything works."""
    # Two reloads in a row: mod_cgid's daemon of the first may still be there at the second, and a child be told to go.
    far.allow_log("AH01243|AH01238|AH00045")
    user = far.new_user()
    far.subscribe(user, "basic")
    assert far.httpd.apachectl(signal).exit == 0
    far.httpd.graceful()
    assert far.client.user(user).get("/members/page.html").status_code == 200
    assert not _sockets(far.httpd.process.pid) & _to_database(far)
