"""Checks what a step of this machine left when its command has ended, and brings it to its place."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from smalt.entities.syntax.literals import PRIMITIVES
from smalt.exceptions import SmaltError
from smalt.launcher import claims, watching
from smalt.service.compute.local.attempt_folders import keep_results
from smalt.service.compute.local.context import LocalContext
from smalt.service.compute.local.shell_paths import get_link_path, is_clean, move_from_link
from smalt.service.compute.spec import OutputSpec, StepSpec
from smalt.service.compute.step import KEPT, Folders, Say, SmallResult
from smalt.service.data.files.copy_cancellation import CopyStopped
from smalt.service.data.job_data import access_modes, primitive_values
from smalt.service.data.job_data.output_cleanup import PathKind, examine_path, make_plain

_QUICK_ENTRIES = 500  # so much of an output is looked through within a turn


class WrittenOutput(NamedTuple):
    """An output, and the place that the command wrote it to."""

    name: str
    output: OutputSpec
    place: Path
    own: str
    """The output's own folder in the attempt's, for outputs that are brought into place later."""


class LocalResults:
    """Stores what steps of this machine left."""

    def __init__(self, context: LocalContext) -> None:
        self.context = context

    def inspect_small_result(self, spec: StepSpec) -> SmallResult | None:
        """Look at what the command left; return None if that takes long, or if not all of it is plain data."""
        folders = self.context.get_folders(spec)
        try:
            noted = watching.read_note(claims.make_path(folders.folder, spec.id))
            outputs = {one.name: examine_path(one.place, _QUICK_ENTRIES) for one in self._list_written(spec, folders)}
        except (PermissionError, SmaltError):  # looking for changed inputs, or storing the outputs, will say why
            return None
        is_untouched = self.context.spares.is_untouched(folders.folder)
        looked_at = () if is_untouched else KEPT
        found = {name: examine_path(f"{folders.cwd}/{name}", _QUICK_ENTRIES) for name in looked_at}
        if watching.is_large(noted) or PathKind.OTHER in found.values() or PathKind.OTHER in outputs.values():
            return None
        kept = tuple(name for name in looked_at if found[name] is not PathKind.NOTHING)
        empty = [name for name, one in outputs.items() if one is PathKind.NOTHING and _must_be_written(spec, name)]
        return SmallResult(kept, empty, noted, is_untouched)

    def find_changed_input(self, spec: StepSpec, noted: Mapping[str, Any] | None = None) -> str | None:
        """Return a sentence if an input, which could not be write-protected, is not what it was at the start.

        `noted` is the note of the inputs if it was read already.
        """
        folder = self.context.get_folders(spec).folder
        try:
            return watching.find_change(claims.make_path(folder, spec.id), noted)
        except PermissionError:
            return (
                f"its command took the right to read {folder} away, so what it did to its inputs cannot be told; "
                "leave the mode of the folder above the working directory as it is"
            )

    def check_values(self, spec: StepSpec) -> None:
        """Raise ValidationException if an output of a primitive type has no value, or one of another type."""
        if not any(output.type in PRIMITIVES for output in spec.outputs.values()):
            return
        for name, output, path, own in self._list_written(spec, self.context.get_folders(spec)):
            is_own = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(own))
            is_moved = is_own and not path.exists()  # by an earlier server, which has checked it
            if output.type in PRIMITIVES and not is_moved:
                primitive_values.check_output(name, path, output.type)

    def finish(self, spec: StepSpec, result: SmallResult | None, say: Say) -> bool:
        """Bring what the command left to its place: outputs/, logs/ and the outputs of mode upload.

        Return True if the attempt's folder is as it was made, and may serve another step.
        """
        context, folders, since = self.context, self.context.get_folders(spec), spec.created_at
        for kept in () if result else KEPT:
            make_plain(f"{folders.cwd}/{kept}", f"./{kept}", since, say)
        is_untouched = result is not None and result.is_untouched
        is_untouched = is_untouched or keep_results(folders, context.data, result.kept if result else None)
        if mask := context.vault.get_mask(spec.workspace):  # there may be more secrets than when it began
            mask.hide_in_logs(folders.artifacts)
        for name, output, place, own in () if result else self._list_written(spec, folders):
            if not is_clean(str(place)):
                is_file = output.type == access_modes.FILE
                link = get_link_path(str(place), f"{folders.folder}/outputs", name, is_file=is_file)
                move_from_link(link, str(place), f"its output '{name}'", since, say)
            make_plain(place, f"its output '{name}'", since, say)
            if output.mode == "upload" or spec.sends_outputs:
                try:
                    context.data.finish_output(output.uri, spec.workspace, output.type, output.mode, own, say)
                except CopyStopped as error:
                    say(f"its output '{name}' was not brought to {output.uri} as a whole: {error}")
        return is_untouched and spec.code is None

    def find_empty_outputs(self, spec: StepSpec) -> list[str]:
        """Return the outputs, values excepted, that nothing was written to, when all is stored."""
        empty = []
        for name, output, place, _ in self._list_written(spec, self.context.get_folders(spec)):
            sent = output.location.path if output.location and output.mode == access_modes.UPLOADED else None
            if _must_be_written(spec, name) and access_modes.is_empty(sent or place):
                empty.append(name)
        return empty

    def _list_written(self, spec: StepSpec, folders: Folders) -> Iterator[WrittenOutput]:
        """Yield the outputs, the artifacts excepted."""
        for name, output in spec.outputs.items():
            if output.is_artifacts:
                continue
            own = folders.get_own("outputs", name)
            if output.location is not None:
                place = access_modes.get_output_path(output.location, output.type, output.mode, own)
            else:
                location = self.context.data.resolve(output.uri, spec.workspace)
                place = access_modes.get_output_path(location, output.type, output.mode, own)
                place = Path(os.path.realpath(place.parent), place.name)  # itself it may be a link by now
            yield WrittenOutput(name, output, place, own)


def _must_be_written(spec: StepSpec, output: str) -> bool:
    return spec.outputs[output].type not in PRIMITIVES and not spec.outputs[output].orders_steps
