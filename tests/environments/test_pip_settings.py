from __future__ import annotations

import os
from pathlib import Path

from smalt.service.environments.builders.pip_settings import forbids_indexes, make_uv_variables


def settings(home: Path, **variables: str) -> dict[str, str]:
    return {"HOME": str(home), "XDG_CONFIG_DIRS": str(home / "none"), **variables}


def configure(home: Path, text: str) -> None:
    path = home / ".config" / "pip" / "pip.conf"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_pips_indexes_become_uvs(tmp_path: Path) -> None:
    """Its file and its variables, the variables over the file; local folders that are not there are passed over."""
    there = tmp_path / "there"
    there.mkdir()
    configure(
        tmp_path,
        f"[global]\nindex-url = https://one.example/simple\nextra-index-url =\n  file://{there}\n  file:///not/there\n"
        f"[install]\nfind-links = {there} /not/there\ntrusted-host = one.example\n",
    )
    told = make_uv_variables(settings(tmp_path, PIP_INDEX_URL="https://two.example/simple"))
    assert (
        told.items()
        >= {
            "UV_INDEX_STRATEGY": "unsafe-best-match",
            "UV_DEFAULT_INDEX": "https://two.example/simple",
            "UV_INDEX": f"file://{there}",
            "UV_FIND_LINKS": str(there),
            "UV_INSECURE_HOST": "one.example",
        }.items()
    )


def test_who_has_told_uv_is_not_overruled(tmp_path: Path) -> None:
    """A UV_ variable for the index makes pip's settings count for nothing."""
    told = make_uv_variables(
        settings(tmp_path, UV_DEFAULT_INDEX="https://three.example", PIP_INDEX_URL="https://two.example")
    )
    assert "UV_DEFAULT_INDEX" not in told
    assert "UV_INDEX" not in told


def test_pips_certificate_and_proxy_hold_for_uv(tmp_path: Path) -> None:
    """Behind a company's proxy both are needed to reach anything."""
    told = make_uv_variables(
        settings(tmp_path, PIP_CERT="/ca.pem", PIP_PROXY="http://proxy.example:3128", PIP_TIMEOUT="60")
    )
    assert told["SSL_CERT_FILE"] == "/ca.pem"
    assert told["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert told["UV_HTTP_TIMEOUT"] == "60"


def test_a_broken_pip_conf_is_passed_over(tmp_path: Path) -> None:
    """smalt does not fail for a file that is not its own."""
    configure(tmp_path, "index-url = x\n[global\n")
    assert "UV_DEFAULT_INDEX" not in make_uv_variables(settings(tmp_path))


def test_pips_configuration_can_be_switched_off(tmp_path: Path) -> None:
    """PIP_CONFIG_FILE=/dev/null does it for pip, so here too."""
    configure(tmp_path, "[global]\nno-index = true\n")
    assert forbids_indexes(settings(tmp_path))
    assert not forbids_indexes(settings(tmp_path, PIP_CONFIG_FILE=os.devnull))
