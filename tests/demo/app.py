# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The demo's application: a counter of herons on a port of its own, behind httpd's gate.

It knows nothing of plans or Stripe. Whoever reaches it has passed the gate, and httpd says who it is.
"""
import html
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORDS = {
    "en": ("Herons counted", "One more heron", "counted by", "number"),
    "de": ("Gezählte Reiher", "Noch ein Reiher", "gezählt von", "Anzahl"),
}

BODY = """<section class="intro"><h1>{title}</h1></section>
<form class="card" method="post" action="/app/">
<button class="button" id="count" type="submit">{button}</button>
<table class="counts"><thead><tr><th scope="col">{by}</th><th scope="col">{number}</th></tr></thead>
<tbody>{rows}</tbody></table></form>
"""


class App:
    """frames: {language: a page with {title}, {body} and the at_… places}."""

    def __init__(self, frames):
        self.counts = {}
        app = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                german = self.headers.get("Accept-Language", "").lower().startswith("de")
                self.answer(200, app.page("de" if german else "en", self.user()))

            def do_POST(self):
                self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 65536))
                app.counts[self.user()] = app.counts.get(self.user(), 0) + 1
                self.answer(303, "", Location="/app/")

            def user(self):
                return self.headers.get("X-Demo-User") or "?"

            def answer(self, status, text, **headers):
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._frames = frames
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # A client gone between select() and accept() must not stop the loop for ever.
        self._server.socket.setblocking(False)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def page(self, language, user):
        title, button, by, number = WORDS[language]
        rows = "".join(f"<tr><td><bdi>{html.escape(name)}</bdi></td><td>{count}</td></tr>"
                       for name, count in {user: 0, **self.counts}.items())
        return self._frames[language](title, user, BODY.format(
            title=title, button=button, by=by, number=number, rows=rows))

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
