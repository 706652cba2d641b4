"""The table of bindings: every place where text may stand, and the use of each kind of expression there.

The rules refuse expressions that the table does not have, the engine replaces the others, and docs/bindings.md is
generated from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple


class Use(Enum):
    TEXT = "its text"
    """Replaced by a text or a path; other text may stand around it."""
    LITERAL = "a literal's text"
    """Replaced by text, a number or a boolean; data is refused."""
    VALUE = "its value"
    """A literal, with or without text around it; or data, with none."""
    WHOLE = "what it names"
    """Stands alone: text around it is refused."""


class TextPlace(NamedTuple):
    words: str
    """As in "cannot stand in …"."""
    fields: str
    """The keys that it covers, for the documentation."""
    uses: Mapping[str, Use]
    """The use of each kind of expression; other kinds are refused."""
    advice: str = ""
    """Advice on what to write instead."""
    is_free: bool = False
    """Text for people, in which nothing is replaced or refused."""


_OWN = {"inputs": Use.TEXT, "outputs": Use.TEXT}
_LITERALS = {"parent.inputs": Use.LITERAL, "parent.jobs.inputs": Use.LITERAL}
_PATH = {"name": Use.TEXT, "output_name": Use.TEXT, "default_datastore": Use.TEXT}
_OF_PARENT = "bind it to an input of the step, and write '${{inputs.NAME}}' here"

COMMAND = TextPlace("a command", "`command` of jobs, steps and components", {**_OWN, "name": Use.TEXT}, _OF_PARENT)
TRIAL = TextPlace(
    "the command of a trial", "`trial.command` of a sweep", {**COMMAND.uses, "search_space": Use.TEXT}, _OF_PARENT
)
ARGUMENTS = TextPlace(
    "the arguments of a step",
    "`args` of Spark; `input_data`, `task.program_arguments`, `task.append_row_to`, `task.model` of parallel",
    {**_OWN, "name": Use.TEXT},
    _OF_PARENT,
)
JOB_INPUT = TextPlace(
    "an input of a job",
    "`inputs` of jobs",
    {"name": Use.TEXT, "creation_context.trigger_time": Use.TEXT},
    "a job has no parent; write the value itself",
)
JOB_OUTPUT = TextPlace(
    "the output of a job",
    "`outputs.*.path` of jobs",
    {**_PATH, "creation_context.trigger_time": Use.TEXT},
    "a path may have '${{name}}', '${{output_name}}' and '${{default_datastore}}' in it",
)
VARIABLE = TextPlace(
    "an environment variable of a job or component",
    "`environment_variables` of jobs and components",
    {"secrets": Use.TEXT},
    "the variables AZURE_ML_INPUT_NAME and AZURE_ML_OUTPUT_NAME are set for every input and output",
)
TRIAL_VARIABLE = TextPlace(
    "an environment variable of a trial",
    "`trial.environment_variables` of a sweep",
    VARIABLE.uses,
    "each trial has its parameters in the variables AZUREML_SWEEP_NAME",
)
SPACE_VALUE = TextPlace(
    "a value of a search space",
    "`search_space` of sweep jobs and components",
    {},
    "write it out, and put '${{inputs.NAME}}' in the command",
)
FIXED = TextPlace(
    "code, environment or compute of a job or component",
    "`code` and `environment` of jobs, steps and components; `compute` of jobs",
    {},
    "write it out",
)
SETTING = TextPlace(
    "the settings of a pipeline",
    "`settings.default_compute` and `compute` of pipelines",
    {"parent.inputs": Use.LITERAL},
    "a pipeline's settings may name its own inputs, as '${{parent.inputs.NAME}}', in default_compute",
)
FIXED_SETTING = TextPlace("this setting of a pipeline", "the other `settings` of pipelines", {}, "write it out")
STEP_INPUT = TextPlace(
    "an input of a step",
    "`inputs` of steps; `training_data`, `validation_data`, `test_data` of AutoML steps",
    {
        "parent.inputs": Use.VALUE,
        "parent.jobs.inputs": Use.VALUE,
        "parent.jobs.outputs": Use.WHOLE,
        "name": Use.TEXT,
    },
    "bind it to '${{parent.inputs.NAME}}' or '${{parent.jobs.STEP.outputs.NAME}}'",
)
STEP_OUTPUT = TextPlace(
    "an output of a step",
    "`outputs` of steps",
    {"parent.outputs": Use.WHOLE},
    "bind it to '${{parent.outputs.NAME}}', or write 'path: …' under it",
)
STEP_PATH = TextPlace(
    "the path of a step's output",
    "`outputs.*.path` of steps",
    {"parent.outputs": Use.WHOLE, **_LITERALS, **_PATH},
    "bind it to '${{parent.outputs.NAME}}', or give it a path",
)
PORT_FIELD = TextPlace(
    "the name, version, type or mode of an input or output",
    "`name`, `version`, `type` and `mode` of inputs and outputs",
    {},
    "write it out",
)
STEP_VARIABLE = TextPlace(
    "an environment variable of a step", "`environment_variables` of steps", {"secrets": Use.TEXT, **_LITERALS},
    _OF_PARENT.replace(", and write '${{inputs.NAME}}' here", ", whose value is in AZURE_ML_INPUT_NAME"),
)  # fmt: skip
STEP_FIELD = TextPlace(
    "the settings of a step",
    "`compute`, `resources`, `limits`, `distribution` and every other key of steps",
    _LITERALS,
    "write it out, or as '${{parent.inputs.NAME}}'",
)
AUTOML = TextPlace(
    "the settings of an AutoML component",
    "every key of AutoML components",
    {"inputs": Use.LITERAL},
    "write it out, or as '${{inputs.NAME}}'",
)
AUTOML_TABLE = TextPlace(
    "a table of an AutoML component",
    "`training_data`, `validation_data`, `test_data` of AutoML components",
    {"inputs": Use.WHOLE},
    "bind it to '${{inputs.NAME}}'",
)
CONTROL = TextPlace(
    "a step of control flow",
    "`condition`, `body`, `mapping`, `true_block`, `false_block`, `items`",
    {
        "parent.inputs": Use.VALUE,
        "parent.jobs.inputs": Use.VALUE,
        "parent.jobs.outputs": Use.VALUE,
        "parent.jobs": Use.WHOLE,
    },
    "write '${{parent.jobs.STEP}}' or '${{parent.jobs.STEP.outputs.NAME}}'",
)
PEOPLE = TextPlace(
    "a text for people",
    "`name`, `display_name`, `description`, `experiment_name`, `comment`, `tags`, `properties`",
    {},
    is_free=True,
)

PLACES = (
    *(
        COMMAND,
        TRIAL,
        ARGUMENTS,
        JOB_INPUT,
        JOB_OUTPUT,
        VARIABLE,
        TRIAL_VARIABLE,
        SPACE_VALUE,
        FIXED,
        SETTING,
        FIXED_SETTING,
    ),
    *(STEP_INPUT, STEP_OUTPUT, STEP_PATH, PORT_FIELD, STEP_VARIABLE, STEP_FIELD, CONTROL, AUTOML, AUTOML_TABLE, PEOPLE),
)

BLOCKS = (COMMAND, TRIAL, ARGUMENTS)
"""The places where a `$[[…]]` block is kept or left out; elsewhere it is plain text."""

_ABOUT_PEOPLE = ("name", "display_name", "description", "experiment_name", "comment", "tags", "properties")
OF_BODY = {
    "command": COMMAND,
    **dict.fromkeys(("args", "input_data", "task.program_arguments", "task.append_row_to", "task.model"), ARGUMENTS),
}
"""The texts of a step, job or component that name its own inputs and outputs, by key."""

_OF_STEP = {
    **OF_BODY,
    "inputs": STEP_INPUT,
    **dict.fromkeys(("training_data", "validation_data", "test_data"), STEP_INPUT),
    "outputs": STEP_OUTPUT,
    **dict.fromkeys(("code", "environment"), FIXED),
    "environment_variables": STEP_VARIABLE,
    **dict.fromkeys(_ABOUT_PEOPLE, PEOPLE),
    **dict.fromkeys(("condition", "true_block", "false_block", "body", "mapping", "items"), CONTROL),
}
_OF_OTHERS = {
    **OF_BODY,
    "trial.command": TRIAL,
    "environment_variables": VARIABLE,
    **dict.fromkeys(("code", "environment", "compute", "trial.code", "trial.environment"), FIXED),
    "trial.environment_variables": TRIAL_VARIABLE,
    "search_space": SPACE_VALUE,
}
OF_JOB = {**_OF_OTHERS, "inputs": JOB_INPUT, "outputs": JOB_OUTPUT}
OF_PIPELINE = {
    **OF_JOB,
    "compute": SETTING,
    "settings.default_compute": SETTING,
    **{
        f"settings.{key}": FIXED_SETTING
        for key in ("default_datastore", "continue_on_step_failure", "force_rerun", "on_init", "on_finalize")
    },
}
OF_COMPONENT = {**_OF_OTHERS, **{key: place for key, place in OF_PIPELINE.items() if key.startswith("settings.")}}
"""The place of each text of a noun, by key. A component's inputs and outputs are declarations."""

_TABLES = ("training_data", "validation_data", "test_data")
OF_AUTOML = {
    **dict.fromkeys(
        (
            *("primary_metric", "target_column_name", "weight_column_name", "positive_label", "validation_data_size"),
            *("test_data_size", "n_cross_validations", "cv_split_column_names", "log_verbosity", "environment_id"),
            *("featurization", "training", "forecasting", "limits", "resources", "environment_variables"),
        ),
        AUTOML,
    ),
    **dict.fromkeys(_TABLES, AUTOML_TABLE),
}
"""The place of each text of an AutoML component, by key."""


def find_step_place(path: Sequence[Any]) -> TextPlace:
    """Return the place of a step's text at `path`."""
    inner = f"{path[0]}.{path[1]}" if len(path) > 1 else ""
    place = _OF_STEP.get(inner) or _OF_STEP.get(str(path[0])) or STEP_FIELD
    return find_port_place(place, path)


def find_port_place(place: TextPlace, path: Sequence[Any]) -> TextPlace:
    """Return the place of a text inside an input or output: `outputs.o` differs from `outputs.o.path`."""
    if len(path) < 3 or path[0] not in ("inputs", "outputs"):
        return place
    if path[2] == "description":
        return PEOPLE
    if path[2] != "path":
        return PORT_FIELD
    return STEP_PATH if place is STEP_OUTPUT else place
