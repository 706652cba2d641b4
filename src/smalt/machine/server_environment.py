"""The environment variables that a server inherits from its starter, and a step from the server: two short lists.

Standard library only.
"""

from __future__ import annotations

_BOTH = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
    }
)
_SERVER = _BOTH | {
    *("SHELL", "LANGUAGE", "CURL_CA_BUNDLE", "NETRC"),
    *("CUDA_VISIBLE_DEVICES", "DOCKER_HOST", "PYENV_ROOT"),
}
_STEP = _BOTH | {
    *("LC_ALL", "LC_CTYPE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
}
_INSTALLERS = ("PIP_", "UV_")
_SERVER_PREFIXES = ("LC_", "SMALT_", "XDG_", *_INSTALLERS)
_SERVER_SUFFIXES = ("_PROXY", "_proxy")
_CLIENTS = frozenset({"SMALT_URL", "SMALT_TOKEN", "SMALT_STEP"})


def is_inherited(name: str) -> bool:
    """Return True if a server keeps the variable of its starter."""
    if name in _CLIENTS:
        return False
    return name in _SERVER or name.startswith(_SERVER_PREFIXES) or name.endswith(_SERVER_SUFFIXES)


def is_inherited_by_step(name: str) -> bool:
    """Return True if a step on this machine gets the server's variable."""
    return name in _STEP or name.startswith(_INSTALLERS)
