"""Steps that run a script or a command: each becomes a command of v2."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smalt.entities.schema.problems import did_you_mean
from smalt.v1.command_ports import find_ports, quote_word
from smalt.v1.commands import CommandParts, build_command
from smalt.v1.exceptions import UserErrorException
from smalt.v1.notices import tell_no_effect
from smalt.v1.pipeline.graph import PipelineParameter
from smalt.v1.pipeline.steps.base import PipelineStep
from smalt.v1.run_configuration import RunConfiguration
from smalt.v1.script_run_config import ScriptRunConfig

if TYPE_CHECKING:
    from smalt.v1.pipeline.binding import PipelineBinder

TABLES = "SMALT_V1_TABLES"
"""The variable that tells a job what is done to its inputs before its script has them as tables."""
_COUNTS = {
    "NodeCount": ("node_count", None),
    "MpiProcessCountPerNode": ("mpi", "process_count_per_node"),
    "TensorflowWorkerCount": ("tensorflow", "worker_count"),
    "TensorflowParameterServerCount": ("tensorflow", "parameter_server_count"),
}


class CommandLikeStep(PipelineStep):
    """A step whose command runs in the environment, and on the compute, of a run configuration."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[Any] | None = None,
        compute_target: Any = None,
        runconfig: Any = None,
        runconfig_pipeline_params: Mapping[str, Any] | None = None,
        inputs: Sequence[Any] | None = None,
        outputs: Sequence[Any] | None = None,
        params: Mapping[str, Any] | None = None,
        source_directory: str | os.PathLike[str] | None = None,
        allow_reuse: bool = True,
        version: str | None = None,
    ) -> None:
        super().__init__(name, inputs, outputs, arguments)
        unknown = [key for key in runconfig_pipeline_params or () if key not in _COUNTS]
        if unknown:
            hint = did_you_mean(unknown[0], _COUNTS) or f"; it takes {', '.join(_COUNTS)}"
            raise UserErrorException(f"runconfig_pipeline_params has no '{unknown[0]}'{hint}")
        self.compute_target, self.runconfig = compute_target, runconfig
        self.runconfig_pipeline_params = dict(runconfig_pipeline_params or {})
        self.params = dict(params or {})
        self.source_directory = os.fspath(source_directory) if source_directory is not None else None
        self.allow_reuse, self.version = allow_reuse, version

    def render_text(self, parts: CommandParts, settings: RunConfiguration, code: str) -> str:
        """Return the text of the command."""
        raise NotImplementedError

    def to_node(self, binder: PipelineBinder) -> Any:
        parts = binder.begin_command(self, is_shell=True)
        settings = self.make_settings(binder)
        code = self.find_code(binder)
        text = self.render_text(parts, settings, code)
        variables = self._render_parameters(parts)
        if self.version:
            parts.variables["AZUREML_STEP_VERSION"] = str(self.version)
        if tables := find_ports(parts).tables:
            parts.variables[TABLES] = json.dumps(tables, sort_keys=True)
        binder.finish_command(self, parts)
        more: dict[str, Any] = {} if self.allow_reuse else {"is_deterministic": False}
        return build_command(parts, f"{variables}{text}", code, settings, display_name=self.name, **more)

    def make_settings(self, binder: PipelineBinder) -> RunConfiguration:
        """Return the run configuration of the step, a copy of the program's."""
        settings = self.runconfig.copy() if self.runconfig is not None else RunConfiguration()
        if self.compute_target is not None:
            target = self.compute_target
            settings.target = target[0] if isinstance(target, tuple) else target
        for key, parameter in self.runconfig_pipeline_params.items():
            section, name = _COUNTS[key]
            value = binder.note_parameter(parameter) if isinstance(parameter, PipelineParameter) else parameter
            setattr(settings if name is None else getattr(settings, section), name or section, int(value))
        return settings

    def find_code(self, binder: PipelineBinder) -> str:
        """Return the folder of the step's code."""
        folder = self.source_directory or binder.source_directory or os.getcwd()
        if not os.path.isdir(folder):
            raise UserErrorException(f"there is no folder '{folder}', the source_directory of step '{self.name}'")
        return folder

    def _render_parameters(self, parts: CommandParts) -> str:
        """Return the assignments of the variables that `params` asks for."""
        ports, words = find_ports(parts), []
        for name, value in self.params.items():
            is_parameter = isinstance(value, PipelineParameter)
            word = ports.bind_parameter(value) if is_parameter else quote_word(str(value))
            words.append(f"AML_PARAMETER_{re.sub(r'[^0-9A-Za-z_]', '_', name)}={word} ")
        return "".join(words)


class PythonScriptStep(CommandLikeStep):
    def __init__(
        self,
        script_name: str,
        name: str | None = None,
        arguments: Sequence[Any] | None = None,
        compute_target: Any = None,
        runconfig: RunConfiguration | None = None,
        runconfig_pipeline_params: Mapping[str, Any] | None = None,
        inputs: Sequence[Any] | None = None,
        outputs: Sequence[Any] | None = None,
        params: Mapping[str, Any] | None = None,
        source_directory: str | os.PathLike[str] | None = None,
        allow_reuse: bool = True,
        version: str | None = None,
        hash_paths: Any = None,
    ) -> None:
        if not isinstance(script_name, str) or not script_name:
            raise UserErrorException("a PythonScriptStep needs a script_name, such as 'train.py'")
        tell_no_effect("PythonScriptStep", {"hash_paths": hash_paths}, "all files of the source_directory count")
        super().__init__(
            name or script_name, arguments, compute_target, runconfig, runconfig_pipeline_params, inputs, outputs,
            params, source_directory, allow_reuse, version,
        )  # fmt: skip
        self.script_name = script_name

    def render_text(self, parts: CommandParts, settings: RunConfiguration, code: str) -> str:
        check_script(self, code, self.script_name)
        interpreter = settings.environment.python.interpreter_path or "python"
        words = [interpreter, shlex.quote(self.script_name.replace(os.sep, "/"))]
        return " ".join(filter(None, [*words, find_ports(parts).render_arguments(self.arguments)]))


class CommandStep(CommandLikeStep):
    def __init__(
        self,
        command: str | Sequence[Any] | None = None,
        name: str | None = None,
        compute_target: Any = None,
        runconfig: RunConfiguration | ScriptRunConfig | None = None,
        runconfig_pipeline_params: Mapping[str, Any] | None = None,
        inputs: Sequence[Any] | None = None,
        outputs: Sequence[Any] | None = None,
        params: Mapping[str, Any] | None = None,
        source_directory: str | os.PathLike[str] | None = None,
        allow_reuse: bool = True,
        version: str | None = None,
    ) -> None:
        if isinstance(runconfig, ScriptRunConfig):
            source_directory = source_directory or runconfig.source_directory
            command = command or runconfig.command
            runconfig = runconfig.run_config
        command = command or (runconfig.command if runconfig is not None else None)
        if not command:
            raise UserErrorException("a CommandStep needs a command: its own, or that of its runconfig")
        words = [command] if isinstance(command, str) else list(command)
        first = words[0].split(" ", 1)[0] if isinstance(words[0], str) else "command"
        super().__init__(
            name or f"CommandStep_{first}", words, compute_target, runconfig, runconfig_pipeline_params, inputs,
            outputs, params, source_directory, allow_reuse, version,
        )  # fmt: skip
        self.is_text = isinstance(command, str)

    def render_text(self, parts: CommandParts, settings: RunConfiguration, code: str) -> str:
        """Return the command: the first word is text with words of its own, as in v1; others are arguments."""
        if self.is_text:
            return str(self.arguments[0])
        ports, texts = find_ports(parts), []
        for word in self.arguments:
            texts.append(word if isinstance(word, str) and " " in word.strip() else ports.render_arguments([word]))
        return " ".join(texts)


class MpiStep(CommandLikeStep):
    def __init__(
        self,
        name: str | None = None,
        source_directory: str | None = None,
        script_name: str | None = None,
        arguments: Sequence[Any] | None = None,
        compute_target: Any = None,
        node_count: Any = None,
        process_count_per_node: Any = None,
        inputs: Sequence[Any] | None = None,
        outputs: Sequence[Any] | None = None,
        allow_reuse: bool = True,
        version: str | None = None,
        hash_paths: Any = None,
        **kwargs: Any,
    ) -> None:
        for what, value in (("script_name", script_name), ("node_count", node_count)):
            if value is None:
                raise UserErrorException(f"an MpiStep needs its {what}")
        tell_no_effect("MpiStep", {"hash_paths": hash_paths}, "all files of the source_directory count")
        settings = RunConfiguration(communicator="OpenMpi")
        environment = kwargs.pop("environment_definition", None)
        if environment is not None:
            settings.environment = environment
        counts = {"NodeCount": node_count, "MpiProcessCountPerNode": process_count_per_node or 1}
        super().__init__(
            name or str(script_name), arguments, compute_target, settings, counts, inputs, outputs, None,
            source_directory, allow_reuse, version,
        )  # fmt: skip
        tell_no_effect("MpiStep", kwargs, "give the packages by environment_definition")
        self.script_name = str(script_name)

    def render_text(self, parts: CommandParts, settings: RunConfiguration, code: str) -> str:
        check_script(self, code, self.script_name)
        words = ["python", shlex.quote(self.script_name)]
        return " ".join(filter(None, [*words, find_ports(parts).render_arguments(self.arguments)]))


class RScriptStep(CommandLikeStep):
    def __init__(
        self,
        script_name: str,
        name: str | None = None,
        arguments: Sequence[Any] | None = None,
        compute_target: Any = None,
        runconfig: RunConfiguration | None = None,
        runconfig_pipeline_params: Mapping[str, Any] | None = None,
        inputs: Sequence[Any] | None = None,
        outputs: Sequence[Any] | None = None,
        params: Mapping[str, Any] | None = None,
        source_directory: str | None = None,
        use_gpu: bool = False,
        custom_docker_image: str | None = None,
        cran_packages: Any = None,
        github_packages: Any = None,
        custom_url_packages: Any = None,
        allow_reuse: bool = True,
        version: str | None = None,
    ) -> None:
        tell_no_effect("RScriptStep", {"use_gpu": use_gpu})
        packages = {
            "cran_packages": cran_packages, "github_packages": github_packages,
            "custom_url_packages": custom_url_packages,
        }  # fmt: skip
        wanted = [key for key, value in packages.items() if value]
        if wanted:
            raise UserErrorException(
                f"RScriptStep: {wanted[0]} is not served; list the packages as r-NAME in the conda file of the "
                "runconfig's environment (docs/steps.md, R)"
            )
        super().__init__(
            name or script_name, arguments, compute_target, runconfig, runconfig_pipeline_params, inputs, outputs,
            params, source_directory, allow_reuse, version,
        )  # fmt: skip
        self.script_name, self.custom_docker_image = script_name, custom_docker_image

    def make_settings(self, binder: PipelineBinder) -> RunConfiguration:
        settings = super().make_settings(binder)
        if self.custom_docker_image:
            settings.environment.docker.base_image = self.custom_docker_image
            settings.environment.python.user_managed_dependencies = True
        return settings

    def render_text(self, parts: CommandParts, settings: RunConfiguration, code: str) -> str:
        check_script(self, code, self.script_name)
        words = ["Rscript", shlex.quote(self.script_name)]
        return " ".join(filter(None, [*words, find_ports(parts).render_arguments(self.arguments)]))


class EstimatorStep(CommandLikeStep):
    def __init__(
        self,
        name: str | None = None,
        estimator: Any = None,
        estimator_entry_script_arguments: Sequence[Any] | None = None,
        runconfig_pipeline_params: Mapping[str, Any] | None = None,
        inputs: Sequence[Any] | None = None,
        outputs: Sequence[Any] | None = None,
        compute_target: Any = None,
        allow_reuse: bool = True,
        version: str | None = None,
    ) -> None:
        if estimator is None:
            raise UserErrorException("an EstimatorStep needs its estimator")
        if not hasattr(estimator, "to_script_run_config"):
            raise UserErrorException(f"estimator is an Estimator, not {type(estimator).__name__}")
        config = estimator.to_script_run_config()
        super().__init__(
            name or config.script, estimator_entry_script_arguments or config.arguments, compute_target,
            config.run_config, runconfig_pipeline_params, inputs, outputs, None, config.source_directory, allow_reuse,
            version,
        )  # fmt: skip
        self.script_name = config.script

    def render_text(self, parts: CommandParts, settings: RunConfiguration, code: str) -> str:
        check_script(self, code, self.script_name)
        words = ["python", shlex.quote(self.script_name)]
        return " ".join(filter(None, [*words, find_ports(parts).render_arguments(self.arguments)]))


def check_script(step: PipelineStep, folder: str, script: str) -> None:
    if os.path.isfile(os.path.join(folder, script)):
        return
    hint = did_you_mean(script, os.listdir(folder))
    raise UserErrorException(f"step '{step.name}': there is no script '{script}' in '{folder}'{hint}")
