from __future__ import annotations

from pathlib import Path

import pytest

from smalt.exceptions import ValidationException
from smalt.yaml import load

PIPE = """type: pipeline
jobs:
  train:
    comand: python train.py
    environment: azureml:host
    outputs:
      model:
        type: uri_foldr
  idle:
    command: 'true'
    environment: azureml:host
  score:
    command: cat ${{inputs.m}} ${{inputs.n}}
    environment: azureml:host
    inputs:
      m: ${{parent.jobs.train.outputs.modle}}
      n: ${{parent.jobs.idle.outputs.nothing}}
"""


def test_a_step_that_is_wrong_hides_no_wrong_reference_to_it(tmp_path: Path) -> None:
    """A misspelt key, a wrong type and references to outputs that no step has are all told at once."""
    path = tmp_path / "pipe.yml"
    path.write_text(PIPE)
    with pytest.raises(ValidationException) as caught:
        load(str(path), "job")
    assert [(one.line, one.column) for one in caught.value.problems] == [(4, 5), (8, 15), (16, 10), (17, 10)]
