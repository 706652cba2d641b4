"""The properties of a job in which smalt notes how it came about; a user meets them in `job show`."""

REUSE = "smalt.reuse"
"""Why a step is never reused."""

FORCED = "smalt.forced"
"""Of a pipeline within another one: why its steps are not reused in this run."""

PART = "smalt.part"
"""A line each, what a part of a pipeline takes from an earlier run and what it leaves out."""

OUTPUT_FOLDER = "smalt.place"
"""The name of the folder for a job's outputs, if the folder of the job's own name is taken."""
