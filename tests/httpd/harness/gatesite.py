# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The running site of the gate corpus, with the people of corpus.PEOPLE: bob and ghost pay, alice
never did, dave did once. ghost stands in no password file; BOB and Bob are other people than bob.
"""
from . import corpus, doors, site
from .vault import Vault

# What httpd, and we, have to say about requests like these: anything but a child's death.
NOISE = r"AH(?!0005[12])\d{5}|\[dav:error\]|unable to include|SB101|SB403"

OUTAGE = "SB110|SB2|SB3|SB5"


class GateSite:
    def __init__(self, module=True, database="sqlite3", name="gate"):
        self.vault = Vault(doors.PROTECTED, doors.PUBLIC)
        self.site = site.Site(name=name, database=database, double=False, gates="", module=module,
                              people=("BOB", "Bob"), load=("asis",), httpd={"log_level": "warn"})
        doors.write(self.site.root)
        self.site.reconfigure(graceful=False, extra=doors.conf(self.site.root, self.site.port,
                                                               self.vault.url))

    def start(self):
        self.site.start()
        for who in ("bob", "ghost"):
            self.site.subscribe(who, "basic")
        self.site.cancel(self.site.subscribe("dave", "basic"))
        return self

    def exchange(self, module):
        """The same site with another build of the module."""
        self.site.httpd.stop()
        self.site.reconfigure(graceful=False, module=module)
        self.site.httpd.start()

    def runner(self):
        return corpus.Runner(self.site, self.vault)

    def outage(self):
        """What is wrong while the database is away, for people no process remembers."""
        wrong = []
        here = self.site.database.path
        away = here.with_suffix(".away")
        here.rename(away)
        try:
            for base in doors.BASE.values():
                for who in ("alice", "dave", "bob"):
                    answer = self.site.client.user(who).get(f"{base}/paid.html")
                    if answer.status_code != 503 or corpus.holds_protected(answer.content):
                        wrong.append(f"{who} gets {answer.status_code} at {base}")
        finally:
            away.rename(here)
        return wrong

    def stop(self):
        try:
            self.site.stop()
        finally:
            self.vault.stop()
