from __future__ import annotations

from typing import Any

from smalt import Input, automl, wire
from smalt.dsl import pipeline
from smalt.sweep import Choice, Uniform

SPACE = {"model_name": Choice(["a", "b"]), "learning_rate": Uniform(1e-5, 0.01), "layers_to_freeze": 3}


def make() -> Any:
    found = automl.image_classification(
        training_data=Input(type="mltable", path="azureml:d:1"), target_column_name="label"
    )
    found.extend_search_space([automl.SearchSpace(**SPACE)])
    return found


def test_spaces_of_models_are_text_on_the_wire() -> None:
    """In a job and in a step, floats without an exponent; read back they are the distributions again."""
    job = wire.to_rest(make())
    told = {"modelName": "choice('a','b')", "learningRate": "uniform(0.00001,0.01)", "layersToFreeze": "3"}
    assert job["properties"]["taskDetails"]["searchSpace"] == [told]

    @pipeline
    def whole() -> None:
        step = make()
        assert step

    sent = wire.to_rest(whole())
    snake = {"model_name": "choice('a','b')", "learning_rate": "uniform(0.00001,0.01)", "layers_to_freeze": "3"}
    assert sent["properties"]["jobs"]["step"]["search_space"] == [snake]
    assert wire.from_rest(job, "job").search_space == [SPACE]
    assert wire.from_rest(sent, "job").jobs["step"].search_space == [SPACE]
