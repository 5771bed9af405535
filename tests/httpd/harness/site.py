# Licensed under the Apache License, Version 2.0; see LICENSE.
"""A whole site: httpd with the module, its database, catalogue and secrets, a Stripe double, people
with passwords, and the same secret behind every kind of handler.

    /                 public page              /open/        public
    /members/         SubbillGate any          /workshop/    SubbillGate pro
    /cgi/ /dav/ /app/ SubbillGate any: CGI, WebDAV, proxied application
    /require/         Require subscription     /require-pro/ Require subscription pro
    /subbill/…        the module's routes      /server-status /server-info (local, T37)

Everybody logs in by Basic authentication; the password is the name. Nothing requires a login but
the gates and the module itself.
"""
import json
import os
import subprocess

from . import catalogue, content, databases, events, modules, scratch
from .backend import Backend
from .client import Client, body_of, sign
from .httpd import Httpd, Result, sanitizer_libraries

STRIPE_KEY = "sk_test_canary51TheKeyOfTheTestSite0001"
PUBLISHABLE_KEY = "pk_test_51TheKeyOfTheTestSite0001"
WEBHOOK_SECRET = "whsec_canary0TheWebhookSecretOfTheTestSite"

PUBLIC_CONF = """\
DocumentRoot {root}/docroot
<Directory "{root}/docroot">
    Require all granted
    Options Includes ExecCGI
    AllowOverride {allow_override}
    DirectoryIndex index.html
    AddHandler cgi-script .cgi
    AddType text/html .shtml
    AddOutputFilter INCLUDES .shtml
</Directory>
{login}
DavLockDB {root}/locks/dav
<Directory "{root}/docroot/dav">
    Dav On
</Directory>
ProxyPass /app/ {backend}/
<Location "/server-status">
    SetHandler server-status
    Require local
</Location>
<Location "/server-info">
    SetHandler server-info
    Require local
</Location>
"""

LOGIN = """\
<Location "/">
    AuthType Basic
    AuthName "Test site"
    AuthBasicProvider file
    AuthUserFile {root}/secrets/people
    # httpd answers 500 where an AuthType stands without any Require (AH01627).
    Require all granted
</Location>
"""

GATES = """\
<Location "/members">
    SubbillGate any
</Location>
<Location "/workshop">
    SubbillGate pro
</Location>
<LocationMatch "^/(cgi|dav|app)/">
    SubbillGate any
</LocationMatch>
<Location "/require">
    Require subscription
</Location>
<Location "/require-pro">
    Require subscription pro
</Location>
"""

ROUTES = """\
<Location "/subbill">
    SetHandler subbill
</Location>
"""


class Site:
    """One site; nothing runs before start().

    database         "sqlite3" | "pgsql" | "mysql", or a databases.Database made elsewhere
    catalog          a dict (default catalogue.default()), text taken as it is, or None
    directives       {name: value | [value, …] | None}: replaces or removes the default lines
    gates, routes    configuration text that replaces GATES and ROUTES
    login            configuration text that replaces LOGIN
    extra            configuration text at the end
    people           further names that may log in
    load             further httpd modules ("http2" and "cgi" are there)
    double           True: start one; False: none; or a running double's handle
    migrate          whether start() prepares the database
    httpd            further keyword arguments for Httpd (mpm, processes, log_level, valgrind …)
    module           False leaves mod_subbill out, to try the harness with stock modules; a path: another
                     build of it
    """

    def __init__(self, name="site", database="sqlite3", catalog=..., directives=None, gates=GATES,
                 routes=ROUTES, login=LOGIN, extra="", people=(), load=(), double=True, migrate=True,
                 module=True, allow_override="None", secret=WEBHOOK_SECRET, httpd=None):
        self.root = scratch.fresh(name)
        self.port = scratch.free_port()
        self.secret = secret
        self.module = module
        self._wants_migration = migrate and module
        self.backend = Backend()
        self.double = None
        self.double_words = ""  # what the double wrote to standard error, known after stop()
        self._own_double = False
        self.database = database if isinstance(database, databases.Database) \
            else databases.make(database, self.root)
        self._own_database = self.database is not database
        self._client = None
        self._customers = {}
        self._write_files(catalog, people)
        self._start_double(double)
        self.directives = self._default_directives()
        for directive, value in (directives or {}).items():
            self.directives[directive] = value
        self.gates = gates if module else ""
        self.routes = routes if module else ""
        self.login = login
        self.extra = extra
        self.allow_override = allow_override
        self.ctl_variables = {}  # subbillctl's own, beside those that name this site
        load = [*modules.STANDARD, "cgi", "http2", *load]
        self.httpd = Httpd(self.root, load=load, port=self.port, conf=self._conf(),
                           **(httpd or {}))

    # --- building --------------------------------------------------------------------------

    def _write_files(self, catalog, people):
        content.write(self.root / "docroot")
        (self.root / "data").mkdir()
        scratch.give(self.root / "data", 0o700)
        (self.root / "locks").mkdir()
        scratch.give(self.root / "locks")
        for name, text in (("stripe.key", STRIPE_KEY), ("webhook.secret", self.secret)):
            scratch.write(self.root / "secrets" / name, text + "\n", 0o600)
        scratch.write(self.root / "secrets" / "people",
                      content.password_file([*content.PEOPLE, *people]))
        if catalog is ...:
            catalog = catalogue.default()
        self.set_catalog(catalog)

    def set_catalog(self, catalog):
        """Writes the catalogue; httpd reads it at its next reload."""
        if catalog is None:
            return
        text = catalog if isinstance(catalog, (str, bytes)) else \
            json.dumps(catalog, indent=2, ensure_ascii=False)
        scratch.write(self.root / "catalog.json", text)

    def _start_double(self, double):
        if double is False or double is None:
            return
        if double is not True:
            self.double = double
            return
        import stripe_double.launch
        options = {"catalog": self.root / "catalog.json"} \
            if (self.root / "catalog.json").exists() else {}
        self.double = stripe_double.launch.start(
            webhook_url=f"http://127.0.0.1:{self.port}/subbill/webhook",
            webhook_secret_file=self.root / "secrets" / "webhook.secret", **options)
        self._own_double = True

    def _database_source(self):
        """The parameters as written in the configuration: those with a password in a file."""
        if "pass" not in self.database.params:
            return f'"{self.database.params}"'
        path = scratch.write(self.root / "secrets" / "database", self.database.params + "\n", 0o600)
        return f"file:{path}"

    def _default_directives(self):
        base = f"http://127.0.0.1:{self.port}"
        lines = {
            "SubbillEnabled": "On",
            "SubbillDatabase": f"{self.database.driver} {self._database_source()}",
            "SubbillMode": "test",
            "SubbillStripeKey": f"file:{self.root}/secrets/stripe.key",
            "SubbillStripePublishableKey": PUBLISHABLE_KEY,
            "SubbillWebhookSecret": f"file:{self.root}/secrets/webhook.secret",
            # Port 9 (discard): nobody answers, so a test without a double sees Stripe as down.
            "SubbillStripeAPI": self.double.url if self.double else "http://127.0.0.1:9",
            "SubbillBaseURL": base,
            # Tests that want background jobs say when: site.ctl("work", "--once"), or On.
            "SubbillWorker": "Off",
            "SubbillCatchUp": "0",
        }
        if (self.root / "catalog.json").exists():
            lines["SubbillCatalog"] = f"{self.root}/catalog.json"
        return lines

    def _conf(self):
        lines = []
        if self.module:
            module = scratch.MODULE if self.module is True else self.module
            lines.append(f"LoadModule subbill_module {module}")
            for name, value in self.directives.items():
                for one in value if isinstance(value, (list, tuple)) else [value]:
                    if one is not None:
                        lines.append(f"{name} {one}")
        # A refused Require is what these sites are for; httpd logs each as an error.
        lines.append("LogLevel authz_core:crit" + (" subbill:debug" if self.module else ""))
        if self.httpd_has_http2:
            lines.append("Protocols h2c http/1.1")
        lines.append(PUBLIC_CONF.format(root=self.root, backend=self.backend.url,
                                        allow_override=self.allow_override,
                                        login=self.login.format(root=self.root)))
        return "\n".join([*lines, self.gates, self.routes, self.extra, ""])

    @property
    def httpd_has_http2(self):
        return scratch.MPM != "prefork"

    def reconfigure(self, graceful=True, **changes):
        """Changes directives=, gates=, routes=, extra= and, by default, reloads.

        directives are merged into the present ones. Returns the result of apachectl graceful.
        """
        self.directives.update(changes.pop("directives", {}))
        for name, value in changes.items():
            if name not in ("gates", "routes", "extra", "allow_override", "module"):
                raise TypeError(f"a site has no {name}")
            setattr(self, name, value)
        self.httpd.configure(self._conf())
        return self.httpd.graceful() if graceful else None

    # --- life ------------------------------------------------------------------------------

    def start(self):
        if self._wants_migration:
            done = self.ctl("migrate")
            if done.exit:
                raise RuntimeError(f"subbillctl migrate: {done.output}")
        self.httpd.start()
        return self

    def stop(self):
        """Ends everything this site started and throws its folder away (SB_KEEP keeps it)."""
        try:
            self.httpd.stop()
        finally:
            self.hang_up()
            if self._own_double:
                self.double_words = self.double.stop() or ""
            self.backend.stop()
            if self._own_database:
                self.database.drop()

    def discard(self):
        scratch.discard(self.root)

    # --- using it --------------------------------------------------------------------------

    @property
    def url(self):
        return self.httpd.url

    @property
    def client(self):
        if self._client is None:
            self._client = Client(self.url)
        return self._client

    def hang_up(self):
        """Closes the client's connections; the next use of it opens others."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def ctl(self, *arguments, timeout=60):
        """Runs subbillctl for this site: (exit status, everything it printed)."""
        done = subprocess.run([str(scratch.CTL), *map(str, arguments)], timeout=timeout,
                              env=self._ctl_environment(),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL)
        return Result(done.returncode, done.stdout.decode(errors="backslashreplace"))

    def ctl_json(self, *arguments):
        """Runs subbillctl --json, expects success, returns what it printed on stdout."""
        done = subprocess.run([str(scratch.CTL), "--json", *map(str, arguments)], timeout=60,
                              env=self._ctl_environment(),
                              capture_output=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise AssertionError(f"subbillctl {' '.join(map(str, arguments))} ended with "
                                 f"{done.returncode}: {done.stderr.decode(errors='replace')}")
        return json.loads(done.stdout)

    def told(self):
        """Options of subbillctl that spare it asking httpd for the configuration each time."""
        dump = self.httpd.apachectl("-t", "-D", "DUMP_SUBBILL")
        if dump.exit:
            raise AssertionError(dump.output)
        return "--config", scratch.write(self.root / "settings", dump.output, 0o600)

    def _ctl_environment(self):
        variables = dict(self.ctl_variables)
        if scratch.SAN and "LD_PRELOAD" in variables:  # its own libraries have to come first
            variables["LD_PRELOAD"] = f"{sanitizer_libraries()} {variables['LD_PRELOAD']}"
        return {**self.httpd.environment(), **self._ctl_sanitizer(), **variables}

    def _ctl_sanitizer(self):
        return {"ASAN_OPTIONS": f"detect_leaks=0:log_path={self.root}/logs/sanitizer/report",
                "UBSAN_OPTIONS": f"log_path={self.root}/logs/sanitizer/report"} \
            if scratch.SAN else {}

    def webhook(self, event, t=None, secret=None, path="/subbill/webhook", headers=None,
                signature=...):
        """Signs an event (dict, bytes, text or story event) and posts it as Stripe does.

        signature: a header value instead of a right one, or None for no header at all.
        """
        body = body_of(event)
        lines = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Stripe/1.0"}
        if signature is ...:
            signature = sign(body, self.secret if secret is None else secret, t)
        if signature is not None:
            lines["Stripe-Signature"] = signature
        return self.client.post(path, content=body, headers={**lines, **(headers or {})})

    def subscribe(self, user="bob", plan="basic", **about):
        """Gives a user a running subscription by way of the webhook; returns the object.

        A user keeps the customer of the first time, as with Stripe.
        """
        about.setdefault("customer", self._customers.get(user))
        thing = events.subscription(user, plan, **about)
        self._customers[user] = thing["customer"]
        answer = self.webhook(events.subscription_created(thing))
        assert answer.status_code == 200, f"{answer.status_code}: {answer.text}"
        return thing

    def cancel(self, thing):
        """Ends a subscription that subscribe() made."""
        answer = self.webhook(events.subscription_deleted(thing))
        assert answer.status_code == 200, f"{answer.status_code}: {answer.text}"

    def new_user(self, stem="user"):
        """Somebody who never was here, so that tests sharing a site do not meet."""
        name = events.new_id(stem)
        with open(self.root / "secrets" / "people", "a") as people:
            people.write(content.password_file([name]))
        return name

    def expect_log(self, pattern, times=None):
        self.httpd.expect_log(pattern, times)

    def allow_log(self, pattern):
        self.httpd.allow_log(pattern)


def missing_build():
    """Why sites with the module cannot run yet, or None."""
    for path in (scratch.MODULE, scratch.CTL):
        if not os.access(path, os.R_OK):
            return f"{path} is not built; run make -f Makefile.apxs all"
    return None
