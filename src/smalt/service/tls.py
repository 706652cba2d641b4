"""The certificate authority of a home, and the server's certificate that it signs. What makes certificates is loaded
only when one is to be made.

Azure's clients send their tokens over TLS only; who runs one beside a local server trusts this authority by the bundle
that `smalt exec` hands it, and jobs by the one that `trust` writes.
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
    """Made at its first use and kept, for the home's owner only."""
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
    """The certificate of the home's authority."""
    with _making:
        kept = home.read(_CERTIFICATE)
        return kept if kept and home.read(_KEY) else load_authority(home).cert_pem.bytes().decode()


def write_trusted(home: Home) -> str:
    """Write down what jobs are to trust: what this server's own environment says, and this home. The file's path."""
    with _making:
        text = certificates.with_own(os.environ, read_certificate(home))
        if home.read(TRUSTED) != text:
            home.write(TRUSTED, text)
    return str(home.path(TRUSTED))


def build_context(home: Home, names: list[str]) -> ssl.SSLContext:
    """For a listener; each run of the server has a leaf of its own."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_authority(home).issue_cert(*names).configure_cert(made)
    return made
