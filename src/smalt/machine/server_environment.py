"""What a server keeps of the environment of whoever starts it: a short named list. Standard library only."""

from __future__ import annotations

_NAMES = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"),
        *("CUDA_VISIBLE_DEVICES", "DOCKER_HOST", "PYENV_ROOT"),
    }
)
_PREFIXES = ("LC_", "SMALT_", "XDG_", "PIP_", "UV_")
_SUFFIXES = ("_PROXY", "_proxy")
_CLIENTS = frozenset({"SMALT_URL", "SMALT_TOKEN", "SMALT_STEP"})


def is_inherited(name: str) -> bool:
    """Whether a server keeps the variable."""
    if name in _CLIENTS:
        return False
    return name in _NAMES or name.startswith(_PREFIXES) or name.endswith(_SUFFIXES)
