"""Plain texts in files are what the official reader makes of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import smalt
from tests.official.conftest import LONGEST, PROGRAMS
from tests.official.programs import texts


def test_texts_are_read_as_by_the_official_client(official: str, tmp_path: Path) -> None:
    """Each field reads each text as azure-ai-ml does, and refuses what it refuses.

    Where the official client keeps a number or a boolean in a field that is text (variables, tags of assets), ours is
    the text that the service makes of its JSON.
    """
    answer = tmp_path / "table.json"
    subprocess.run([official, str(PROGRAMS / "texts.py"), str(answer)], check=True, timeout=LONGEST)
    theirs = {key: _as_service(value) for key, value in json.loads(answer.read_text()).items()}
    assert texts.table(smalt) == theirs


def _as_service(value: object) -> object:
    return value if isinstance(value, str) else json.dumps(value)
