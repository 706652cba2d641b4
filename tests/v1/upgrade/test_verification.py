"""`smalt upgrade --verify` runs both programs and compares; `--to yaml` writes the jobs and runs none."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from smalt import command
from smalt.entities.jobs.inputs import ORDERS_STEPS, Output
from smalt.v1.upgrade.recording import list_compared_outputs
from smalt.v1.upgrade.verification import compare_records
from tests.v1.conftest import Programs
from tests.v1.test_seed_001 import PROGRAM
from tests.v1.test_seed_002 import PROGRAM as PIPELINE
from tests.v1.test_seed_002 import prepare_program

STEP: dict[str, Any] = {
    "type": "command", "status": "Completed", "command": ["python", "a.py", "1"], "after": ["b"], "metrics": {"x": 1.0},
    "outputs": {"output 1": {"a.txt": "1"}},
}  # fmt: skip
RECORD: dict[str, Any] = {
    "code": 0,
    "jobs": [{"type": "pipeline", "status": "Completed", "experiment": "e", "steps": {"one": STEP}}],
}


def test_equal_records_have_no_differences() -> None:
    assert list(compare_records(RECORD, copy.deepcopy(RECORD))) == []


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("command", ["python", "a.py", "2"], "command line: python a.py 1 in v1, python a.py 2 upgraded"),
        ("after", [], "earlier steps: b in v1, none upgraded"),
        ("metrics", {"x": 2.0}, "metrics: {'x': 1.0} in v1, {'x': 2.0} upgraded"),
        ("status", "Failed", "status: Completed in v1, Failed upgraded"),
        ("outputs", {"output 1": {"a.txt": "2"}}, "output 1 differs in a.txt"),
    ],
)
def test_each_difference_is_a_sentence(key: str, value: Any, sentence: str) -> None:
    other = copy.deepcopy(RECORD)
    other["jobs"][0]["steps"]["one"][key] = value
    assert list(compare_records(RECORD, other)) == [f"job 1, step 'one': {sentence}"]


def test_programs_that_submit_nothing_are_not_called_equal() -> None:
    empty = {"code": 0, "jobs": []}
    assert list(compare_records(empty, empty)) == ["neither program submits a job, so there is nothing to compare"]


def test_a_program_and_its_upgraded_form_are_equal(served: Programs) -> None:
    served.write("src/train.py", "print('trained')\n")
    served.write("pytorch-env.yml", "name: pytorch-env\ndependencies:\n  - python=3\n")
    served.write("submit.py", PROGRAM)
    done = served.smalt("upgrade", "submit.py", "--verify")
    assert (done.code, done.err) == (
        0, "submit.py: equal: the graph, the parameters, the outputs' contents and the metrics\n"
    )  # fmt: skip
    assert (served.folder / "submit.py").read_text() == PROGRAM


def test_a_pipeline_and_its_upgraded_form_are_equal(served: Programs) -> None:
    """The left column of "Upgrade pipelines to SDK v2": three steps, their data and their arguments."""
    prepare_program(served)
    served.write("submit.py", PIPELINE)
    done = served.smalt("upgrade", "submit.py", "--verify")
    assert (done.code, done.err) == (
        0, "submit.py: equal: the graph, the parameters, the outputs' contents and the metrics\n"
    )  # fmt: skip


def test_a_program_that_fails_is_not_equal(served: Programs) -> None:
    """Its last line of error is in the sentence."""
    served.write("submit.py", f"{PROGRAM}raise ValueError('no')\n")
    served.write("src/train.py", "print('trained')\n")
    served.write("pytorch-env.yml", "name: pytorch-env\ndependencies:\n  - python=3\n")
    done = served.smalt("upgrade", "submit.py", "--verify")
    assert done.code == 1
    assert "submit.py: the v1 program ends with code 1: ValueError: no\n" in done.err


def test_an_output_is_left_out_for_what_it_is_and_not_for_its_name() -> None:
    """A program's own output `done` is compared; one that only orders steps is not."""
    order = Output(type="uri_folder", description=ORDERS_STEPS)
    job = command(command="ls", environment="azureml:host", outputs={"done": Output(type="uri_folder"), "order": order})
    assert list_compared_outputs(job) == ["done"]


def test_jobs_become_yaml(served: Programs) -> None:
    """The file says the same as the program; no job runs."""
    served.write("src/train.py", "print('trained')\n")
    served.write("pytorch-env.yml", "name: pytorch-env\ndependencies:\n  - python=3\n")
    served.write("submit.py", PROGRAM)
    before = served.smalt("job", "list", "--query", "length(@)").out
    done = served.smalt("upgrade", "submit.py", "--to", "yaml", "--output", "jobs")
    assert (done.code, done.out) == (0, "jobs/submit.yml\n")
    text = (served.folder / "jobs/submit.yml").read_text()
    assert "command: python train.py\n" in text
    assert "code: ../src\n" in text
    assert served.smalt("job", "validate", "--file", "jobs/submit.yml").code == 0
    assert served.smalt("job", "list", "--query", "length(@)").out == before
