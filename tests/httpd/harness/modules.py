# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Which of Debian's httpd modules a site loads, in an order that resolves their symbols."""
from pathlib import Path

FOLDER = Path("/usr/lib/apache2/modules")

BUILT_IN = {"core", "so", "watchdog", "http_core", "log_config", "logio", "version", "unixd"}

STANDARD = (
    "access_compat authn_core authn_file authz_core authz_host authz_user auth_basic alias dir mime env "
    "setenvif headers rewrite request filter reqtimeout status info proxy proxy_http dav dav_fs "
    "include negotiation autoindex actions").split()

SESSION = "session session_cookie session_crypto auth_form".split()

CACHE = "cache cache_disk".split()


def load_lines(names, mpm):
    """LoadModule lines for an MPM and these modules; `cgi` becomes cgid where threads run."""
    wanted = [f"mpm_{mpm}"]
    for name in names:
        if name in ("cgi", "cgid"):
            name = "cgi" if mpm == "prefork" else "cgid"
        # mod_http2 refuses to work with prefork and says so in the log.
        if name == "http2" and mpm == "prefork":
            continue
        if name not in BUILT_IN and name not in wanted:
            wanted.append(name)
    lines = []
    for name in wanted:
        path = FOLDER / f"mod_{name}.so"
        if not path.exists():
            raise FileNotFoundError(f"{path}: Debian's apache2 has no module of this name")
        lines.append(f"LoadModule {name}_module {path}")
    return lines
