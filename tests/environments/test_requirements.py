from __future__ import annotations

from pathlib import Path

import pytest

from smalt.exceptions import RefusedError
from smalt.machine.requirements_files import convert_paths, parse_local_file, resolve_includes
from smalt.service.environments.resolution.requirements import (
    copy_local_files,
    hash_content,
    inline_files,
    read_requirements,
)


def test_included_files_take_the_place_of_their_line(tmp_path: Path) -> None:
    """-r FILE is read relative to the file that it stands in, comments and continued lines apart."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "base.txt").write_text("shade==1.0 # the first\n\n# nothing\nhue \\\n  >=1\n-r deep.txt\n")
    (tmp_path / "more" / "deep.txt").write_text("ink\n")
    assert inline_files(["-r more/base.txt", "paint"], tmp_path) == ["shade==1.0", "hue    >=1", "ink", "paint"]
    assert read_requirements(tmp_path / "more" / "deep.txt") == ["ink"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("-r requirements.txt", "did not travel with it"),
        ("-r /nowhere/requirements.txt", "there is no file"),
        ("-e .", "installs from a folder"),
        ("./local", "installs from a folder"),
        ("wheels/shade-1.0-py3-none-any.whl", "installs from a folder"),
        ("-c limits.txt", "names a file that did not travel"),
    ],
)
def test_files_that_are_not_at_hand_are_refused(line: str, sentence: str) -> None:
    """A conda file's text comes without its folder."""
    with pytest.raises(RefusedError, match=sentence):
        inline_files([line], None)


def test_a_file_that_includes_itself_is_refused(tmp_path: Path) -> None:
    """It has no end."""
    (tmp_path / "r.txt").write_text("-r r.txt\n")
    with pytest.raises(RefusedError, match="without end"):
        inline_files(["-r r.txt"], tmp_path)


@pytest.mark.parametrize(
    ("line", "moved"),
    [
        ("./pk", "/x"),
        (".", "/x"),
        (".[dev]", "/x[dev]"),
        ("-e ./pk", "/x"),
        ("--editable=./pk[dev]", "/x[dev]"),
        ("wheels/a-1.0-py3-none-any.whl", "/x"),
        ("a-1.0.tar.gz ; python_version < '3.12'", "/x ; python_version < '3.12'"),
        ("-c limits.txt", "-c /x"),
        ("--constraint=limits.txt", "--constraint /x"),
        ("-f ./wheels", "-f /x"),
        ("pk @ file:///home/me/pk", "pk @ /x"),
        ("pk @ ./pk", "pk @ /x"),
        ("My Packages/pk", "/x"),
    ],
)
def test_lines_that_name_local_files_are_known(line: str, moved: str) -> None:
    """Each spelling that pip takes, with what stands around the path."""
    part = parse_local_file(line)
    assert part is not None
    assert part.with_path("/x") == moved


@pytest.mark.parametrize(
    "line",
    [
        "shade", "shade==1.0", "shade[dev]>=1,<2", "shade ; sys_platform == 'linux'", "git+https://host/a/b@v1",
        "pk @ https://host/a.whl", "https://host/a-1.0.whl", "--extra-index-url https://host/simple", "--pre",
        "-e git+https://host/a/b", "-f https://host/links", "-c https://host/limits.txt", "-r more.txt",
        "-c azureml://datastores/d/paths/limits.txt", "--no-binary :all:",
    ],
)  # fmt: skip
def test_lines_that_name_no_local_file_are_left_alone(line: str) -> None:
    """Packages, URLs and options."""
    assert parse_local_file(line) is None


def test_paths_of_packages_begin_where_pip_runs(tmp_path: Path) -> None:
    """In an included file, a package's path is relative to the first file's folder, a constraint's to its own."""
    (tmp_path / "more").mkdir()
    (tmp_path / "pk").mkdir()
    for name in ("limits.txt", "more/limits.txt"):
        (tmp_path / name).touch()
    (tmp_path / "more" / "base.txt").write_text("./pk\n-c limits.txt\n")
    assert resolve_includes(["-r more/base.txt"], str(tmp_path)) == [f"{tmp_path}/pk", f"-c {tmp_path}/more/limits.txt"]


def test_a_package_is_installed_from_a_copy(tmp_path: Path) -> None:
    """Building writes into its folder, which may be a version's content; content, not place, is what counts."""
    for place in ("one", "two"):
        (tmp_path / place / "my pk").mkdir(parents=True)
        (tmp_path / place / "my pk" / "a.py").write_text("1")
    one, two = (str(tmp_path / place / "my pk") for place in ("one", "two"))
    with copy_local_files([one, "shade"]) as lines:
        assert lines[1] == "shade"
        assert (Path(lines[0]) / "a.py").read_text() == "1"
        assert not Path(lines[0]).is_relative_to(tmp_path / "one")
        assert " " not in lines[0]
    assert not Path(lines[0]).exists()
    assert convert_paths([one], hash_content) == convert_paths([two], hash_content)
    (tmp_path / "two" / "my pk" / "a.py").write_text("2")
    assert convert_paths([one], hash_content) != convert_paths([two], hash_content)
