"""The sources and users of an asset or a job, as a tree of text."""

from __future__ import annotations

import sys
from typing import Any

import click

from smalt.cli.framework.verb import Invocation

Node = dict[str, Any]

DEPTH = click.Option(
    ["--depth"],
    type=click.IntRange(1, 50),
    default=8,
    show_default=True,
    metavar="N",
    help="The number of steps in each direction.",
)
_KINDS = {"data": "data", "models": "model", "uri": "", "imported": "imported from"}


def show_lineage(ctx: Invocation, found: Node) -> Any:
    """Print the tree for a person; return plain data for a program."""
    if ctx.has_output_options or not _is_terminal():
        return found
    click.echo(render_lineage(found), nl=False)
    return None


def render_lineage(root: Node) -> str:
    lines = [_format_node(root)]
    for direction, word in (("made_by", "made by"), ("used_by", "used by")):
        found = root.get(direction) or []
        nothing = "nothing known" if direction == "made_by" else "nothing yet"
        lines.append(f"{word}{'' if found else f' {nothing}'}")
        lines += _render_branches(found, direction, "")
    if root.get("more"):
        lines.append("… and more; see: --depth")
    return "\n".join(lines) + "\n"


def _render_branches(nodes: list[Node], direction: str, indent: str) -> list[str]:
    lines = []
    for number, node in enumerate(nodes):
        last = number == len(nodes) - 1
        again = "  (see above)" if node.get("again") else ""
        more = "  …" if node.get("more") else ""
        lines.append(f"{indent}{'└─' if last else '├─'} {_format_node(node)}{again}{more}")
        lines += _render_branches(node.get(direction) or [], direction, f"{indent}{'   ' if last else '│  '}")
    return lines


def _format_node(node: Node) -> str:
    if node["kind"] != "job":
        name = f"{node['name']}:{node['version']}" if node.get("version") else str(node["name"])
        return f"{_KINDS.get(node['kind'], node['kind'])} {name}".lstrip() + _format_port(node)
    step = f", step {node['step']} of {node['parent']}" if node.get("parent") else ""
    status = "" if node["status"] == "Completed" else f", {node['status']}"
    return f"job {node['name']}{step}{status}{_format_port(node)}"


def _format_port(node: Node) -> str:
    port = node.get("input") or node.get("output")
    return f"  [{port}]" if port else ""


def _is_terminal() -> bool:
    return sys.stdout.isatty()
