"""The data of a leaf: where it is, whether it is what was registered, and who may write it."""

from __future__ import annotations

import contextlib
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from smalt.entities import Input
from smalt.entities.syntax.references import Reference, parse_uri
from smalt.exceptions import Conflict, RefusedError, SmaltError
from smalt.service.compute.step import Layout, RunnableStep, Say
from smalt.service.data import Location
from smalt.service.data.data_access import OWN
from smalt.service.data.files.write_protection import forbid_writing
from smalt.service.data.job_data import access_modes
from smalt.service.engine.context import EngineContext
from smalt.service.engine.kinds import places
from smalt.service.engine.kinds.leaf.step_spec import is_artifacts, make_spec, make_startable_spec
from smalt.service.engine.kinds.places import OWN_OUTPUT, output_uri
from smalt.service.engine.outputs.registration import find_taken_versions
from smalt.service.engine.slots import SlotGrant
from smalt.service.engine.submission import lookup
from smalt.service.engine.versions import overwrites
from smalt.service.environments import BuiltEnvironment
from smalt.service.records import job_data
from smalt.service.records.job_data import DataRow

if TYPE_CHECKING:
    from smalt.service.engine.kinds.leaf import Leaf


def _locate_outputs(context: EngineContext, leaf: Leaf) -> None:
    """Look where each output goes; raise RefusedError if that is where no job may write."""
    known = leaf.known_spec
    for name, output in leaf.entity.outputs.items():
        if is_artifacts(name, output):
            continue
        uri = output_uri(leaf.job.name, name, output, leaf.place)
        look = context.data.resolve if uri.startswith(OWN) else context.data.locate
        location = leaf.written[name] = look(uri, leaf.workspace)
        if known is not None:
            known.outputs[name].location = location
        is_own = uri == OWN_OUTPUT.format(job=leaf.place or leaf.job.name, output=name)
        if not is_own and (why := overwrites.find_write_problem(context, location)):
            raise RefusedError(f"outputs.{name}: {why}")


def data_rows(leaf: Leaf) -> list[DataRow]:
    """Return what the job reads and writes, for the records."""
    reads: list[DataRow] = [
        DataRow(
            "input", name, value.type or "uri_folder", value.mode, value.path,
            lookup.make_asset_key(value.path, value.type), leaf.places[name].place,
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


def shared_places(context: EngineContext, leaf: Leaf) -> list[Path]:
    """Return where the job writes that is not its alone: outputs whose paths were given, inputs of mode rw_mount."""
    found = []
    for name, output in leaf.entity.outputs.items():
        uri = output_uri(leaf.job.name, name, output)
        if is_artifacts(name, output) or uri == OWN_OUTPUT.format(job=leaf.job.name, output=name):
            continue
        with contextlib.suppress(SmaltError):  # told when the place is made
            location = leaf.written.get(name) or context.data.locate(uri, leaf.workspace)
            found += [location.path] if location.path is not None else []
    for name, value in leaf.entity.inputs.items():
        if isinstance(value, Input) and value.mode == "rw_mount" and name in leaf.places:
            place = leaf.places[name]
            if place.path is not None and access_modes.is_writable(place, value.mode, context.root):
                found.append(place.path)
    return found


def may_be_moved(leaf: Leaf) -> bool:
    """Return True if the step reads a version that is moved when another job writes over its place."""
    return bool(_find_movable_inputs(leaf))


def find_moved_input(context: EngineContext, leaf: Leaf) -> str | None:
    """Return a sentence where another job wrote over the place of a version that the step was reading.

    The records say what the step was reading: the server that started it may be gone.
    """
    movable = _find_movable_inputs(leaf)
    noted = job_data.read_places(context.db, leaf.job.id) if movable else {}
    for name in movable:
        uri, place = noted.get(name, ("", ""))
        if place and overwrites.is_moved(context, leaf.workspace, uri, place):
            return (
                f"another job wrote over {place}, where its input '{name}' was, while it ran; "
                "the version is at another place since then, so submit the job again"
            )
    return None


def _find_movable_inputs(leaf: Leaf) -> list[str]:
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


def protect(context: EngineContext, leaf: Leaf) -> None:
    """Forbid writing to the outputs that become versions of assets; to one that another step writes, too, later."""
    made = places.read(leaf.entity.properties)
    for name, output in leaf.entity.outputs.items():
        how = made.get(name, places.ALONE)
        if (output.name or how.is_registered) and not how.is_shared and not is_artifacts(name, output):
            uri = output_uri(leaf.job.name, name, output, leaf.place)
            place = (leaf.written.get(name) or context.data.locate(uri, leaf.workspace)).path
            if place is not None and os.path.lexists(place):
                forbid_writing(place)
                if os.path.isfile(place) and uri == OWN_OUTPUT.format(job=leaf.place or leaf.job.name, output=name):
                    os.chmod(place.parent, 0o555)  # of the job alone: nothing else is put in the file's place


async def fetch(
    context: EngineContext, leaf: Leaf, say: Say, number: int, environment: BuiltEnvironment
) -> dict[str, Path]:
    """Do what takes long before a start: data from elsewhere, and much code. Return the place of each input then."""
    shared = shared_places(context, leaf)
    if shared:
        context.about_to_write[leaf.job.id] = leaf.job.name, [os.path.realpath(place) for place in shared]
    written = [place for place in shared if overwrites.is_occupied(place)]
    if written and number == 1:  # what is there later, an earlier attempt may have written
        await overwrites.copy_versions_aside(context, leaf.workspace, written, say)
    leaf.follow_moved(context)
    for name, location in leaf.places.items():
        if location.uri:
            await _refuse_changed(context, leaf, location, f"input '{name}'")
    spec = make_spec(leaf, number)
    leaf.fetched = await leaf.backend(context, environment).steps.fetch(spec, say)
    for name, tables in leaf.fetched.tables.items():
        for uri, path in tables.items():
            named = Location(uri, Path(os.path.realpath(path)))
            await _refuse_changed(context, leaf, named, f"the MLTable of input '{name}'")
    return leaf.fetched.paths


async def refuse_changed_context(context: EngineContext, leaf: Leaf) -> None:
    """Raise where the build context that smalt keeps of a registered environment is not what was registered."""
    if folder := leaf.environment.get("folder"):
        text = str(leaf.entity.environment)
        await _refuse_changed(context, leaf, Location(text, Path(os.path.realpath(folder))), "environment")


async def _refuse_changed(context: EngineContext, leaf: Leaf, location: Location, what: str) -> None:
    """Raise where a version that the step reads is not what was registered."""
    try:
        await context.verified.refuse_changed(location, leaf.job.root_id)
    except RefusedError as error:
        raise RefusedError(f"{what}: {error}") from None


def prepare(
    context: EngineContext, leaf: Leaf, environment: BuiltEnvironment, grant: SlotGrant, number: int
) -> tuple[RunnableStep, BuiltEnvironment]:
    """Return the step, ready to be started, and its own view of its environment."""
    _refuse_taken_versions(context, leaf)
    layout = leaf.layout
    if layout is None or number > 1 or layout.environment.declared_hash != environment.declared_hash:
        layout = lay_out(context, leaf, environment, number)
    backend = leaf.backend(context, environment)
    spec, say = make_startable_spec(context, leaf, number), partial(context.say, leaf.job)
    step = backend.steps.prepare(spec, layout, grant.gpus, leaf.fetched, say)
    if layout.environment.has_mlflow or imports_mlflow(step):
        context.tracking.start_soon()
    return step, layout.environment


def imports_mlflow(step: RunnableStep) -> bool:
    """Return True if the step's program is known to import MLflow, and finds smalt's by its variables."""
    modules = step.warm["modules"] if step.warm is not None else ()
    return "MLFLOW_TRACKING_TOKEN" in step.env and any(name.partition(".")[0] == "mlflow" for name in modules)


def _refuse_taken_versions(context: EngineContext, leaf: Leaf) -> None:
    """Raise before hours of work where what the job is to register exists already."""
    asked = ((name, output.type, output.name, output.version) for name, output in leaf.entity.outputs.items())
    taken = find_taken_versions(context.db, leaf.job.workspace_id, asked)
    if taken:
        raise Conflict("; ".join(f"outputs.{name}: {why}" for name, why in taken.items()))


def lay_out(context: EngineContext, leaf: Leaf, environment: BuiltEnvironment, number: int) -> Layout:
    """Make the folders of attempt `number`, the places of its outputs and its view of the environment."""
    _locate_outputs(context, leaf)
    backend = leaf.backend(context, environment)
    layout = backend.steps.lay_out(make_spec(leaf, number), environment)
    leaf.links = leaf.links or layout.has_links
    return layout
