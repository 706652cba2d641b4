"""docs/distributed.md: its job runs as it stands, and prints what the page shows."""

from __future__ import annotations

import re
from pathlib import Path

from tests.acceptance.conftest import Desk

PAGE = (Path(__file__).parents[3] / "docs/distributed.md").read_text()


def test_the_job_of_the_page_runs(desk: Desk) -> None:
    """Its four processes find each other, the stream has all their lines, and a copy to debug says what it lacks."""
    for name, text in re.findall(r"```(?:yaml|python)\n# (\S+\.(?:yml|py))\n(.*?)```", PAGE, re.S):
        desk.write(name, text)
    line, shown = re.findall(r"^    \$ smalt (job create .*)\n((?:    .*\n)+)", PAGE, re.M)[0]
    ran = desk.smalt(f"{line} --name sum")
    assert ran.code == 0, ran.err
    assert sorted(ran.lines) == sorted(each.strip() for each in shown.splitlines())
    looked = desk.smalt('job debug sum -- bash -c "exit ${RANK:-7}"')
    assert looked.code == 7
    assert "without the variables of distribution 'pytorch' (RANK, WORLD_SIZE, MASTER_ADDR and so on)" in looked.err
    files = desk.smalt("job download --name sum --output-name total --download-path got")
    assert files.code == 0, files.err
    assert (desk.folder / "got/named-outputs/total/total.txt").read_text() == "6"
