from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from smalt.exceptions import Unavailable, ValidationException
from smalt.machine.home import Home
from smalt.service.settings import SETTINGS, ServerSettings
from tests.helpers import Server, eventually

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def test_what_is_not_set_has_its_default(home: Home) -> None:
    """Every setting has a value from the start, as attribute and by name."""
    settings = ServerSettings(home)
    assert settings.idle_minutes == settings["idle-minutes"] == 30
    assert settings.compute == "any"
    assert set(settings.as_dict()) == set(SETTINGS)


def test_a_change_is_seen_by_all_holders_and_kept(home: Home) -> None:
    """`update` changes the object in place and the file."""
    settings = ServerSettings(home)
    settings.update({"idle-minutes": "5", "fidelity": "strict"})
    assert settings.idle_minutes == 5
    assert ServerSettings(home).fidelity == "strict"
    assert home.path("config.json").stat().st_mode & 0o777 == 0o600


def test_null_is_the_default_again(home: Home) -> None:
    """What is set to null is no longer in the file."""
    settings = ServerSettings(home)
    settings.update({"compute": "strict"})
    settings.update({"compute": None})
    assert settings.compute == "any"
    assert json.loads(home.path("config.json").read_text()) == {}


def test_entries_of_a_mapping_are_merged(home: Home) -> None:
    """url-map entries are added one by one, and removed by null."""
    settings = ServerSettings(home)
    settings.update({"url-map": {"https://a": "/x"}})
    settings.update({"url-map": {"wasbs://b": "/y"}})
    assert settings.url_map == {"https://a": "/x", "wasbs://b": "/y"}
    settings.update({"url-map": {"https://a": None}})
    assert settings.url_map == {"wasbs://b": "/y"}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("idle-minutes", -1, "must be a number of at least 0, not -1"),
        ("idle-minutes", "soon", "must be a number of at least 0"),
        ("idle-minutes", True, "must be a number"),
        ("compute", "some", "must be 'any' or 'strict', not \"some\""),
        ("fidelity", [], "must be 'nearest' or 'strict'"),
        ("url-map", "x", "must map texts to texts"),
        ("url-map", {"https://a": "relative"}, "must map URL prefixes to absolute folders"),
        ("host-python", "/nowhere/python", "must be the path of a Python program"),
        ("cpus", 1.5, "must be a whole number"),
        ("allowed-hosts", [1], "must be a list of texts"),
        ("public-url", "smalt.example", "must be a URL"),
        ("colour", "red", "there is no setting 'colour'; the settings are idle-minutes,"),
    ],
)
def test_a_wrong_value_is_one_sentence_and_changes_nothing(home: Home, name: str, value: Any, said: str) -> None:
    """Which setting, what it must be, and what it was given."""
    settings = ServerSettings(home)
    with pytest.raises(ValidationException) as refused:
        settings.update({"compute": "strict", name: value})
    assert said in str(refused.value)
    assert ServerSettings(home).as_dict() == {**settings.as_dict()}
    assert settings.compute == "any"


def test_all_wrong_values_are_told_at_once(home: Home) -> None:
    """Two wrong settings are two problems."""
    with pytest.raises(ValidationException) as refused:
        ServerSettings(home).update({"compute": 1, "fidelity": 2})
    assert len(refused.value.problems) == 2


def test_a_file_that_does_not_hold_is_refused_by_its_name(home: Home) -> None:
    """A hand-written config.json with a wrong value names the file and the setting."""
    home.path("config.json").write_text('{"fidelity": "fast"}')
    with pytest.raises(Unavailable, match=r"config\.json: setting 'fidelity' must be 'nearest' or 'strict'"):
        ServerSettings(home)


def test_settings_of_a_newer_smalt_are_kept(home: Home) -> None:
    """What this version does not know stays in the file."""
    home.path("config.json").write_text('{"later": 1}')
    ServerSettings(home).update({"host-python": sys.executable})
    assert json.loads(home.path("config.json").read_text()) == {"later": 1, "host-python": sys.executable}


def test_every_setting_is_documented() -> None:
    """docs/settings.md has a heading for each, and no other."""
    headings = {line[4:].strip("` \n") for line in DOCS.read_text().splitlines() if line.startswith("### ")}
    assert headings == set(SETTINGS)


def test_requests_are_answered_while_a_setting_is_tried_out(own_server: Server, tmp_path: Path) -> None:
    """A Python program that takes its time holds up the request that names it, and no other."""
    gate, program, begun = tmp_path / "gate", tmp_path / "python", tmp_path / "begun"
    os.mkfifo(gate)
    program.write_text(f"#!/bin/sh\ntouch {begun}\ncat {gate}\n")
    program.chmod(0o755)
    own_server.start()
    with ThreadPoolExecutor() as threads:
        change = threads.submit(own_server.ask, "PATCH", "/smalt/v1/config", {"host-python": str(program)})
        eventually(begun.exists)
        assert own_server.ask("GET", "/smalt/v1/config").body["host-python"] is None
        gate.write_text("smalt\n")
        assert change.result().status == 200
    assert own_server.ask("GET", "/smalt/v1/config").body["host-python"] == str(program)
