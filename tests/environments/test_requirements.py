from __future__ import annotations

from pathlib import Path

import pytest

from smalt.exceptions import Refused
from smalt.service.environments.requirements import inlined, listed


def test_included_files_take_the_place_of_their_line(tmp_path: Path) -> None:
    """-r FILE is read relative to the file that it stands in, comments and continued lines apart."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "base.txt").write_text("shade==1.0 # the first\n\n# nothing\nhue \\\n  >=1\n-r deep.txt\n")
    (tmp_path / "more" / "deep.txt").write_text("ink\n")
    assert inlined(["-r more/base.txt", "paint"], tmp_path) == ["shade==1.0", "hue    >=1", "ink", "paint"]
    assert listed(tmp_path / "more" / "deep.txt") == ["ink"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("-r requirements.txt", "does not travel with it"),
        ("-r /nowhere/requirements.txt", "there is no file"),
        ("-e .", "installs from a folder"),
        ("./local", "installs from a folder"),
    ],
)
def test_files_that_are_not_at_hand_are_refused(line: str, sentence: str) -> None:
    """A conda file's text comes without its folder."""
    with pytest.raises(Refused, match=sentence):
        inlined([line], None)


def test_a_file_that_includes_itself_is_refused(tmp_path: Path) -> None:
    """It has no end."""
    (tmp_path / "r.txt").write_text("-r r.txt\n")
    with pytest.raises(Refused, match="without end"):
        inlined(["-r r.txt"], tmp_path)
