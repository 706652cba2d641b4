"""Apply Transformation."""

from __future__ import annotations

from ..ports import ComponentPorts, run_component
from ..saved_transformations import load_transformation
from .clean_missing_data import apply_cleaning
from .group_data_into_bins import apply_bins
from .normalize_data import apply_scales

_FUNCTIONS = {
    "clean_missing_data": apply_cleaning,
    "normalize_data": apply_scales,
    "group_data_into_bins": apply_bins,
}


def apply_transformation(ports: ComponentPorts) -> None:
    learned = load_transformation(ports.find_input("transformation"), "transformation")
    frame = ports.read_table("dataset")
    ports.write_table("transformed_dataset", _FUNCTIONS[learned["component"]](frame, learned))


if __name__ == "__main__":
    run_component(apply_transformation)
