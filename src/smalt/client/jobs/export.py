"""The export of a job as a folder that runs elsewhere: job.yml, and beside it all files that it refers to."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from smalt.client.collections.components import ComponentOperations
from smalt.client.collections.environments import EnvironmentOperations
from smalt.client.collections.versioned import ArchivableCollection
from smalt.client.jobs.lookup import fetch_job
from smalt.client.transfers.downloads import copy_files, download_code, download_uri
from smalt.entities.schema.problems import Problem
from smalt.entities.syntax.literals import PRIMITIVES, convert
from smalt.entities.syntax.references import LocalPath, Reference, parse_reference, parse_uri
from smalt.exceptions import NotFound, RefusedError
from smalt.wire.encoding.ids import ANONYMOUS_COMPONENT, ANONYMOUS_ENVIRONMENT, build_url_path
from smalt.yaml.submitted_documents import describe_submission

if TYPE_CHECKING:
    from smalt.client.session import ClientSession

Plain = dict[str, Any]
_OF_THIS_HOME = ("id", "creation_context", "latest_version", "intellectual_property", "properties", "is_anonymous")
_COLLECTIONS: dict[str, type[ArchivableCollection]] = {
    "components": ComponentOperations,
    "environments": EnvironmentOperations,
}
_ANONYMOUS = (ANONYMOUS_COMPONENT, ANONYMOUS_ENVIRONMENT)


def export_job(session: ClientSession, name: str, folder: str, *, copy_inputs: bool = False) -> str:
    """Write the job into a new or empty folder and return the path of its job.yml.

    Data stays where it is, unless `copy_inputs`. Raises Refused if the folder is not empty.
    """
    from smalt.yaml.dumping import dump_plain

    target = os.path.abspath(folder)
    if os.path.isdir(target) and os.listdir(target):
        raise RefusedError(f"{target} is not empty; name a new folder")
    job = fetch_job(session, name)
    path = f"/smalt/v1{session.workspace_id}/jobs/{name}/references"
    references = session.connection.get(build_url_path(path))
    export = _JobExport(session, target, copy_inputs, references["pins"], references.get("places") or {})
    os.makedirs(target, exist_ok=True)
    text = dump_plain(export.convert_document(describe_submission(job), target))
    return export.write_file("job.yml", text)


class _JobExport:
    """The folder of one export, with each code, component, environment and input once."""

    def __init__(
        self,
        session: ClientSession,
        folder: str,
        copy_inputs: bool,
        pins: Mapping[str, Mapping[str, str]],
        places: Mapping[str, str],
    ) -> None:
        self._session = session
        self._pins = pins
        """By kind and reference as written: with the version that the job read."""
        self._places = places
        """By planned URI: the URI of the output that another job wrote in its stead."""
        self._folder = folder
        self._copy_inputs = copy_inputs
        self._known: dict[tuple[str, str], str] = {}
        """By kind and reference: the file or folder, absolute; or the reference where it stays one."""
        self._taken: set[str] = set()

    def write_file(self, name: str, text: str) -> str:
        path = os.path.join(self._folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def convert_document(self, document: Plain, beside: str) -> Plain:
        """Return a job, step or component whose references lead into the folder.

        `beside` is the folder of its own file.
        """
        made = dict(document)
        for key, place in (
            ("code", self._export_code),
            ("environment", self._export_environment),
            ("component", self._export_component),
        ):
            if isinstance(made.get(key), str):
                made[key] = self._to_relative(place(made[key]), beside, "file:" if key == "environment" else "")
        for key in ("component", "trial", "task"):
            if isinstance(made.get(key), Mapping):
                made[key] = self.convert_document(made[key], beside)
        if isinstance(made.get("trial"), str):
            made["trial"] = self._to_relative(self._export_component(made["trial"]), beside)
        if isinstance(made.get("jobs"), Mapping):
            made["jobs"] = {name: self._convert_step(step, beside) for name, step in made["jobs"].items()}
        if isinstance(made.get("inputs"), Mapping):
            made["inputs"] = {name: self._convert_input(name, value, beside) for name, value in made["inputs"].items()}
        return made

    def _convert_step(self, step: Any, beside: str) -> Any:
        if not isinstance(step, Mapping):
            return step
        return self.convert_document({key: value for key, value in step.items() if key != "id"}, beside)

    def _convert_input(self, name: str, value: Any, beside: str) -> Any:
        """Return an input whose path another home can resolve, or the value that an earlier step wrote for it."""
        if not isinstance(value, Mapping) or not isinstance(value.get("path"), str) or "${{" in value["path"]:
            return value
        if value.get("type") in PRIMITIVES:
            return self._read_value(name, str(value["type"]), value["path"])
        return {**value, "path": self._to_relative(self._export_data(name, value["path"]), beside)}

    def _apply_pin(self, kind: str, text: str) -> str:
        return self._pins.get(kind, {}).get(text, text)

    def _export_code(self, text: str) -> str:
        text = self._apply_pin("codes", text)
        return self._export_once("code", text, lambda: self._fetch_code(text))

    def _fetch_code(self, text: str) -> str:
        if not text.startswith(("/subscriptions/", "azureml:/subscriptions/")):
            return text
        place = self._reserve_path("code")
        download_code(self._session, text, place)
        return place

    def _export_environment(self, text: str) -> str:
        text = self._apply_pin("environments", text)
        return self._export_once("environment", text, lambda: self._export_asset("environments", text))

    def _export_component(self, text: str) -> str:
        text = self._apply_pin("components", text)
        return self._export_once("component", text, lambda: self._export_asset("components", text))

    def _export_asset(self, kind: str, text: str) -> str:
        """Write the asset's file and return its path.

        Return the reference of an asset that every home or a registry has.
        """
        from smalt.yaml.dumping import dump_plain

        reference = parse_reference(text)
        if reference is None or reference.registry is not None or reference.name == "host":
            return text
        try:
            found = _COLLECTIONS[kind](self._session).get(reference.name, reference.version, reference.label)
        except NotFound:
            return text
        document = {key: value for key, value in found.to_dict().items() if key not in _OF_THIS_HOME}
        if reference.name in _ANONYMOUS:
            document = {key: value for key, value in document.items() if key not in ("name", "version")}
        title = document.get("name") or document.get("display_name") or kind[:-1]
        place = self._reserve_path(f"{kind}/{title}", ".yml")
        build = document.get("build")
        if isinstance(build, Mapping) and isinstance(build.get("path"), str):
            context = self._reserve_path(f"{kind}/{title}-context")
            download_uri(self._session, build["path"], context)
            document["build"] = {**build, "path": self._to_relative(context, os.path.dirname(place))}
        if kind == "components":
            document = self.convert_document(document, os.path.dirname(place))
        return self.write_file(os.path.relpath(place, self._folder), dump_plain(document))

    def _export_data(self, name: str, text: str) -> str:
        text = self._places.get(text, self._apply_pin("data", text))
        return self._export_once(
            "data", text, lambda: self._copy_data(name, text) if self._copy_inputs else _to_portable_reference(text)
        )

    def _read_value(self, name: str, type: str, uri: str) -> Any:
        """Return the value at a URI: a file, or the file `output` of a folder."""
        with tempfile.TemporaryDirectory() as folder:
            try:
                download_uri(self._session, self._places.get(uri, uri), folder)
                files = [os.path.join(folder, file) for file in ("output", *os.listdir(folder))]
                with open(next(filter(os.path.isfile, files)), encoding="utf-8") as file:
                    text = file.read().rstrip("\n")
            except (NotFound, OSError, StopIteration):
                raise RefusedError(f"cannot export input '{name}': its value at {uri} is gone") from None
        value = convert(text, type)
        return text if isinstance(value, Problem) else value

    def _copy_data(self, name: str, text: str) -> str:
        uri = parse_uri(text)
        if not isinstance(uri, (LocalPath, Reference)) and not text.startswith("azureml"):
            return text
        place = self._reserve_path(f"data/{name}")
        if not isinstance(uri, LocalPath):
            download_uri(self._session, text, place)
            return place
        source = unquote(text.removeprefix("file://")) if text.startswith("file://") else text
        if not os.path.exists(source):
            raise RefusedError(f"cannot copy input '{name}' from {source}, which does not exist")
        os.makedirs(place, exist_ok=True)
        copy_files(source, place)
        return place if os.path.isdir(source) else os.path.join(place, os.path.basename(source))

    def _export_once(self, kind: str, text: str, make: Any) -> str:
        if (kind, text) not in self._known:
            self._known[kind, text] = make()
        return self._known[kind, text]

    def _reserve_path(self, name: str, ending: str = "") -> str:
        """Return a path in the folder that no other file has."""
        name = re.sub(r"[^A-Za-z0-9_./-]", "_", name)
        number, tried = 1, name
        while tried + ending in self._taken:
            number += 1
            tried = f"{name}-{number}"
        self._taken.add(tried + ending)
        return os.path.join(self._folder, tried + ending)

    def _to_relative(self, text: str, beside: str, prefix: str = "") -> str:
        if not text.startswith(self._folder + os.sep):
            return text
        return f"{prefix}./{os.path.relpath(text, beside)}"


def _to_portable_reference(text: str) -> str:
    """Return an asset's reference by name and version, without the workspace."""
    reference = parse_reference(text)
    if reference is None or reference.registry is not None or reference.version is None:
        return text
    return f"azureml:{reference.name}:{reference.version}"
