# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Many accounts in PostgreSQL, and a page that is gated for whoever a header names.

The name comes from a header because Basic authentication with a million passwords would be what is
measured; both sides of a comparison pay the same for it.
"""
import re

import dbservers
from common import HERE, visits, wrk

from harness import databases, scratch

import gate

NAMED = """
<Location "/gated">
    AuthType None
    Require all granted
    SubbillUser "%{req:X-User}"
    SubbillGate any
</Location>
"""


class Server(dbservers.CountingPgsql):
    """PostgreSQL with a quarter of the memory of a machine with 8 GiB, as its manual advises: a million accounts
    (1.4 GB with their indexes) fit."""

    def command(self):
        return [*super().command(), "-c", "shared_buffers=2GB", "-c", "max_wal_size=4GB"]


def database(server, total):
    """An empty database that make_site() fills with this many accounts."""
    made = databases.Pgsql(server.params())
    made.total = total
    return made


def fill(site):
    """The tables, and the accounts in them."""
    done = site.ctl("migrate")
    if done.exit:
        raise RuntimeError(done.output)
    site.database.execute(f"\\set total {site.database.total}\n" + (HERE / "accounts.sql").read_text())


def make_site(name, filled, cache=None, **options):
    """cache: the words of SubbillCache."""
    return gate.make_site(name, filled, NAMED, directives={"SubbillCache": cache}, **options)


def has_cache_directive():
    return b"SubbillCache\0" in scratch.MODULE.read_bytes()


def one_child(site, threads=16):
    """Ends and begins no child, and lets all visitors come to the one there is."""
    text = site.httpd.config_path.read_text()
    for name, value in (("StartServers", 1), ("ServerLimit", 1), ("MaxRequestWorkers", threads)):
        text = re.sub(rf"{name} \d+", f"{name} {value}", text)
    site.httpd.config_path.write_text(text)
    site.allow_log("AH10159|AH00484")  # it has no more workers than visitors, and says so
    return site


def visit(site, pattern, active, seed=1, **options):
    """wrk's answer to so many active users (users.lua) of the site."""
    return wrk(f"{site.url}/gated/page.html", **script(site, pattern, active, seed), **options)


def weigh(site, server, pattern, active, seed=1, **options):
    """The same with what httpd and PostgreSQL computed: see common.visits()."""
    return visits([site.httpd.process, server.process], f"{site.url}/gated/page.html",
                  **script(site, pattern, active, seed), **options)


def script(site, pattern, active, seed):
    return {"script": (HERE / "users.lua", pattern, active, site.database.total, seed)}
