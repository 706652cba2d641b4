"""Commands of v2 from what v1 says: a script or words, arguments that mix text and data, a run configuration."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from smalt.entities.schema.problems import join_words
from smalt.v1.command_ports import quote_word
from smalt.v1.exceptions import RunConfigurationException, UserErrorException
from smalt.v1.notices import tell_no_effect
from smalt.v1.run_configuration import LOCAL, MAX_DURATION_SECONDS_DEFAULT, RunConfiguration, get_compute_name
from smalt.v1.run_settings import MpiConfiguration, PyTorchConfiguration, TensorflowConfiguration
from smalt.v1.table_packages import add_table_package

if TYPE_CHECKING:
    from smalt.entities.jobs.command import CommandNode
    from smalt.v1.command_ports import CommandPorts

Distribution = MpiConfiguration | PyTorchConfiguration | TensorflowConfiguration


@runtime_checkable
class CommandBinding(Protocol):
    """Something among the arguments of a command that is no text: data, an output, a parameter."""

    def bind_to(self, command: CommandParts) -> str:
        """Add what it is to the command's inputs or outputs, and return the text that stands for it in the command."""
        ...


class CommandParts:
    """The inputs, outputs and text of a command in the making."""

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}
        self.outputs: dict[str, Any] = {}
        self.variables: dict[str, str] = {}
        self.ports: CommandPorts | None = None
        """The names of its data; `find_ports` makes them for a command outside of pipelines."""

    def bind(self, value: CommandBinding) -> str:
        return value.bind_to(self)

    def render_argument(self, value: Any) -> str:
        """Return one argument as text of the command."""
        if isinstance(value, CommandBinding) and not isinstance(value, type):
            return self.bind(value)
        if isinstance(value, os.PathLike):
            return shlex.quote(os.fspath(value))
        if value is None or isinstance(value, (str, int, float, bool)):
            return _quote_word(str(value))
        if hasattr(value, "item") and not callable(getattr(value, "keys", None)):  # a number of numpy
            return _quote_word(str(value))
        raise UserErrorException(
            f"an argument of a script is text, a number, or data as a dataset, an output or a parameter; this is "
            f"{type(value).__name__}: {value!r}"
        )

    def render_arguments(self, arguments: Iterable[Any]) -> str:
        return " ".join(map(self.render_argument, arguments))


def render_script(parts: CommandParts, script: str, arguments: Sequence[Any], interpreter: str = "python") -> str:
    """Return the command that runs a script of the source directory."""
    words = [interpreter, shlex.quote(script.replace(os.sep, "/")), parts.render_arguments(arguments)]
    return " ".join(filter(None, words))


def render_words(parts: CommandParts, command: str | Sequence[Any]) -> str:
    """Return a command given as text, or as words, of which texts are taken as they are, as in v1."""
    if isinstance(command, str):
        return command
    return " ".join(word if isinstance(word, str) else parts.render_argument(word) for word in command)


def build_command(
    parts: CommandParts,
    text: str,
    source_directory: str | None,
    settings: RunConfiguration,
    **fields: Any,
) -> CommandNode:
    """Return the command of v2: a job when it is submitted, a step in a pipeline."""
    from smalt.dsl.builders import command

    environment = settings.environment
    bind_run_data(parts, settings)
    _check_references(text, parts)
    distribution, count = describe_distribution(settings)
    arguments = [*settings.docker.arguments, *(environment.docker.arguments or ())]
    timeout = settings.max_run_duration_seconds
    target = get_compute_name(settings.target)
    tell_no_effect("RunConfiguration", {"priority": settings.priority}, "smalt runs jobs in the order of their coming")
    return command(
        command=text,
        code=source_directory,
        environment=add_table_package(environment.to_reference(), parts.inputs),
        compute=None if target == LOCAL else target,
        inputs=parts.inputs,
        outputs=parts.outputs,
        environment_variables={
            **{key: str(value) for key, value in (environment.environment_variables or {}).items()},
            **{key: str(value) for key, value in (settings.environment_variables or {}).items()},
            **parts.variables,
        },
        distribution=distribution,
        instance_count=count if count > 1 else None,
        shm_size=settings.docker.shm_size or environment.docker.shm_size,
        docker_args=" ".join(arguments) or None,
        timeout=timeout if timeout and timeout != MAX_DURATION_SECONDS_DEFAULT else None,
        **fields,
    )


def _check_references(text: str, parts: CommandParts) -> None:
    """Raise if the command has the text of a data reference that it has no data for."""
    known = {*parts.inputs, *parts.outputs}
    for name in re.findall(r"\$AZUREML_DATAREFERENCE_(\w+)", text):
        if name not in known:
            raise UserErrorException(
                f"'$AZUREML_DATAREFERENCE_{name}' among the arguments stands for data named '{name}', and the run has "
                f"{join_words(sorted(known), 'and') if known else 'no data'}; add it to run_config.data_references"
            )


def bind_run_data(parts: CommandParts, settings: RunConfiguration) -> None:
    """Add the data of a run configuration that no argument has brought."""
    for name, value in {**settings.data_references, **settings.data}.items():
        if name not in parts.inputs:
            parts.bind(check_data(name, value))
    for name, value in settings.output_data.items():
        if name not in parts.outputs:
            parts.bind(check_data(name, value))


def describe_distribution(settings: RunConfiguration) -> tuple[Any, int]:
    """Return the distribution of v2, if there is one, and the number of nodes."""
    from smalt.entities.jobs.resources import MpiDistribution, PyTorchDistribution, TensorFlowDistribution

    communicator, framework = settings.communicator.lower(), settings.framework.lower()
    if communicator in ("openmpi", "intelmpi", "mpi"):
        nodes = max(settings.node_count, settings.mpi.node_count)
        return MpiDistribution(process_count_per_instance=settings.mpi.process_count_per_node), nodes
    if communicator in ("nccl", "gloo"):
        nodes = max(settings.node_count, settings.pytorch.node_count)
        count = settings.pytorch.process_count or nodes
        return PyTorchDistribution(process_count_per_instance=max(1, count // nodes)), nodes
    if communicator == "parameterserver" or (framework == "tensorflow" and settings.node_count > 1):
        own = settings.tensorflow
        nodes = own.worker_count + own.parameter_server_count
        return TensorFlowDistribution(
            worker_count=own.worker_count, parameter_server_count=own.parameter_server_count
        ), max(nodes, settings.node_count)
    return None, settings.node_count


def apply_distribution(settings: RunConfiguration, distribution: Distribution | None) -> None:
    """Set the run configuration to a distribution, as `distributed_job_config` does."""
    if distribution is None:
        return
    if isinstance(distribution, MpiConfiguration):
        settings.communicator, settings.mpi = "OpenMpi", distribution
        settings.node_count = distribution.node_count
    elif isinstance(distribution, PyTorchConfiguration):
        settings.framework, settings.communicator = "PyTorch", distribution.communication_backend
        settings.pytorch, settings.node_count = distribution, distribution.node_count
    elif isinstance(distribution, TensorflowConfiguration):
        settings.framework, settings.communicator = "TensorFlow", "ParameterServer"
        settings.tensorflow = distribution
        settings.node_count = distribution.worker_count + distribution.parameter_server_count
    else:
        raise RunConfigurationException(
            "distributed_job_config is an MpiConfiguration, a PyTorchConfiguration or a TensorflowConfiguration, not "
            f"{type(distribution).__name__}"
        )


def check_data(name: str, value: Any) -> CommandBinding:
    """Return the data that a run configuration has under this name; raises RunConfigurationException if it is none."""
    if isinstance(value, CommandBinding):
        return value
    raise RunConfigurationException(f"the data '{name}' of the run configuration is {type(value).__name__}, not data")


def collect_fields(tags: Mapping[str, Any] | None) -> dict[str, str]:
    """Return tags as v2 has them."""
    return {str(key): "" if value is None else str(value) for key, value in (tags or {}).items()}


def _quote_word(text: str) -> str:
    """Return a word of the command line; an expression of v2 and a variable of the service stay what they are."""
    return text if text.startswith("${{") else quote_word(text)
