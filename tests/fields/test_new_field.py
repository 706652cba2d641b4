"""docs/internals/adding-a-field.md, followed: a field is added in one line, and arrives in every job that runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import smalt
from tests.fields import program
from tests.helpers import LONGEST, Server

PAGE = Path(__file__).parents[2] / "docs/internals/adding-a-field.md"
SOURCE = Path(smalt.__file__).parent


@pytest.fixture
def changed_source(tmp_path: Path) -> Path:
    """A copy of smalt's source with the page's line in it."""
    copied = tmp_path / "src" / "smalt"
    shutil.copytree(SOURCE, copied)
    matched = re.search(r"```python\n# src/smalt/(\S+), in (\w+)\n(.+)\n```", PAGE.read_text())
    assert matched is not None, "the page shows its line"
    file, noun, line = matched.groups()
    text = (copied / file).read_text()
    head = re.search(rf"^class {noun}\b.*:\n", text, re.MULTILINE)
    assert head is not None, f"{file} declares {noun}"
    (copied / file).write_text(f"{text[: head.end()]}    {line}\n{text[head.end() :]}")
    return copied.parent


def test_a_new_field_reaches_every_job_that_runs(changed_source: Path, own_server: Server, tmp_path: Path) -> None:
    """One declared line, and steps, components, nested pipelines, builders, calls, REST and exports carry the field."""
    environment = {"PYTHONPATH": str(changed_source)}
    own_server.start(environment=environment)
    folder = tmp_path / "files"
    folder.mkdir()
    ran = subprocess.run(
        [sys.executable, program.__file__, str(own_server.home.root), str(folder)],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=LONGEST,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    steps = {
        "inline": "of the step",
        "file": "of the component",
        "reference": "of the component",
        "over": "of the step",
        "nested/inner": "of the nested step",
        "nested/used": "of the component",
    }
    assert json.loads(ran.stdout.splitlines()[-1]) == {
        "registered": "of the component",
        "job": "of the job",
        **{f"pipeline/{name}": value for name, value in steps.items()},
        "program/called": "of the builder",
        "program/changed": "set on the step",
        "program/part": "of the component",
        "program/own": "set on the call",
        "program/again": "set on the call",
        "program/nested/within": "of the builder",
        "builder": "of the builder",
        "builder called": "of the builder",
        "component called": "of the component",
        "REST body": "of the job",
        "read from REST": "of the job",
        "sweep": "of the trial",
        "exported job": "of the job",
        **{f"exported pipeline/{name}": value for name, value in steps.items()},
    }
