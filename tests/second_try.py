"""Run the failed tests of the last run once more, alone.

Four workers on two cores can make a test miss a deadline. A test that passes at the second try is named all the same,
since it may show a fault. If more than three tests failed, none is run again.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

MOST = 3


def read_failed(root: Path) -> list[str]:
    """Return the node ids that pytest recorded as failed."""
    record = root / ".pytest_cache/v/cache/lastfailed"
    return sorted(json.loads(record.read_text())) if record.is_file() else []


def try_again(root: Path) -> int:
    """Run the failed tests, print which of them pass now, and return pytest's exit code."""
    failed = read_failed(root)
    if not 0 < len(failed) <= MOST or not all("::" in test for test in failed):  # without "::": a file with an error
        return 1
    print(f"\n{len(failed)} failed: run again, alone", flush=True)
    code = subprocess.call([sys.executable, "-m", "pytest", *failed], cwd=root)
    still = read_failed(root)
    for test in failed:
        print(f"{'failed twice' if test in still else 'passed at the second try'}: {test}")
    return code


if __name__ == "__main__":
    sys.exit(try_again(Path.cwd()))
