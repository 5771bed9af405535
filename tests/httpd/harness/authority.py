# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Certificates for the tests, right ones and wrong ones, made by the openssl command."""
import subprocess

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
