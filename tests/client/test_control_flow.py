from __future__ import annotations

import pytest

from smalt import MLClient
from smalt.dsl import pipeline
from smalt.dsl._parallel_for import parallel_for
from smalt.exceptions import SmaltError
from tests.dsl.programs import train


def test_control_flow_is_refused_when_it_is_submitted(client: MLClient) -> None:
    """In one sentence that names the step, and not for the inputs that the loop gives."""

    @pipeline
    def whole() -> None:
        one = train()()
        each = parallel_for(body=one, items=[{"data": "azureml:d:1"}])
        assert each

    with pytest.raises(SmaltError) as caught:
        client.jobs.create_or_update(whole())
    assert "jobs.each: a parallel_for step cannot run yet" in str(caught.value)
    assert "\n" not in str(caught.value)
