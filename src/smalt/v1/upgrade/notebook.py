"""A notebook: its cells are upgraded as one program, and each stays a cell."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from smalt.v1.upgrade.findings import Finding
from smalt.v1.upgrade.program import UpgradedText, upgrade_program

_CELL = "# %%smalt-cell "
_MAGIC = "#smalt-magic:"
_PYTHON_MAGICS = ("%%time", "%%capture", "%%timeit", "%%prun")


class NotebookText:
    """The code cells of a notebook as the text of one program."""

    def __init__(self, cells: list[str]) -> None:
        self.cells = cells
        self._magics: list[str] = []
        self.verbatim: set[int] = set()
        """Cells that are no Python, or that cannot be read."""
        parts = []
        for number, source in enumerate(cells):
            masked = self._mask_cell(source)
            if masked is None:
                self.verbatim.add(number)
                masked = ""
            parts.append(f"{_CELL}{number}\n{masked}\n")
        self.text = "".join(parts)

    def _mask_cell(self, source: str) -> str | None:
        """Return a cell with its magics as Python; None if it is another language, or not to be read."""
        if source.lstrip().startswith("%%") and not source.lstrip().startswith(_PYTHON_MAGICS):
            return None
        count = len(self._magics)
        text = source if is_python(source) else "\n".join(self._mask_line(line) for line in source.split("\n"))
        if not is_python(text):
            del self._magics[count:]
            return None
        return text

    def _mask_line(self, line: str) -> str:
        found = re.match(r"(\s*)([%!].*|\w[\w.]*\s*=\s*[%!]\w.*|[\w.]+\?{1,2}|\?[\w.]+)\s*$", line)
        if found is None:
            return line
        self._magics.append(line)
        return f"{found[1]}pass  {_MAGIC}{len(self._magics) - 1}:"

    def split(self, text: str) -> list[str]:
        """Return the cells of an upgraded text."""
        pieces = re.split(rf"^{re.escape(_CELL)}\d+\n", text, flags=re.M)
        if len(pieces) != len(self.cells) + 1:
            raise ValueError("the upgraded text has lost a cell")
        cells = []
        for number, piece in enumerate(pieces[1:]):
            restored = re.sub(
                rf"^\s*pass  {_MAGIC}(\d+):", lambda found: self._magics[int(found[1])], piece, flags=re.M
            )
            cells.append(self.cells[number] if number in self.verbatim else restored.strip("\n"))
        if pieces[0].strip():
            cells[0] = f"{pieces[0].strip()}\n{cells[0]}"
        return cells

    def locate(self, line: int) -> tuple[int, int]:
        """Return the cell, from 1, and its line that a line of the text is."""
        for number, found in enumerate(self._list_starts(), 1):
            if line > found:
                cell, start = number, found
        return cell, line - start

    def _list_starts(self) -> list[int]:
        return [index for index, line in enumerate(self.text.split("\n"), 1) if line.startswith(_CELL)]


def is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def upgrade_notebook(text: str) -> UpgradedText:
    """Return a notebook's JSON with its cells in v2; raises ValueError if it is no notebook."""
    document: dict[str, Any] = json.loads(text)
    cells = [cell for cell in document.get("cells", ()) if cell.get("cell_type") == "code"]
    sources = [_join_source(cell) for cell in cells]
    program = NotebookText(sources)
    upgraded = upgrade_program(program.text)
    findings = []
    for finding in upgraded.findings:
        cell, line = program.locate(finding.line)
        findings.append(finding._replace(line=line, cell=cell))
    new = program.split(upgraded.text)
    for number in sorted(program.verbatim):
        new[number], more = _upgrade_other(sources[number], number + 1)
        findings += more
    for cell, before, after in zip(cells, sources, new, strict=True):
        if after != before.strip("\n"):
            cell["source"] = after.splitlines(keepends=True)
            cell["outputs"], cell["execution_count"] = [], None
    indent = re.search(r"^( +)\"", text, re.M)
    written = json.dumps(document, indent=len(indent[1]) if indent else 1, ensure_ascii=False) + (
        "\n" if text.endswith("\n") else ""
    )
    return UpgradedText(
        written if new != [one.strip("\n") for one in sources] else text,
        sorted(findings, key=lambda one: (one.cell, one.line)),
    )


def _join_source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _upgrade_other(source: str, cell: int) -> tuple[str, list[Finding]]:
    """Return a cell that writes a file, upgraded if the file is a program; any other as it is."""
    head, _, body = source.partition("\n")
    if head.startswith("%%writefile") and head.strip().endswith(".py") and is_python(body):
        upgraded = upgrade_program(body)
        return f"{head}\n{upgraded.text}".strip("\n"), [
            one._replace(line=one.line + 1, cell=cell) for one in upgraded.findings
        ]
    if "azureml" in source and not head.startswith(("%%writefile", "%%markdown", "%%html", "%%bash", "%%sh")):
        return source, [Finding(1, 1, "a cell", "person", "it is not Python that can be read", cell)]
    return source.strip("\n"), []


def list_cell_texts(text: str) -> list[str]:
    """Return the code of a notebook, cell by cell, as a diff shows it."""
    document = json.loads(text)
    cells = [_join_source(cell) for cell in document.get("cells", ()) if cell.get("cell_type") == "code"]
    return [f"# cell {number}\n{source}" for number, source in enumerate(cells, 1)]
