"""smalt.machine.ignore_rules against git itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smalt.machine.ignore_rules import IgnoreRules, walk_folders

NAMES = ["a", "b", "ab", "abc", "a.b", "[a]", "a b", "a ", "!a", "#a", "-a", "a*", "a\\b", "A", ".a", "]", "a-c"]
FOLDERS = ["", "a/", "b/", "ab/", "a/b/", "a/a/b/", "b/ab/", "a b/", "a.b/", ".a/"]

SINGLE = [*"abcA*?/.-!#[]\\ "]
SETS = ["[a", "[ab]", "[!a]", "[^b]", "[a-c]", "[]a]", "[\\]a]", "[a-]", "[--a]", "[[:alpha:]]", "[[:punct:]]"]
piece = st.sampled_from([*SINGLE, *SETS, "**", "\\a", "\\*", "\\ "])
pattern = st.lists(piece, min_size=1, max_size=6).map("".join).filter(lambda text: not _is_quirk(text))
lines = st.lists(
    st.tuples(
        st.sampled_from(["", "", "!", "/", "**/", "#"]), pattern, st.sampled_from(["", "", "/", "/**", "/*"])
    ).map("".join),
    min_size=1,
    max_size=5,
).filter(lambda texts: not any(_is_quirk(text) for text in texts))


def _is_quirk(text: str) -> bool:
    """git takes `a**/b` as `a` and then `**/b`, against its own manual: it strips the plain start first.

    A `!` is plain, too, where it is not the first of the line.
    """
    stars = (at for at in range(1, len(text)) if text[at : at + 2] == "**" and text[at - 1] != "*")
    return any(text[at - 1] != "/" and not (at == 1 and text[0] == "!") for at in stars)


class Repository:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths: list[tuple[str, bool]] = []
        root.mkdir()
        self.git("init", "-q")
        for folder in FOLDERS:
            (root / folder).mkdir(parents=True, exist_ok=True)
        for folder in FOLDERS:
            for name in NAMES:
                path = root / folder / name
                if not path.exists():
                    path.write_text("")
        for path in sorted(root.rglob("*")):
            relative = path.relative_to(root).as_posix()
            if not relative.startswith(".git"):
                self.paths.append((relative, path.is_dir()))

    def ignored(self, lines: list[str]) -> set[str]:
        (self.root / ".gitignore").write_text("\n".join(lines) + "\n")
        asked = "\0".join(path for path, _ in self.paths)
        return set(self.git("check-ignore", "--no-index", "-z", "--stdin", text=asked).split("\0")) - {""}

    def untracked(self) -> set[str]:
        return set(self.git("ls-files", "-z", "--others", "--exclude-standard").split("\0")) - {""}

    def git(self, *command: str, text: str = "") -> str:
        quiet = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "PATH": os.environ["PATH"]}
        run = subprocess.run(
            ["git", "-C", self.root, *command], input=text, env=quiet, capture_output=True, text=True, check=False
        )
        assert run.returncode in (0, 1), run.stderr
        return run.stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("git") / "repository")


@settings(max_examples=150)
@given(lines)
def test_any_ignore_file_means_what_git_takes_it_to_mean(repository: Repository, lines: list[str]) -> None:
    """For every path of a folder with awkward names, ours and `git check-ignore` agree."""
    ours = IgnoreRules(lines)
    wanted = repository.ignored(lines)
    assert {path for path, is_folder in repository.paths if ours.is_ignored(path, is_folder)} == wanted


@pytest.mark.parametrize(
    "lines",
    [
        ["*", "!a", "!*/"],
        ["a/", "!a/b"],
        ["/a/*", "!/a/b"],
        ["**/b", "!b"],
        ["a/**/b"],
        ["a/**"],
        ["**"],
        ["*.b", "!/a.b"],
        ["a\\ ", "a "],
        ["\\#a", "\\!a", "a\\*"],
        ["[[:upper:]]", "[]]"],
        ["[a", "a\\"],
        ["", "  ", "# a", "/"],
        ["ab*", "?b"],
    ],
)
def test_the_rules_of_the_manual(repository: Repository, lines: list[str]) -> None:
    """Each kind of rule in git's manual does here what it does there."""
    ours = IgnoreRules(lines)
    assert {path for path, is_folder in repository.paths if ours.is_ignored(path, is_folder)} == repository.ignored(
        lines
    )


@settings(max_examples=40)
@given(lines)
def test_a_walk_keeps_what_git_would_add(repository: Repository, lines: list[str]) -> None:
    """The files of a walk are the untracked files that git lists, though whole folders are pruned."""
    (repository.root / ".gitignore").write_text("\n".join(lines) + "\n")
    kept = {
        folder.prefix + name
        for folder in walk_folders(os.fspath(repository.root), IgnoreRules.read(repository.root))
        for name, _ in folder.files
    }
    assert kept == repository.untracked()


def test_amlignore_stands_before_gitignore(tmp_path: Path) -> None:
    """With both files in the root, only .amlignore counts."""
    (tmp_path / ".gitignore").write_text("a\n")
    (tmp_path / ".amlignore").write_text("b\r\n")
    rules = IgnoreRules.read(tmp_path)
    assert rules.is_match("b", False)
    assert not rules.is_match("a", False)


def test_git_and_python_caches_are_left_out_unless_taken_back(tmp_path: Path) -> None:
    """`.git` and `__pycache__` are ignored at every depth, and only a negated line that names them brings them back."""
    assert IgnoreRules.read(tmp_path).is_match("x/__pycache__", True)
    assert IgnoreRules.read(tmp_path).is_match(".git", True)
    (tmp_path / ".amlignore").write_text("*\n!*/\n!.gitignore\n")
    assert IgnoreRules.read(tmp_path).is_match(".git", True)
    (tmp_path / ".amlignore").write_text("!.git\n")
    assert not IgnoreRules.read(tmp_path).is_match(".git", True)


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    """An ignore file saved by a Windows editor works."""
    (tmp_path / ".gitignore").write_bytes(b"\xef\xbb\xbfdata\r\n")
    assert IgnoreRules.read(tmp_path).is_match("data", True)
