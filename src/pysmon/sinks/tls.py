"""How to speak TLS to a collector. What stands behind it is 2 MB of memory: imported only where it is spoken."""

from __future__ import annotations

import ssl

from pysmon.errors import MisuseError


def tls_context(*, ca: str = "", verify: bool = True, certificate: str = "", key: str = "") -> ssl.SSLContext:
    """How to speak TLS: 1.2 at least, trusting the file `ca` or, without one, the system's authorities. MisuseError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    name = ca
    try:
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif ca:
            context.load_verify_locations(ca)
        else:
            context.load_default_certs()
        name = certificate
        if certificate:
            context.load_cert_chain(certificate, key or None)
    except OSError as error:  # ssl.SSLError is one
        raise MisuseError(
            f"cannot use {name}: {error.strerror or error}", hint="expected a file in PEM form"
        ) from error
    return context
