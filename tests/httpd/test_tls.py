# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Stripe is spoken to over verified TLS: who cannot prove to be the host asked for never sees the key."""
import json
import os
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from harness import scratch
from harness.authority import Authority
from harness.site import STRIPE_KEY

STORE = "/etc/ssl/certs/ca-certificates.crt"


class Server:
    """An HTTPS server that notes every request that gets through the handshake."""

    def __init__(self, pair):
        self.requests = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.requests.append((self.path, self.headers.get("Authorization", "")))
                body = json.dumps({"id": self.path.rsplit("/", 1)[1], "object": "customer",
                                   "livemode": False, "metadata": {}}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, *_):
                """A handshake that the other side ended is what this is about."""

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair)
        self._http = Quiet(("127.0.0.1", 0), Handler)
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True,
                                                do_handshake_on_connect=False)
        self.url = f"https://localhost:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self._http.shutdown()
        self._http.server_close()


def trusting(authority, *command, environment):
    """Runs a command in whose eyes the system trusts this authority and nobody else."""
    words = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    if subprocess.run([*words, "true"], capture_output=True).returncode:
        pytest.skip("this kernel gives no mount namespace to put a trust store into")
    return subprocess.run(
        [*words, "sh", "-c", 'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh",
         authority.certificate, STORE, *map(str, command)],
        env=environment, capture_output=True, text=True, timeout=60)


@pytest.fixture
def authority(make_site):
    folder = scratch.fresh("tls")
    yield Authority(folder)
    scratch.discard(folder)


@pytest.mark.parametrize("case", ["right", "self-signed", "wrong name", "expired", "unknown authority"])
def test_only_a_verified_stripe_is_told_the_key(make_site, authority, case):
    """T38: the same call to the same server; one thing is wrong with its certificate each time."""
    pair = {"right": lambda: authority.issue("right"),
            "self-signed": lambda: authority.self_signed("own"),
            "wrong name": lambda: authority.issue("name", host="api.stripe.example"),
            "expired": lambda: authority.issue("old", days=-1),
            "unknown authority": lambda: authority.issue("unknown")}[case]()
    server = Server(pair)
    site = make_site(double=False, start=False, directives={"SubbillStripeAPI": server.url})
    assert site.ctl("migrate").exit == 0
    command = (scratch.CTL, "links", "set", "bob", "cus_T1234567890")
    try:
        if case == "unknown authority":
            done = subprocess.run(command, env=site.httpd.environment(), capture_output=True,
                                  text=True, timeout=60)
        else:
            done = trusting(authority, *command, environment=site.httpd.environment())
    finally:
        server.stop()
    if case == "right":
        assert done.returncode == 0, done.stderr
        assert server.requests == [("/v1/customers/cus_T1234567890", f"Bearer {STRIPE_KEY}")]
        return
    assert done.returncode == 5, done.stderr
    assert server.requests == []
    assert STRIPE_KEY not in done.stdout + done.stderr


def test_a_buyer_is_told_to_try_later_when_stripe_cannot_be_verified(make_site, authority):
    """T38, F13: in httpd the same: 503, no request, the gate untouched."""
    server = Server(authority.self_signed("own"))
    site = make_site(double=False, directives={"SubbillStripeAPI": server.url})
    site.allow_log("SB")
    try:
        site.subscribe("bob", "basic")
        answer = site.client.user("alice").post("/subbill/checkout", json={"plan": "basic"})
        assert answer.status_code == 503, answer.text
        assert server.requests == []
        assert site.client.user("bob").get("/members/page.html").status_code == 200
        assert STRIPE_KEY not in site.httpd.log.text()
    finally:
        server.stop()
