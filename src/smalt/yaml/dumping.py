"""Entities to YAML text."""

from __future__ import annotations

from typing import Any

import yaml
from smalt.entities.entity import Entity

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Pretty(_Dumper):  # type: ignore[misc]
    """Text of several lines as a block; no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: Any, value: str) -> Any:
    block = "\n" in value and not any(line.endswith((" ", "\t")) for line in value.split("\n"))
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if block else None)


_Pretty.add_representer(str, _text)


def dump(entity: Entity) -> str:
    return dump_plain(entity.to_dict())


def dump_plain(data: Any) -> str:
    text: str = yaml.dump(data, Dumper=_Pretty, sort_keys=False, allow_unicode=True, width=120)
    return text
