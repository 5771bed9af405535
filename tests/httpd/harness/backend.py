# Licensed under the Apache License, Version 2.0; see LICENSE.
"""A tiny application behind the proxy that remembers every request it saw.

It answers with the secret and with the headers it was given, as JSON, so that a test sees both
what leaked and what the application would have believed.
"""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .content import SECRET


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        seen = {"method": self.command, "path": self.path,
                "headers": [[name, value] for name, value in self.headers.items()],
                "body": self.rfile.read(length).decode(errors="backslashreplace")}
        self.server.requests.append(seen)
        body = json.dumps({"secret": SECRET, **seen}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "public, max-age=600")
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


class Backend:
    def __init__(self, handler=_Handler):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        # A client that is gone between select() and accept() must not stop the loop for ever.
        self._server.socket.setblocking(False)
        self._server.daemon_threads = True
        self._server.requests = []
        self._thread = threading.Thread(target=self._server.serve_forever,
                                        kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def requests(self):
        return self._server.requests

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
