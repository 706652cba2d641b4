"""Settings of a parallel job, which the server hands over in one environment variable."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from .errors import ParallelError

VARIABLE = "SMALT_PARALLEL"
"""The variable with the settings, as JSON with the fields of `ParallelSettings`."""
JOURNAL_VARIABLE = "SMALT_PARALLEL_FOLDER"
"""The folder of the journal, which outlives the attempt."""
CHANGED_VARIABLE = "SMALT_PARALLEL_CHANGED"
"""The time of the last change of any input, where the journal is one for all jobs of the same content."""
OWN_VARIABLE = "SMALT_PARALLEL_OWN"
"""The outputs with a place of the job's own, separated by commas."""
_EXPRESSION = re.compile(r"\$\{\{\s*(inputs|outputs)\.([\w-]+)(?:\.path)?\s*\}\}")
_PREFIXES = {"inputs": "AZURE_ML_INPUT_", "outputs": "AZURE_ML_OUTPUT_"}


@dataclass
class ParallelSettings:
    """The script, its input, and the limits at which the job gives up."""

    entry_script: str
    """Empty for an MLflow model that is scored without a script."""
    input: str
    """The name of the input that is cut."""
    input_type: str = "uri_folder"
    input_mode: str = ""
    arguments: list[str] = ()  # type: ignore[assignment]
    outputs: list[str] = ()  # type: ignore[assignment]
    """The names of the job's outputs."""
    append_row_to: str = ""
    """The name of the output that gets what `run` returned."""
    append_row_file_name: str = ""
    """The name of the file with the rows where that output is a folder."""
    model: str = ""
    """The name of the input with the model, which the script finds in AZUREML_MODEL_DIR."""
    append_row_check: bool = True
    """False if the number of elements that `run` returned is not compared with the number of items."""
    mini_batch_size: int = 0
    """The number of files, or of bytes of a table; 0 for the default."""
    partition_keys: list[str] = ()  # type: ignore[assignment]
    instances: int = 1
    per_instance: int = 0
    """Processes on each instance; 0 for as many as this machine has cores, over all instances."""
    timeout: float = 60
    """Seconds that `run` may take."""
    max_retries: int = 2
    mini_batch_error_threshold: int = -1
    error_threshold: int = -1
    allowed_failed_percent: float = 100
    load_timeout: float = 600
    """Seconds in which the rows of a mini-batch must be loaded."""
    start_timeout: float = 600
    """Seconds in which `init` must return, and `shutdown`."""
    progress_timeout: float = 0
    """Seconds in which some mini-batch must end; 0 for any time."""
    logging_level: str = "INFO"
    gpus: list[str] = ()  # type: ignore[assignment]

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> ParallelSettings:
        """Return the settings in the variables; raise ParallelError if there are none."""
        text = variables.get(VARIABLE)
        if not text:
            raise ParallelError(f"{VARIABLE} is not set: this program runs in parallel jobs of smalt only")
        given = json.loads(text)
        known = {one.name for one in fields(cls)}
        settings = cls(**{name: value for name, value in given.items() if name in known})
        settings.arguments = [fill_expressions(one, variables) for one in settings.arguments]
        visible = variables.get("CUDA_VISIBLE_DEVICES", "")
        settings.gpus = [one for one in visible.split(",") if one]
        return settings

    def count_workers(self) -> int:
        """Return the number of worker processes."""
        if self.per_instance:
            return self.instances * self.per_instance
        if self.gpus:
            return max(self.instances, len(self.gpus))
        return max(self.instances, count_cores())

    def find_instance(self, slot: int) -> int:
        """Return the number of the instance that a worker's slot belongs to."""
        return slot * self.instances // self.count_workers()


def fill_expressions(text: str, variables: Mapping[str, str]) -> str:
    """Return an argument with the paths and values of the inputs and outputs that it names."""

    def fill_port(found: Any) -> str:
        return get_port(variables, found[1], found[2])

    return _EXPRESSION.sub(fill_port, text)


def get_port(variables: Mapping[str, str], kind: str, name: str) -> str:
    """Return the value or path of an input or output of the job."""
    value = variables.get(f"{_PREFIXES[kind]}{name}")
    if value is None:
        raise ParallelError(f"this job has no {kind[:-1]} '{name}'")
    return value


def count_cores() -> int:
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except (AttributeError, OSError):  # macOS
        return os.cpu_count() or 1


def find_folder(variables: Mapping[str, str], workdir: str) -> str:
    """Return the folder for the journal: the job's own, where nothing is to outlive this attempt."""
    return variables.get(JOURNAL_VARIABLE) or os.path.join(workdir, ".parallel")
