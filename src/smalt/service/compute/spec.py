"""A step as the engine hands it to a backend: everything that is to run, nothing of the machine that it runs on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smalt.service.data import Location
from smalt.service.records.workspaces import Workspace


@dataclass(slots=True)
class StepInput:
    """Data that a step reads."""

    type: str | None
    mode: str | None
    uri: str
    location: Location | None = None
    """The location to which the engine resolved the URI, so that each attempt reads the same; None before that."""


@dataclass(slots=True)
class OutputSpec:
    """Data that a step writes."""

    type: str | None
    mode: str | None
    uri: str
    location: Location | None = None
    """The location to which the engine resolved the URI; None before that, and after a restart of the server."""
    is_artifacts: bool = False
    """All that the job leaves, its logs among it: an output that every job has."""
    orders_steps: bool = False
    """True if it only makes other steps wait, so that nothing need be written to it."""
    is_private: bool = False
    """The place was made for this job: whatever an earlier attempt left there may be removed."""


@dataclass(slots=True)
class StepResources:
    """The resources that a step asks for."""

    cpus: int = 1
    """Slots, one for each process of the distribution."""
    gpus: int = 0
    instance_count: int = 1
    instance_type: str | None = None
    """A size of the service (Standard_…), or whatever the backend calls a kind of machine."""
    shm_size: str | None = None
    """Shared memory of a container, as `docker run --shm-size` takes it."""
    docker_args: tuple[str, ...] = ()
    """More options of `docker run`."""


@dataclass(slots=True)
class ImageServer:
    """The server that an image starts by itself, in place of a command."""

    port: int
    """The port in the container."""
    published: int
    """The port of this machine's loopback interface that leads to it."""
    binds: Mapping[str, str]
    """Paths in the container, each with the path of this machine that is mounted there, read-only."""


@dataclass(slots=True)
class StepSpec:
    """All that a backend needs to run one attempt at a command. Backends do not change it."""

    id: str
    """Unique per attempt: a backend never runs the same id twice."""
    attempt: int
    """1 for the first."""
    job: str
    """The job's name."""
    root_id: int
    """The database id of the root job, for which fetched data is kept in the caches."""
    created_at: float
    """When the job was created, in seconds since the epoch."""
    workspace: Workspace
    command: str
    """With its `${{inputs.x}}`, `${{outputs.x}}` and `${{name}}`."""
    code: str | None
    """The hash of a snapshot of code to run in, if any."""
    environment: Mapping[str, Any]
    """As declared: the asset's properties."""
    literals: Mapping[str, str]
    """Inputs that are texts, by name."""
    inputs: Mapping[str, StepInput]
    outputs: Mapping[str, OutputSpec]
    variables: Mapping[str, str]
    """The job's own environment variables, with `${{secrets.x}}` by reference."""
    service_variables: Mapping[str, str] = field(default_factory=dict)
    """The variables that every job has: its names, and the address for tracking."""
    identity_variables: Mapping[str, str] = field(default_factory=dict)
    """The variables by which the job reaches this server; those that its environment sets have precedence."""
    server_host: str = "127.0.0.1"
    """The host in those, which is reached without a proxy."""
    resources: StepResources = field(default_factory=StepResources)
    distribution: Mapping[str, Any] | None = None
    """As in the job, with `instance_count`."""
    sends_outputs: bool = False
    """Outputs go to a remote datastore when the command has ended."""
    timeout: float | None = None
    """Seconds until the step is ended."""
    grace: float = 30.0
    """Seconds between SIGTERM and SIGKILL."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """For people who look at the backend's own tools: experiment, display name."""
    is_trial: bool = False
    """True for a trial of a sweep, which has its inputs as variables `AZUREML_SWEEP_…`, too."""
    reads_tables: bool = False
    """True if the command reads MLTables by itself, those of mode eval_mount and eval_download too."""
    lasting_folders: Mapping[str, str] = field(default_factory=dict)
    """Variables with the paths of folders of the workspace that outlive the attempt, which the step may write to."""
    folder: str | None = None
    """A folder to work in instead of the attempt's own; logs and artifacts stay below it."""
    warm: str | None = None
    """The job's own `smalt.warm`, `on` or `off`; None where the setting decides."""
    image_server: ImageServer | None = None
    """Run the image's own program instead of `command`."""
