"""Makes steps that run in containers: the folders and the launcher of local steps, another command line."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from smalt.machine.home import Home
from smalt.service.compute.containers.command import StepContainer
from smalt.service.compute.containers.engine import ContainerEngine
from smalt.service.compute.containers.images import ContainerImages
from smalt.service.compute.local.context import LocalContext
from smalt.service.compute.local.steps import InputPaths, LocalSteps
from smalt.service.compute.spec import StepSpec
from smalt.service.compute.step import Folders, Layout, Say
from smalt.service.secrets.identity import TRUSTED

_DEFAULT_SHM_SIZE = "2g"
"""The shared memory that the service gives a job that asks for none."""


class ContainerSteps(LocalSteps):
    """Makes steps of environments that are images."""

    def __init__(self, context: LocalContext, images: ContainerImages) -> None:
        super().__init__(context)
        self._images = images

    def warn(self, spec: StepSpec, gpus: Sequence[str], say: Say) -> None:
        """Write to the job's log that its container sees no GPU although the job is granted one."""
        engine = self._images.get_engine()
        if gpus and not engine.gpu_options and not _names_gpus(engine, spec):
            say("the container sees no GPU: NVIDIA's Container Toolkit is not installed on this machine")

    def find_protected_paths(self, inputs: InputPaths) -> dict[str, str]:
        """Return no path: the engine mounts what may not be written to read-only."""
        return {}

    def fill_in_inputs(
        self, spec: StepSpec, layout: Layout, gpus: Sequence[str], inputs: InputPaths
    ) -> tuple[str, dict[str, str]]:
        """Return the command line of the container that runs the step's command, and its variables."""
        text, variables = super().fill_in_inputs(spec, layout, gpus, inputs)
        image, engine = layout.environment.container, self._images.get_engine()
        assert image is not None, "only environments that are images run in containers"
        container = StepContainer(engine, image.id, image.path, self._images.marks)
        if spec.image_server is not None:
            given = {*spec.variables, *spec.service_variables}
            text = container.build_server_command(
                spec.image_server, name=spec.job, grace=spec.grace, options=_make_options(spec, engine, bool(gpus)),
                hidden=[name for name in variables if name not in given],
            )  # fmt: skip
            return text, variables
        text = container.build_command(
            text, name=spec.job, cwd=layout.folders.cwd, grace=spec.grace,
            options=_make_options(spec, engine, bool(gpus)), given=self._select_given(spec, variables),
            mounts={
                **_find_mounts(self.context.home, layout, inputs, variables),
                **dict.fromkeys(spec.lasting_folders.values(), True),
            },
        )  # fmt: skip
        return text, variables

    def _select_given(self, spec: StepSpec, variables: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that go inside: not those that are as the server has them, unless the job sets them."""
        base = self.context.base_variables
        return {
            name: value
            for name, value in variables.items()
            if name in spec.variables or (name != "PATH" and value != base.get(name))
        }


def _find_mounts(home: Home, layout: Layout, inputs: InputPaths, variables: Mapping[str, str]) -> dict[str, bool]:
    """Return the paths of this machine that the container sees, each with whether it may be written to."""
    mounts = dict.fromkeys(inputs.tables.values(), False)
    trusted = str(home.path(TRUSTED))
    if trusted in variables.values():
        mounts[trusted] = False
    mounts.update({os.path.realpath(path): path not in inputs.reads for path in inputs.paths.values()})
    for path in map(os.path.realpath, layout.outputs.values()):
        mounts[path if os.path.isdir(path) else os.path.dirname(path)] = True
    folders: Folders = layout.folders
    return {**mounts, folders.folder: True}


def _make_options(spec: StepSpec, engine: ContainerEngine, has_gpu: bool) -> list[str]:
    gpus = engine.gpu_options if has_gpu and not _names_gpus(engine, spec) else ()
    size = str(spec.resources.shm_size or _DEFAULT_SHM_SIZE)
    return ["--shm-size", size, *gpus, *spec.resources.docker_args]


def _names_gpus(engine: ContainerEngine, spec: StepSpec) -> bool:
    """Return True if the job or the settings choose the GPUs; CUDA_VISIBLE_DEVICES is then theirs to set, too."""
    return any("gpu" in word for word in (*engine.arguments, *spec.resources.docker_args))
