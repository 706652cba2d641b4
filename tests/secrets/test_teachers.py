"""The key of the teacher of a distillation, which Azure's clients send as a text within the job's properties."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from smalt import wire, yaml
from tests.helpers import Server

JOB = """
type: distillation
experiment_name: e
data_generation_type: label_generation
data_generation_task_type: NLI
teacher_model_endpoint_connection: {type: serverless, name: t, endpoint: "https://x/", api_key: the-teachers-key}
student_model: azureml://registries/a/models/m/versions/1
training_data: {type: uri_file, path: azureml:d:1}
"""


def body(text: str, kind: str) -> dict[str, Any]:
    return wire.to_rest(yaml.load_text(text, kind, folder="/", name="", overrides=[], data_must_exist=False))


def kept_in(home: Path) -> bool:
    return any(b"the-teachers-key" in path.read_bytes() for path in home.glob("smalt.db*"))


def test_the_key_is_neither_kept_nor_shown(server: Server, workspace: str) -> None:
    """The job is refused, as none is run here, and so is a schedule of it; neither answer has the key."""
    answer = server.ask("PUT", f"{workspace}/jobs/distilled", body(JOB, "job"))
    assert answer.status == 403
    assert "the-teachers-key" not in json.dumps(answer.body)
    inner = JOB.strip().replace("\n", "\n  ")
    text = f"name: s\ntrigger: {{type: recurrence, frequency: day, interval: 1}}\ncreate_job:\n  {inner}\n"
    sent = body(text, "schedule")
    assert "the-teachers-key" in json.dumps(sent)
    answer = server.ask("PUT", f"{workspace}/schedules/s", sent)
    assert answer.status == 403
    assert "the-teachers-key" not in json.dumps(answer.body)
    assert not kept_in(server.home.root)
