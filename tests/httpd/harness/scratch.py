# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Where tests put their files, which ports they take, which build they test.

Scratch folders lie under build/test (or $SB_SCRATCH). httpd's children run as www-data when we are
root, so every folder above must let them pass; a clone below /root does not, and then the folder
moves to /var/tmp, named after the clone so that it is found again.
"""
import hashlib
import os
import pwd
import random
import shutil
import socket
import stat
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SAN = bool(os.environ.get("SAN"))
SCALE = float(os.environ.get("SB_SCALE", "1"))
MPM = os.environ.get("SB_MPM", "event")
# How httpd forks is no matter of size: the other MPMs are tried as CI tries event.
TIER = os.environ.get("SB_TIER", "ci") if MPM == "event" else "ci"
FLAVOUR = "san" if SAN else "release"
BUILD = Path(os.environ.get("SB_BUILD", ROOT / "build" / FLAVOUR)).resolve()
MODULE = BUILD / "mod_subbill.so"
CTL = BUILD / "subbillctl"
RUN_AS = "www-data" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def scaled(size, least=1):
    """A loop's size under SB_SCALE: 0.1 for a quick look, 1 for what the issue names."""
    return max(least, int(size * SCALE))


def _passable(folder):
    return all(path.stat().st_mode & stat.S_IXOTH
               for path in (folder, *folder.parents) if path.exists())


def base(name):
    """build/NAME, or its stand-in under /var/tmp when httpd's children could not get there."""
    folder = ROOT / "build" / name
    if os.geteuid() == 0 and not _passable(ROOT):
        digest = hashlib.sha256(str(ROOT).encode()).hexdigest()[:10]
        folder = Path("/var/tmp") / f"mod_subbill-{digest}" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fresh(name):
    """A new empty folder for one server; names of earlier runs are kept apart by a suffix."""
    parent = Path(os.environ["SB_SCRATCH"]) if os.environ.get("SB_SCRATCH") else base("test")
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{name[:24]}-", dir=parent))
    folder.chmod(0o755)
    return folder


def discard(folder):
    if not os.environ.get("SB_KEEP"):
        shutil.rmtree(folder, ignore_errors=True)


def give(path, mode=None):
    """Hands a path to the user httpd's children run as."""
    if os.geteuid() == 0:
        user = pwd.getpwnam(RUN_AS)
        os.chown(path, user.pw_uid, user.pw_gid)
    if mode is not None:
        os.chmod(path, mode)


def _bindable(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return None
        return probe.getsockname()[1]


def free_port():
    """A port that is free, and stays so while its server is killed and started again: from below those
    that the kernel gives to outgoing connections."""
    for _ in range(50):
        port = _bindable(random.randrange(10240, 32000))
        if port:
            return port
    return _bindable(0)


def write(path, text, mode=0o644):
    """A file of exactly this mode from its first byte on, parents made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text if isinstance(text, bytes) else text.encode()
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, mode), "wb") as out:
        out.write(data)
    path.chmod(mode)
    return path
