"""Spark jobs, and what Spark steps have beyond other steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.jobs.spark import SparkJob, SparkJobEntry, SparkResourceConfiguration
from smalt.wire.encoding.codec import Codec, Json, Rule, Writing, make_nested_rule, to_plain
from smalt.wire.encoding.envelope import Envelope
from smalt.wire.jobs.command import CODE, ENVIRONMENT_ID, JOB, JOB_DEFAULTS


class _Entry(Codec[SparkJobEntry]):
    """A Python file, or a class."""

    def write(self, noun: SparkJobEntry, writing: Writing) -> Json:
        kind = "SparkJobPythonEntry" if noun.file is not None else "SparkJobScalaEntry"
        return {**super().write(noun, writing), writing.key("sparkJobEntryType"): kind}


def _write_conf(value: Mapping[str, Any], writing: Writing) -> Any:
    """Return the configuration; in a job each value is text, and a growing job begins with its fewest executors."""
    if writing.in_node:
        return to_plain(value)
    fewest = value.get("spark.dynamicAllocation.minExecutors")
    if str(value.get("spark.dynamicAllocation.enabled")).lower() == "true" and fewest is not None:
        value = {"spark.executor.instances": fewest, **value}
    return {key: str(item) for key, item in value.items()}


_ENTRY = _Entry(SparkJobEntry, constants={"sparkJobEntryType": ""})
STEP = {
    "entry": make_nested_rule(_ENTRY, "entry"),
    "conf": Rule("conf", _write_conf),
    "resources": make_nested_rule(Codec(SparkResourceConfiguration), "resources"),
}
SPARK = Codec(
    SparkJob,
    {**JOB, **STEP, "code": CODE, "environment": ENVIRONMENT_ID},
    constants={"jobType": "Spark"},
    defaults={**JOB_DEFAULTS, "conf": {}},
)
RESOURCES = Envelope(SPARK)
