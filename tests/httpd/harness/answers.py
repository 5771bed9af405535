# Licensed under the Apache License, Version 2.0; see LICENSE.
"""A stand-in for Stripe that knows prepared objects and nothing else: no life of its own, no limits."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answers:
    """objects: {path: object}; asked: the paths asked for. url goes into SubbillStripeAPI."""

    def __init__(self):
        self.objects, self.asked = {}, []
        answers = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path = self.path.split("?")[0]
                answers.asked.append(path)
                known = answers.objects.get(path)
                body = json.dumps(known if known is not None else {
                    "error": {"type": "invalid_request_error", "code": "resource_missing",
                              "message": "No such object"}}).encode()
                self.send_response(200 if known is not None else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        # A client gone between select() and accept() must not stop the loop for ever.
        self._server.socket.setblocking(False)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
