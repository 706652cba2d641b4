"""Dockerfiles, read for what can be installed without building them: packages, variables, a Python."""

from __future__ import annotations

import contextlib
import copy
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from smalt.service.environments.resolution.dockerfile_commands import (
    CondaCommand,
    OtherCommand,
    PipCommand,
    read_command,
    split_commands,
)

_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")
_REFERENCE = re.compile(r"\$(?:\{(\w+)(?::?[-+]([^}]*))?\}|(\w+))")
_SILENT = frozenset(
    [
        "CMD",
        "ENTRYPOINT",
        "EXPOSE",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "ONBUILD",
    ]
)
"""Instructions that change nothing for a job, which has a command of its own."""
_OF_THE_IMAGE = re.compile(
    r"PATH|(LD_)?LIBRARY_PATH|PYTHONPATH|PYTHONHOME|HOME|SHELL|USER|VIRTUAL_ENV|CONDA_\w+|PIP_\w+|UV_\w+"
)
"""Variables that tell where things are in the image, or how it is built."""
_MOST_NAMED = 8


@dataclass
class SkippedLine:
    """A line that is left out, unless it turns out to be used."""

    text: str
    is_used: bool = False


@dataclass
class CopyInstruction:
    """A COPY or ADD of files of the build context."""

    sources: list[str]
    target: PurePosixPath
    is_folder: bool
    line: SkippedLine


@dataclass
class DockerfileRecipe:
    """A stage of a Dockerfile, read to its end."""

    image: str | None = None
    pip: list[str] = field(default_factory=list)
    """Lines of requirements; what names a file names it in the context."""
    lists: list[Path] = field(default_factory=list)
    """Requirements files, in their order."""
    conda_files: list[Path] = field(default_factory=list)
    specs: list[str] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    lines: list[SkippedLine] = field(default_factory=list)
    arguments: dict[str, str] = field(default_factory=dict)
    copies: list[CopyInstruction] = field(default_factory=list)
    folder: PurePosixPath = field(default_factory=lambda: PurePosixPath("/"))

    @property
    def left_out(self) -> str:
        """`; left out: RUN …, COPY …`, or nothing."""
        left = list(dict.fromkeys(line.text for line in self.lines if not line.is_used))
        more = f" and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
        return f"; left out: {', '.join(left[:_MOST_NAMED])}{more}" if left else ""

    @property
    def sources(self) -> str:
        """The places that its packages are named in, as a sentence has them; nothing where it has none."""
        names = [path.name for path in (*self.conda_files, *self.lists)]
        names += ["'pip install' lines"] * bool(self.pip) + ["'conda install' lines"] * bool(self.specs)
        return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def read_recipe(context: Path, dockerfile: str) -> DockerfileRecipe:
    """Return the last stage of a Dockerfile with everything it takes from the others; empty if there is no file."""
    try:
        text = (context / dockerfile).read_text(errors="replace")
    except OSError:
        return DockerfileRecipe()
    stages: dict[str, DockerfileRecipe] = {}
    outer: dict[str, str] = {}
    stage = DockerfileRecipe(arguments=outer)
    for word, rest, body in _split_instructions(text):
        if word == "FROM":
            words = [each for each in rest.split() if not each.startswith("--")]
            image = _fill_references(words[0], outer) if words else ""
            before = stages.get(image.lower())
            stage = (
                copy.deepcopy(before)
                if before is not None
                else DockerfileRecipe(image=image or None, arguments=dict(outer))
            )
            name = words[2] if len(words) > 2 and words[1].lower() == "as" else ""
            stages[str(len(stages))] = stage
            if name:
                stages[name.lower()] = stage
        else:
            _StageReader(context, stage, stages).read_instruction(word, rest, body)
    return stage


class _StageReader:
    """A reader of the instructions of one stage, which adds each to its recipe."""

    def __init__(self, context: Path, recipe: DockerfileRecipe, stages: dict[str, DockerfileRecipe]) -> None:
        self.context, self.recipe, self.stages = context, recipe, stages

    def read_instruction(self, word: str, rest: str, body: str) -> None:
        recipe = self.recipe
        if word == "ARG":
            name, _, value = rest.partition("=")
            recipe.arguments[name.strip()] = self._fill_variables(value.strip().strip("\"'"))
        elif word == "ENV":
            self._set_variables(rest)
        elif word == "WORKDIR":
            recipe.folder = recipe.folder / self._fill_variables(rest.strip("\"'"))
        elif word in ("COPY", "ADD"):
            self._add_copy(word, rest)
        elif word == "RUN":
            self._add_run(rest, body)
        elif word not in _SILENT:
            recipe.lines.append(SkippedLine(_shorten(f"{word} {rest}")))

    def _fill_variables(self, text: str) -> str:
        return _fill_references(text, {**self.recipe.arguments, **self.recipe.variables})

    def _set_variables(self, rest: str) -> None:
        try:
            words = shlex.split(rest)
        except ValueError:
            words = rest.split()
        if words and "=" not in words[0]:
            words = [f"{words[0]}={rest.split(None, 1)[-1]}"]
        for name, _, value in (word.partition("=") for word in words):
            if _OF_THE_IMAGE.fullmatch(name):
                self.recipe.lines.append(SkippedLine(f"ENV {name}"))
            else:
                self.recipe.variables[name] = self._fill_variables(value)

    def _add_copy(self, word: str, rest: str) -> None:
        line = SkippedLine(_shorten(f"{word} {rest}"))
        flags = [each for each in rest.split() if each.startswith("--")]
        plain = rest.split(None, len(flags))[-1] if flags else rest
        try:
            words = json.loads(plain) if plain.startswith("[") else shlex.split(plain)
        except ValueError:
            words = plain.split()
        if any(each.startswith("--from=") for each in flags):
            origin = next(each for each in flags if each.startswith("--from=")).partition("=")[2]
            self._add_stage(self.stages.get(origin.lower()), line)
        elif len(words) > 1:
            *sources, target = (self._fill_variables(str(each)) for each in words)
            is_folder = target.endswith(("/", ".")) or len(sources) > 1
            where = PurePosixPath(_normalize(self.recipe.folder / target))
            self.recipe.copies.append(CopyInstruction(sources, where, is_folder, line))
        self.recipe.lines.append(line)

    def _add_stage(self, other: DockerfileRecipe | None, line: SkippedLine) -> None:
        """Add what another stage installs, which is copied from there."""
        if other is None:
            return
        mine = self.recipe
        line.is_used = bool(other.sources)
        for name in ("pip", "lists", "conda_files", "specs", "channels"):
            own = getattr(mine, name)
            own += [each for each in getattr(other, name) if each not in own]
        mine.lines += [one for one in other.lines if one not in mine.lines]

    def _add_run(self, rest: str, body: str) -> None:
        text = re.sub(r"^(--\S+\s+)+", "", rest)
        if text.startswith("["):
            with contextlib.suppress(ValueError):
                words = [str(word) for word in json.loads(text)]
                is_shell = len(words) == 3 and words[1].endswith("c") and words[0].endswith("sh")
                text = words[2] if is_shell else shlex.join(words)
        try:
            commands = split_commands(body or text)
        except ValueError:
            self.recipe.lines.append(SkippedLine(_shorten(f"RUN {text}")))
            return
        folder = self.recipe.folder
        for words in commands:
            words = [self._fill_variables(word) for word in words]
            if words[0] == "cd" and len(words) == 2:
                folder = folder / words[1]
                continue
            found = read_command(words)
            if not self._add_installed(found, folder):
                self.recipe.lines.append(SkippedLine(_shorten(f"RUN {' '.join(words)}")))

    def _add_installed(self, found: PipCommand | CondaCommand | OtherCommand | None, folder: PurePosixPath) -> bool:
        """Add what a command installs; False if that cannot be installed here."""
        if isinstance(found, PipCommand):
            return self._add_pip(found, folder)
        return self._add_conda(found, folder) if isinstance(found, CondaCommand) else found is None

    def _add_pip(self, found: PipCommand, folder: PurePosixPath) -> bool:
        lists = [self._find_in_context(path, folder) for path in found.lists]
        lines: list[str] = []
        for before, path, after in found.paths:
            place = self._find_in_context(path, folder)
            if place is None:
                return False
            lines.append(f"{before}{place}{after}")
        if any(path is None for path in lists):
            return False
        self.recipe.lists += [path for path in lists if path is not None and path not in self.recipe.lists]
        self.recipe.pip += [each for each in (*found.lines, *lines) if each not in self.recipe.pip]
        return True

    def _add_conda(self, found: CondaCommand, folder: PurePosixPath) -> bool:
        files = [self._find_in_context(path, folder) for path in found.files]
        if any(path is None for path in files):
            return False
        self.recipe.conda_files += [path for path in files if path is not None]
        self.recipe.specs += found.specs
        self.recipe.channels += [each for each in found.channels if each not in self.recipe.channels]
        return True

    def _find_in_context(self, written: str, folder: PurePosixPath) -> Path | None:
        """Return the file or folder of the context that lies at a path of the image."""
        path = PurePosixPath(_normalize(folder / written))
        for one in reversed(self.recipe.copies):
            for source in one.sources:
                for origin in self._list_origins(source):
                    found = _find_copied(origin, one, path)
                    if found is not None and self._is_inside(found):
                        one.line.is_used = one.line.is_used or origin.is_file()
                        return found
        bare = written.lstrip("/")
        ways = (self.context / bare, self.context / PurePosixPath(written).name)
        return next((way for way in ways if bare not in ("", ".") and way.is_file() and self._is_inside(way)), None)

    def _list_origins(self, source: str) -> Iterator[Path]:
        bare = source.lstrip("/") or "."
        with contextlib.suppress(ValueError, OSError):
            yield from sorted(self.context.glob(bare)) if any(each in bare for each in "*?[") else [self.context / bare]

    def _is_inside(self, path: Path) -> bool:
        return path.exists() and path.resolve().is_relative_to(self.context.resolve())


def _find_copied(origin: Path, one: CopyInstruction, path: PurePosixPath) -> Path | None:
    """Return the file that was copied to `path`, if this copy of `origin` put it there."""
    if origin.is_dir():
        return origin / path.relative_to(one.target) if path.is_relative_to(one.target) else None
    target = one.target / origin.name if one.is_folder else one.target
    return origin if path in (target, one.target / origin.name) else None


def _split_instructions(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield each instruction: its word, the rest of its line, and the text of its heredoc."""
    lines = iter(text.splitlines())
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        whole = line.strip()
        while whole.endswith("\\"):
            following = next(lines, None)
            if following is None:
                whole = whole[:-1]
            elif following.strip() and not following.lstrip().startswith("#"):
                whole = f"{whole[:-1]} {following.strip()}"
        word, _, rest = whole.partition(" ")
        heredoc = _HEREDOC.search(rest) if word.upper() in ("RUN", "COPY", "ADD") else None
        body: list[str] = []
        for inner in lines if heredoc else ():
            if heredoc and inner.strip() == heredoc[2]:
                break
            body.append(inner)
        yield word.upper(), rest.strip(), "\n".join(body)


def _fill_references(text: str, values: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1] or match[3]
        return values.get(name) or (match[2] or "" if match[1] else "")

    return _REFERENCE.sub(value, text)


def _normalize(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts[1:] if path.is_absolute() else path.parts:
        if part == "..":
            del parts[-1:]
        elif part != ".":
            parts.append(part)
    return "/" + "/".join(parts)


def _shorten(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 80 else f"{text[:79]}…"
