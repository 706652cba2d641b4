"""The page for users: its program runs."""

from __future__ import annotations

import re
from pathlib import Path

from tests.designer.conftest import Folder

PAGE = Path(__file__).parents[2] / "docs" / "components-from-functions.md"


def test_the_pages_program_runs(folder: Folder) -> None:
    """As it stands there, each block in the file that it names."""
    blocks = re.findall(r"```python\n# (\S+\.py)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert [name for name, _ in blocks] == ["components.py", "submit.py"]
    for name, text in blocks:
        folder.write(name, text)
    assert re.search(r"^Words \d+$", folder.run("submit.py"), re.MULTILINE)
