"""Components for programs in tests."""

from __future__ import annotations

from typing import Any

from smalt import load_component

TRAIN = {
    "type": "command",
    "name": "train_model",
    "command": "echo ${{inputs.data}} ${{inputs.lr}} > ${{outputs.model}}/m",
    "environment": "azureml:host@latest",
    "inputs": {
        "data": {"type": "uri_folder"},
        "lr": {"type": "number", "default": 0.1},
        "epochs": {"type": "integer", "default": 3, "min": 1, "max": 9},
        "kind": {"type": "string", "default": "a", "enum": ["a", "b"]},
        "extra": {"type": "uri_file", "optional": True},
    },
    "outputs": {"model": {"type": "custom_model"}, "log": {"type": "uri_file"}},
}
SCORE = {
    "type": "command",
    "name": "score",
    "command": "cat ${{inputs.model}}/m > ${{outputs.scores}}",
    "environment": "azureml:host@latest",
    "inputs": {"model": {"type": "custom_model"}},
    "outputs": {"scores": {"type": "uri_file"}},
}


def train() -> Any:
    return load_component(TRAIN)


def score() -> Any:
    return load_component(SCORE)
