"""Script runs of the framework PySpark, as Spark jobs of v2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.v1.commands import CommandParts, bind_run_data
from smalt.v1.notices import tell_no_effect
from smalt.v1.run_configuration import LOCAL, RunConfiguration, get_compute_name

if TYPE_CHECKING:
    from smalt.entities.jobs.spark import SparkNode

_SIZES = {
    "driver_cores": ("spark.driver.cores", 1), "driver_memory": ("spark.driver.memory", "2g"),
    "executor_cores": ("spark.executor.cores", 1), "executor_memory": ("spark.executor.memory", "2g"),
    "executor_instances": ("spark.executor.instances", 2),
}  # fmt: skip
"""The settings that v2 wants, and what they are where v1's program does not say."""


def build_spark(
    parts: CommandParts, script: str, arguments: list[Any], code: str | None, settings: RunConfiguration, **fields: Any
) -> SparkNode:
    """Return the Spark job of a script of the source directory."""
    from smalt.dsl.builders import spark

    text = parts.render_arguments(arguments)
    bind_run_data(parts, settings)
    conf = dict(settings.spark.configuration or {})
    sizes: dict[str, Any] = {name: conf.pop(key, default) for name, (key, default) in _SIZES.items()}
    environment = settings.environment
    variables = {**(environment.environment_variables or {}), **(settings.environment_variables or {})}
    tell_no_effect("a PySpark run", {"environment_variables": variables}, "a Spark job of v2 has no such field")
    target = get_compute_name(settings.target)
    return spark(
        code=code,
        entry={"file": script},
        args=text or None,
        environment=None if environment.has_no_packages() else environment.to_reference(),
        inputs=parts.inputs,
        outputs=parts.outputs,
        conf=conf or None,
        compute=None if target == LOCAL else target,
        resources={"instance_type": "standard_e4s_v3", "runtime_version": "3.5"},
        **sizes,
        **fields,
    )
