"""Makes a step of this machine out of a StepSpec: folders, inputs, outputs, variables, and the text that bash runs."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from smalt.entities.rules.content import EVALUATED
from smalt.entities.syntax.literals import PRIMITIVES
from smalt.launcher import claims
from smalt.runner import script
from smalt.service.compute.local.attempt_folders import copy_code, make_folders
from smalt.service.compute.local.context import LocalContext
from smalt.service.compute.local.rendering import render_command
from smalt.service.compute.local.shell_paths import make_clean_path
from smalt.service.compute.local.variables import make_variables
from smalt.service.compute.spec import StepInput, StepResources, StepSpec
from smalt.service.compute.step import Fetched, Folders, Layout, RunnableStep, Say
from smalt.service.data import Location, remove_tree
from smalt.service.data.job_data import access_modes, mltable_inputs, primitive_values
from smalt.service.environments import BuiltEnvironment

_QUICK_FILES, _QUICK_BYTES = 100, 4_000_000  # so much code is copied within a turn of the loop
_READ_FILES, _READ_BYTES = 20, 5_000  # and so much read for its imports


class InputPaths(NamedTuple):
    """The inputs of a step as its command is given them."""

    texts: dict[str, str]
    """The text of each `${{inputs.x}}`: a literal, or a path of this machine."""
    paths: dict[str, str]
    """The place of each input that is a path; its text may be a link to that."""
    tables: dict[str, str]
    """The path of each URI that the MLTables among the inputs name."""
    reads: dict[str, str]
    """The paths that may only be read, each with the name of its input."""


class LocalSteps:
    """Makes steps that run as processes of this machine."""

    def __init__(self, context: LocalContext) -> None:
        self.context = context

    @property
    def inherited_variables(self) -> dict[str, str]:
        """The variables of the server that every step is started with."""
        return self.context.base_variables

    def find_problems(self, resources: StepResources) -> list[str]:
        """Return no problem: a request larger than the machine is cut to its size."""
        return []

    def get_log_folder(self, spec: StepSpec) -> str:
        """Return the folder with the step's logs."""
        return f"{self.context.get_folders(spec).artifacts}/user_logs"

    def get_working_directory(self, spec: StepSpec) -> str:
        """Return the folder that the command runs in."""
        return self.context.get_folders(spec).cwd

    def is_quick(self, spec: StepSpec) -> bool:
        """Return True if nothing has to be fetched, and little copied, before the step starts."""
        data = self.context.data
        if spec.code is not None:
            warm = self.context.warm
            has_long_code = not data.snapshots.is_small(spec.code, _READ_FILES, _READ_BYTES)
            if has_long_code and warm is not None and not warm.has_read(spec):
                return False
            if not data.snapshots.is_small(spec.code, _QUICK_FILES, _QUICK_BYTES):
                return False
        return all(data.is_quick(_get_location(value), value.mode) for value in spec.inputs.values())

    async def fetch(self, spec: StepSpec, say: Say) -> Fetched:
        """Make ready what takes long: data from elsewhere, and much code; remove what an earlier attempt wrote."""
        data, folders = self.context.data, self.context.get_folders(spec)
        if spec.attempt > 1:
            for place in self._find_unfinished(spec, folders):
                await asyncio.to_thread(remove_tree, place)
        fetched = Fetched({}, {})
        for name, value in spec.inputs.items():
            if not value.uri:
                continue
            own, location = folders.get_own("inputs", name), _get_location(value)
            path = await asyncio.to_thread(data.prepare_input, location, value.type, value.mode, own, say, spec.root_id)
            fetched.paths[name] = path
            if value.type == "mltable":
                fetched.tables[name] = await asyncio.to_thread(
                    data.prepare_table, path, spec.workspace, own, say, spec.root_id
                )
        await asyncio.to_thread(copy_code, folders, data, spec.code)
        if self.context.warm is not None:
            await self.context.warm.read_ahead(spec, folders.cwd)
        return fetched

    def _find_unfinished(self, spec: StepSpec, folders: Folders) -> list[Path]:
        """Return the places that were made for this job; nobody knows whose each file in any other place is."""
        found = []
        for name, output in spec.outputs.items():
            if output.is_private and not output.is_artifacts:
                location = self.context.data.resolve(output.uri, spec.workspace)
                own = folders.get_own("outputs", name)
                found.append(access_modes.get_output_path(location, output.type, output.mode, own))
        return found

    def lay_out(self, spec: StepSpec, environment: BuiltEnvironment) -> Layout:
        """Make the step's folders, the places of its outputs and its view of the environment: most of a start's work.

        The engine has located the outputs; inputs are not read.
        """
        context, folders = self.context, self.context.get_folders(spec)
        spare = make_folders(folders, context.data, spec.code, context.spares, environment.key)
        outputs, has_links = {}, False
        for name, output in spec.outputs.items():
            if output.is_artifacts:
                outputs[name] = folders.cwd
                continue
            assert output.location is not None, "the engine locates outputs before they are laid out"
            own, is_file = folders.get_own("outputs", name), output.type == access_modes.FILE
            path = str(context.data.prepare_output(output.location, output.type, output.mode, own))
            outputs[name] = make_clean_path(path, f"{folders.folder}/outputs", name, is_file=is_file)
            has_links = has_links or outputs[name] != path
        old_view = f"{spare}/environment" if spare else None
        view = environment.clone(f"{folders.folder}/environment", old_view)
        return Layout(folders, outputs, view, has_links)

    def prepare(self, spec: StepSpec, layout: Layout, gpus: Sequence[str], fetched: Fetched, say: Say) -> RunnableStep:
        """Return the step, ready to be started; `gpus` are those that it may see."""
        self.warn(spec, gpus, say)
        folders, inputs = layout.folders, self.read_inputs(spec, layout.folders, fetched)
        command, variables = self.fill_in_inputs(spec, layout, gpus, inputs)
        is_contained = layout.environment.container is not None
        text = script.build_script(
            command, step_id=spec.id, folder=folders.folder, cwd=folders.cwd,
            distribution=spec.distribution, logs=f"{folders.artifacts}/user_logs",
            is_contained=is_contained,
        )  # fmt: skip
        if not is_contained:
            variables[claims.VARIABLE] = claims.make_path(folders.folder, spec.id)
        warm, reason, no_plan = None, "", ""
        if self.context.warm is not None and not is_contained:
            warm, reason = self.context.warm.make_plan(spec, command, variables, layout.environment, folders)
            no_plan = "" if warm or reason else self.context.warm.explain_no_plan(spec, command)
        if reason and spec.warm is not None:
            say(f"started cold: {reason}")
        writes = (folders.folder, folders.artifacts, *layout.outputs.values())
        shared = layout.environment.shared
        return RunnableStep(
            spec.id, text, folders.folder, folders.cwd, variables, folders.log, spec.timeout, spec.grace,
            reads=self.find_protected_paths(inputs), seals=(shared,) if shared else (), writes=writes, warm=warm,
            cold_reason=reason or no_plan or None,
        )  # fmt: skip

    def find_protected_paths(self, inputs: InputPaths) -> dict[str, str]:
        """Return the paths that the launcher is to keep the step from writing to, each with its input's name."""
        return inputs.reads

    def warn(self, spec: StepSpec, gpus: Sequence[str], say: Say) -> None:
        """Write to the job's log which of its settings do nothing here."""
        resources = spec.resources
        idle = [
            *(["shm_size"] if resources.shm_size not in (None, "", "2g") else []),  # Azure's client sends 2g by itself
            *(["docker_args"] if resources.docker_args else []),
        ]
        for key in idle:
            say(f"resources.{key} has no effect on this machine: this environment is not a container")

    def fill_in(
        self, spec: StepSpec, layout: Layout, gpus: Sequence[str], fetched: Fetched
    ) -> tuple[str, dict[str, str]]:
        """Return the command that would run in the working directory, and its variables."""
        return self.fill_in_inputs(spec, layout, gpus, self.read_inputs(spec, layout.folders, fetched))

    def fill_in_inputs(
        self, spec: StepSpec, layout: Layout, gpus: Sequence[str], inputs: InputPaths
    ) -> tuple[str, dict[str, str]]:
        """Return the command with its inputs and outputs filled in, and its variables."""
        variables = make_variables(self.context, spec, layout.environment, inputs.texts, layout.outputs, gpus)
        if inputs.tables:
            variables[mltable_inputs.VARIABLE] = json.dumps({"url-map": inputs.tables})
        return render_command(spec.command, inputs.texts, layout.outputs, {"name": spec.job}), variables

    def read_inputs(self, spec: StepSpec, folders: Folders, fetched: Fetched) -> InputPaths:
        """Prepare the inputs: each as the command is given it, and the place where it is."""
        data = self.context.data
        found = InputPaths(dict(spec.literals), {}, {}, {})
        for name, value in spec.inputs.items():
            own, location = folders.get_own("inputs", name), _get_location(value)
            path = data.prepare_input(location, value.type, value.mode, own)
            if value.type in PRIMITIVES:
                found.texts[name] = primitive_values.value_read(f"the input '{name}'", path, value.type)
                continue
            tables: Mapping[str, str] = fetched.tables.get(name, {})
            if value.type == "mltable" and name not in fetched.tables:
                tables = data.prepare_table(path, spec.workspace, own)
            if value.type == "mltable" and value.mode in EVALUATED and not spec.reads_tables:
                is_copied = value.mode in access_modes.COPIED
                place = Path(f"{folders.folder}/inputs", f"{name}.files")
                table = path if location.path is None else Path(location.path)  # a copy has nothing beside it
                path = mltable_inputs.lay_out_files(table, tables, place, is_copied) or path
            found.tables.update(tables)
            found.paths[name] = str(path)
            found.texts[name] = make_clean_path(str(path), f"{folders.folder}/inputs", name)
            found.reads.update(dict.fromkeys(tables.values(), name))
            if not access_modes.is_writable(location, value.mode, self.context.root):
                found.reads[str(path)] = name
        return found

    def recycle(self, view: BuiltEnvironment | None, step_id: str, is_untouched: bool) -> None:
        """Hand an attempt's folder, whose step is over, on to another step if it is as it was made; else clean up."""
        environments, spares = self.context.environments, self.context.spares
        if view is None or view.folder is None:
            return
        folder, key = os.path.dirname(view.folder), view.key
        claim = os.path.basename(claims.make_path(folder, step_id))
        if is_untouched and spares.may_serve(folder, key, claim) and environments.recycle_view(view.folder):
            spares.add_spare(folder, key, claim)
            return
        spares.remove_spare(folder)
        environments.release_view(view.folder)

    def discard(self, layout: Layout) -> None:
        """Let the folders that were laid out serve no other step: theirs will not start."""
        self.context.spares.remove_spare(layout.folders.folder)


def _get_location(value: StepInput) -> Location:
    assert value.location is not None, "the engine locates inputs before they are read"
    return value.location
