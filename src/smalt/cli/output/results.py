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


def write_result(
    data: Any, form: str | None, query: str | None = None, columns: tuple[str, ...] = (), stream: TextIO | None = None
) -> None:
    """Print plain data; a query without a result prints nothing, as in `az`."""
    stream = stream or sys.stdout
    if query is not None:
        data = apply_query(data, query)
    is_for_a_person = form is None and query is None and stream.isatty()
    form = choose_format(data, form, query, stream)
    if data is None or form == "none":
        return
    if form == "tsv":
        text = render_tsv(data)
    elif form == "table":
        text = table.render_table(data, () if query else columns, get_screen(stream))
    elif form in ("yaml", "yamlc"):
        text = _render_yaml(convert_times(data) if is_for_a_person else data)
    else:
        text = json.dumps(data, indent=2, ensure_ascii=False, default=str) + "\n"
    if form in ("jsonc", "yamlc") and _has_colours(stream):
        from smalt.cli.output import colour

        text = colour.highlight_json(text) if form == "jsonc" else colour.highlight_yaml(text)
    stream.write(text)
    stream.flush()


def apply_query(data: Any, query: str) -> Any:
    """Return the result of a JMESPath query; raises UsageError if it is invalid or its result too large."""
    import click
    import jmespath
    from jmespath.exceptions import JMESPathError
    from jmespath.visitor import TreeInterpreter

    from smalt.entities.schema.problems import format_value

    class Limited(TreeInterpreter):
        def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
            found = super().visit(node, *args, **kwargs)
            if isinstance(found, (list, str)) and len(found) > _LONGEST:
                raise _QueryTooLarge
            return found

    try:
        found = Limited().visit(jmespath.compile(query).parsed, data)
        if _count_values(found, {}) > _MOST_FOUND:
            raise _QueryTooLarge
        return found
    except JMESPathError as error:
        reason = " ".join(str(error).split())
        reason = reason if len(reason) < 300 else f"{reason[:300]}…"
        raise click.UsageError(f"--query {format_value(query)} is not a JMESPath expression: {reason}") from None
    except RecursionError:
        raise click.UsageError(f"--query {format_value(query)} is nested too deeply; make it shorter") from None
    except _QueryTooLarge:
        raise click.UsageError(
            f"--query {format_value(query)} finds too much: a list or text of more than {_LONGEST:,}, or more than"
            f" {_MOST_FOUND:,} values; choose fewer"
        ) from None


class _QueryTooLarge(Exception):
    """The result of a query is too large to print."""


def _count_values(value: Any, known: dict[int, int]) -> int:
    """Return the number of values to write; a value in several places counts in each."""
    if not isinstance(value, (list, dict)):
        return 1
    found = known.get(id(value))
    if found is None:
        found = 1 + sum(_count_values(one, known) for one in (value.values() if isinstance(value, dict) else value))
        known[id(value)] = found
    return found


def render_tsv(data: Any) -> str:
    """Return a line for each item with cells separated by tabs; nested values are left out, as in `az`."""
    rows = data if isinstance(data, list) else [data]
    return "".join(_render_tsv_row(row) + "\n" for row in rows)


def choose_format(data: Any, form: str | None, query: str | None = None, stream: TextIO | None = None) -> str:
    """Return the given format; else a table or YAML for a terminal, and JSON for a pipe or a query."""
    if form is not None:
        return form
    if query is not None or not (stream or sys.stdout).isatty():
        return "json"
    return "table" if isinstance(data, list) else "yaml"


def get_screen(stream: TextIO) -> table.TableScreen:
    """Return the screen of a stream: as wide as the terminal, or as COLUMNS says."""
    if not stream.isatty():
        return table.PIPE
    return table.TableScreen(shutil.get_terminal_size().columns, _has_colours(stream))


def convert_times(data: Any) -> Any:
    """Return the data with times in UTC converted to this machine's time zone."""
    if isinstance(data, dict):
        return {key: convert_times(value) for key, value in data.items()}
    if isinstance(data, list):
        return [convert_times(value) for value in data]
    return table.to_local_time(data) if isinstance(data, str) else data


def _has_colours(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR")


def _render_yaml(data: Any) -> str:
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


def _render_tsv_row(row: Any) -> str:
    if isinstance(row, dict):
        return "\t".join(_render_tsv_cell(value) for value in row.values())
    if isinstance(row, list):
        return "\t".join(_render_tsv_cell(value) for value in row)
    return _render_tsv_scalar(row)


def _render_tsv_cell(value: Any) -> str:
    if isinstance(value, list):
        return str(len(value))
    return "" if isinstance(value, dict) else _render_tsv_scalar(value)


def _render_tsv_scalar(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
