"""Untrained learners as components hand them on: a folder with the name and the parameters, as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from ..problems import ComponentError
from .catalogue import LEARNERS, Learner

ONE_VS_ALL = "one_vs_all_multiclass"
"""A learner that trains another one for each class; its parameters are those of that one, and `base` its name."""
_FILE = "learner.json"


class LearnerDefinition(NamedTuple):
    """A learner with the values of its parameters."""

    name: str
    parameters: dict[str, Any]

    @property
    def base(self) -> LearnerDefinition | None:
        """The learner that is trained for each class against all others."""
        if self.name != ONE_VS_ALL:
            return None
        return LearnerDefinition(
            self.parameters["base"], {key: value for key, value in self.parameters.items() if key != "base"}
        )

    @property
    def learner(self) -> Learner:
        return LEARNERS[self.base.name if self.base else self.name]

    def save(self, folder: Path) -> None:
        text = json.dumps({"learner": self.name, "parameters": self.parameters}, indent=2)
        (folder / _FILE).write_text(f"{text}\n", encoding="utf-8")
        print(text)


def load_definition(folder: Path, *tasks: str, where: str = "untrained_model") -> LearnerDefinition:
    """Return the learner in a folder; raise ComponentError if it is for none of the tasks.

    `where` names the input in errors.
    """
    try:
        found = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ComponentError(
            f"{where} is no learner; connect a component such as {'linear' if 'regression' in tasks else 'logistic'}"
            "_regression to it"
        ) from None
    definition = LearnerDefinition(found["learner"], found["parameters"])
    if definition.learner.task not in tasks:
        fitting = [name for name, learner in LEARNERS.items() if learner.task in tasks]
        raise ComponentError(
            f"{where} is {definition.name}, for {definition.learner.task}; here you need one of {', '.join(fitting)}"
        )
    return definition
