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
from harness.site import STRIPE_KEY

STORE = "/etc/ssl/certs/ca-certificates.crt"
CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def openssl(*words):
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


class Authority:
    """A certificate authority of our own, which no system trusts by itself."""

    def __init__(self, folder):
        self.folder, self.key, self.certificate = folder, folder / "ca.key", folder / "ca.crt"
        openssl("req", "-x509", *CURVE, "-keyout", self.key, "-out", self.certificate, "-days", 2,
                "-subj", "/CN=Authority of the tests")
        self.certificate.chmod(0o644)

    def issue(self, name, host="localhost", days=2):
        """Key and certificate for a host, in one file."""
        key, request, made = (self.folder / f"{name}.{end}" for end in ("key", "csr", "crt"))
        names = self.folder / f"{name}.names"
        names.write_text(f"subjectAltName=DNS:{host}\n")
        openssl("req", *CURVE, "-keyout", key, "-out", request, "-subj", f"/CN={host}")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                "-CAcreateserial", "-days", days, "-extfile", names, "-out", made)
        return self._pair(name, key, made)

    def self_signed(self, name):
        key, made = self.folder / f"{name}.key", self.folder / f"{name}.crt"
        openssl("req", "-x509", *CURVE, "-keyout", key, "-out", made, "-days", 2,
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
        return self._pair(name, key, made)

    def _pair(self, name, key, made):
        both = self.folder / f"{name}.pem"
        both.write_text(key.read_text() + made.read_text())
        return both


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
