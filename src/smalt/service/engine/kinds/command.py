"""A command is one step: its folders, inputs, outputs, variables, and the text that bash runs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from smalt import inside, wire
from smalt.entities import CommandJob, Input, Output
from smalt.entities.jobs.identity import UserIdentity
from smalt.entities.jobs.resources import TensorFlowDistribution
from smalt.entities.syntax.literals import PRIMITIVES, to_text
from smalt.entities.syntax.references import Reference, parse_uri
from smalt.exceptions import Conflict, Refused, SmaltError
from smalt.launcher import claims, watching
from smalt.runner import script
from smalt.service.compute.backend import Step
from smalt.service.compute.containers.command import StepContainer
from smalt.service.compute.containers.engine import ContainerEngine
from smalt.service.compute.containers.images import ContainerImages
from smalt.service.compute.local.attempt_folders import KEPT, Folders, copy_code, keep, make
from smalt.service.compute.local.rendering import render
from smalt.service.compute.local.shell_paths import bring_back, clean_path, is_clean, link_path
from smalt.service.data import Location, remove_tree
from smalt.service.data.data_access import OWN
from smalt.service.data.files.copy_cancellation import Stopped
from smalt.service.data.files.write_protection import forbid_writing
from smalt.service.data.job_data import access_modes, primitive_values
from smalt.service.data.job_data import mltable_inputs as tables
from smalt.service.data.job_data.output_cleanup import Found, look_at, make_plain
from smalt.service.engine.context import Rooms
from smalt.service.engine.deletion import removal
from smalt.service.engine.kinds import places
from smalt.service.engine.kinds.places import ARTIFACTS
from smalt.service.engine.kinds.properties import OUTPUT_FOLDER
from smalt.service.engine.kinds.protocol import LeafKind
from smalt.service.engine.outputs.registration import why_taken
from smalt.service.engine.slots import Grant, Request
from smalt.service.engine.submission import lookup
from smalt.service.engine.submission.bindings import expand_macros, filled
from smalt.service.engine.versions import overwrites
from smalt.service.environments import Realised
from smalt.service.records import jobs
from smalt.service.records.jobs import DataRow, Job
from smalt.service.records.workspaces import Workspace
from smalt.service.reuse import ReuseCandidate, ReuseVerdict
from smalt.service.secrets.identity import TRUSTED
from smalt.service.tracking.variables import remove_proxy

if TYPE_CHECKING:
    from smalt.service.engine.submission.checks import Checker


_QUICK_FILES, _QUICK_BYTES = 100, 4_000_000  # so much code is copied within a turn of the loop
_QUICK_ENTRIES = 500  # so much of an output is looked through within a turn
SITE = str(Path(inside.__path__[0], "site"))
"""Leads PYTHONPATH: what Python does first inside a job."""
BIN = str(Path(inside.__path__[0], "bin"))
"""Leads PATH: `mldesigner`, which runs function components; that of an installed mldesigner would call the service."""

_OWN_OUTPUT = "azureml://datastores/workspaceblobstore/paths/azureml/{job}/{output}/"

GRACE = 30.0
"""Seconds between SIGTERM and SIGKILL."""


class LaidOut(NamedTuple):
    """What can be made of a step before it is known that it starts."""

    folders: Folders
    outputs: dict[str, str]
    view: Realised
    """Its own view of its environment."""


class Given(NamedTuple):
    """What a step reads."""

    texts: dict[str, str]
    """What each `${{inputs.x}}` becomes: a literal's text, or a path of this machine."""
    paths: dict[str, str]
    """Of each input that is a path, the place itself, where the text may be a link to it."""
    tables: dict[str, str]
    """What the MLTables among the inputs name by URI, with its path."""
    reads: dict[str, str]
    """The paths that may only be read, each with the name of its input."""


@dataclass
class Leaf:
    """A command job about to run, with everything that its references mean."""

    job: Job
    workspace: Workspace
    entity: CommandJob
    environment: dict[str, Any]
    code: str | None
    sends: bool = False
    """It has outputs that are to be sent elsewhere when its command has ended."""
    hides: bool = False
    """Its workspace has secrets, which are to be taken out of its logs then."""
    links: bool = False
    """It is given a link to where an output is kept, and may have put something else in its place."""
    laid_out: LaidOut | None = None
    """What was made of its first attempt ahead of its turn."""
    places: dict[str, Location] = field(default_factory=dict)
    """Where each input is, since the step was begun: what it reads, whatever is moved later."""
    written: dict[str, Location] = field(default_factory=dict)
    """Where each output goes, since the step was laid out."""
    tables: dict[str, dict[str, str]] = field(default_factory=dict)
    """By input that is an MLTable: what it names by URI, with its path on this machine."""
    asked: ReuseCandidate | None = None
    """What its reuse key is made of, once someone asked."""
    verdict: ReuseVerdict | None = None
    """Whether it need not run."""

    @classmethod
    def read(cls, rooms: Rooms, job: Job, workspace: Workspace, entity: CommandJob | None = None) -> Leaf:
        """`entity` where it is known already; else it is read from the job's body."""
        if entity is None:
            entity = cast("CommandJob", wire.from_rest({"properties": jobs.read_properties(rooms.db, job.id)}, "job"))
        environment = lookup.environment(rooms, workspace, str(entity.environment))
        code = lookup.snapshot(rooms, workspace, entity.code) if entity.code else None
        sends = any(
            output.path and rooms.data.is_sent(output_uri(job.name, name, output, _place(entity)), workspace)
            for name, output in entity.outputs.items()
        )
        return cls(job, workspace, entity, environment, code, sends, rooms.vault.get_mask(workspace) is not None)

    def locate(self, rooms: Rooms) -> None:
        """Look where each input is, once for all that this step does with it; another attempt reads the same."""
        self.places.clear()
        self.tables.clear()
        inputs = {name: value.path or "" for name, value in self.entity.inputs.items() if isinstance(value, Input)}
        noted = (
            jobs.read_places(rooms.db, self.job.id)
            if inputs and jobs.get_last_attempt_number(rooms.db, self.job)
            else {}
        )
        for name, uri in inputs.items():
            before = noted.get(name)
            if before is None or before[0] != uri or overwrites.is_moved(rooms, self.workspace, uri, before[1]):
                self.places[name] = rooms.data.locate(uri, self.workspace)
            else:
                self.places[name] = rooms.data.locate_again(uri, self.workspace, before[1])

    def follow_moved(self, rooms: Rooms) -> None:
        """Look again for versions that a job, this one perhaps, is about to write over: they were copied aside."""
        for name, location in self.places.items():
            if overwrites.is_moved(rooms, self.workspace, location.uri, location.place):
                self.places[name] = rooms.data.locate(location.uri, self.workspace)

    @property
    def place(self) -> str | None:
        """The name of the folder for its outputs, where it is not the job's."""
        return _place(self.entity)

    @property
    def timeout(self) -> float | None:
        limits = self.entity.limits
        return float(limits.timeout) if limits and limits.timeout else None

    @property
    def request(self) -> Request:
        processes = process_count(self.entity)
        return Request(cpus=processes, gpus=processes if wants_gpu(self.entity) else 0)

    def folders(self, rooms: Rooms, number: int) -> Folders:
        """Of the attempt `number`; no job's name has a dot, so none has another's."""
        name = self.job.name if number == 1 else f"{self.job.name}.{number}"
        folder = f"{rooms.home.plain}/workspaces/{self.workspace.folder}/jobs/{name}"
        return Folders(folder, f"{folder}/wd", rooms.artifacts(self.workspace, self.job.name))

    @property
    def finishes_quickly(self) -> bool:
        """Nothing it leaves has to be copied, sent, registered or looked through."""
        outputs = self.entity.outputs.values()
        return not (
            self.sends or self.hides or self.links or any(one.mode == "upload" or one.name for one in outputs)
            or any(one.is_registered for one in places.read(self.entity.properties).values())
        )  # fmt: skip

    def is_quick(self, rooms: Rooms) -> bool:
        """Nothing has to be fetched, copied or made for long: it can be prepared within a turn of the loop."""
        if not rooms.identity.is_ready:
            return False
        if self.entity.outputs and jobs.get_last_attempt_number(
            rooms.db, self.job
        ):  # what that left is removed, however much
            return False
        if self.code is not None and not rooms.data.snapshots.is_small(self.code, _QUICK_FILES, _QUICK_BYTES):
            return False
        if any(overwrites.holds_something(place) for place in shared_places(rooms, self)):
            return False
        return all(
            value.type != "mltable"
            and rooms.data.is_quick(self.places[name], value.mode)
            and rooms.verified.is_stamped(self.places[name], self.job.root_id)
            for name, value in self.entity.inputs.items()
            if isinstance(value, Input)
        )


def process_count(job: CommandJob) -> int:
    """How many processes the job's distribution makes on this machine."""
    distribution, resources = job.distribution, job.resources
    instances = int(getattr(resources, "instance_count", None) or 1)
    if distribution is None:
        return 1
    if isinstance(distribution, TensorFlowDistribution):
        return (distribution.worker_count or instances) + (distribution.parameter_server_count or 0)
    return instances * int(getattr(distribution, "process_count_per_instance", None) or 1)


def wants_gpu(job: CommandJob) -> bool:
    """The service's own signs: a GPU size (Standard_N…), or a compute that is called gpu-something."""
    size = str(getattr(job.resources, "instance_type", None) or "").lower()
    compute = str(job.compute or "").lower()
    return size.startswith("standard_n") or "gpu" in compute.rpartition("/")[2]


def step(
    rooms: Rooms, leaf: Leaf, realised: Realised, grant: Grant, number: int, step_id: str
) -> tuple[Step, Realised]:
    """Lay out the job's folders and say what is to run in them; with the job's own view of its environment."""
    _refuse_taken_versions(rooms, leaf)
    laid_out = leaf.laid_out
    if laid_out is None or number > 1 or laid_out.view.declared_hash != realised.declared_hash:
        laid_out = lay_out(rooms, leaf, realised, number)
    folders, _, own = laid_out
    if own.container is not None and grant.gpus and _sees_no_gpu(leaf.entity, _images(rooms).get_engine()):
        rooms.say(leaf.job, "the container sees no GPU: NVIDIA's Container Toolkit is not installed on this machine")
    if own.container is None:
        for key in idle_outside_container(leaf.entity):
            rooms.say(leaf.job, f"resources.{key} has no effect on this machine: this environment is not a container")
    given = read_inputs(rooms, leaf, folders)
    command, variables = filled_in(rooms, leaf, laid_out, grant, given)
    text = script.build(
        command, step_id=step_id, folder=folders.folder, cwd=folders.cwd,
        distribution=_distribution(leaf.entity), logs=f"{folders.artifacts}/user_logs",
    )  # fmt: skip
    return Step(
        step_id, text, folders.folder, folders.cwd, variables, folders.log, leaf.timeout, GRACE,
        reads={} if own.container is not None else given.reads,
        writes=(folders.folder, folders.artifacts, *laid_out.outputs.values()),
    ), own  # fmt: skip


def _images(rooms: Rooms) -> ContainerImages:
    assert rooms.images is not None, "an environment is an image only where there are images"
    return rooms.images


def _refuse_taken_versions(rooms: Rooms, leaf: Leaf) -> None:
    """Raise before hours of work where what the job is to register exists already."""
    asked = ((name, output.type, output.name, output.version) for name, output in leaf.entity.outputs.items())
    taken = why_taken(rooms.db, leaf.job.workspace_id, asked)
    if taken:
        raise Conflict("; ".join(f"outputs.{name}: {why}" for name, why in taken.items()))


def filled_in(rooms: Rooms, leaf: Leaf, laid_out: LaidOut, grant: Grant, given: Given) -> tuple[str, dict[str, str]]:
    """The command with its inputs and outputs, and the variables that it is given."""
    folders, outputs, own = laid_out
    if own.has_mlflow:
        rooms.tracking.start_soon()
    variables = _variables(rooms, leaf, own, grant, given.texts, outputs)
    if given.tables:
        variables[tables.VARIABLE] = json.dumps({"url-map": given.tables})
    text = render(leaf.entity.command, given.texts, outputs, {"name": leaf.job.name})
    if own.container is not None:
        mounts = dict.fromkeys(given.tables.values(), False)
        trusted = str(rooms.home.path(TRUSTED))
        if trusted in variables.values():
            mounts[trusted] = False
        images = _images(rooms)
        engine = images.get_engine()
        text = StepContainer(engine, own.container.id, own.container.path, images.marks).build_command(
            text, name=leaf.job.name, cwd=folders.cwd, grace=GRACE, given=_given(rooms, leaf, variables),
            options=_container_options(leaf.entity, engine, bool(grant.gpus)),
            mounts={**mounts, **_mounts(folders, given, outputs)},
        )  # fmt: skip
    return text, variables


def lay_out(rooms: Rooms, leaf: Leaf, realised: Realised, number: int) -> LaidOut:
    """Make the job's folders, the places of its outputs and its view of the environment: most of a start's work."""
    folders = leaf.folders(rooms, number)
    spare = make(folders, rooms.data, leaf.code, rooms.spares, realised.key)
    old = Path(spare, "environment") if spare else None
    return LaidOut(folders, _outputs(rooms, leaf, folders), realised.clone(Path(folders.folder, "environment"), old))


def data_rows(leaf: Leaf) -> list[DataRow]:
    """What the job reads and writes, for the records."""
    reads: list[DataRow] = [
        DataRow(
            "input", name, value.type or "uri_folder", value.mode, value.path, lookup.asset_row(value.path, value.type),
            leaf.places[name].place,
        )
        for name, value in leaf.entity.inputs.items()
        if isinstance(value, Input)
    ]  # fmt: skip
    writes: list[DataRow] = [
        DataRow(
            "output", name, output.type or "uri_folder", output.mode,
            output_uri(leaf.job.name, name, output, leaf.place),
            place=leaf.written[name].place if name in leaf.written else None,
        )
        for name, output in leaf.entity.outputs.items()
    ]  # fmt: skip
    return reads + writes


def _place(entity: CommandJob) -> str | None:
    place = entity.properties.get(OUTPUT_FOLDER)
    return str(place) if place else None


def output_uri(job: str, name: str, output: Output, place: str | None = None) -> str:
    """Where an output is kept: its path with the macros filled in, or the service's default."""
    if name == "artifacts" and not output.path:
        return ARTIFACTS.format(job=job)
    path = output.path or _OWN_OUTPUT.format(job=place or job, output=name)
    return expand_macros(path, name=job, output=name, datastore="workspaceblobstore")


def shared_places(rooms: Rooms, leaf: Leaf) -> list[Path]:
    """Return where the job writes that is not its alone: outputs whose paths were given, inputs of mode rw_mount."""
    found = []
    for name, output in leaf.entity.outputs.items():
        uri = output_uri(leaf.job.name, name, output)
        if _is_artifacts(name, output) or uri == _OWN_OUTPUT.format(job=leaf.job.name, output=name):
            continue
        with contextlib.suppress(SmaltError):  # told when the place is made
            location = leaf.written.get(name) or rooms.data.locate(uri, leaf.workspace)
            found += [location.path] if location.path is not None else []
    for name, value in leaf.entity.inputs.items():
        if isinstance(value, Input) and value.mode == "rw_mount" and name in leaf.places:
            place = leaf.places[name]
            if place.path is not None and access_modes.may_be_written(place, value.mode, rooms.root):
                found.append(place.path)
    return found


class Left(NamedTuple):
    """What a command left that was looked through within a turn of the loop: little, and all of it plain data."""

    kept: tuple[str, ...]
    """The folders of KEPT with something in them."""
    empty: list[str]
    """The outputs, but for values, where nothing is."""
    noted: dict[str, Any]
    """The note of its inputs beside its claim."""


def look_at_left(rooms: Rooms, leaf: Leaf, number: int, step_id: str) -> Left | None:
    """Look at what the command left; None where that takes long, or where not all of it is plain data."""
    folders = leaf.folders(rooms, number)
    try:
        noted = watching.read_note(claims.path(folders.folder, step_id))
        outputs = {name: look_at(place, _QUICK_ENTRIES) for name, _, place, _ in _written(rooms, leaf, folders)}
    except (PermissionError, SmaltError):  # which looking for changed inputs, or storing the outputs, will say
        return None
    found = {name: look_at(f"{folders.cwd}/{name}", _QUICK_ENTRIES) for name in KEPT}
    if watching.is_large(noted) or Found.OTHER in found.values() or Found.OTHER in outputs.values():
        return None
    kept = tuple(name for name in KEPT if found[name] is not Found.NOTHING)
    empty = [name for name, one in outputs.items() if one is Found.NOTHING and _is_owed(leaf, name)]
    return Left(kept, empty, noted)


def find_empty_outputs(rooms: Rooms, leaf: Leaf, number: int) -> list[str]:
    """Return the outputs, but for values, where nothing is when the command has ended and all is stored."""
    empty = []
    for name, output, place, _ in _written(rooms, leaf, leaf.folders(rooms, number)):
        location = leaf.written.get(name)
        sent = location.path if location is not None and output.mode == access_modes.UPLOADED else None
        if _is_owed(leaf, name) and access_modes.is_empty(sent or place):
            empty.append(name)
    return empty


def _is_owed(leaf: Leaf, output: str) -> bool:
    return leaf.entity.outputs[output].type not in PRIMITIVES


def may_be_moved(leaf: Leaf) -> bool:
    """Whether it reads a version that gets another place when a job writes over the one where it is."""
    return bool(_movable(leaf))


def find_moved_input(rooms: Rooms, leaf: Leaf) -> str | None:
    """Return a sentence where another job wrote over the place of a version that the step was reading.

    The records say what the step was reading: the server that started it may be gone.
    """
    movable = _movable(leaf)
    noted = jobs.read_places(rooms.db, leaf.job.id) if movable else {}
    for name in movable:
        uri, place = noted.get(name, ("", ""))
        if place and overwrites.is_moved(rooms, leaf.workspace, uri, place):
            return (
                f"another job wrote over {place}, where its input '{name}' was, while it ran; "
                "the version is at another place since then, so submit the job again"
            )
    return None


def _movable(leaf: Leaf) -> list[str]:
    """Return the inputs that are versions of assets and lie where jobs write, as far as it is known where they lie.

    What the step has a copy of is its own.
    """
    return [
        name
        for name, value in leaf.entity.inputs.items()
        if isinstance(value, Input) and value.mode not in access_modes.COPIED
        and isinstance(parse_uri(value.path or ""), Reference)
        and not (name in leaf.places and overwrites.is_never_written(leaf.places[name]))
    ]  # fmt: skip


def find_changed_input(
    rooms: Rooms, leaf: Leaf, number: int, step_id: str, noted: Mapping[str, Any] | None = None
) -> str | None:
    """Return a sentence where an input, which could not be kept from being written, is not what it was at the start.

    `noted` is the note of the inputs where it was read already.
    """
    folder = leaf.folders(rooms, number).folder
    try:
        return watching.find_change(claims.path(folder, step_id), noted)
    except PermissionError:
        return (
            f"its command took the right to read {folder} away, so what it did to its inputs cannot be told; "
            "leave the mode of the folder above the working directory as it is"
        )


def finish(rooms: Rooms, leaf: Leaf, number: int, left: Left | None = None) -> bool:
    """Bring what the command left to where it is kept: outputs/, logs/ and the outputs of mode upload.

    Return whether its folder is as it was made, and may serve another step. `left` is what was looked at already.
    """
    folders, say, since = leaf.folders(rooms, number), partial(rooms.say, leaf.job), leaf.job.created_at
    for kept in () if left else KEPT:
        make_plain(f"{folders.cwd}/{kept}", f"./{kept}", since, say)
    untouched = keep(folders, rooms.data, left.kept if left else None)
    if mask := rooms.vault.get_mask(leaf.workspace):  # there may be more secrets than when it began
        mask.hide_in_logs(folders.artifacts)
    for name, output, place, own in () if left else _written(rooms, leaf, folders):
        if not is_clean(str(place)):
            link = link_path(str(place), f"{folders.folder}/outputs", name, is_file=output.type == access_modes.FILE)
            bring_back(link, str(place), f"its output '{name}'", since, say)
        make_plain(place, f"its output '{name}'", since, say)
        if output.mode == "upload" or leaf.sends:
            uri = output_uri(leaf.job.name, name, output, leaf.place)
            try:
                rooms.data.finish_output(uri, leaf.workspace, output.type, output.mode, own, say)
            except Stopped as error:
                say(f"its output '{name}' was not brought to {uri} as a whole: {error}")
    return untouched and leaf.code is None


def protect(rooms: Rooms, leaf: Leaf) -> None:
    """Forbid writing to the outputs that become versions of assets; to one that another step writes, too, later."""
    made = places.read(leaf.entity.properties)
    for name, output in leaf.entity.outputs.items():
        how = made.get(name, places.ALONE)
        if (output.name or how.is_registered) and not how.is_shared and not _is_artifacts(name, output):
            uri = output_uri(leaf.job.name, name, output, leaf.place)
            place = (leaf.written.get(name) or rooms.data.locate(uri, leaf.workspace)).path
            if place is not None and os.path.lexists(place):
                forbid_writing(place)
                if os.path.isfile(place) and uri == _OWN_OUTPUT.format(job=leaf.place or leaf.job.name, output=name):
                    os.chmod(place.parent, 0o555)  # of the job alone: nothing else is put in the file's place


def _written(rooms: Rooms, leaf: Leaf, folders: Folders) -> Iterator[tuple[str, Output, Path, str]]:
    """The outputs but for the artifacts: each with where the command wrote it, and its own folder of the attempt."""
    for name, output in leaf.entity.outputs.items():
        if not _is_artifacts(name, output):
            own = _own(folders, "outputs", name)
            location = leaf.written.get(name)
            if location is not None:
                yield name, output, access_modes.output_place(location, output.type, output.mode, own), own
                continue
            location = rooms.data.resolve(output_uri(leaf.job.name, name, output, leaf.place), leaf.workspace)
            place = access_modes.output_place(location, output.type, output.mode, own)
            yield name, output, Path(os.path.realpath(place.parent), place.name), own  # itself it may be a link by now


def check_written(rooms: Rooms, leaf: Leaf, number: int) -> None:
    """Refuse an output of a primitive type whose value is not of its type, or was not written at all."""
    if not any(output.type in PRIMITIVES for output in leaf.entity.outputs.values()):
        return
    for name, output, path, own in _written(rooms, leaf, leaf.folders(rooms, number)):
        is_own = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(own))
        is_moved = is_own and not path.exists()  # by an earlier server, which has checked it
        if output.type in PRIMITIVES and not is_moved:
            primitive_values.check_output(name, path, output.type)


def read_inputs(rooms: Rooms, leaf: Leaf, folders: Folders) -> Given:
    """Prepare the inputs: each as the command is given it, and where it is."""
    given = Given({}, {}, {}, {})
    for name, value in leaf.entity.inputs.items():
        if not isinstance(value, Input):
            if value is not None:
                given.texts[name] = filled(to_text(value), {"name": leaf.job.name})
            continue
        own = _own(folders, "inputs", name)
        path = rooms.data.prepare_input(leaf.places[name], value.type, value.mode, own)
        if value.type in PRIMITIVES:
            given.texts[name] = primitive_values.value_read(f"the input '{name}'", path, value.type)
            continue
        if value.type == "mltable" and name not in leaf.tables:
            leaf.tables[name] = rooms.data.prepare_table(path, leaf.workspace, own)
        found = leaf.tables.get(name, {})
        given.tables.update(found)
        given.paths[name] = str(path)
        given.texts[name] = clean_path(str(path), f"{folders.folder}/inputs", name)
        given.reads.update(dict.fromkeys(found.values(), name))
        if not access_modes.may_be_written(leaf.places[name], value.mode, rooms.root):
            given.reads[str(path)] = name
    return given


def _find_unfinished(rooms: Rooms, leaf: Leaf, folders: Folders) -> list[Path]:
    """Return the places that were made for this job: what an earlier attempt left there is removed.

    In a place whose path was given, or where another step writes, too, nobody knows whose each file is.
    """
    found = []
    made = places.read(leaf.entity.properties)
    for name, output in leaf.entity.outputs.items():
        how = made.get(name, places.ALONE)
        is_given = how.given is not None or (leaf.job.parent_id is None and bool(output.path))
        if not (is_given or how.is_shared or _is_artifacts(name, output)):
            location = rooms.data.resolve(output_uri(leaf.job.name, name, output, leaf.place), leaf.workspace)
            found.append(access_modes.output_place(location, output.type, output.mode, _own(folders, "outputs", name)))
    return found


def _outputs(rooms: Rooms, leaf: Leaf, folders: Folders) -> dict[str, str]:
    paths = {}
    for name, output in leaf.entity.outputs.items():
        if _is_artifacts(name, output):
            paths[name] = folders.cwd
            continue
        uri, own = output_uri(leaf.job.name, name, output, leaf.place), _own(folders, "outputs", name)
        look = rooms.data.resolve if uri.startswith(OWN) else rooms.data.locate
        location = leaf.written[name] = look(uri, leaf.workspace)
        is_own = uri == _OWN_OUTPUT.format(job=leaf.place or leaf.job.name, output=name)
        if not is_own and (why := overwrites.why_not_written(rooms, location)):
            raise Refused(f"outputs.{name}: {why}")
        path = rooms.data.prepare_output(location, output.type, output.mode, own)
        paths[name] = clean_path(str(path), f"{folders.folder}/outputs", name, is_file=output.type == access_modes.FILE)
        leaf.links = leaf.links or paths[name] != str(path)
    return paths


def _own(folders: Folders, kind: str, name: str) -> str:
    return f"{folders.folder}/{kind}/{name}"


def _is_artifacts(name: str, output: Output) -> bool:
    """The output that every job has: all it leaves, its logs among it."""
    return name == "artifacts" and (not output.path or "/ExperimentRun/dcid." in output.path)


def _variables(
    rooms: Rooms, leaf: Leaf, own: Realised, grant: Grant, inputs: dict[str, str], outputs: dict[str, str]
) -> dict[str, str]:
    """What real scripts read from their environment."""
    job, workspace = leaf.job, leaf.workspace
    variables = {
        "PYTHONUNBUFFERED": "1",  # the log shows what a script prints while it runs
        **rooms.base_variables,
        **own.variables,
        "AZUREML_RUN_ID": job.name,
        "AZUREML_ROOT_RUN_ID": rooms.root_name(job),
        "AZUREML_EXPERIMENT_NAME": job.experiment,
        "AZUREML_ARM_SUBSCRIPTION": workspace.subscription,
        "AZUREML_ARM_RESOURCEGROUP": workspace.resource_group,
        "AZUREML_ARM_WORKSPACE_NAME": workspace.name,
        "AZUREML_ARM_PROJECT_NAME": job.experiment,
        "AZUREML_NODE_COUNT": str(getattr(leaf.entity.resources, "instance_count", None) or 1),
        **{f"AZURE_ML_INPUT_{name}": text for name, text in inputs.items()},
        **{f"AZUREML_PARAMETER_{name}": text for name, text in inputs.items()},
        **{f"AZUREML_DATAREFERENCE_{name}": text for name, text in inputs.items()},
        **{f"AZURE_ML_OUTPUT_{name}": text for name, text in outputs.items()},
    }
    path = variables.get("PATH", "/usr/bin:/bin")
    variables["PATH"] = f"{BIN}:{own.bin}:{path}" if own.bin else f"{BIN}:{path}"
    if "MLFLOW_TRACKING_URI" not in leaf.entity.environment_variables:  # that one would not know us
        variables.update(rooms.tracking.build_variables(job, workspace))
    if rooms.has_gpus:
        variables["CUDA_VISIBLE_DEVICES"] = ",".join(grant.gpus)
        variables["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # the order that the numbers are of
    as_user = isinstance(leaf.entity.identity, UserIdentity)
    told = rooms.identity.build_variables(rooms.tracking.get_server_access(job), workspace, as_user=as_user)
    variables.update({name: value for name, value in told.items() if name not in own.variables})
    for name, value in leaf.entity.environment_variables.items():
        variables[name] = rooms.vault.resolve_references(to_text(value), workspace)
    if "SMALT_HOME" in leaf.entity.environment_variables:  # another server is meant, which does not know our token
        for name in {"SMALT_URL", "SMALT_TOKEN"}.difference(leaf.entity.environment_variables):
            variables.pop(name, None)
    remove_proxy(variables, rooms.tracking.host, leaf.entity.environment_variables)
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, (SITE, variables.get("PYTHONPATH"))))
    return variables


def _mounts(folders: Folders, given: Given, outputs: dict[str, str]) -> dict[str, bool]:
    """What a container sees of this machine, each path with whether it may be written to."""
    mounts = {os.path.realpath(path): path not in given.reads for path in given.paths.values()}
    for path in map(os.path.realpath, outputs.values()):
        mounts[path if os.path.isdir(path) else os.path.dirname(path)] = True
    return {**mounts, folders.folder: True}


def _given(rooms: Rooms, leaf: Leaf, variables: dict[str, str]) -> dict[str, str]:
    """The variables that the job is given for itself: not those that are as the server has them."""
    own = leaf.entity.environment_variables
    return {
        name: value
        for name, value in variables.items()
        if name in own or (name != "PATH" and value != rooms.base_variables.get(name))
    }


def _container_options(job: CommandJob, engine: ContainerEngine, has_gpu: bool) -> list[str]:
    """The job's own: the service gives 2 GB of shared memory to who asks for none."""
    size, own = str(getattr(job.resources, "shm_size", None) or "2g"), docker_args(job)
    gpus = engine.gpu_options if has_gpu and not _names_gpus(engine, own) else ()
    return ["--shm-size", size, *gpus, *own]


def _sees_no_gpu(job: CommandJob, engine: ContainerEngine) -> bool:
    """Whether a container of this job is given no GPU although the job is."""
    return not engine.gpu_options and not _names_gpus(engine, docker_args(job))


def _names_gpus(engine: ContainerEngine, own: list[str]) -> bool:
    """Whether somebody has said which; CUDA_VISIBLE_DEVICES is then theirs to mind, too."""
    return any("gpu" in word for word in (*engine.arguments, *own))


def idle_outside_container(job: CommandJob) -> list[str]:
    """The settings of containers that a job has; Azure's client sends `2g` by itself."""
    size = getattr(job.resources, "shm_size", None)
    return [
        *(["shm_size"] if size and size != "2g" else []),
        *(["docker_args"] if getattr(job.resources, "docker_args", None) else []),
    ]


def docker_args(job: CommandJob) -> list[str]:
    """What the job has the container engine told."""
    given = getattr(job.resources, "docker_args", None) or []
    return shlex.split(given) if isinstance(given, str) else [str(each) for each in given]


def _distribution(job: CommandJob) -> dict[str, Any] | None:
    if job.distribution is None:
        return None
    instances = int(getattr(job.resources, "instance_count", None) or 1)
    return {**job.distribution.to_dict(), "instance_count": instances}


def retries(job: CommandJob) -> int:
    """How often a failed command is tried again: the property `smalt.retries`, else never."""
    text = str(job.properties.get("smalt.retries", "0"))
    return int(text) if text.isdecimal() else 0


async def fetch(rooms: Rooms, leaf: Leaf, say: Callable[[str], None], number: int) -> dict[str, Path]:
    """What takes long before a start: data from elsewhere, and much code. Gives where each input is, then."""
    folders, run = leaf.folders(rooms, number), leaf.job.root_id
    shared = shared_places(rooms, leaf)
    if shared:
        rooms.about_to_write[leaf.job.id] = leaf.job.name, [os.path.realpath(place) for place in shared]
    places = [place for place in shared if overwrites.holds_something(place)]
    if places and number == 1:  # what is there later, an earlier attempt may have written
        await overwrites.keep_versions(rooms, leaf.workspace, places, say)
    if number > 1:
        for unfinished in _find_unfinished(rooms, leaf, folders):
            await asyncio.to_thread(remove_tree, unfinished)
    leaf.follow_moved(rooms)
    paths = {}
    for name, value in leaf.entity.inputs.items():
        if isinstance(value, Input) and value.path:
            own = _own(folders, "inputs", name)
            place = leaf.places[name]
            await _refuse_changed(rooms, leaf, place, f"input '{name}'")
            paths[name] = await asyncio.to_thread(
                rooms.data.prepare_input, place, value.type, value.mode, own, say, run
            )
            if value.type == "mltable":
                leaf.tables[name] = await asyncio.to_thread(
                    rooms.data.prepare_table, paths[name], leaf.workspace, own, say, run
                )
                for uri, path in leaf.tables[name].items():
                    named = Location(uri, Path(os.path.realpath(path)))
                    await _refuse_changed(rooms, leaf, named, f"the MLTable of input '{name}'")
    await asyncio.to_thread(copy_code, folders, rooms.data, leaf.code)
    return paths


async def refuse_changed_context(rooms: Rooms, leaf: Leaf) -> None:
    """Raise where the build context that smalt keeps of a registered environment is not what was registered."""
    if folder := leaf.environment.get("folder"):
        text = str(leaf.entity.environment)
        await _refuse_changed(rooms, leaf, Location(text, Path(os.path.realpath(folder))), "environment")


async def _refuse_changed(rooms: Rooms, leaf: Leaf, location: Location, what: str) -> None:
    """Raise where a version that the step reads is not what was registered."""
    try:
        await rooms.verified.refuse_changed(location, leaf.job.root_id)
    except Refused as error:
        raise Refused(f"{what}: {error}") from None


class CommandKind(LeafKind):
    """One command, which runs as a step."""

    type = "command"

    def check_job(self, checker: Checker, job: Any) -> None:
        if not job.environment:
            instead = "give it one, such as 'environment: azureml:host' for your own Python"
            checker.add("", f"this job names no environment; {instead}")
        checker.check_unknown_keys(job)
        checker.check_environment("", job.environment)
        checker.check_code("", job.code)
        checker.check_compute("", job.compute)
        checker.note_idle("", job)
        checker.check_secrets("", job)
        checker.check_inputs("", job.inputs)
        checker.check_versions("", job.outputs)

    def check_step(self, checker: Checker, where: str, node: Any, component: Any, inputs: Mapping[str, Any]) -> None:
        checker.check_environment(where, getattr(node, "environment", None) or component.environment)
        checker.check_code(where, component.code)

    def properties_of_new(self, rooms: Rooms, workspace: Workspace, name: str) -> dict[str, str]:
        """Return the folder for its outputs, if the folder of its name is still that of a deleted job."""
        folder = removal.free_place(rooms, workspace, name)
        return {} if folder == name else {OUTPUT_FOLDER: folder}

    async def lay_out_copy(self, rooms: Rooms, job: Job) -> dict[str, Any]:
        from smalt.service.engine.kinds.command_copy import lay_out_copy

        return await lay_out_copy(rooms, job)


KIND = CommandKind()
