"""A registered version keeps its content when a later job writes over the place where that is."""

from __future__ import annotations

import pytest

from .conftest import Desk

HOST = "environment: azureml:host\n"
PLACE = "azureml://datastores/workspaceblobstore/paths/shared/%s/"


def content(desk: Desk, asset: str) -> list[str]:
    reader = f"command: cat ${{{{inputs.i}}}}/*\n{HOST}inputs: {{i: {{type: uri_folder, path: 'azureml:{asset}'}}}}\n"
    return desk.log(reader)


@pytest.mark.parametrize("mode", ["rw_mount", "upload"])
def test_versions_at_one_path_differ(desk: Desk, mode: str) -> None:
    """A job with a fixed path and a name, run twice, gives two versions, each with what its run wrote."""
    output = f"outputs: {{o: {{type: uri_folder, mode: {mode}, name: daily-{mode}, path: '{PLACE % mode}'}}}}\n"
    for word in ("one", "two"):
        ran = desk.job(f"command: echo {word} >${{{{outputs.o}}}}/f\n{HOST}{output}")
        assert ran.code == 0, ran.err
    assert content(desk, f"daily-{mode}:1") == ["one"]
    assert content(desk, f"daily-{mode}:2") == ["two"]


@pytest.mark.parametrize("where", ["same", "same/below", "same/.."])
def test_a_place_that_a_version_names_is_written_over(desk: Desk, where: str) -> None:
    """By a job whose output is that place, lies in it or holds it; the log says what was done."""
    name = f"named-{len(where)}"
    first, folder = f"{name}/{where}/x".replace("/..", ""), f"{name}/{where}".replace("/same/..", "")
    desk.job(
        f"command: echo one >${{{{outputs.o}}}}/f\n{HOST}"
        f"outputs: {{o: {{type: uri_folder, path: '{PLACE % first}'}}}}\n"
    )
    path = (PLACE % f"{name}/same").rstrip("/")
    assert desk.smalt(f"data create -n {name} --version 1 --type uri_folder --path {path} -o none").code == 0
    command = "command: find ${{outputs.o}} -type f -exec sh -c 'echo two >{}' ';'\n"
    ran = desk.job(f"{command}{HOST}outputs: {{o: {{type: uri_folder, path: '{PLACE % folder}'}}}}\n")
    assert ran.code == 0, ran.err
    assert f"{name}:1 is registered at" in ran.out + ran.err
    reader = f"command: find -L ${{{{inputs.i}}}} -type f -exec cat {{}} ';'\n{HOST}"
    assert desk.log(f"{reader}inputs: {{i: {{type: uri_folder, path: 'azureml:{name}:1'}}}}\n") == ["one"]
