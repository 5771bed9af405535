# Licensed under the Apache License, Version 2.0; see LICENSE.
"""mod_cache in front of everything, for a site whose people are told by a header of its front. mod_cache
knows nothing of that header and would keep one person's page for the next, as it would not with Basic
credentials, if nothing but the answer's own headers forbade it.

    site = make_site(load=("cache", "cache_disk"), start=False)
    cached.configure(site)
    site.start()
    cached.works(site)
    site.client.get(page, headers={"X-Who": "bob"})
"""
import os
import time

from . import scratch
from .content import PUBLIC

_CONF = """
CacheEnable disk /
CacheRoot {cache}
CacheIgnoreNoLastMod On
CacheDefaultExpire 600
SetEnvIf X-Who "(.*)" SB_WHO=$1
<Location "/">
    AuthType None
    SubbillUser "%{{env:SB_WHO}}"
</Location>
"""


def configure(site, extra=""):
    cache = site.root / "cache"
    cache.mkdir()
    scratch.give(cache)
    site.reconfigure(graceful=False, extra=_CONF.format(cache=cache) + extra)


def works(site):
    """Makes the files old, so that they are worth keeping; then an open page comes out of the cache, where it
    is still found when the file says something else."""
    page = site.root / "docroot" / "open" / "kept.html"
    old = time.time() - 90 * 86400
    for text in (PUBLIC, "another text"):
        scratch.write(page, text)
        for path in (site.root / "docroot").rglob("*.*"):
            os.utime(path, (old, old))
        answer = site.client.get("/open/kept.html")
        assert answer.text == PUBLIC, f"mod_cache keeps nothing: {answer.headers}"
    assert "Age" in answer.headers
