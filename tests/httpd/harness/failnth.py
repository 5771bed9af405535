# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The trigger of tests/faults/failnth.c: which call to a database or to Stripe fails next.

    shim = FailNth(site.root)                # before the site starts; a SAN build is fine too
    site.environment.update(shim.environment)
    with shim.armed(3):                      # the third call fails
        site.webhook(event)
    shim.failed, shim.counted                # how many failed, how many there were

FailNth(root, "failmem") is about memory (tests/faults/failmem.c); not for a SAN build.
"""
import contextlib
import mmap
import struct

from . import scratch

LIBRARIES = scratch.ROOT / "build" / "faults"
STATEMENT, CONNECT, CURL, MEMORY = 1, 2, 4, 8
EVERY = STATEMENT | CONNECT | CURL
LIMIT = 400  # calls to database and Stripe; no operation comes near

_LAYOUT = struct.Struct("=7i")  # armed first again after kinds counted failed


class FailNth:
    def __init__(self, root, name="failnth"):
        library = LIBRARIES / f"{name}.so"
        if not library.exists():
            raise RuntimeError(f"{library} is not built; run make -f Makefile.apxs unit")
        self.path = scratch.write(root / "failnth", b"\0" * _LAYOUT.size, 0o666)
        with open(self.path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), _LAYOUT.size)
        self.environment = {"LD_PRELOAD": str(library), "FAILNTH_FILE": str(self.path)}

    def _state(self):
        return _LAYOUT.unpack(self._map[:])

    @property
    def counted(self):
        return self._state()[5]

    @property
    def failed(self):
        return self._state()[6]

    @contextlib.contextmanager
    def armed(self, first, again=0, after=False, kinds=EVERY):
        """The first-th call fails, and the again-th (-1: all that follow). after: the call is made and
        only its answer lost."""
        self._map[:] = _LAYOUT.pack(0, first, again, int(after), kinds, 0, 0)
        self._map[:4] = struct.pack("=i", 1)
        try:
            yield self
        finally:
            self._map[:4] = struct.pack("=i", 0)
