# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The files of a test site and the people who may log in.

Every protected answer, whatever makes it, holds the words of SECRET: a test of a refusal looks for
them in the bytes it got.
"""
import base64
import hashlib

from . import scratch

SECRET = "for members only: the heron nests at dawn"
PUBLIC = "everybody may read this"

PEOPLE = ("alice", "bob", "carol", "dave", "erin", "zoe")

PAGE = "<!doctype html><title>{title}</title><p>{text}</p>\n"

CGI = f"""#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n{SECRET}\\n'
env | grep -E '^(REMOTE_USER|SUBBILL_|HTTP_X_SUBBILL)' | sort
"""


def password_file(people):
    """Lines of an AuthUserFile: everybody's password is the name."""
    lines = []
    for name in people:
        digest = base64.b64encode(hashlib.sha1(name.encode()).digest()).decode()
        lines.append(f"{name}:{{SHA}}{digest}\n")
    return "".join(lines)


def write(docroot):
    """Public pages, and the same secret as file, directory index, SSI page, CGI and DAV file."""
    secret = PAGE.format(title="Members", text=SECRET)
    for path, text in {
        "index.html": PAGE.format(title="Front", text=PUBLIC),
        "open/index.html": PAGE.format(title="Open", text=PUBLIC),
        "open/page.html": PAGE.format(title="Open", text=PUBLIC),
        "open/includes.shtml": '<!--#include virtual="/members/page.html" -->\n',
        "members/index.html": secret,
        "members/page.html": secret,
        "members/large.bin": (SECRET + "\n") * 4096,
        "members/deep/er/page.html": secret,
        "workshop/index.html": secret,
        "workshop/page.html": secret,
        "require/index.html": secret,
        "require/page.html": secret,
        "require-pro/page.html": secret,
    }.items():
        scratch.write(docroot / path, text)
    scratch.write(docroot / "cgi" / "hello.cgi", CGI, 0o755)
    scratch.write(docroot / "dav" / "file.txt", SECRET + "\n")
    for path in (docroot / "dav", docroot / "dav" / "file.txt"):
        scratch.give(path)
