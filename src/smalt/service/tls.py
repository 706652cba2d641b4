"""The certificate authority of a home, and the server's certificate that it signs. Loaded when TLS is first asked for.

Azure's clients send their tokens over TLS only; who runs one beside a local server trusts this authority by the bundle
that `smalt exec` hands it.
"""

from __future__ import annotations

import os
import ssl

import trustme

from smalt import authorities
from smalt.home import Home
from smalt.service.secrets.identity import TRUSTED

_CERTIFICATE, _KEY = "tls/authority.pem", "tls/authority.key"


def authority(home: Home) -> trustme.CA:
    """Made at its first use and kept, for the home's owner only."""
    certificate, key = home.read(_CERTIFICATE), home.read(_KEY)
    if certificate and key:
        return trustme.CA.from_pem(certificate.encode(), key.encode())
    home.path("tls").mkdir(mode=0o700, exist_ok=True)
    made = trustme.CA(organization_name="smalt", organization_unit_name=str(home.root)[-64:])
    home.write(_KEY, made.private_key_pem.bytes().decode())
    home.write(_CERTIFICATE, made.cert_pem.bytes().decode())
    return made


def trust(home: Home) -> None:
    """Write down what jobs are to trust: what this server's own environment says, and this home."""
    text = authorities.with_own(os.environ, authority(home).cert_pem.bytes().decode())
    if home.read(TRUSTED) != text:
        home.write(TRUSTED, text)


def context(home: Home, names: list[str]) -> ssl.SSLContext:
    """For a listener; the leaf is made anew for each run of the server."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority(home).issue_cert(*names).configure_cert(made)
    return made
