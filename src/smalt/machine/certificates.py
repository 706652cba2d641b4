"""CA bundles that join the home's own authority with the certificates that a program trusts already."""

from __future__ import annotations

import contextlib
import importlib
import os
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

BUNDLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
"""The variables by which programs are told of such a file."""

_ROOTS = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""The files in which systems keep the public authorities."""


def join_authorities(environment: Mapping[str, str], authority: str) -> str:
    """The text of one file of all that may be trusted: what was before, and the home's authority."""
    before = next((path for name in BUNDLES if (path := environment.get(name)) and os.path.isfile(path)), None)
    before = before or next((path for path in _read_roots() if os.path.isfile(path)), None)
    text = Path(before).read_text(errors="replace").rstrip("\n") + "\n" if before else ""
    return text if authority in text else text + authority


def _read_roots() -> Iterator[str]:
    yield from _ROOTS
    if path := ssl.get_default_verify_paths().cafile:
        yield path
    with contextlib.suppress(ImportError):
        yield str(importlib.import_module("certifi").where())
