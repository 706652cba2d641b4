"""docs/v1.md: every v1 name beside its form in v2; `python -m smalt.v1.upgrade.page docs/v1.md` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from smalt.v1.mapping import MappedName, list_rows
from smalt.v1.upgrade.calls import name_in_v1
from smalt.v1.upgrade.examples import HEAD, TABLES, TableRow
from smalt.v1.upgrade.findings import make_anchor
from smalt.v1.upgrade.program import upgrade_program
from smalt.v1.upgrade.rules import RULES, load_rules

MARK = "<!-- Below this line the page is made by: python -m smalt.v1.upgrade.page docs/v1.md -->\n"
_STATES = {
    "runs": "runs",
    "differs": "runs; {}",
    "no effect": "no effect: {}",
    "refused": "refused: {}",
    "later": "later: {}",
}


def render_page() -> str:
    """Return the generated half of the page."""
    parts = []
    for title, rows in TABLES:
        parts += [f"## {title}", "", *_render_table(rows), ""]
        for row in rows:
            if row.example:
                parts += [*_render_example(row), ""]
    parts += ["## Names", "", *_render_names()]
    return "\n".join(parts) + "\n"


def _render_table(rows: tuple[TableRow, ...]) -> Iterator[str]:
    yield from ("| SDK v1 | SDK v2 | here |", "|---|---|---|")
    for row in rows:
        yield f"| {_mark_code(row.v1)} | {row.v2 if '`' in row.v2 else _mark_code(row.v2)} | {row.here} |"


def _mark_code(text: str) -> str:
    return text if text in ("none", "-") or (" " in text.replace("(…)", "") and "(" not in text) else f"`{text}`"


def upgrade_example(row: TableRow) -> str:
    """Return what the upgrade makes of an example, below what stands above each."""
    upgraded = upgrade_program(HEAD + row.example).text
    above = upgrade_program(HEAD).text
    marker = "env = Environment(name='plain'"
    text = upgraded[upgraded.index(marker) :].partition("\n")[2]
    assert marker in above
    return text.strip("\n")


def _render_example(row: TableRow) -> Iterator[str]:
    yield from (f"`{row.v1}`, in SDK v1:", "", "```python", row.example.rstrip("\n"), "```", "")
    yield from ("upgraded:", "", "```python", upgrade_example(row), "```")


def list_ruled_names() -> set[str]:
    """Return the v1 names that the upgrade rewrites."""
    load_rules()
    return {name_in_v1(name.rstrip("=")) for name in RULES}


def _render_names() -> Iterator[str]:
    ruled = list_ruled_names()
    yield from ("| SDK v1 | v2 | under `smalt python` | `smalt upgrade` |", "|---|---|---|---|")
    seen: set[str] = set()
    for row in sorted(list_rows(), key=lambda one: (make_anchor(one.name), one.name)):
        anchor = make_anchor(row.name)
        link = "" if anchor in seen else f'<a id="{anchor}"></a>'
        seen.add(anchor)
        form = row.v2 if row.v2 == "none" else f"`{row.v2}`" if "(" in row.v2 or "." in row.v2 else row.v2
        does = "rewrites it" if row.name in ruled or _is_inherited(row, ruled) else "leaves it to a person"
        state = _escape_bars(_STATES[row.state].format(row.differs))
        yield f"| {link}`{row.name}` | {_escape_bars(form)} | {state} | {does} |"


def _is_inherited(row: MappedName, ruled: set[str]) -> bool:
    """Return True for a method whose rule stands at another class of the same kind of object."""
    kind, _, member = row.name.partition(".")
    families = (("FileDataset", "Dataset"), ("TabularDataset", "Dataset"), ("PipelineData", "OutputFileDatasetConfig"),
                ("StepRun", "Run"), ("PipelineRun", "Run"), ("Run", "AutoMLRun"), ("Run", "HyperDriveRun"),
                ("Run", "PipelineRun"), ("AmlCompute", "ComputeTarget"))  # fmt: skip
    return bool(member) and any(kind == one and f"{other}.{member}" in ruled for one, other in families)


def _escape_bars(text: str) -> str:
    return text.replace("|", "\\|")


def write_page(page: Path) -> None:
    """Replace everything below the mark of the page."""
    head = page.read_text().partition(MARK)[0]
    page.write_text(f"{head}{MARK}\n{render_page()}")


if __name__ == "__main__":
    write_page(Path(sys.argv[1]))
