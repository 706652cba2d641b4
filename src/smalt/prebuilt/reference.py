"""The page of the prebuilt components: `python -m smalt.prebuilt.reference docs/prebuilt.md` writes it there."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import yaml
from smalt.prebuilt import FOLDER

MARK = "<!-- Below this line the page is made by: python -m smalt.prebuilt.reference docs/prebuilt.md -->\n"
CATEGORIES = (
    "Data Input and Output",
    "Data Transformation",
    "Python and R",
    "Machine Learning Algorithms",
    "Model Training",
    "Model Scoring and Evaluation",
)
"""The palette's categories, in its order."""


def main() -> None:
    page = Path(sys.argv[1])
    page.write_text(page.read_text().partition(MARK)[0] + MARK + render_reference())


def load_components() -> list[dict[str, Any]]:
    """Return the newest version of each component, by category and name."""
    found = []
    for folder in Path(FOLDER, "components").iterdir():
        newest = max(folder.iterdir(), key=lambda version: int(version.name))
        found.append(yaml.safe_load((newest / "component.yml").read_text(encoding="utf-8")))
    return sorted(found, key=lambda one: (CATEGORIES.index(one["tags"]["category"]), one["name"]))


def load_examples() -> dict[str, str]:
    """Return the text of each step of the pipeline of examples, by component."""
    text = Path(FOLDER, "examples.yml").read_text(encoding="utf-8")
    steps = re.split(r"(?m)^  (\w+):\n", text.partition("\njobs:\n")[2])[1:]
    return {name: f"  {name}:\n{step.rstrip()}\n" for name, step in zip(steps[::2], steps[1::2], strict=True)}


def render_reference() -> str:
    """Return each component with its ports, parameters and example as Markdown."""
    components, examples = load_components(), load_examples()
    parts = []
    for category in CATEGORIES:
        parts.append(f"\n## {category}\n")
        for one in components:
            if one["tags"]["category"] == category:
                parts.append(_render_component(one, examples[one["name"]]))
    return "".join(parts)


def _render_component(component: dict[str, Any], example: str) -> str:
    lines = [f"\n### {component['display_name']}", "", f"`{component['name']}`. {component['description']}", ""]
    lines += ["| port | type | default | |", "|---|---|---|---|"]
    for name, port in (component.get("inputs") or {}).items():
        lines.append(f"| `{name}` | {_render_type(port)} | {_render_default(port)} | {port['description']} |")
    for name, port in component["outputs"].items():
        lines.append(f"| → `{name}` | {port['type']} | | {port['description']} |")
    lines += ["", "```yaml", *(line.removeprefix("  ") for line in example.splitlines()), "```", ""]
    return "\n".join(lines)


def _render_type(port: dict[str, Any]) -> str:
    if "enum" in port:
        return ", ".join(f"`{value}`" for value in port["enum"])
    bounds = [f"{sign} {port[key]:g}" for key, sign in (("min", "≥"), ("max", "≤")) if key in port]
    return ", ".join([port["type"], *bounds])


def _render_default(port: dict[str, Any]) -> str:
    if port.get("optional"):
        return "optional"
    if "default" not in port:
        return "needed"
    value = port["default"]
    if isinstance(value, str) and "\n" in value:
        return "returns its input"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    main()
