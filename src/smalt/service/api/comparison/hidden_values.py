"""Values of environment variables as they may be shown beside each other: a secret by a mark, equal for equal ones."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Any

from smalt.service.secrets import references

_KEY = secrets.token_bytes(16)  # of this process alone, so that no mark can be looked up
_SECRET_NAME = re.compile(
    r"secret|token|passw|passphrase|pwd|credential|(api|access|account|private|signing|encryption|shared).?key|_key$"
    r"|^key$|signature|connection.?string|(^|_)(sas|auth|cookie|dsn)($|_)",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"://[^/\s:@]*:[^/\s@]+@|[?&]sig=|(AccountKey|SharedAccessKey|SharedAccessSignature|Password|Pwd)=|-----BEGIN ",
    re.IGNORECASE,
)


def hide_secrets(variables: Any) -> dict[str, str]:
    """Return variables as text, what may be a secret as `hidden (MARK)`; a reference to a secret is none."""
    if not isinstance(variables, dict):
        return {}
    return {str(name): _hide_value(str(name), str(value)) for name, value in variables.items() if value is not None}


def _hide_value(name: str, value: str) -> str:
    is_reference = references.find_names(value) and not re.sub(r"\$\{\{.*?\}\}", "", value).strip()
    if not value or is_reference or not (_SECRET_NAME.search(name) or _SECRET_VALUE.search(value)):
        return value
    return f"hidden ({hmac.new(_KEY, value.encode('utf-8', 'surrogatepass'), hashlib.sha256).hexdigest()[:6]})"
