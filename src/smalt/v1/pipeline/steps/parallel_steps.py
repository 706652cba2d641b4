"""`ParallelRunStep`: a parallel step of v2."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smalt.entities.schema.problems import did_you_mean
from smalt.v1.command_ports import CommandPorts, find_ports, get_origin
from smalt.v1.data.consumption import find_dataset
from smalt.v1.exceptions import UserErrorException
from smalt.v1.pipeline.steps.base import PipelineStep
from smalt.v1.ports import DataPort, find_port
from smalt.v1.run_configuration import get_compute_name
from smalt.v1.table_packages import add_table_package

if TYPE_CHECKING:
    from smalt.v1.pipeline.binding import PipelineBinder

_FILES = "10"
"""Files in a mini-batch where a program does not say; v2's default is 1."""
_ACTIONS = ("append_row", "summary_only", "file")
_NAME = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")


class ParallelRunConfig:
    """The script of a parallel step, and how its input is cut."""

    def __init__(
        self,
        environment: Any,
        entry_script: str,
        error_threshold: int,
        output_action: str,
        compute_target: Any,
        node_count: Any,
        process_count_per_node: Any = None,
        mini_batch_size: Any = None,
        source_directory: str | None = None,
        description: str | None = None,
        logging_level: Any = "INFO",
        run_invocation_timeout: Any = 60,
        run_max_try: Any = 3,
        append_row_file_name: str | None = None,
        allowed_failed_count: int | None = None,
        allowed_failed_percent: float | None = None,
        partition_keys: list[str] | None = None,
        environment_variables: Mapping[str, str] | None = None,
    ) -> None:
        if output_action not in _ACTIONS:
            hint = did_you_mean(str(output_action), _ACTIONS) or "; it is append_row or summary_only"
            raise UserErrorException(f"ParallelRunConfig: there is no output_action {output_action!r}{hint}")
        if mini_batch_size is not None and partition_keys:
            raise UserErrorException("ParallelRunConfig: mini_batch_size and partition_keys exclude each other")
        if append_row_file_name is not None and os.path.basename(append_row_file_name) != append_row_file_name:
            raise UserErrorException("ParallelRunConfig: append_row_file_name is a name without folders")
        self.environment, self.entry_script, self.error_threshold = environment, entry_script, error_threshold
        self.output_action, self.compute_target, self.node_count = output_action, compute_target, node_count
        self.process_count_per_node, self.mini_batch_size = process_count_per_node, mini_batch_size
        self.source_directory, self.description, self.logging_level = source_directory, description, logging_level
        self.run_invocation_timeout, self.run_max_try = run_invocation_timeout, run_max_try
        self.append_row_file_name = append_row_file_name
        self.allowed_failed_count, self.allowed_failed_percent = allowed_failed_count, allowed_failed_percent
        self.partition_keys, self.environment_variables = partition_keys, dict(environment_variables or {})

    @staticmethod
    def load_yaml(workspace: Any, path: str) -> ParallelRunConfig:
        """Return the configuration of a YAML file."""
        import yaml
        from smalt.v1.environment import Environment

        with open(path, encoding="utf-8") as file:
            content = yaml.safe_load(file)
        environment = content.pop("environment")
        if isinstance(environment, str):
            folder = os.path.join(os.path.dirname(path), environment)
            known = os.path.isdir(folder)
            environment = Environment.load_from_directory(folder) if known else Environment.get(workspace, environment)
        return ParallelRunConfig(environment=environment, **content)


class ParallelRunStep(PipelineStep):
    def __init__(
        self,
        name: str,
        parallel_run_config: ParallelRunConfig,
        inputs: Sequence[Any],
        output: Any = None,
        side_inputs: Sequence[Any] | None = None,
        arguments: Sequence[Any] | None = None,
        allow_reuse: bool = True,
    ) -> None:
        if not isinstance(parallel_run_config, ParallelRunConfig):
            raise UserErrorException("parallel_run_config is a ParallelRunConfig")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise UserErrorException(
                f"'{name}' cannot be the name of a ParallelRunStep; use 3 to 32 small letters, digits and '-'"
            )
        listed = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        if len(listed) != 1:
            raise UserErrorException(
                f"step '{name}': a parallel step of v2 cuts one input, and this one has {len(listed)}; make one "
                f"dataset of "
                "them, or give the others as side_inputs"
            )
        super().__init__(name, [*listed, *(side_inputs or ())], [output] if output is not None else None, arguments)
        self.parallel_run_config, self.output, self.allow_reuse = parallel_run_config, output, allow_reuse

    def to_node(self, binder: PipelineBinder) -> Any:
        from smalt.parallel import RunFunction, parallel_run_function

        config = self.parallel_run_config
        parts = binder.begin_command(self)
        ports = find_ports(parts)
        cut, name = self._find_input(ports)
        folder = config.source_directory or binder.source_directory or os.getcwd()
        self._check_script(folder)
        arguments = [ports.render_arguments(self.arguments)] if self.arguments else []
        binder.finish_command(self, parts)
        output = ports.get_name(self.output) if self.output is not None else None
        appends = config.output_action == "append_row" and output is not None
        arguments += self._list_own_arguments(appends)
        tries = int(binder.fill_setting(config.run_max_try))
        retries = {"timeout": binder.fill_setting(config.run_invocation_timeout), "max_retries": max(0, tries - 1)}
        return parallel_run_function(
            display_name=self.name,
            description=config.description,
            compute=None if (target := get_compute_name(config.compute_target)) == "local" else target,
            inputs=parts.inputs,
            outputs=parts.outputs,
            input_data=f"${{{{inputs.{name}}}}}",
            environment_variables={**config.environment_variables, **parts.variables},
            logging_level=binder.fill_setting(config.logging_level),
            error_threshold=binder.fill_setting(config.error_threshold),
            mini_batch_error_threshold=config.allowed_failed_count,
            max_concurrency_per_instance=binder.fill_setting(config.process_count_per_node),
            mini_batch_size=self._find_size(binder, cut.source),
            partition_keys=config.partition_keys,
            retry_settings=retries,
            instance_count=binder.fill_setting(config.node_count),
            is_deterministic=self.allow_reuse,
            task=RunFunction(
                code=folder,
                entry_script=config.entry_script,
                environment=add_table_package(config.environment.to_reference(), parts.inputs),
                program_arguments=" ".join(arguments) or None,
                append_row_to=f"${{{{outputs.{output}}}}}" if appends else None,
            ),
        )

    def _find_input(self, ports: CommandPorts) -> tuple[DataPort, str]:
        """Return the input that is cut into mini-batches, and its name."""
        cut = find_port(self.inputs[0])
        name = ports.get_name(cut.source, "inputs") if cut is not None else None
        if cut is None or name is None or ports.tables.get(name):
            raise UserErrorException(
                f"step '{self.name}': its input is a dataset, or PipelineData with files; a table that another step "
                "writes is read from its files by the script"
            )
        return cut, name

    def _list_own_arguments(self, appends: bool) -> list[str]:
        """Return the arguments that v2's program takes, for what v1 has as settings."""
        config = self.parallel_run_config
        arguments = []
        if appends and config.append_row_file_name:
            arguments.append(f"--append_row_file_name {config.append_row_file_name}")
        if config.allowed_failed_percent is not None:
            arguments.append(f"--allowed_failed_percent {config.allowed_failed_percent}")
        return arguments

    def _check_script(self, folder: str) -> None:
        script = self.parallel_run_config.entry_script
        if not os.path.isfile(os.path.join(folder, script)):
            there = os.listdir(folder) if os.path.isdir(folder) else []
            raise UserErrorException(
                f"step '{self.name}': there is no script '{script}' in '{folder}'{did_you_mean(script, there)}"
            )

    def _find_size(self, binder: PipelineBinder, source: Any) -> str | None:
        config = self.parallel_run_config
        if config.mini_batch_size is not None:
            return str(binder.fill_setting(config.mini_batch_size))
        is_table = getattr(find_dataset(get_origin(source)), "is_table", False)
        return None if is_table or config.partition_keys else _FILES
