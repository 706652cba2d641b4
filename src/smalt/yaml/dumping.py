"""Entities to YAML text."""

from __future__ import annotations

import os
from typing import IO, Any

import yaml
from smalt.entities.schema.entity import Entity
from smalt.exceptions import UserErrorException
from smalt.machine.source_lines import find_caller
from smalt.yaml.places import make_relative

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Pretty(_Dumper):  # type: ignore[misc]
    """Text of several lines as a block; no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _render_text(dumper: Any, value: str) -> Any:
    block = "\n" in value and not any(line.endswith((" ", "\t")) for line in value.split("\n"))
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if block else None)


_Pretty.add_representer(str, _render_text)


def dump(entity: Entity) -> str:
    return dump_plain(entity.to_dict())


def dump_to(entity: Entity, dest: str | os.PathLike[str] | IO[str]) -> None:
    """Into a file, new or not, or an open one; a step as the job that it is by itself."""
    entity = _as_job(entity)
    if not isinstance(dest, (str, os.PathLike)):
        dest.write(dump(entity))
        return
    text = dump_plain(make_relative(os.path.dirname(os.fspath(dest)), entity))
    try:
        with open(dest, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UserErrorException(f"cannot write {os.fspath(dest)}: {error.strerror}", find_caller()) from None


def _as_job(entity: Entity) -> Any:
    from smalt.entities.steps.standalone_jobs import can_be_job, convert_to_job

    return convert_to_job(entity) if can_be_job(entity) else entity


def dump_plain(data: Any) -> str:
    text: str = yaml.dump(data, Dumper=_Pretty, sort_keys=False, allow_unicode=True, width=120)
    return text
