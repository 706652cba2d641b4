"""Untrained learners as components hand them on: a folder with the name and the parameters, as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from ..problems import ComponentError
from .catalogue import LEARNERS, Learner

_FILE = "learner.json"


class LearnerDefinition(NamedTuple):
    """A learner with the values of its parameters."""

    name: str
    parameters: dict[str, Any]

    @property
    def learner(self) -> Learner:
        return LEARNERS[self.name]

    def save(self, folder: Path) -> None:
        text = json.dumps({"learner": self.name, "parameters": self.parameters}, indent=2)
        (folder / _FILE).write_text(f"{text}\n", encoding="utf-8")
        print(text)


def load_definition(folder: Path, *tasks: str) -> LearnerDefinition:
    """Return the learner in a folder; raise ComponentError if it is for none of the tasks."""
    try:
        found = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ComponentError(
            "untrained_model is no learner; connect a component such as linear_regression to it"
        ) from None
    definition = LearnerDefinition(found["learner"], found["parameters"])
    if definition.learner.task not in tasks:
        fitting = [name for name, learner in LEARNERS.items() if learner.task in tasks]
        raise ComponentError(
            f"untrained_model is {definition.name}, for {definition.learner.task}; here you need one of "
            f"{', '.join(fitting)}"
        )
    return definition
