"""Part 3: SMALT_URL and SMALT_TOKEN: a client on another folder, with a home in which nothing is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.conftest import Desk


@pytest.fixture
def desk(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The same desk, its server reached by HTTP."""
    monkeypatch.setenv("SMALT_URL", f"http://127.0.0.1:{desk.server.port}")
    monkeypatch.setenv("SMALT_TOKEN", desk.server.home.read_token() or "")
    monkeypatch.setenv("SMALT_HOME", str(tmp_path / "unused"))
    return desk


def test_nothing_is_started_here(desk: Desk, tmp_path: Path) -> None:
    """No home comes about."""
    assert desk.smalt("job list").code == 0
    assert not (tmp_path / "unused").exists()


def test_code_and_data_are_uploaded(desk: Desk) -> None:
    """Local code, a file and a folder are in the job, and are not read where they were."""
    desk.write("src/main.sh", "cat $1 $2/b.txt $2/deep/c.txt\n")
    desk.write("src/.amlignore", "secret\n")
    desk.write("src/secret", "")
    desk.write("a.txt", "a\n")
    desk.write("in/b.txt", "b\n")
    desk.write("in/deep/c.txt", "c\n")
    job = """
        command: bash main.sh ${{inputs.file}} ${{inputs.folder}}; ls; echo ${{inputs.file}}
        code: src
        inputs:
          file: {type: uri_file, path: ./a.txt}
          folder: {type: uri_folder, path: in}
        environment: azureml:host
        """
    log = desk.log(job)
    assert log[:-1] == ["a", "b", "c", "logs", "main.sh", "outputs"]
    assert str(desk.folder) not in log[-1]
    assert desk.log(job) == log
    desk.write("a.txt", "changed\n")
    assert desk.log(job)[0] == "changed"


def test_a_pipeline_is_uploaded_and_streamed(desk: Desk) -> None:
    """Component files with code of their own, pipeline inputs, outputs brought back."""
    desk.write("parts/src/say.sh", "cat $1 | tee $2/said\n")
    desk.write(
        "parts/say.yml",
        """
        type: command
        code: ./src
        inputs: {x: {type: uri_file}}
        outputs: {o: {type: uri_folder}}
        command: bash say.sh ${{inputs.x}} ${{outputs.o}}
        environment: azureml:host
        """,
    )
    desk.write("x.txt", "far\n")
    log = desk.log(
        """
        name: far
        type: pipeline
        inputs: {x: {type: uri_file, path: ./x.txt}}
        outputs: {o: }
        jobs:
          say:
            type: command
            component: ./parts/say.yml
            inputs: {x: "${{parent.inputs.x}}"}
            outputs: {o: "${{parent.outputs.o}}"}
        """
    )
    assert log == ["say | far"]
    assert desk.smalt("job download far --all -p got").code == 0
    assert (desk.folder / "got/named-outputs/o/said").read_text() == "far\n"
    assert desk.smalt("job stream far").out == "say | far\n"


def test_assets_are_uploaded(desk: Desk) -> None:
    """Data, a model and a component registered from local files can be used in jobs and downloaded."""
    desk.write("rows.csv", "rows\n")
    desk.write("model/MLmodel", "flavors\n")
    desk.write("src/run.sh", "echo component\n")
    desk.write(
        "part.yml",
        "type: command\nname: part\ncode: src\ncommand: bash run.sh\nenvironment: azureml:host\nversion: 1\n",
    )
    assert desk.smalt("data create --name far --version 1 --type uri_file --path rows.csv").code == 0
    assert desk.smalt("model create --name far --version 1 --type mlflow_model --path model").code == 0
    assert desk.smalt("component create --file part.yml").code == 0
    log = desk.log(
        """
        type: pipeline
        jobs:
          a:
            command: cat ${{inputs.d}} ${{inputs.m}}/MLmodel
            inputs:
              d: {type: uri_file, path: "azureml:far:1"}
              m: {type: mlflow_model, path: azureml:far@latest}
            environment: azureml:host
          b: {type: command, component: "azureml:part:1"}
        """
    )
    assert sorted(log) == ["a | flavors", "a | rows", "b | component"]
    assert desk.smalt("model download --name far --version 1 --download-path got").code == 0
    assert [path.read_text() for path in (desk.folder / "got").rglob("MLmodel")] == ["flavors\n"]


def test_a_datastore_is_reached(desk: Desk) -> None:
    """Upload and list."""
    desk.write("up/a.txt", "a\n")
    assert desk.smalt("datastore upload up into").code == 0
    assert desk.ask("datastore ls into --recursive --query [].path").splitlines() == ["into/a.txt"]


def test_a_wrong_token_is_a_sentence(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1, one line."""
    monkeypatch.setenv("SMALT_TOKEN", "wrong")
    ran = desk.smalt("job list")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert "SMALT_TOKEN" in ran.err


def test_a_server_that_is_not_there_is_a_sentence(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1, one line that names the URL."""
    monkeypatch.setenv("SMALT_URL", "http://127.0.0.1:1")
    ran = desk.smalt("job list")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert "http://127.0.0.1:1" in ran.err


def test_what_is_not_here_is_told_before_anything_is_sent(desk: Desk) -> None:
    """A missing local input."""
    ran = desk.job(
        "command: cat ${{inputs.x}}\ninputs: {x: {type: uri_file, path: ./no.csv}}\nenvironment: azureml:host\n"
    )
    assert (ran.code, ran.out) in {(1, ""), (2, "")}
    assert "no.csv" in ran.err
