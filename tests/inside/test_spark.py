"""What `smalt-spark-submit` makes of the settings of a Spark job, before Spark begins."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path

import pytest

from smalt.inside.spark import __main__ as program
from smalt.inside.spark import resources, staging


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of the job."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_own_keys_are_given_as_they_are_written() -> None:
    conf = program._make_conf({"conf": {"spark.executor.memory": "7g", "spark.ui.enabled": "true"}, "cores": 1}, {})
    assert (conf["spark.executor.memory"], conf["spark.ui.enabled"], conf["spark.master"]) == ("7g", "true", "local[1]")


def test_the_event_log_lies_with_the_logs(folder: Path) -> None:
    """It is kept with the job; one that the job keeps elsewhere, or not at all, is left alone."""
    conf = program._make_conf({}, {})
    assert conf["spark.eventLog.dir"] == f"file://{folder}/logs/spark-events"
    assert (folder / "logs/spark-events").is_dir()
    assert program._make_conf({"conf": {"spark.eventLog.dir": "/x"}}, {})["spark.eventLog.dir"] == "/x"
    assert "spark.eventLog.dir" not in program._make_conf({"conf": {"spark.eventLog.enabled": "False"}}, {})


def test_a_master_keeps_its_own_sizes() -> None:
    conf = program._make_conf({"conf": {"spark.master": "spark://h:7077", "spark.driver.memory": "3g"}}, {})
    assert (conf["spark.master"], conf["spark.driver.memory"]) == ("spark://h:7077", "3g")


def test_mounts_become_hadoop_file_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheme that the job configures by itself is left to it."""
    mounts = {"azureml": {"datastores": {"/w/paths": "/data/a b"}}, "wasbs": {"c@a": {"/": "/d"}}}
    monkeypatch.setenv("SMALT_SPARK_MOUNTS", json.dumps(mounts))
    conf = program._list_mounts({})
    assert conf["spark.hadoop.fs.viewfs.mounttable.datastores.link./w/paths"] == "file:///data/a%20b"
    assert conf["spark.hadoop.fs.viewfs.mounttable.c@a.linkFallback"] == "file:///d"
    assert "spark.hadoop.fs.wasbs.impl" not in program._list_mounts({"spark.hadoop.fs.wasbs.impl": "x"}).keys() - {"x"}


def test_variables_of_the_driver_are_set() -> None:
    variables: dict[str, str] = {}
    program._make_conf({"conf": {"spark.yarn.appMasterEnv.MODE": "fast"}}, variables)
    assert variables["MODE"] == "fast"


def test_the_command_line_has_each_kind_of_file() -> None:
    settings = {"file": "m.py", "py_files": ["a.zip", "b.py"], "jars": ["j.jar"], "files": ["f"], "archives": ["t#n"]}
    command = program._build_command("/spark", settings, {"k": "v"}, ["--x", "a b"])
    assert command == [
        "/spark/bin/spark-submit", "--py-files", "a.zip,b.py", "--jars", "j.jar", "--files", "f", "--archives", "t#n",
        "--conf", "k=v", "m.py", "--x", "a b",
    ]  # fmt: skip


def test_a_class_is_looked_for_in_the_first_jar() -> None:
    command = program._build_command("/spark", {"class": "A", "jars": ["a.jar", "b.jar"]}, {}, ["1"])
    assert command == ["/spark/bin/spark-submit", "--class", "A", "--jars", "b.jar", "a.jar", "1"]


def test_only_empty_folders_of_outputs_are_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spark refuses to write to a folder that exists."""
    for name in ("new", "old"):
        (folder / name).mkdir()
        monkeypatch.setenv(f"AZURE_ML_OUTPUT_{name}", str(folder / name))
    (folder / "old/kept").write_text("")
    program._remove_empty_outputs(["new", "old", "unknown"])
    assert (os.path.exists("new"), os.path.exists("old/kept")) == (False, True)


def test_files_and_archives_are_beside_the_job(folder: Path) -> None:
    """As in the working folder of each executor of a cluster."""
    (folder / "data").mkdir()
    (folder / "data/f.txt").write_text("f")
    with tarfile.open("a.tar", "w") as archive:
        archive.add("data/f.txt", "in/f.txt")
    staging.stage_files(["data/f.txt"], ["a.tar#packed"])
    assert ((folder / "f.txt").read_text(), (folder / "packed/in/f.txt").read_text()) == ("f", "f")


def test_memory_is_that_of_all_executors_and_at_most_half_of_the_machine() -> None:
    assert resources.choose_memory(["512m", "100m"]) == "612m"
    half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2 // 1024**2
    assert resources.choose_memory(["100t"]) == f"{half}m"
    assert resources.read_size("1024") == resources.read_size("1G")


def test_cores_are_at_most_those_of_this_machine() -> None:
    assert resources.choose_cores(1) == 1
    assert resources.choose_cores(10_000) == len(os.sched_getaffinity(0))


def test_outputs_whose_names_begin_alike_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument leads to the place of its own output, wherever in the argument the path stands."""
    for name in ("sum", "sums"):
        (tmp_path / f"place-{name}").mkdir()
        (tmp_path / name).symlink_to(tmp_path / f"place-{name}")
        monkeypatch.setenv(f"AZURE_ML_OUTPUT_{name}", str(tmp_path / name))
    assert program.resolve_output(f"{tmp_path}/sums") == f"{tmp_path}/place-sums"
    assert program.resolve_output(f"--out={tmp_path}/sum/a") == f"--out={tmp_path}/place-sum/a"
    assert program.resolve_output(f"{tmp_path}/summary") == f"{tmp_path}/summary"
