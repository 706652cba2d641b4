"""All components that hand on an untrained learner: `python -m smalt_prebuilt.learners.untrained NAME`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from ..ports import ComponentPorts, run_component
from .catalogue import LEARNERS
from .definitions import LearnerDefinition


def make_component(name: str) -> Callable[[ComponentPorts], None]:
    """Return the function of the component of a learner."""

    def write_definition(ports: ComponentPorts) -> None:
        readers: dict[type, Callable[[str], Any]] = {
            int: ports.get_whole_number,
            float: ports.get_number,
            bool: ports.get_flag,
            str: ports.get_text,
        }
        parameters = {key: readers[type](key) for key, type in LEARNERS[name].parameters.items()}
        LearnerDefinition(name, parameters).save(ports.find_output("untrained_model"))

    write_definition.__name__ = name
    return write_definition


if __name__ == "__main__":
    run_component(make_component(sys.argv[1]))
