"""One-vs-All Multiclass."""

from __future__ import annotations

from ..ports import ComponentPorts, run_component
from .catalogue import CLASSIFICATION
from .definitions import ONE_VS_ALL, LearnerDefinition, load_definition


def one_vs_all_multiclass(ports: ComponentPorts) -> None:
    """Hand on a learner for two classes as one for several."""
    given = load_definition(ports.find_input("binary_model"), CLASSIFICATION, where="binary_model")
    made = given if given.base else LearnerDefinition(ONE_VS_ALL, {**given.parameters, "base": given.name})
    made.save(ports.find_output("untrained_model"))


if __name__ == "__main__":
    run_component(one_vs_all_multiclass)
