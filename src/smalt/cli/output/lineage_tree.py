"""What something was made of and by, and what was made of it, as a tree of text."""

from __future__ import annotations

import sys
from typing import Any

import click

from smalt.cli.framework.verb import Invocation

Node = dict[str, Any]

DEPTH = click.Option(
    ["--depth"], type=click.IntRange(1, 50), default=8, show_default=True, metavar="N", help="So many steps each way."
)
_KINDS = {"data": "data", "models": "model", "uri": "", "imported": "imported from"}


def show(to: Invocation, found: Node) -> Any:
    """The tree for a person, plain data for a program."""
    if to.wants_result or not _is_terminal():
        return found
    click.echo(render(found), nl=False)
    return None


def render(root: Node) -> str:
    lines = [_name(root)]
    for direction, word in (("made_by", "made by"), ("used_by", "used by")):
        found = root.get(direction) or []
        nothing = "nothing that is known here" if direction == "made_by" else "nothing yet"
        lines.append(f"{word}{'' if found else f' {nothing}'}")
        lines += _branches(found, direction, "")
    if root.get("more"):
        lines.append("… and more; see: --depth")
    return "\n".join(lines) + "\n"


def _branches(nodes: list[Node], direction: str, indent: str) -> list[str]:
    lines = []
    for number, node in enumerate(nodes):
        last = number == len(nodes) - 1
        again = "  (see above)" if node.get("again") else ""
        more = "  …" if node.get("more") else ""
        lines.append(f"{indent}{'└─' if last else '├─'} {_name(node)}{again}{more}")
        lines += _branches(node.get(direction) or [], direction, f"{indent}{'   ' if last else '│  '}")
    return lines


def _name(node: Node) -> str:
    if node["kind"] != "job":
        name = f"{node['name']}:{node['version']}" if node.get("version") else str(node["name"])
        return f"{_KINDS.get(node['kind'], node['kind'])} {name}".lstrip() + _port(node)
    step = f", step {node['step']} of {node['parent']}" if node.get("parent") else ""
    status = "" if node["status"] == "Completed" else f", {node['status']}"
    return f"job {node['name']}{step}{status}{_port(node)}"


def _port(node: Node) -> str:
    port = node.get("input") or node.get("output")
    return f"  [{port}]" if port else ""


def _is_terminal() -> bool:
    return sys.stdout.isatty()
