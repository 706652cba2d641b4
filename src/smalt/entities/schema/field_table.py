"""docs/fields.md, the effect of each field; `python -m smalt.entities.schema.field_table docs/fields.md` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smalt.entities.schema.effects import ACTED, KEPT, NONE, REFUSED, SERVICE
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.kinds import KINDS, STEPS
from smalt.entities.schema.nested import Nested, TaggedNoun, load_noun
from smalt.entities.schema.shapes import Either, List, Map, Shape

_INTRODUCTION = """# What each field does

This page is made from the code by `python -m smalt.entities.schema.field_table docs/fields.md`, and a test holds it.
Keys that are not here are refused; at the top of a component's own file they are warned of, with a did-you-mean, as
Azure's client takes them. Each field has one of these words:

- **acted on**: something runs, is looked up, placed or checked otherwise for it.
- **kept**: it is stored and answered back, for people and clients. Nothing else follows from it.
- **no effect**: it is read and kept, and does nothing on this machine. If a job sets it, the job's log says so,
  and so do `smalt job validate` and the property `smalt.no_effect`, which `smalt job show` shows.
- **refused**: it belongs to something that this smalt does not run; a job that has it is refused in one sentence.
- **from the service**: smalt fills it in. It may stand in a file that was written from an answer; `--set` of it is an
  error.

A part that stands within another does at most what the other does: the `description` of an input of a job that is
refused is refused with it. Some fields act only together with others: `resources.instance_count` is the number of
groups of processes of a `distribution`, and has no effect without one; `resources.shm_size` and
`resources.docker_args` act on containers, and the log of a job that runs in none says that they did nothing; an input
of a pipeline that no step reads has a line in the log. Further keys of `settings` are kept, and have no effect.
`limits.timeout` and `limits.trial_timeout` of 0 are no limits, as Azure's client does not send them.
"""


def list_nouns() -> dict[str, list[type[Entity]]]:
    """Return all nouns with fields, by kind of document; nouns that stand only inside others come last, as "part"."""
    kinds = {**{kind: _load_classes(table) for kind, table in KINDS.items()}, "step": _load_classes(STEPS)}
    roots = [noun for classes in kinds.values() for noun in classes]
    within: dict[type[Entity], None] = {}
    for root in roots:
        _add_nouns(root, within)
    parts = [noun for noun in within if noun not in roots and noun._fields]
    return {**kinds, "part": sorted(parts, key=lambda noun: (noun.noun, noun.__name__))}


def _load_classes(table: dict[str, str] | str) -> list[type[Entity]]:
    return [load_noun(where) for where in dict.fromkeys([table] if isinstance(table, str) else table.values())]


def _add_nouns(noun: type[Entity], found: dict[type[Entity], None]) -> None:
    if noun not in found:
        found[noun] = None
        for field in noun._fields.values():
            for other in _find_nouns(field.shape):
                _add_nouns(other, found)


def _find_nouns(shape: Shape[Any]) -> Iterator[type[Entity]]:
    """Yield the nouns inside a shape."""
    if isinstance(shape, Either):
        for side in shape.shapes:
            yield from _find_nouns(side)
    elif isinstance(shape, (List, Map)):
        yield from _find_nouns(shape.item)
    elif isinstance(shape, Nested):
        yield shape.noun
    elif isinstance(shape, TaggedNoun):
        yield from (load_noun(where) for where in shape.table.values())
    elif isinstance(data := getattr(shape, "data", None), Nested):
        yield data.noun


def render_page() -> str:
    """Return the whole page."""
    sections = [_INTRODUCTION]
    for kind, classes in list_nouns().items():
        title = "Parts of others" if kind == "part" else kind.replace("_", " ").capitalize()
        sections.append("\n".join([f"## {title}\n", *(_render_noun(noun) for noun in classes)]))
    return "\n".join(sections)


def _render_noun(noun: type[Entity]) -> str:
    constant = noun._fields.get("type")
    tag = f" (`type: {constant.default}`)" if constant is not None and constant.default else ""
    lines = [f"### {noun.__name__}: {noun.noun}{tag}\n"]
    for word in (ACTED, KEPT, NONE, REFUSED, SERVICE):
        names = [f"`{name}`" for name in noun._fields if noun._find_effect(name) == word]
        if names:
            lines.append(f"- {word}: {', '.join(names)}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render_page(), encoding="utf-8")
