# Licensed under the Apache License, Version 2.0; see LICENSE.
"""JSON Web Tokens, right ones and every kind of wrong one, and the keys that sign them (RFC 7515, 7517, 7519)."""
import base64
import datetime
import hashlib
import hmac
import json
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _json(thing):
    return b64(json.dumps(thing, separators=(",", ":")).encode())


def _sign(header, claims, signature_of):
    signed = f"{_json(header)}.{_json(claims)}"
    return f"{signed}.{b64(signature_of(signed.encode()))}"


class SharedKey:
    """HS256."""

    def __init__(self, secret):
        self.secret = secret.encode() if isinstance(secret, str) else secret

    def token(self, claims, **header):
        return _sign({"alg": "HS256", "typ": "JWT", **header}, claims,
                     lambda signed: hmac.new(self.secret, signed, hashlib.sha256).digest())


class KeyPair:
    """RS256; certificate() and jwk() are what others may know."""

    def __init__(self, kid=None):
        self.kid = kid
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def token(self, claims, **header):
        named = {"kid": self.kid} if self.kid else {}
        return _sign({"alg": "RS256", "typ": "JWT", **named, **header}, claims,
                     lambda signed: self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256()))

    def public_pem(self):
        return self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def certificate(self):
        """Self-signed, which is how public keys are handed about in files."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Issuer of tokens")])
        now = datetime.datetime.utcnow()
        made = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
                .public_key(self._key.public_key()).serial_number(x509.random_serial_number())
                .not_valid_before(now - datetime.timedelta(hours=1))
                .not_valid_after(now + datetime.timedelta(days=2))
                .sign(self._key, hashes.SHA256()))
        return made.public_bytes(serialization.Encoding.PEM)

    def jwk(self):
        numbers = self._key.public_key().public_numbers()
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid,
                **{name: b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))
                   for name, value in (("n", numbers.n), ("e", numbers.e))}}


def unsigned(claims, alg="none"):
    return f"{_json({'alg': alg, 'typ': 'JWT'})}.{_json(claims)}."


def claims(lasts=300, **more):
    """What every token says; a claim given as None is left out."""
    now = int(time.time())
    told = {"iat": now, "exp": now + lasts, **more}
    return {name: value for name, value in told.items() if value is not None}


def with_claim(token, **changes):
    """The same token with other claims under the old signature."""
    header, payload, signature = token.split(".")
    told = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return f"{header}.{_json({**told, **changes})}.{signature}"
