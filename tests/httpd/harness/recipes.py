# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Sites made of the files in conf/recipes, with what each recipe needs around it, and how people log in there.

A Method is one way to log in: its recipe, the modules and files it needs, a client that is logged in as
somebody, and clients that pretend to be. METHODS names them all.
"""
import os
import shutil
import tempfile
from pathlib import Path

import httpx

from . import content, openid, scratch, tokens
from .authority import Authority, openssl
from .client import BROWSER, Client
from .modules import FOLDER, SESSION
from .site import Site

RECIPES = scratch.ROOT / "conf" / "recipes"
OPENIDC = FOLDER / "mod_auth_openidc.so"


# A certificate that is not taken ends the handshake, or the connection after it (TLS 1.3).
REFUSED_CONNECTIONS = (httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError)


class Missing(Exception):
    """Why a recipe cannot be tried here."""


def require_openidc():
    if not OPENIDC.exists():
        raise Missing(f"{OPENIDC} is not installed (libapache2-mod-auth-openidc)")


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


class Method:
    """Basic passwords, and the base of the others."""

    recipe, load, stranger = "basic", (), 401
    name, more = None, ()  # where more than one file makes the login
    place = "/members/page.html"
    base = None  # where its site answers, when that is not the site's own port

    def __init__(self):
        self.site = None

    # --- its site ----------------------------------------------------------------------------

    def prepare(self, etc):
        """Writes the files that the recipe names; returns the lines that stand before it."""
        scratch.write(etc / "users", content.password_file(content.PEOPLE))
        return ""

    def included(self, *names):
        return "".join(f'Include "{RECIPES}/{name}.conf"\n' for name in names)

    def start(self, more=(), load=(), before=None, **arguments):
        """The site with this method's recipe and, behind it, more of them. before(site): makes what they
        need and returns the lines that define it."""
        self.site = Site(name=f"recipe-{self.name or self.recipe}", double=False, gates="", routes="", login="",
                         load=(*self.load, *load), **arguments)
        etc = self.site.root / "etc"
        etc.mkdir()
        for path in ("api/page.html", "api/index.html", ".htpasswd", "api/.htpasswd", "members/.htpasswd",
                     "members/vault/page.html"):
            scratch.write(self.site.root / "docroot" / path, content.SECRET)
        lines = f'Define SUBBILL_ETC "{etc}"\n{self.prepare(etc)}{before(self.site) if before else ""}'
        # As Debian has them before the site's own file.
        lines += ('<FilesMatch "^\\.ht">\n    Require all denied\n</FilesMatch>\n'
                  '<Location "/members/vault">\n    Require all denied\n</Location>\n')
        self.site.reconfigure(graceful=False, extra=lines + self.around(
            self.included(self.recipe, *self.more, *more)))
        self.site.start()
        if self.base:  # Stripe comes to the host that sells
            self.site._client = self.client()
        return self.site

    def around(self, recipe):
        return recipe

    def stop(self):
        """What this method started beside the site."""

    # --- its people --------------------------------------------------------------------------

    def name_of(self, user):
        """What the module calls somebody who logs in here."""
        return user

    def client(self, **options):
        """A client of this site that keeps its cookies, on http too."""
        def keep(_):
            for cookie in made.cookies.jar:
                cookie.secure = False
        made = Client(self.base or self.site.url, event_hooks={"response": [keep]}, **options)
        return made

    def program(self, user):
        return self.client(auth=(user, user))

    def browser(self, user):
        return self.client(auth=(user, user), headers=BROWSER)

    def forgeries(self):
        """(what, a client that would be bob) for each pretence."""
        yield "wrong password", self.client(auth=("bob", "alice"))
        yield "no password", self.client(auth=("bob", ""))
        yield "a header", self.client(headers={"X-Remote-User": "bob", "Remote-User": "bob",
                                               "REMOTE_USER": "bob"})


class SiteWide(Method):
    recipe = "site-wide-login"


class Form(Method):
    recipe, load, stranger = "form", SESSION, 302

    def prepare(self, etc):
        scratch.write(etc / "session.key", os.urandom(16).hex() + "\n", 0o600)
        scratch.write(self.site.root / "docroot" / "login.html",
                      (RECIPES / "login.html").read_text())
        return super().prepare(etc)

    def program(self, user):
        return self._log_in(self.client(), user)

    def browser(self, user):
        return self._log_in(self.client(headers=BROWSER), user)

    def _log_in(self, client, user, password=None):
        answer = client.get(self.place)
        page = answer.headers["Location"]
        client.logged_in = client.post(
            "/login", data={"httpd_username": user, "httpd_password": password or user},
            headers={"Referer": page if "://" in page else self.site.url + page})
        return client

    def forgeries(self):
        yield "wrong password", self._log_in(self.client(), "bob", "alice")
        session = self.program("alice").cookies["session"]
        for what, value in (("changed", session[:-6] + "AAAA" + session[-2:]),
                            ("cut", session[:len(session) // 2]), ("empty", ""),
                            ("in clear", "Members-user=bob&Members-pw=bob")):
            yield f"cookie {what}", self.client(headers={"Cookie": f"session={value}"})
        yield "Basic", self.client(auth=("bob", "bob"))


class OpenId(Method):
    recipe, load, stranger = "openid-connect", ("auth_openidc",), 302

    def __init__(self):
        Method.__init__(self)
        require_openidc()
        self.folder = Path(tempfile.mkdtemp(prefix="subbill-openid-"))
        self.provider = openid.Provider(self.folder)

    def prepare(self, etc):
        scratch.write(etc / "openid.conf", "".join(
            f"Define {name} {value}\n" for name, value in {
                "OIDC_CLIENT_ID": openid.CLIENT_ID, "OIDC_CLIENT_SECRET": openid.CLIENT_SECRET,
                "OIDC_PASSPHRASE": os.urandom(16).hex()}.items()), 0o600)
        authority = scratch.write(etc / "provider.pem",
                                  self.provider.authority.certificate.read_text())
        return f'Define OIDC_ISSUER {self.provider.url}\nOIDCCABundlePath "{authority}"\n'

    def stop(self):
        self.provider.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def program(self, user):
        return self._log_in(user, headers={})

    def browser(self, user):
        return self._log_in(user, headers=BROWSER)

    def _log_in(self, user, wrong=None, **options):
        client = self.client(**options)
        client.logged_in = self.provider.log_in(
            client, client.get(self.place, headers=BROWSER), user, wrong)
        return client

    def forgeries(self):
        for wrong in ("key", "tampered", "audience", "issuer", "nonce", "expired"):
            yield wrong, self._log_in("alice" if wrong == "tampered" else "bob", wrong)
        session = self._log_in("alice").cookies["mod_auth_openidc_session"]
        for what, value in (("changed", session[:-1] + ("0" if session[-1] != "0" else "1")),
                            ("empty", ""), ("a name", "bob")):
            yield f"cookie {what}", self.client(
                headers={"Cookie": f"mod_auth_openidc_session={value}"})
        yield "claims in headers", self.client(headers={"OIDC_CLAIM_sub": "bob", "OIDC-CLAIM-sub": "bob"})
        yield "bearer", self.client(headers=bearer("access-of-bob"))
        foreign = self.client()
        foreign.get("/oidc/callback?code=made-up&state=made-up")
        yield "a made up code", foreign
        thief = self.client()
        self.provider.log_in(thief, self.client().get(self.place, headers=BROWSER), "bob")
        yield "a code of another browser's login", thief


class Certificates(Method):
    recipe, load, stranger = "client-certificates", ("socache_shmcb", "ssl"), 401

    def prepare(self, etc):
        folder = self.site.root / "authority"
        (folder / "other").mkdir(parents=True)
        self.authority, self.other = Authority(folder), Authority(folder / "other")
        (etc / "clients.pem").write_bytes(self.authority.certificate.read_bytes())
        self.server = self.authority.issue("server", host="127.0.0.1")
        self.pairs = {name: self.authority.issue(name, host=name)
                      for name in ("alice", "bob", "revoked")}
        self._revoke(folder, etc / "clients.crl")
        self.port = scratch.free_port()
        self.base = f"https://127.0.0.1:{self.port}"
        return ""

    def _revoke(self, folder, place):
        """The certificate named revoked says that it is bob, too."""
        self.pairs["revoked"] = self.authority.issue("revoked", host="bob")
        (folder / "index.txt").write_text("")
        (folder / "ca.conf").write_text(f"[ca]\ndefault_ca=this\n[this]\ndatabase={folder}/index.txt\n"
                                        "default_md=sha256\ndefault_crl_days=2\n")
        signer = ["-config", folder / "ca.conf", "-keyfile", self.authority.key,
                  "-cert", self.authority.certificate]
        openssl("ca", *signer, "-revoke", folder / "revoked.crt")
        openssl("ca", *signer, "-gencrl", "-out", place)

    def around(self, recipe):
        return (f"Listen 127.0.0.1:{self.port}\n<VirtualHost 127.0.0.1:{self.port}>\n"
                f'SSLEngine On\nSSLCertificateFile "{self.server}"\n'
                f'DocumentRoot "{self.site.root}/docroot"\n{recipe}</VirtualHost>\n')

    def client(self, user=None, pair=None, **options):
        pair = pair or self.pairs.get(user)
        return super().client(verify=False, cert=str(pair) if pair else None, **options)

    def program(self, user):
        return self.client(user)

    def browser(self, user):
        return self.client(user, headers=BROWSER)

    def forgeries(self):
        yield "another authority's", self.client(pair=self.other.issue("bob", host="bob"))
        yield "self-signed", self.client(pair=self.other.self_signed("bob"))
        yield "revoked", self.client(pair=self.pairs["revoked"])
        yield "a header", self.client(headers={"SSL_CLIENT_S_DN_CN": "bob", "X-SSL-Client-CN": "bob"})


class TrustedProxy(Method):
    recipe, load, stranger = "trusted-proxy", ("remoteip",), 401
    PROXY = "127.0.0.2"

    def prepare(self, etc):
        # The site believes its proxy about addresses as well, which must not matter.
        return (f"Define TRUSTED_PROXY {self.PROXY}\nRemoteIPHeader X-Forwarded-For\n"
                f"RemoteIPInternalProxy 127.0.0.1 {self.PROXY}\n")

    def client(self, proxy=None, **options):
        where = {"transport": httpx.HTTPTransport(local_address=proxy)} if proxy else {}
        return super().client(**where, **options)

    def program(self, user):
        return self.client(self.PROXY, headers={"X-Remote-User": user})

    def browser(self, user):
        return self.client(self.PROXY, headers={**BROWSER, "X-Remote-User": user})

    def forgeries(self):
        named = {"X-Remote-User": "bob"}
        yield "not from the proxy", self.client(headers=named)
        yield "another address", self.client("127.0.0.3", headers=named)
        yield "an address in a header", self.client(headers={**named, "X-Forwarded-For": self.PROXY})
        yield "underscores", self.client(self.PROXY, headers={"X_Remote_User": "bob"})
        yield "two names", self.client(self.PROXY, headers=[("X-Remote-User", "alice"),
                                                            ("X-Remote-User", "bob")])


class SharedKeyToken(Method):
    recipe, load, stranger = "jwt-shared-key", ("auth_openidc",), 401
    place = "/api/page.html"
    NUMBERS = {"alice": 7, "bob": 42}

    def __init__(self):
        super().__init__()
        require_openidc()
        self.key, self.foreign = self.keys()

    def name_of(self, user):
        return str(self.NUMBERS[user])

    def keys(self):
        return tokens.SharedKey("canary-" + os.urandom(16).hex()), tokens.SharedKey("another key" * 4)

    def prepare(self, etc):
        scratch.write(etc / "jwt.conf", f"Define JWT_SECRET_KEY {self.key.secret.decode()}\n", 0o600)
        return ""

    def claims(self, user, **more):
        return tokens.claims(**{"token_type": "access", "jti": os.urandom(16).hex(),
                                "user_id": self.NUMBERS[user], **more})

    def impostors(self):
        """The claims of tokens that are rightly signed and still no reason to open."""
        yield "refresh token", self.claims("bob", token_type="refresh")
        yield "no token_type", self.claims("bob", token_type=None)
        yield "nobody", self.claims("bob", user_id=None)

    def program(self, user):
        return self.client(headers=bearer(self.key.token(self.claims(user))))

    def browser(self, user):
        return self.client(headers={**BROWSER, **bearer(self.key.token(self.claims(user)))})

    def wrong_tokens(self):
        bob = self.claims("bob")
        yield "foreign key", self.foreign.token(bob)
        yield "expired", self.key.token(self.claims("bob", lasts=-1000, iat=int(bob["iat"]) - 2000))
        yield "without exp", self.key.token(self.claims("bob", exp=None))
        yield "exp as text", self.key.token(self.claims("bob", exp="4102444800"))
        yield "exp zero", self.key.token(self.claims("bob", exp=0))
        for alg in ("none", "None", "NONE", ""):
            yield f"alg {alg!r}", tokens.unsigned(bob, alg)
        right = self.key.token(bob)
        header, payload, signature = right.split(".")
        yield "alg none with a signature", tokens.unsigned(bob) + signature
        yield "no signature", f"{header}.{payload}."
        yield "two parts", f"{header}.{payload}"
        yield "changed", tokens.with_claim(self.key.token(self.claims("alice")),
                                           user_id=42, sub="bob")
        yield "later end", tokens.with_claim(
            self.key.token(self.claims("bob", lasts=-1000)), exp=int(bob["exp"]) + 1000)
        yield "empty", ""
        yield "rubbish", "bob"
        for what, claims in self.impostors():
            yield what, self.key.token(claims)
        yield from self.confusions(bob)

    def confusions(self, bob):
        """One kind of key where another is meant."""
        yield "RS256", tokens.KeyPair().token(bob)
        yield "empty key", tokens.SharedKey("").token(bob)

    def forgeries(self):
        for what, token in self.wrong_tokens():
            yield what, self.client(headers=bearer(token) if token else {"Authorization": "Bearer"})
        right = self.key.token(self.claims("bob"))
        yield "in the query", self.client(params={"access_token": right})
        yield "in a cookie", self.client(headers={"Cookie": f"PA.global={right}; access_token={right}"})
        yield "as a password", self.client(auth=("bob", right))
        yield "claims in headers", self.client(headers={
            "OIDC_CLAIM_user_id": "42", "OIDC-CLAIM-user-id": "42", "X-Remote-User": "42"})


class PublicKeyToken(SharedKeyToken):
    recipe = "jwt-public-key"
    ISSUER = "https://login.example.com"

    def name_of(self, user):
        return user

    def keys(self):
        return tokens.KeyPair("issuer-1"), tokens.KeyPair("issuer-1")

    def prepare(self, etc):
        scratch.write(etc / "issuer.pem", self.key.certificate())
        return ""

    def claims(self, user, **more):
        return tokens.claims(**{"iss": self.ISSUER, "aud": "subbill-api", "sub": user, **more})

    def impostors(self):
        yield "another issuer", self.claims("bob", iss="https://login.example.org")
        yield "another audience", self.claims("bob", aud="other-api")
        yield "no audience", self.claims("bob", aud=None)
        yield "nobody", self.claims("bob", sub=None)

    def confusions(self, bob):
        for what, secret in (("the public key", self.key.public_pem()),
                             ("the certificate", self.key.certificate()), ("nothing", b"")):
            yield f"HS256 with {what}", tokens.SharedKey(secret).token(bob)
            yield f"HS256 with {what}, named", tokens.SharedKey(secret).token(bob, kid="issuer-1")
        yield "own key in the token", self.foreign.token(bob, jwk=self.foreign.jwk())


class OpenIdAndTokens(OpenId, PublicKeyToken):
    """People with a session and programs with a token, at the same addresses."""
    name, more = "openid-and-tokens", ("openid-and-tokens",)
    stranger, place = 302, "/api/page.html"

    def __init__(self):
        OpenId.__init__(self)
        self.key, self.foreign = self.provider.key, self.provider.foreign_key

    def claims(self, user, **more):
        return tokens.claims(**{"iss": self.provider.url, "aud": openid.CLIENT_ID, "sub": user, **more})

    def program(self, user):
        return PublicKeyToken.program(self, user)

    def forgeries(self):
        yield from OpenId.forgeries(self)
        for what, client in PublicKeyToken.forgeries(self):
            yield f"token: {what}", client


METHODS = {kind.name or kind.recipe: kind for kind in (Method, SiteWide, Form, OpenId, Certificates, TrustedProxy,
                                          SharedKeyToken, PublicKeyToken, OpenIdAndTokens)}
