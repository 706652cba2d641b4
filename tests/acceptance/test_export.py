"""`smalt job export`: a job that ran, as a folder that runs again elsewhere."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Desk
from tests.helpers import temporary_server

PIPELINE = """
    type: pipeline
    display_name: two
    inputs:
      data: {type: uri_folder, path: data}
    jobs:
      first:
        type: command
        component: component.yml
        inputs: {data: "${{parent.inputs.data}}"}
      second:
        type: command
        command: cat ${{inputs.said}}/said.txt
        environment: azureml:host
        inputs: {said: {path: "${{parent.jobs.first.outputs.said}}", type: uri_folder}}
"""


def test_an_exported_pipeline_runs_in_another_home(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code, component, environment and input are in the folder; it runs where nothing of the first home is."""
    desk.write("data/a.txt", "the data\n")
    desk.write("src/say.sh", "cat $1/a.txt > $2/said.txt\n")
    desk.write("env.yml", "name: mine\nversion: 7\nimage: any\n")
    desk.write(
        "component.yml",
        """
        name: say
        type: command
        command: bash say.sh ${{inputs.data}} ${{outputs.said}}
        code: src
        environment: azureml:host
        inputs: {data: {type: uri_folder}}
        outputs: {said: {type: uri_folder}}
        """,
    )
    desk.write("job.yml", PIPELINE)
    name = desk.ask("job create --file job.yml --query name")
    assert desk.smalt(f"job stream {name}").code == 0
    ran = desk.smalt(f"job export {name} --folder moved --copy-inputs")
    assert ran.code == 0, ran.err
    for gone in ("data", "src"):
        (desk.folder / gone).rename(desk.folder / f"{gone}-gone")
    with temporary_server() as other:
        other.start()
        monkeypatch.setenv("SMALT_HOME", str(other.home.root))
        again = desk.smalt("job create --file moved/job.yml --stream")
        assert again.code == 0, again.err
        assert "the data" in again.out
    assert desk.smalt(f"job export {name} --folder moved").err.strip().endswith("is not empty; name a new folder")
