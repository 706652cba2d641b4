"""`ScriptRunConfig`: a script, its arguments, and what it runs in and on; a command job of v2."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smalt.v1.commands import (
    CommandParts,
    Distribution,
    apply_distribution,
    build_command,
    check_data,
    collect_fields,
    render_script,
    render_words,
)
from smalt.v1.exceptions import UserErrorException
from smalt.v1.notices import tell_no_effect
from smalt.v1.run_configuration import MAX_DURATION_SECONDS_DEFAULT, RunConfiguration, list_arguments

if TYPE_CHECKING:
    from smalt.entities.jobs.command import CommandNode
    from smalt.entities.jobs.spark import SparkNode
    from smalt.v1.environment import Environment
    from smalt.v1.experiment import Experiment
    from smalt.v1.run import Run
    from smalt.v1.run_settings import DockerConfiguration


class ScriptRunConfig:
    def __init__(
        self,
        source_directory: str | os.PathLike[str],
        script: str | None = None,
        arguments: Sequence[Any] | None = None,
        run_config: RunConfiguration | None = None,
        _telemetry_values: object = None,
        compute_target: Any = None,
        environment: Environment | None = None,
        distributed_job_config: Distribution | None = None,
        resume_from: Any = None,
        max_run_duration_seconds: int | None = MAX_DURATION_SECONDS_DEFAULT,
        command: str | Sequence[Any] | None = None,
        docker_runtime_config: DockerConfiguration | None = None,
    ) -> None:
        if script is not None and command is not None:
            raise UserErrorException("ScriptRunConfig: script and command exclude each other; give one of them")
        if command is not None and arguments:
            raise UserErrorException("ScriptRunConfig: a command has its arguments in it; arguments goes with script")
        if run_config is not None and (compute_target is not None or environment is not None):
            both = "compute_target" if compute_target is not None else "environment"
            raise UserErrorException(f"ScriptRunConfig: run_config and {both} exclude each other; give one of them")
        if not isinstance(source_directory, (str, os.PathLike, type(None))):
            raise UserErrorException(
                f"ScriptRunConfig: source_directory is the path of a folder, not {type(source_directory).__name__}"
            )
        self.source_directory = os.fspath(source_directory) if source_directory is not None else None
        self.script, self.command = script, command
        self.arguments = list_arguments("ScriptRunConfig", arguments)
        self.run_config = run_config.copy() if run_config is not None else RunConfiguration()
        if run_config is not None:
            self.script = script or run_config.script
            self.command = command or (None if self.script else run_config.command)
            self.arguments = self.arguments or list(run_config.arguments)
        if compute_target is not None:
            self.run_config.target = compute_target
        if environment is not None:
            self.run_config.environment = environment
        if resume_from is not None:
            self.arguments += ["--resume-from", check_data("resume_from", resume_from)]
        apply_distribution(self.run_config, distributed_job_config)
        if docker_runtime_config is not None:
            self.run_config.docker = docker_runtime_config
        if max_run_duration_seconds != MAX_DURATION_SECONDS_DEFAULT:
            self.run_config.max_run_duration_seconds = max_run_duration_seconds

    def to_command(self, **fields: Any) -> CommandNode | SparkNode:
        """Return the command of v2; the Spark job of a PySpark script."""
        parts, settings = CommandParts(), self.run_config
        if settings.framework.lower() == "pyspark" and self.script is not None:
            from smalt.v1.spark_runs import build_spark

            self._check_script(self.script)
            return build_spark(parts, self.script, self.arguments, self._get_code(), settings, **fields)
        return build_command(parts, self.render_command(parts), self._get_code(), settings, **fields)

    def render_command(self, parts: CommandParts) -> str:
        """Return the text of the command; its inputs and outputs go into `parts`."""
        if self.command is not None:
            return render_words(parts, self.command)
        if self.script is None:
            raise UserErrorException("ScriptRunConfig has neither script nor command; give one of them")
        self._check_script(self.script)
        interpreter = self.run_config.environment.python.interpreter_path or "python"
        return render_script(parts, self.script, self.arguments, interpreter)

    def _check_script(self, script: str) -> None:
        folder = self._get_code() or "."
        if os.path.relpath(os.path.join(folder, script), folder).startswith(os.pardir):
            raise UserErrorException(
                f"ScriptRunConfig: the script '{script}' is outside of the source_directory '{folder}', which alone "
                f"the job gets; name a folder that has both, and the script's path in it"
            )
        if not os.path.isfile(os.path.join(folder, script)):
            from smalt.entities.schema.problems import did_you_mean

            there = os.listdir(folder) if os.path.isdir(folder) else []
            raise UserErrorException(
                f"ScriptRunConfig: there is no script '{script}' in '{folder}'{did_you_mean(script, there)}"
            )

    def _get_code(self) -> str | None:
        if self.source_directory is None:
            return os.getcwd() if self.script else None
        if not os.path.isdir(self.source_directory):
            raise UserErrorException(
                f"ScriptRunConfig: there is no folder '{self.source_directory}', the source_directory"
            )
        return self.source_directory

    def submit_to(self, experiment: Experiment, tags: Mapping[str, Any] | None = None, **kwargs: Any) -> Run:
        from smalt.v1.run import make_run

        job: Any = self.to_command(experiment_name=experiment.name, tags=collect_fields(tags))
        if "run_id" in kwargs:
            job.name = kwargs.pop("run_id")
        tell_no_effect("Experiment.submit", kwargs, "a script run has no such setting")
        return make_run(experiment, experiment.workspace.client.jobs.create_or_update(job))
