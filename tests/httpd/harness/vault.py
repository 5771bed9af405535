# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The application behind the proxied door. Below /vault/ everything is protected, below /hall/ it is
open; it answers every method with the bytes, a range or a 304, as a careless file server would, and
remembers what it was asked.
"""
from http.server import BaseHTTPRequestHandler

from .backend import Backend

ETAG = '"vault-1"'
MODIFIED = "Mon, 05 Jan 2026 10:00:00 GMT"


class Vault(Backend):
    """protected, public: the bytes behind either path. headers: more of every answer."""

    def __init__(self, protected, public, headers=()):
        super().__init__(_Handler)
        self._server.protected, self._server.public = protected, public
        self._server.more_headers = list(headers)
        self._server.away = False

    @property
    def away(self):
        """Whether it breaks every connection instead of answering."""
        return self._server.away

    @away.setter
    def away(self, value):
        self._server.away = value


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _range(self, body):
        """The first of the ranges that were asked for, or None."""
        words = (self.headers.get("Range") or "").removeprefix("bytes=").split(",")[0].split("-")
        if len(words) != 2 or not (words[0] + words[1]).isdigit():
            return None
        first = int(words[0]) if words[0] else max(0, len(body) - int(words[1]))
        last = min(int(words[1]) if words[0] and words[1] else len(body) - 1, len(body) - 1)
        return (first, last) if first <= last else None

    def _answer(self):
        if self.server.away:
            self.close_connection = True
            return
        if self.command in ("GET", "HEAD"):
            # mod_include's requests have the length of the visitor's body, and no body.
            self.close_connection = "Content-Length" in self.headers
        else:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append(f"{self.command} {self.path}")
        body = self.server.protected if self.path.startswith("/vault/") else self.server.public
        status, part = 200, self._range(body)
        if self.headers.get("If-None-Match") in ("*", ETAG):
            status, body = 304, b""
        elif part:
            status = 206
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Cache-Control", "public, max-age=600")
        self.send_header("ETag", ETAG)
        self.send_header("Last-Modified", MODIFIED)
        for name, value in self.server.more_headers:
            self.send_header(name, value)
        if part and status == 206:
            self.send_header("Content-Range", f"bytes {part[0]}-{part[1]}/{len(body)}")
            body = body[part[0]:part[1] + 1]
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, *_):
        pass
