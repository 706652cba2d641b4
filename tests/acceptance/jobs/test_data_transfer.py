"""Data transfer jobs by the command line: copies within the workspace, and what is refused, at which line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.acceptance.conftest import Desk

COPY = """
type: data_transfer
task: copy_data
data_copy_mode: {mode}
inputs:
  first: {{type: uri_folder, path: ./first}}
  second: {{type: uri_folder, path: ./second}}
outputs:
  merged: {{type: uri_folder, path: ./merged}}
"""


@pytest.fixture
def files(desk: Desk) -> Desk:
    desk.write("first/both.txt", "first")
    desk.write("first/deep/a.txt", "a")
    desk.write("second/both.txt", "second")
    desk.write("second/deep/b.txt", "b")
    return desk


def list_texts(folder: Path) -> dict[str, str]:
    return {str(one.relative_to(folder)): one.read_text() for one in sorted(folder.rglob("*")) if one.is_file()}


def test_the_last_input_wins(files: Desk) -> None:
    """Several inputs are merged into one folder, which keeps what it had; the log names what was overwritten."""
    files.write("merged/old.txt", "old")
    files.write("merged/deep/a.txt", "old")
    ran = files.job(COPY.format(mode="merge_with_overwrite"))
    assert ran.code == 0, ran.out + ran.err
    merged = {"both.txt": "second", "deep/a.txt": "a", "deep/b.txt": "b", "old.txt": "old"}
    assert list_texts(files.folder / "merged") == merged
    assert "both.txt: input 'second' in place of input 'first'" in ran.out
    assert "deep/a.txt: input 'first' in place of the output itself" in ran.out
    assert "copied 3 files, 8 bytes" in ran.out


def test_conflicts_are_named_and_nothing_is_written(files: Desk) -> None:
    """Each with both of its sources: two inputs, or an input and the output."""
    files.write("merged/deep/b.txt", "old")
    ran = files.job(COPY.format(mode="fail_if_conflict"))
    assert ran.code == 1
    assert "'both.txt' is in input 'first' and in input 'second'" in ran.out
    assert "'deep/b.txt' is in the output itself and in input 'second'; nothing was copied" in ran.out
    assert re.search(r"^error: .*'both.txt' is in input 'first' and in input 'second'", ran.err, re.MULTILINE)
    assert list_texts(files.folder / "merged") == {"deep/b.txt": "old"}


def test_a_file_is_copied_as_a_file(desk: Desk) -> None:
    """One that can be run still can, and nothing is left beside it."""
    desk.write("run.sh", "#!/bin/sh\n").chmod(0o755)
    ran = desk.job(
        "type: data_transfer\ntask: copy_data\ninputs: {a: {type: uri_file, path: ./run.sh}}\n"
        "outputs: {o: {type: uri_file, path: ./out/copy.sh}}\n"
    )
    assert ran.code == 0, ran.out + ran.err
    assert [one.name for one in (desk.folder / "out").iterdir()] == ["copy.sh"]
    assert (desk.folder / "out/copy.sh").stat().st_mode & 0o111


@pytest.mark.parametrize("mode", ["ro_mount", "download"])
def test_a_copy_onto_itself_is_refused(files: Desk, mode: str) -> None:
    """By whatever way the job reads its input; links in it stay links."""
    (files.folder / "first/link").symlink_to("both.txt")
    ran = files.job(
        f"type: data_transfer\ntask: copy_data\ninputs: {{a: {{type: uri_folder, path: ./first, mode: {mode}}}}}\n"
        "outputs: {o: {type: uri_folder, path: ./first}}\n"
    )
    assert ran.code == 1, ran.out
    assert f"input 'a' is the folder {files.folder}/first, and so is the output; nothing was copied" in ran.out
    assert (files.folder / "first/link").is_symlink()


def test_a_step_copies_what_a_step_wrote(desk: Desk) -> None:
    """By a component in a file; a second run reuses it, as its inputs are the same."""
    desk.write(
        "merge.yml",
        "type: data_transfer\nname: merge\ntask: copy_data\ndata_copy_mode: fail_if_conflict\n"
        "inputs: {a: {type: uri_folder}, b: {type: uri_folder}}\noutputs: {o: {type: uri_folder}}\n",
    )
    pipeline = """
        type: pipeline
        outputs: {all: {type: uri_folder}}
        jobs:
          make:
            command: echo made > ${{outputs.o}}/made.txt
            environment: azureml:host
            outputs: {o: {type: uri_folder}}
          merge:
            type: data_transfer
            task: copy_data
            component: ./merge.yml
            inputs: {a: "${{parent.jobs.make.outputs.o}}", b: {type: uri_folder, path: ./given}}
            outputs: {o: "${{parent.outputs.all}}"}
        """
    desk.write("given/given.txt", "given\n")
    name = desk.ask(f"job create -f {desk.write('job.yml', pipeline)} --query name")
    assert desk.smalt(f"job stream -n {name}").code == 0
    assert desk.smalt(f"job download -n {name} --output-name all --download-path got").code == 0
    [folder] = (desk.folder / "got").rglob("made.txt")
    assert list_texts(folder.parent) == {"made.txt": "made\n", "given.txt": "given\n"}
    again = desk.smalt("job create -f job.yml --stream")
    assert "merge: Completed, reused" in again.out + again.err


def test_a_gathered_output_is_copied_as_the_folder_that_it_is(desk: Desk) -> None:
    """The output of a loop is an mltable; an input that is declared a uri_folder makes the copy one."""
    pipeline = """
        type: pipeline
        jobs:
          write:
            type: command
            command: echo ${{inputs.word}} > ${{outputs.text}}
            environment: azureml:host
            inputs: {word: none}
            outputs: {text: {type: uri_file}}
          each:
            type: parallel_for
            body: ${{parent.jobs.write}}
            items: {a: {word: x}, b: {word: y}}
          copy:
            type: data_transfer
            task: copy_data
            inputs: {all: {type: uri_folder, path: "${{parent.jobs.each.outputs.text}}"}}
            outputs: {copied: {type: uri_folder, path: ./copied}}
        """
    ran = desk.job(pipeline)
    assert ran.code == 0, ran.out + ran.err
    texts = list_texts(desk.folder / "copied")
    assert texts.pop("MLTable")
    assert sorted(texts.values()) == ["x\n", "y\n"]


def test_types_are_checked_at_their_lines(desk: Desk) -> None:
    """All of them before anything is sent."""
    desk.write("d/x.txt", "x")
    desk.write(
        "job.yml",
        """
        jobs:
          one:
            type: data_transfer
            task: copy_data
            inputs: {a: {type: uri_folder, path: ./d}}
            outputs:
              o: {type: uri_file}
          two:
            type: data_transfer
            task: copy_data
            inputs: {a: {type: uri_file, path: ./d/x.txt}, b: 3}
            outputs: {o: {type: uri_folder}, p: {type: uri_folder}}
          none:
            type: data_transfer
            task: copy_data
            outputs: {o: {type: uri_folder}}
            source: {type: file_system, connection: azureml:c, path: p}
        """,
    )
    ran = desk.smalt("job validate -f job.yml")
    assert ran.code == 2
    assert "job.yml:8:7: a copy of one uri_folder is a uri_folder, and the output is declared as uri_file" in ran.err
    assert "job.yml:13:" in ran.err
    assert "copy_data writes one output, and data transfer step has 2" not in ran.err
    assert "copy_data writes one output, and this has 2" in ran.err
    assert "job.yml:14:" in ran.err
    assert "needs an input to copy" in ran.err
    assert "'source' belongs to the task import_data, and the task is copy_data; remove it" in ran.err


IMPORT = """
type: pipeline
jobs:
  fetch:
    type: data_transfer
    task: import_data
    source: {type: file_system, connection: azureml:shop, path: "in/*.csv"}
    outputs: {sink: {type: uri_folder, path: ./fetched}}
  send:
    type: data_transfer
    task: export_data
    inputs: {source: "${{parent.jobs.fetch.outputs.sink}}"}
    sink: {type: file_system, connection: azureml:shop, path: out}
"""


def connect(desk: Desk, name: str, target: str) -> None:
    desk.write("c.yml", f"name: {name}\ntype: custom\ntarget: {target}\n")
    assert desk.smalt("connection create -f c.yml").code == 0


def test_files_come_from_a_folder_and_go_to_one(desk: Desk) -> None:
    """By a connection; each time they are looked at anew, whatever ran before."""
    shop = desk.folder / "shop"
    connect(desk, "shop", str(shop))
    desk.write("shop/in/a.csv", "1")
    desk.write("shop/in/deep/b.csv", "not matched")
    desk.write("shop/in/c.txt", "not matched")
    assert desk.job(IMPORT).code == 0
    assert list_texts(shop / "out") == {"a.csv": "1"}
    desk.write("shop/in/a.csv", "2")
    again = desk.job(IMPORT)
    assert again.code == 0
    assert "reused" not in again.out + again.err
    assert list_texts(shop / "out") == {"a.csv": "2"}


def test_a_source_that_is_not_there_fails_the_job(desk: Desk) -> None:
    """The error of the job is the sentence of the log."""
    connect(desk, "shop", str(desk.folder / "shop"))
    ran = desk.job(IMPORT)
    assert ran.code == 1
    assert f"error: step fetch failed: the source has no file or folder {desk.folder}/shop/in/*.csv" in ran.err
    assert not (desk.folder / "shop/out").exists()


def test_connections_are_checked_at_their_lines(desk: Desk) -> None:
    """One that is not there, one that leads to no database, one to no folder of this machine; keys that do not fit."""
    connect(desk, "bucket", "s3://my-bucket")
    desk.write("d.csv", "a\n1\n")
    desk.write(
        "job.yml",
        """
        jobs:
          a:
            type: data_transfer
            task: import_data
            source: {type: database, connection: azureml:nosuch, query: select 1}
          b:
            type: data_transfer
            task: import_data
            source: {type: file_system, connection: azureml:bucket, path: in}
          c:
            type: data_transfer
            task: export_data
            inputs: {source: {type: uri_file, path: ./d.csv}}
            sink: {type: database, connection: azureml:bucket, table_name: t}
        """,
    )
    ran = desk.smalt("job validate -f job.yml")
    assert ran.code == 2
    assert "job.yml:6:42: there is no connection 'nosuch' in workspace 'default'" in ran.err
    assert "job.yml:10:45: 's3://my-bucket/in' of the connection 'bucket' is not on this machine" in ran.err
    assert "job.yml:15:40: the connection 'bucket' leads to no database that smalt opens" in ran.err
    desk.write(
        "job.yml",
        "type: data_transfer\ntask: import_data\nsource:\n  type: database\n  connection: azureml:c\n"
        "  query: select 1\n  table_name: t\noutputs: {sink: {type: uri_folder}}\ndata_copy_mode: fail_if_conflict\n",
    )
    ran = desk.smalt("job validate -f job.yml")
    assert "job.yml:7:3: a database has one of 'query', 'table_name' and 'stored_procedure'" in ran.err
    assert "job.yml:8:11: a database is imported as an mltable; write 'type: mltable'" in ran.err
    assert "job.yml:9:1: 'data_copy_mode' belongs to the task copy_data" in ran.err


def test_an_address_elsewhere_can_be_mapped(desk: Desk) -> None:
    """As with all URIs, the setting url-map says which folder stands for it."""
    connect(desk, "bucket", "s3://my-bucket")
    desk.write("stand-in/in/a.csv", "1")
    assert desk.smalt(f"config set url-map s3://my-bucket={desk.folder}/stand-in").code == 0
    ran = desk.job(
        "type: data_transfer\ntask: import_data\nsource: {type: file_system, connection: azureml:bucket, path: in}\n"
        "outputs: {sink: {type: uri_folder, path: ./got}}\n"
    )
    desk.smalt("config unset url-map")
    assert ran.code == 0, ran.out + ran.err
    assert list_texts(desk.folder / "got") == {"a.csv": "1"}


def test_the_example_of_the_page_runs(desk: Desk) -> None:
    """As docs/data-transfer.md has it, with the sentences that it shows."""
    page = (Path(__file__).parents[3] / "docs/data-transfer.md").read_text()
    example = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0]
    desk.write("first/a.txt", "a\n")
    desk.write("second/b.txt", "b\n")
    ran = desk.job(example)
    assert ran.code == 0, ran.out + ran.err
    shown = re.findall(r"(copied 2 files.*|fail_if_conflict: .*)\n", page)
    assert shown[0] in ran.out
    assert list_texts(desk.folder / "merged") == {"a.txt": "a\n", "b.txt": "b\n"}
    assert shown[1] in desk.job(example).out
