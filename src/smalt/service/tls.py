"""The certificate authority of a home, and the server certificate that it signs.

Azure's clients send their tokens over TLS only. Programs of `smalt exec` trust this authority by the bundle that it
hands them, jobs by the one that `write_trusted` writes. The library for certificates is imported only to make one.
"""

from __future__ import annotations

import os
import ssl
import threading
from typing import TYPE_CHECKING

from smalt.machine import certificates
from smalt.machine.home import Home
from smalt.service.secrets.identity import TRUSTED

if TYPE_CHECKING:
    import trustme

_CERTIFICATE, _KEY = "tls/authority.pem", "tls/authority.key"
_making = threading.RLock()


def load_authority(home: Home) -> trustme.CA:
    """Return the home's authority, created at its first use and readable by the home's owner only."""
    import trustme

    with _making:
        certificate, key = home.read(_CERTIFICATE), home.read(_KEY)
        if certificate and key:
            return trustme.CA.from_pem(certificate.encode(), key.encode())
        home.path("tls").mkdir(mode=0o700, exist_ok=True)
        made = trustme.CA(organization_name="smalt", organization_unit_name=str(home.root)[-64:])
        home.write(_KEY, made.private_key_pem.bytes().decode())
        home.write(_CERTIFICATE, made.cert_pem.bytes().decode())
        return made


def read_certificate(home: Home) -> str:
    """Return the certificate of the home's authority."""
    with _making:
        kept = home.read(_CERTIFICATE)
        return kept if kept and home.read(_KEY) else load_authority(home).cert_pem.bytes().decode()


def write_trusted(home: Home) -> str:
    """Write the authorities that jobs trust (those of this server's environment, and the home's); return the file's
    path."""
    with _making:
        text = certificates.join_authorities(os.environ, read_certificate(home))
        if home.read(TRUSTED) != text:
            home.write(TRUSTED, text)
    return str(home.path(TRUSTED))


def build_context(home: Home, names: list[str]) -> ssl.SSLContext:
    """Return the TLS context of a listener; each run of the server has its own leaf certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_authority(home).issue_cert(*names).configure_cert(made)
    return made
