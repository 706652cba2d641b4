"""Results on standard output, in the formats of `az`: json, jsonc, yaml, yamlc, table, tsv, none."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TextIO

from smalt.cli import table

FORMATS = ("json", "jsonc", "yaml", "yamlc", "table", "tsv", "none")


def write(
    data: Any, form: str | None, query: str | None = None, columns: tuple[str, ...] = (), stream: TextIO | None = None
) -> None:
    """Print plain data; a query that finds nothing prints nothing, as with `az`."""
    stream = stream or sys.stdout
    if query is not None:
        data = search(data, query)
    form = form_of(data, form, query, stream)
    if data is None or form == "none":
        return
    if form == "tsv":
        text = tsv(data)
    elif form == "table":
        text = table.render(data, () if query else columns)
    elif form in ("yaml", "yamlc"):
        text = _yaml(data)
    else:
        text = json.dumps(data, indent=2, ensure_ascii=False, default=str) + "\n"
    if form in ("jsonc", "yamlc") and _coloured(stream):
        from smalt.cli import colour

        text = colour.json_text(text) if form == "jsonc" else colour.yaml_text(text)
    stream.write(text)
    stream.flush()


def search(data: Any, query: str) -> Any:
    """What the JMESPath `query` finds in `data`."""
    import click
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.search(query, data)
    except JMESPathError as error:
        reason = " ".join(str(error).split())
        raise click.UsageError(f"--query '{query}' is not a JMESPath expression: {reason}") from None


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


def _coloured(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR")


def _yaml(data: Any) -> str:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    plain = json.loads(json.dumps(data, default=str))
    text: str = yaml.dump(
        plain, Dumper=dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=1000
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
