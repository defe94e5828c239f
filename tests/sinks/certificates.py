"""An authority and certificates of its own making, for the tests of TLS; needs the program `openssl`."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Certificates:
    """Files in PEM form: the authority's certificate, the server's for `localhost`, and a client's."""

    ca: Path
    server: Path
    client: Path

    def server_context(self, *, asks: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server)
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca)
        return context


def make_certificates(folder: Path) -> Certificates:
    if not shutil.which("openssl"):
        pytest.skip("no openssl on this machine")
    _openssl(folder, "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority", "ca")
    for name, subject in (("server", "localhost"), ("client", "pysmon")):
        (folder / "names").write_text(f"subjectAltName=DNS:{subject},IP:127.0.0.1\n")
        request = f"req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={subject}"
        _openssl(folder, request, name)
        sign = f"x509 -req -in {name}.crt -CA ca.crt -CAkey ca.key -CAcreateserial -extfile names -out {name}.signed"
        subprocess.run(["openssl", *sign.split()], cwd=folder, check=True, capture_output=True)
        both = (folder / f"{name}.signed").read_text() + (folder / f"{name}.key").read_text()
        (folder / f"{name}.pem").write_text(both)
    return Certificates(folder / "ca.crt", folder / "server.pem", folder / "client.pem")


def _openssl(folder: Path, command: str, name: str) -> None:
    whole = ["openssl", *command.split(), "-keyout", f"{name}.key", "-out", f"{name}.crt"]
    subprocess.run(whole, cwd=folder, check=True, capture_output=True)
