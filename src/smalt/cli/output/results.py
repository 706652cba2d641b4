"""Results on standard output, in the formats of `az`: json, jsonc, yaml, yamlc, table, tsv, none."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import Any, TextIO

from smalt.cli.output import table

_LONGEST = 2_000_000
"""Items of a list, or characters of a text, that a query may make."""
_MOST_FOUND = 50_000_000
"""Values that it may find in all."""
FORMATS = ("json", "jsonc", "yaml", "yamlc", "table", "tsv", "none")


def write(
    data: Any, form: str | None, query: str | None = None, columns: tuple[str, ...] = (), stream: TextIO | None = None
) -> None:
    """Print plain data; a query that finds nothing prints nothing, as with `az`."""
    stream = stream or sys.stdout
    if query is not None:
        data = search(data, query)
    is_for_a_person = form is None and query is None and stream.isatty()
    form = form_of(data, form, query, stream)
    if data is None or form == "none":
        return
    if form == "tsv":
        text = tsv(data)
    elif form == "table":
        text = table.render(data, () if query else columns, screen_of(stream))
    elif form in ("yaml", "yamlc"):
        text = _yaml(with_local_times(data) if is_for_a_person else data)
    else:
        text = json.dumps(data, indent=2, ensure_ascii=False, default=str) + "\n"
    if form in ("jsonc", "yamlc") and _coloured(stream):
        from smalt.cli.output import colour

        text = colour.json_text(text) if form == "jsonc" else colour.yaml_text(text)
    stream.write(text)
    stream.flush()


def search(data: Any, query: str) -> Any:
    """Return what the JMESPath `query` finds in `data`; one that is too long, or finds too much, is refused."""
    import click
    import jmespath
    from jmespath.exceptions import JMESPathError
    from jmespath.visitor import TreeInterpreter

    from smalt.entities.schema.problems import format_value

    class Limited(TreeInterpreter):
        def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
            found = super().visit(node, *args, **kwargs)
            if isinstance(found, (list, str)) and len(found) > _LONGEST:
                raise _TooMuch
            return found

    try:
        found = Limited().visit(jmespath.compile(query).parsed, data)
        if _size(found, {}) > _MOST_FOUND:
            raise _TooMuch
        return found
    except JMESPathError as error:
        reason = " ".join(str(error).split())
        reason = reason if len(reason) < 300 else f"{reason[:300]}…"
        raise click.UsageError(f"--query {format_value(query)} is not a JMESPath expression: {reason}") from None
    except RecursionError:
        raise click.UsageError(f"--query {format_value(query)} is nested too deeply; make it shorter") from None
    except _TooMuch:
        raise click.UsageError(
            f"--query {format_value(query)} finds too much: a list or text of more than {_LONGEST:,}, or more than"
            f" {_MOST_FOUND:,} values; choose fewer"
        ) from None


class _TooMuch(Exception):
    """A query makes more of the data than can be shown."""


def _size(value: Any, known: dict[int, int]) -> int:
    """Return how many values there are to be written; what is in several places is counted in each."""
    if not isinstance(value, (list, dict)):
        return 1
    found = known.get(id(value))
    if found is None:
        found = 1 + sum(_size(one, known) for one in (value.values() if isinstance(value, dict) else value))
        known[id(value)] = found
    return found


def tsv(data: Any) -> str:
    """One line for each item, cells separated by tabs; strings raw, nested values left out, as `az` has it."""
    rows = data if isinstance(data, list) else [data]
    return "".join(_tsv_row(row) + "\n" for row in rows)


def form_of(data: Any, form: str | None, query: str | None = None, stream: TextIO | None = None) -> str:
    """The format that was asked for; else for a person a table or YAML, for a pipe (or a query) JSON."""
    if form is not None:
        return form
    if query is not None or not (stream or sys.stdout).isatty():
        return "json"
    return "table" if isinstance(data, list) else "yaml"


def screen_of(stream: TextIO) -> table.Screen:
    """Return how a table is shown on a stream: on a terminal as wide as it is, or as COLUMNS says."""
    if not stream.isatty():
        return table.PIPE
    return table.Screen(shutil.get_terminal_size().columns, _coloured(stream))


def with_local_times(data: Any) -> Any:
    """Return the data with the times in UTC as this machine's clocks show them."""
    if isinstance(data, dict):
        return {key: with_local_times(value) for key, value in data.items()}
    if isinstance(data, list):
        return [with_local_times(value) for value in data]
    return table.local_time(data) if isinstance(data, str) else data


def _coloured(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR")


def _yaml(data: Any) -> str:
    import yaml

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        """Writes a text of several lines as it reads."""

    def represent(dumper: Any, text: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)

    Dumper.add_representer(str, represent)
    plain = json.loads(json.dumps(data, default=str))
    text: str = yaml.dump(
        plain, Dumper=Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=1000
    )
    return text.removesuffix("...\n")


def _tsv_row(row: Any) -> str:
    if isinstance(row, dict):
        return "\t".join(_tsv_cell(value) for value in row.values())
    if isinstance(row, list):
        return "\t".join(_tsv_cell(value) for value in row)
    return _tsv_scalar(row)


def _tsv_cell(value: Any) -> str:
    if isinstance(value, list):
        return str(len(value))
    return "" if isinstance(value, dict) else _tsv_scalar(value)


def _tsv_scalar(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
