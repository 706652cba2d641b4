"""The client is light: what it loads is known."""

from __future__ import annotations

import subprocess
import sys

import pytest

from smalt.client.jobs.default_names import make_job_name

HEAVY = ("yaml", "email", "http", "ssl", "asyncio", "starlette", "sqlite3", "smalt.service", "subprocess", "logging")


def loaded(code: str) -> set[str]:
    """The modules that a fresh Python has loaded after the code."""
    code += "\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_smalt_loads_nothing_else() -> None:
    """Names are loaded when they are used."""
    ours = {name for name in loaded("import smalt") if name.startswith("smalt")}
    assert ours == {"smalt", "smalt._version"}


@pytest.mark.parametrize(
    "code", ["from smalt import MLClient; MLClient(home=__import__('smalt.machine.home').machine.home.Home('/x'))"]
)
def test_the_client_loads_nothing_heavy(code: str) -> None:
    """No YAML, no e-mail, no TLS, no server."""
    assert not {name for name in loaded(code) if name in HEAVY or name.startswith("smalt.service")}


def test_all_public_names_are_there() -> None:
    """And others are not."""
    import smalt

    for name in smalt.__all__:
        assert getattr(smalt, name)
    assert set(dir(smalt)) == set(smalt.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = smalt.nonsense


def test_job_names_are_like_the_services() -> None:
    """Two words and ten characters, lower case, never the same."""
    names = {make_job_name() for _ in range(500)}
    assert len(names) == 500
    for name in names:
        adjective, noun, rest = name.split("_")
        assert adjective.isalpha()
        assert noun.isalpha()
        assert len(rest) == 10
        assert name == name.lower()
