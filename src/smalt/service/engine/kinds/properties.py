"""The properties of a job in which smalt notes how it came about; a user meets them in `job show`."""

from __future__ import annotations

from collections.abc import Mapping

REUSE = "smalt.reuse"
"""Why a step is never reused."""

WARM = "smalt.warm"
"""A user's own word, `on` or `off`, on whether a step may start as a child of a warm parent."""

FORCED = "smalt.forced"
"""The reason why the steps of a nested pipeline are not reused in this run."""

PART = "smalt.part"
"""A line each, what a part of a pipeline takes from an earlier run and what it leaves out."""

OUTPUT_FOLDER = "smalt.place"
"""The name of the folder for a job's outputs, if the folder of the job's own name is taken."""

PLACES = "smalt.places"
"""The origin of the places of a child's outputs; see `places.note` for its format."""

PROMISED = "smalt.promised"
"""The property of a control job with the planned URI of each output of its blocks, by "step.output"."""

BOUND = "smalt.bound"
"""The property of a control job with the planned URI of the pipeline's output that an output of its blocks is bound to,
by "step.output"."""

BRANCH_INPUTS = "smalt.branch_inputs"
"""The property of a job that reads outputs of steps which may not run: a list of `note_branch_inputs`."""

SKIPPED_STEPS = "smalt.skipped_steps"
"""The property of the job of an if_else with the steps in its blocks that cannot run, each with its error."""

IDLE = "smalt.no_effect"
"""The property of a job with all that it says and that does nothing here."""

COMPONENT_NAME = "azureml.moduleName"
"""The service's property of a step with the name of its component; of a step in place, its own name."""

RAN_IN = "smalt.ran_in"
"""The property of a job that had no process of its own, with the name of the job whose process ran it."""

POINT = "smalt.point"
"""The property of a trial with its point in the search space of its sweep, as JSON."""

SEED = "smalt.seed"
"""The property of a sweep with the seed that was drawn when it was submitted, as none was given."""

SETTINGS = "smalt.settings"
"""The property of a step that is a sweep with the settings of the pipeline around it, as JSON."""

ITEM = "smalt.item"
"""The property of an iteration of a parallel_for with its key in a mapping, or its number in a list, as JSON."""

TIMEOUT = "smalt.timeout"
"""The property of a trial that is a pipeline with the seconds after which it is canceled."""

PLANNED = frozenset(
    {
        FORCED,
        OUTPUT_FOLDER,
        PLACES,
        PROMISED,
        BOUND,
        BRANCH_INPUTS,
        SKIPPED_STEPS,
        RAN_IN,
        POINT,
        SETTINGS,
        TIMEOUT,
        ITEM,
    }
)
"""The properties that only smalt gives to a job: those that a user writes are ignored."""


def inherit_warm(properties: Mapping[str, str] | None) -> dict[str, str]:
    """Return the word on warm starts of the job around a step, which holds where the step has none."""
    return {WARM: properties[WARM]} if properties and WARM in properties else {}


def remove_planned(properties: Mapping[str, str] | None) -> dict[str, str]:
    """Return a step's properties without those that only the planner gives."""
    return {key: value for key, value in (properties or {}).items() if key not in PLANNED}
