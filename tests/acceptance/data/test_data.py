"""Part 5: what jobs read and write, in every form in which it is named."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import Desk

HOST = "environment: azureml:host\n"


def reading(path: str, kind: str = "uri_file", more: str = "", command: str = "cat ${{inputs.x}}") -> str:
    """A job that reads one input."""
    return f"command: {command}\ninputs:\n  x: {{type: {kind}, path: '{path}'{more}}}\n{HOST}"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The address of a web server on loopback that serves the folder `site` of the test."""
    site = tmp_path / "site"
    site.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(site))  # type: ignore[arg-type]

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_local_files_are_relative_to_the_yaml(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """./x, x, ../x and an absolute path; from any current folder."""
    desk.write("data/rows.csv", "rows\n")
    folder = desk.folder
    for path in ("./data/rows.csv", "data/rows.csv", "../work/data/rows.csv", f"{folder}/data/rows.csv"):
        file = desk.write("job.yml", reading(path))
        monkeypatch.chdir("/")
        assert desk.smalt(f"job create -f {file} -s").out == "rows\n", path


def test_file_uris(desk: Desk) -> None:
    """file:// with a file and a folder, with an escaped space in it."""
    desk.write("with space/a.txt", "a\n")
    uri = f"file://{desk.folder}/with%20space"
    assert desk.log(reading(f"{uri}/a.txt", command='cat "${{inputs.x}}"')) == ["a"]
    assert desk.log(reading(uri, "uri_folder", command='ls "${{inputs.x}}"')) == ["a.txt"]


MODES = ("ro_mount", "rw_mount", "download", "direct", "eval_mount", "eval_download")


@pytest.mark.parametrize("kind", ["uri_file", "uri_folder"])
def test_every_input_mode_can_be_read(desk: Desk, kind: str) -> None:
    """Each mode gives a path with the same content; `direct` gives what can be opened, too."""
    desk.write("in/a.txt", "a\n")
    path = "in/a.txt" if kind == "uri_file" else "in"
    inputs = "".join(f"  {mode}: {{type: {kind}, path: {path}, mode: {mode}}}\n" for mode in MODES)
    reads = "; ".join(f"echo {mode} $(cat {'$(echo ${{inputs.' + mode + '}} | sed s,^file://,,)'}"
                      f"{'' if kind == 'uri_file' else '/a.txt'})" for mode in MODES)  # fmt: skip
    job = f"command: {reads}\ninputs:\n{inputs}{HOST}"
    assert desk.log(job) == [f"{mode} a" for mode in MODES]


def test_a_downloaded_input_is_the_jobs_own(desk: Desk) -> None:
    """What a job writes into an input of mode download is not in the data."""
    desk.write("in/a.txt", "a\n")
    job = reading("in", "uri_folder", ", mode: download", "echo b >> ${{inputs.x}}/a.txt; cat ${{inputs.x}}/a.txt")
    assert desk.log(job) == ["a", "b"]
    assert (desk.folder / "in" / "a.txt").read_text() == "a\n"


def test_a_read_only_input_is_not_changed(desk: Desk) -> None:
    """A folder of the default mode still holds what it held when the job is over."""
    desk.write("in/a.txt", "a\n")
    desk.log(reading("in", "uri_folder", "", "ls ${{inputs.x}}"))
    assert [path.name for path in (desk.folder / "in").iterdir()] == ["a.txt"]


@pytest.mark.parametrize("mode", ["rw_mount", "upload", "direct"])
def test_every_output_mode_is_kept(desk: Desk, mode: str) -> None:
    """A folder exists beforehand; a file does not, but its folder does; both are read by the next step."""
    job = f"""
        type: pipeline
        settings: {{force_rerun: true}}
        jobs:
          make:
            command: >-
              ls ${{{{outputs.folder}}}}; test ! -e ${{{{outputs.file}}}};
              echo folder > ${{{{outputs.folder}}}}/f; echo file > ${{{{outputs.file}}}}
            outputs:
              folder: {{type: uri_folder, mode: {mode}}}
              file: {{type: uri_file, mode: {mode}}}
            environment: azureml:host
          read:
            command: cat ${{{{inputs.folder}}}}/f ${{{{inputs.file}}}}
            inputs:
              folder: ${{{{parent.jobs.make.outputs.folder}}}}
              file: ${{{{parent.jobs.make.outputs.file}}}}
            environment: azureml:host
        """
    assert desk.log(job) == ["read | folder", "read | file"]


def test_tables_and_models_are_inputs(desk: Desk) -> None:
    """mltable, mlflow_model, custom_model and triton_model are paths; a model's may be a registered one."""
    desk.write("table/MLTable", "paths:\n  - file: ./rows.csv\n")
    desk.write("table/rows.csv", "a\n")
    desk.write("model/MLmodel", "flavors: {}\n")
    assert desk.smalt("model create --name net --path model --type mlflow_model").code == 0
    log = desk.log(
        """
        command: ls ${{inputs.t}}; ls ${{inputs.m}}; ls ${{inputs.r}}; cat ${{inputs.c}}
        inputs:
          t: {type: mltable, path: ./table}
          m: {type: mlflow_model, path: model}
          r: {type: mlflow_model, path: azureml:net:1}
          c: {type: custom_model, path: model/MLmodel}
        environment: azureml:host
        """
    )
    assert log == ["MLTable", "rows.csv", "MLmodel", "MLmodel", "flavors: {}"]


def test_registered_data_by_version_and_label(desk: Desk) -> None:
    """azureml:name:version, @latest, and the long forms; a version stays what it was when the file changes."""
    desk.write("v.txt", "one\n")
    assert desk.smalt("data create --name known --version 1 --type uri_file --path v.txt").code == 0
    desk.write("v.txt", "two\n")
    assert desk.smalt("data create --name known --version 2 --type uri_file --path v.txt").code == 0
    desk.write("v.txt", "three\n")
    id = desk.ask("data show known:1 --query id")
    assert desk.log(reading("azureml:known:1")) == ["one"]
    assert desk.log(reading("azureml:known:2")) == ["two"]
    assert desk.log(reading("azureml:known@latest")) == ["two"]
    assert desk.log(reading(id)) == ["one"]
    assert desk.log(reading(f"azureml:{id}")) == ["one"]
    uri = "azureml://subscriptions/{}/resourcegroups/{}/workspaces/{}/data/known/versions/1".format(
        *(id.split("/")[at] for at in (2, 4, 8))
    )
    assert desk.log(reading(uri)) == ["one"]


def test_datastore_uris(desk: Desk) -> None:
    """azureml://datastores/…/paths/… and the same with subscription, group and workspace before it."""
    desk.write("rows.csv", "rows\n")
    assert desk.smalt("datastore upload rows.csv in/rows.csv").code == 0
    assert desk.ask("datastore ls in --query [].path") == "in/rows.csv"
    short = "azureml://datastores/workspaceblobstore/paths/in"
    assert desk.log(reading(f"{short}/rows.csv")) == ["rows"]
    assert desk.log(reading(f"{short}/", "uri_folder", command="ls ${{inputs.x}}")) == ["rows.csv"]
    id = desk.ask("datastore show workspaceblobstore --query id").split("/")
    scope = f"subscriptions/{id[2]}/resourcegroups/{id[4]}/workspaces/{id[8]}"
    long = f"azureml://{scope}/datastores/workspaceblobstore/paths/in/rows.csv"
    assert desk.log(reading(long)) == ["rows"]


def test_outputs_of_other_jobs(desk: Desk) -> None:
    """azureml://jobs/NAME/outputs/…: a named output, a file in it, and the default artifacts."""
    desk.log(f"name: maker\ncommand: echo o > ${{{{outputs.o}}}}/f; echo a > outputs/g\noutputs: {{o: }}\n{HOST}")
    assert desk.log(reading("azureml://jobs/maker/outputs/o/paths/f")) == ["o"]
    assert desk.log(reading("azureml://jobs/maker/outputs/o", "uri_folder", command="ls ${{inputs.x}}")) == ["f"]
    assert desk.log(reading("azureml://jobs/maker/outputs/artifacts/paths/outputs/g")) == ["a"]
    assert desk.smalt("model create --name made --path azureml://jobs/maker/outputs/o --type custom_model").code == 0
    assert desk.log(reading("azureml:made:1", "custom_model", command="ls ${{inputs.x}}")) == ["f"]


def test_http(desk: Desk, web: str, tmp_path: Path) -> None:
    """A URL is fetched, as an input with a path and as a bare value given to a uri_file."""
    (tmp_path / "site" / "rows.csv").write_text("from the web\n")
    assert desk.log(reading(f"{web}/rows.csv")) == ["from the web"]
    assert desk.log(reading(f"{web}/rows.csv", more=", mode: download", command="basename ${{inputs.x}}")) == [
        "rows.csv"
    ]
    assert desk.log(f"command: echo ${{{{inputs.x}}}}\ninputs:\n  x: {web}/rows.csv\n{HOST}") == [f"{web}/rows.csv"]


def test_public_urls_through_the_map(desk: Desk) -> None:
    """https, wasbs, abfss, another scheme and a datastore's path are served from a folder, offline."""
    desk.write("mirror/a/rows.csv", "mirrored\n")
    prefixes = {
        "https://example.invalid/data": "https://example.invalid/data/a/rows.csv",
        "wasbs://open@account.blob.core.windows.net/": "wasbs://open@account.blob.core.windows.net/a/rows.csv",
        "abfss://lake@account.dfs.core.windows.net/": "abfss://lake@account.dfs.core.windows.net/a/rows.csv",
        "s3://bucket": "s3://bucket/a/rows.csv",
        "azureml://datastores/far/paths/": "azureml://datastores/far/paths/a/rows.csv",
    }
    for prefix, uri in prefixes.items():
        assert desk.smalt(f"config set url-map {prefix}=mirror").code == 0, prefix
        assert desk.log(reading(uri)) == ["mirrored"], uri
        assert desk.smalt(f"config unset url-map {prefix}").code == 0
    https = "https://account.blob.core.windows.net/open"
    assert desk.smalt(f"config set url-map {https}=mirror").code == 0
    assert desk.log(reading("wasbs://open@account.blob.core.windows.net/a/rows.csv")) == ["mirrored"]
    assert desk.smalt(f"config unset url-map {https}").code == 0


LISTS = """
    import glob, os, pathlib, sys
    folder = sys.argv[1]
    print(*os.listdir(folder))
    print(*[path.name for path in pathlib.Path(folder).iterdir()])
    print(*[os.path.basename(path) for path in glob.glob(folder + "/*")])
    print(*next(os.walk(folder))[2])
"""


def test_listings_are_lexicographic(desk: Desk) -> None:
    """os.listdir and all that lists inside a job gives names in order, as the service's listings do."""
    for name in ("yellow", "green", "merged", "a", "z"):
        desk.write(f"in/{name}.csv", "")
    desk.write("src/lists.py", LISTS)
    job = reading("in", "uri_folder", "", "python lists.py ${{inputs.x}}")
    assert desk.log(f"{job}code: src\n") == ["a.csv green.csv merged.csv yellow.csv z.csv"] * 4


def test_outputs_with_path_name_and_version(desk: Desk) -> None:
    """An output goes where its path says, macros filled in, and is registered under its name."""
    desk.log(
        """
        name: places
        command: echo 1 > ${{outputs.o}}/f; echo 2 > ${{outputs.p}}; echo 3 > ${{outputs.m}}/MLmodel
        outputs:
          o:
            type: uri_folder
            path: azureml://datastores/workspaceblobstore/paths/kept/${{name}}/
            name: kept
            version: "7"
          p: {type: uri_file, path: "azureml://datastores/workspaceblobstore/paths/kept/${{name}}.txt", name: plain}
          m: {type: mlflow_model, name: netz, version: 2}
        environment: azureml:host
        """
    )
    assert desk.ask("datastore ls kept --recursive --query [].path").splitlines() == [
        "kept/places.txt",
        "kept/places/f",
    ]
    assert desk.log(reading("azureml:kept:7", "uri_folder", command="cat ${{inputs.x}}/f")) == ["1"]
    assert desk.log(reading("azureml:plain@latest")) == ["2"]
    assert desk.ask("data show kept:7 --query type") == "uri_folder"
    assert desk.ask("model show netz:2 --query type") == "mlflow_model"


MISSING = {
    "a local path": ("./absent.csv", "absent.csv"),
    "a version": ("azureml:absent:1", "absent"),
    "a label": ("azureml:absent@latest", "absent"),
    "a file URI": ("file:///absent/rows.csv", "/absent/rows.csv"),
    "a job's output": ("azureml://jobs/absent/outputs/o", "absent"),
}


@pytest.mark.parametrize("what", MISSING)
def test_what_must_be_there_is_checked_before_the_first_step(desk: Desk, what: str) -> None:
    """Nothing is submitted, and the one sentence names what is missing."""
    path, named = MISSING[what]
    ran = desk.job(
        f"""
        type: pipeline
        name: unmade
        jobs:
          first: {{command: touch {desk.folder}/ran, environment: azureml:host}}
          then:
            command: cat ${{{{inputs.x}}}}
            inputs: {{x: {{type: uri_file, path: '{path}'}}}}
            environment: azureml:host
        """
    )
    assert ran.code in (1, 2)
    assert (ran.out, named in ran.err, "Traceback" in ran.err) == ("", True, False)
    assert len(ran.err.strip().splitlines()) == 1
    assert not (desk.folder / "ran").exists()
    assert desk.smalt("job show unmade").code == 1


def test_a_url_that_is_not_there_starts_no_step(desk: Desk, web: str) -> None:
    """404 is told before the first step starts, in a sentence with the URL."""
    ran = desk.job(
        f"""
        type: pipeline
        inputs: {{x: {{type: uri_file, path: {web}/absent.csv}}}}
        jobs:
          first: {{command: touch {desk.folder}/ran, environment: azureml:host}}
          then:
            command: cat ${{{{inputs.x}}}}
            inputs: {{x: "${{{{parent.inputs.x}}}}"}}
            environment: azureml:host
        """
    )
    assert (ran.code, ran.out) == (1, "")
    assert f"{web}/absent.csv" in ran.err
    assert "404" in ran.err
    assert not (desk.folder / "ran").exists()


def test_a_datastore_path_may_be_made_by_an_earlier_step(desk: Desk) -> None:
    """A datastore URI is looked for when its step starts; if nobody made it, that step fails with a sentence."""
    uri = "azureml://datastores/workspaceblobstore/paths/later/f"
    job = f"""
        type: pipeline
        jobs:
          make:
            command: echo made > ${{{{outputs.o}}}}
            outputs: {{o: {{type: uri_file, path: {uri}}}}}
            environment: azureml:host
          read:
            command: cat ${{{{inputs.x}}}}
            inputs: {{x: {{type: uri_file, path: {uri}}}, after: "${{{{parent.jobs.make.outputs.o}}}}"}}
            environment: azureml:host
        """
    assert desk.log(job) == ["read | made"]
    ran = desk.job(reading("azureml://datastores/workspaceblobstore/paths/never/f"))
    assert ran.code == 1
    assert "never/f" in ran.err
