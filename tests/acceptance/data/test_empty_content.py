"""What is registered or kept has content."""

from __future__ import annotations

import io
import shlex

import pytest

from tests.acceptance.conftest import Desk


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("data create -n q", "data asset 'q:1' was not registered, as it has no content: give 'path'"),
        ("model create -n m", "model 'm:1' was not registered, as it has no content: give 'path'"),
        (
            "environment create -n e",
            "environment 'e:1' was not registered, as it has no content: give 'image', 'conda_file' or 'build'",
        ),
    ],
)
def test_an_asset_without_content_is_not_registered(desk: Desk, command: str, words: str) -> None:
    """Neither from options nor from a file, and no version is taken by it."""
    noun, _, _, name = command.split()
    desk.write("asset.yml", f"name: {name}\ndescription: nothing\n")
    for given in (command, f"{noun} create -f {shlex.quote(str(desk.folder / 'asset.yml'))}"):
        ran = desk.smalt(given)
        assert ran.code == 2
        assert words in ran.err
    assert desk.smalt(f"{noun} show -n {name} --version 1").code == 1


def test_what_describes_a_version_can_change_without_its_content(desk: Desk) -> None:
    """An update says nothing of the content and leaves it."""
    file = desk.write("d.txt", "d")
    assert desk.smalt(f"data create -n d --version 1 --type uri_file --path {file}").code == 0
    assert desk.smalt("data update -n d --version 1 --set description=later").code == 0
    assert desk.ask("data show -n d --version 1 --query description") == "later"


def test_an_empty_secret_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe or a file with nothing in it; `--value ''` says that it is meant."""
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    ran = desk.smalt("secret set pw")
    assert ran.code == 2
    assert "secret 'pw' was not set: standard input is empty" in ran.err
    file = desk.write("empty.txt", "")
    ran = desk.smalt(f"secret set pw --file {file}")
    assert ran.code == 2
    assert f"secret 'pw' was not set: {file} is empty" in ran.err
    assert desk.smalt("secret show pw").code == 1
    assert desk.smalt("secret set pw --value ''").code == 0
    assert desk.smalt("secret show pw --include-value").json["value"] == ""


def test_the_versions_that_there_are_are_told(desk: Desk) -> None:
    """One is called the only one."""
    file = desk.write("v.txt", "v")
    assert desk.smalt(f"model create -n versions --path {file}").code == 0
    assert "; its only version is 1" in desk.smalt("model show -n versions --version 9").err
    assert desk.smalt(f"model create -n versions --path {file}").code == 0
    found = desk.smalt("model show -n versions --version 9").err
    assert "; its versions are " in found
    assert "1" in found
