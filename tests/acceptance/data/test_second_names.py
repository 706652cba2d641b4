"""A version stays what it was though a job gave one of its files a second name, or set back the time of one."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Desk
from tests.acceptance.data.test_read_only import HOST, change, content

PLACE = "azureml://datastores/workspaceblobstore/paths/shared/{name}"


def write_at(
    desk: Desk, name: str, command: str = "cat ${{outputs.p}}/f >/dev/null; echo last >${{outputs.p}}/f"
) -> None:
    """Have a job write over the file at the explicit path, by the name that the file has already."""
    output = f"outputs: {{p: {{path: '{PLACE.format(name=name)}'}}}}\n"
    ran = desk.job(f"command: chmod u+w ${{{{outputs.p}}}}/f; {command}\n{HOST}{output}")
    assert ran.code == 0, ran.err


def read(desk: Desk, asset: str) -> list[str]:
    return desk.log(change(asset, command="cat ${{inputs.a}}/f"))


@pytest.mark.parametrize("first", ["o", "p"])
def test_two_outputs_of_a_job_share_no_file(any_desk: Desk, first: str) -> None:
    """A hard link between two outputs becomes a file of each, also a read-only one: each is written alone."""
    second = "p" if first == "o" else "o"
    name = f"two-{first}"
    outputs = f"outputs: {{o: {{name: {name}}}, p: {{path: '{PLACE.format(name=name)}'}}}}\n"
    chmod = f"chmod 444 ${{{{outputs.{first}}}}}/f"
    command = (
        f"echo first >${{{{outputs.{first}}}}}/f; {chmod}; ln ${{{{outputs.{first}}}}}/f ${{{{outputs.{second}}}}}/f"
    )
    ran = any_desk.job(f"command: {command}\n{HOST}{outputs}")
    assert ran.code == 0, ran.err
    write_at(any_desk, name)
    assert read(any_desk, f"azureml:{name}:1") == ["first"]


@pytest.mark.parametrize("mode", ["rw_mount", "upload"])
def test_an_output_shares_no_file_with_an_input(ordinary: Desk, mode: str) -> None:
    """An output that is a hard link to a registered version is a file of its own, and changes no input."""
    name = f"in-{mode.replace('_', '-')}"
    made = f"command: echo first >${{{{outputs.o}}}}/f\n{HOST}outputs: {{o: {{name: {name}}}}}\n"
    assert ordinary.job(made).code == 0
    ran = ordinary.job(
        f"command: ln ${{{{inputs.d}}}}/f ${{{{outputs.p}}}}/f\n{HOST}"
        f"inputs: {{d: {{type: uri_folder, path: 'azureml:{name}:1'}}}}\n"
        f"outputs: {{p: {{mode: {mode}, path: '{PLACE.format(name=name)}'}}}}\n"
    )
    assert ran.code == 0, ran.err
    write_at(ordinary, name)
    assert read(ordinary, f"azureml:{name}:1") == ["first"]


@pytest.mark.parametrize("folder", ["outputs", "logs"])
def test_what_a_job_keeps_shares_no_file_with_an_output(any_desk: Desk, folder: str) -> None:
    """A hard link from ./outputs or ./logs to an output at an explicit path is a file of its own."""
    name = f"kept-{folder}"
    command = f"mkdir -p {folder}; echo first >${{{{outputs.p}}}}/f; ln ${{{{outputs.p}}}}/f {folder}/f"
    outputs = f"outputs: {{p: {{path: '{PLACE.format(name=name)}'}}}}\n"
    ran = any_desk.job(f"command: {command}\n{HOST}{outputs}", f"--name {name}")
    assert ran.code == 0, ran.err
    write_at(any_desk, name)
    artifacts = f"azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.{name}/{folder}"
    assert read(any_desk, artifacts) == ["first"]


def test_names_within_one_output_all_stay(any_desk: Desk) -> None:
    """Of a file with three names in one output, each is a file with the content and the mode."""
    command = "cd ${{outputs.o}}; echo first >f; chmod 755 f; mkdir s; ln f s/g; ln f h"
    assert any_desk.job(f"command: {command}\n{HOST}outputs: {{o: {{name: three}}}}\n").code == 0
    command = "cd ${{inputs.a}}; cat f s/g h; find . -type f -links 1 -perm -500 | sort"
    assert any_desk.log(change("azureml:three:1", command=command)) == ["first"] * 3 + ["./f", "./h", "./s/g"]


HIDDEN = "cd ${{inputs.a}}; touch -r f.txt ../ref; printf 'other\\n' >f.txt; touch -r ../ref f.txt"


@pytest.mark.parametrize("files", [1, 2100])
def test_a_write_whose_time_was_set_back_fails_the_job(ordinary: Desk, files: int) -> None:
    """A file written to the same length and given its old time back was written; its job is not Completed."""
    folder = f"late{files}"
    for number in range(files):
        ordinary.write(f"{folder}/{number}.txt", "first\n")
    ordinary.write(f"{folder}/f.txt", "first\n")
    command = HIDDEN.replace("../ref", "/tmp/$$.ref") + "; rm /tmp/$$.ref"
    ran = ordinary.job(change(f"./{folder}", command=f'"{command}"'.replace("\\n", "\\\\n")))
    assert ran.code == 1, ran.out
    assert "its input 'a' was changed while it ran" in ran.err
    assert "f.txt was written" in ran.err


def test_what_only_loses_the_right_to_write_was_not_changed(ordinary: Desk) -> None:
    """A file that becomes read-only or gets a second name while a job reads it was not written, and the job is fine."""
    ordinary.write("mine/f.txt", "first\n")
    command = "cd ${{inputs.a}}; chmod 444 f.txt; ln f.txt /tmp/$$.name; rm /tmp/$$.name; cat f.txt"
    ran = ordinary.job(change("./mine", command=command))
    assert ran.code == 0, ran.err
    assert content(ordinary, "./mine") == ["first"]
