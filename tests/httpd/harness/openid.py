# Licensed under the Apache License, Version 2.0; see LICENSE.
"""A small OpenID Connect provider: discovery, keys, and the authorization code flow.

    provider = Provider(folder)     its certificate's authority is provider.authority
    provider.url                    the issuer
    provider.log_in(client, answer, "bob")    a browser's way from httpd's redirection back to httpd

It asks nobody for a password: who logs in is said by the test, and so is what is wrong with the
identity token this time.
"""
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from . import tokens
from .authority import Authority

CLIENT_ID, CLIENT_SECRET = "subbill-site", "canary-the-secret-of-the-relying-party"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def do_GET(self):
        where = urlsplit(self.path)
        provider = self.server.provider
        if where.path == "/authorize":
            self._answer(302, {}, Location=provider.authorize(parse_qs(where.query)))
            return
        known = {"/.well-known/openid-configuration": provider.metadata,
                 "/keys": provider.keys}.get(where.path)
        self._answer(200 if known else 404, known() if known else {})

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())
        given = self.server.provider.token(form) if self.path == "/token" else None
        self._answer(200 if given else 400, given or {"error": "invalid_grant"})

    def _answer(self, status, document, **headers):
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A caller that does not like our certificate is its own matter."""


class Provider:
    def __init__(self, folder):
        self.authority = Authority(folder)
        self.key, self.foreign_key = tokens.KeyPair("key-1"), tokens.KeyPair("key-1")
        self._grants = {}  # code -> (query of the authorization request, subject, what is wrong)
        self._next = (None, None)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        # A client gone between select() and accept() must not stop the loop for ever.
        self._server.socket.setblocking(False)
        self._server.provider = self
        self._server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server.tls.load_cert_chain(self.authority.issue("provider"))
        self.url = f"https://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    # --- what the provider says --------------------------------------------------------------

    def metadata(self):
        return {"issuer": self.url, "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/keys",
                "response_types_supported": ["code"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "code_challenge_methods_supported": ["S256"]}

    def keys(self):
        return {"keys": [self.key.jwk()]}

    def authorize(self, query):
        """Where the browser is sent to, with a code."""
        code = f"code{len(self._grants)}x{time.monotonic_ns()}"
        self._grants[code] = (query, *self._next)
        return query["redirect_uri"][0] + "?" + urlencode({"code": code, "state": query["state"][0]})

    def token(self, form):
        query, subject, wrong = self._grants.pop(form["code"][0], (None, None, None))
        if not query:
            return None
        return {"access_token": f"access-of-{subject}", "token_type": "Bearer", "expires_in": 300,
                "id_token": self._identity_token(query, subject, wrong)}

    def _identity_token(self, query, subject, wrong):
        told = {"iss": self.url, "aud": CLIENT_ID, "sub": subject,
                "email": f"{subject}@example.com", "nonce": query.get("nonce", [None])[0]}
        changes = {"audience": {"aud": "somebody-else"}, "issuer": {"iss": "https://localhost:9"},
                   "nonce": {"nonce": "of-another-login"}, "expired": {"lasts": -3600}}.get(wrong, {})
        right = (self.foreign_key if wrong == "key" else self.key).token(
            tokens.claims(**{**told, **changes}))
        return tokens.with_claim(right, sub="bob") if wrong == "tampered" else right

    # --- what a browser does -----------------------------------------------------------------

    def log_in(self, client, answer, subject, wrong=None):
        """Follows httpd's redirection to this provider and back; httpd's answer at its redirect URI."""
        self._next = (subject, wrong)
        there = answer.headers["Location"]
        assert there.startswith(f"{self.url}/authorize?"), there
        back = httpx.get(there, verify=False, trust_env=False, follow_redirects=False)
        return client.get(back.headers["Location"])
