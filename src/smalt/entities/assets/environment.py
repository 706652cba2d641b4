"""Environments, and the shape of a reference to one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.assets import conda
from smalt.entities.assets.asset import Asset
from smalt.entities.schema.effects import ACTED, KEPT, REFUSED
from smalt.entities.schema.entity import Entity, mapping, optional, required
from smalt.entities.schema.nested import Named, Nested
from smalt.entities.schema.paths import as_text
from smalt.entities.schema.problems import Path, Problem, did_you_mean
from smalt.entities.schema.shapes import JSON, Enum, Integer, Map, Shape, Text
from smalt.entities.schema.travel import Travel
from smalt.entities.syntax.references import LocalPath, is_reference, parse_uri
from smalt.exceptions import LocatedProblem, ValidationException

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader
    from smalt.entities.schema.shapes import Definitions


class Route(Entity):
    noun = "a route"
    _effect = KEPT

    port = required(Integer(), "The port of the container.")
    path = required(Text(), "The path of the request.")


class InferenceConfig(Entity):
    noun = "an inference configuration"
    _effect = KEPT

    liveness_route = required(Nested(Route), "The route of liveness checks.")
    readiness_route = required(Nested(Route), "The route of readiness checks.")
    scoring_route = required(Nested(Route), "The route of requests.")


class LocalOrRemote(Text):
    """A local path, a URL or a reference to an asset."""

    def __init__(self, *, must_exist: bool = True) -> None:
        self.must_exist = must_exist

    def read_value(self, value: Any, path: Path, reader: Reader) -> str | None:
        text = super().read_value(value, path, reader)
        if text is None or "://" in text.removeprefix("file://") or is_reference(text):
            return text
        return reader.resolve_path(text, path, must_exist=self.must_exist)


class BuildContext(Entity):
    noun = "a build context"
    _effect = KEPT

    path = optional(LocalOrRemote(), "The folder that is the context.", effect=ACTED)
    dockerfile_path = optional(Text(), "The Dockerfile in it; `Dockerfile` where unset.", effect=ACTED)
    args = mapping(Map(Text()), "Build arguments.", effect=REFUSED)

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        if data.get("args"):
            words = "smalt does not pass 'args' to builds; give each ARG a default in the Dockerfile"
            reader.add_problem((*path, "args"), words, at_key=True)
        if self.path is None and data.get("path") is None and not reader.is_answer:
            words = "a build needs 'path', the folder with the Dockerfile"
            reader.add_problem((*path, "dockerfile_path"), words, at_key=True)
        if reader.from_file:
            for problem in self._find_problems(reader.find_refusal):
                reader.add_problem((*path, *problem.path), problem.message)

    def _find_problems(self, find_refusal: Callable[[str], str | None] = lambda path: None) -> Iterator[Problem]:
        """Yield each problem with a build context on this machine."""
        place = parse_uri(self.path) if self.path else None
        folder = os.path.expanduser(place.path) if isinstance(place, LocalPath) else ""
        name = self.dockerfile_path or "Dockerfile"
        if not folder or find_refusal(folder) or not os.path.exists(folder):
            return
        if not os.path.isdir(folder):
            words = f"'{folder}' is a file; name the folder that is the build context"
            yield Problem(("path",), f"{words}, and the file as dockerfile_path")
        elif not os.path.isfile(os.path.join(folder, name)):
            whole = f"the build context '{folder}' has no file '{name}'"
            inner = os.path.relpath(os.path.abspath(name), folder)
            ways = (os.path.basename(name), *((inner,) if not inner.startswith("..") else ()))
            near = next((way for way in ways if os.path.isfile(os.path.join(folder, way))), None)
            hint = f"; did you mean '{near}'?" if near else did_you_mean(name, os.listdir(folder))
            at = ("dockerfile_path",) if self.dockerfile_path else ("path",)
            yield Problem(at, f"{whole}; dockerfile_path is relative to the context{hint}")


class CondaFile(Shape[dict[str, Any]]):
    """A conda specification, written in place or named by its path."""

    words = "a conda specification, or the path of one or of a requirements.txt"

    def has_type(self, value: object) -> bool:
        return isinstance(as_text(value), (str, Mapping))

    def read_value(self, value: Any, path: Path, reader: Reader) -> Any:
        value = as_text(value)
        if isinstance(value, str):
            return reader.load_conda(value, path)
        if not isinstance(value, Mapping):
            return self.report_mismatch(value, path, reader)
        problems = [] if reader.is_answer else list(conda.find_problems(value))
        if not problems and reader.folder is not None:
            value = conda.resolve_files(value, reader.folder, problems.append, reader.find_refusal)
        for problem in problems:
            reader.add_problem((*path, *problem.path), problem.message, problem.at_key)
        return dict(value)

    def build_schema(self, definitions: Definitions) -> JSON:
        return {"type": ["string", "object"]}


_CONTENT = ("image", "conda_file", "build")
_ONE_OF_BOTH = "an environment has 'image' or 'build', not both"


class Environment(Asset):
    noun = "an environment"
    _effect = KEPT

    image = optional(Text(), "A container image.", effect=ACTED)
    conda_file = optional(CondaFile(), "Conda and pip packages.", effect=ACTED)
    build = optional(Nested(BuildContext), "A Dockerfile, in place of an image.", effect=ACTED)
    os_type = optional(Enum("linux", "windows"), "The operating system.")
    inference_config = optional(Nested(InferenceConfig), "The routes of a server in the image.")
    datastore = optional(
        Text(), "The datastore that a build context is uploaded to.", effect=ACTED, travels=Travel.CLIENT
    )

    _is_in_place = False
    """True if it was written in a job's document, so that it is never registered."""

    def validate(self) -> None:
        """Raise ValidationException with every problem that keeps this environment from being registered."""
        problems = [] if self.name else ["an environment needs 'name'"]
        if self.image is None and self.build is None and self.conda_file is None:
            problems.append("an environment needs 'image', 'build' or 'conda_file'")
        if self.image is not None and self.build is not None:
            problems.append(_ONE_OF_BOTH)
        if self.build is not None:
            problems += [f"build.{problem}" for problem in self.build._find_problems()]
        if problems:
            raise ValidationException([LocatedProblem("", 0, 0, problem) for problem in problems])

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        if self.image is not None and self.build is not None:
            reader.add_problem((*path, "build"), _ONE_OF_BOTH, at_key=True)


class InlineEnvironment(Nested[Environment]):
    """An environment written in a job. It is never registered, so two jobs may give the same version."""

    def read_value(self, value: Any, path: Path, reader: Reader) -> Environment | None:
        read = super().read_value(value, path, reader)
        if read is not None and not isinstance(value, Environment):
            vars(read)["_is_in_place"] = True
            if not any(value.get(key) for key in _CONTENT) and not reader.is_answer:
                words = "the environment has no content; give 'image', 'conda_file' or 'build'"
                reader.add_problem(path, words)
        return read


ENVIRONMENT = Named[Environment]("environment", bare_paths=False) | InlineEnvironment(Environment)
