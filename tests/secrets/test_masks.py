"""What is hidden in logs, and what is not."""

from __future__ import annotations

import base64
import io
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smalt.service.secrets.masks import SecretMask, is_log_path


@pytest.mark.parametrize(
    "written",
    [
        "a%2Fb+c d",
        "pa$$w0rd",
        "line one",
        "line two",
        "line one\nline two",
        "line one\\nline two",
        "a/b%2Bc",
        "ö\\u00f6",
    ],
)
def test_each_form_of_a_value_is_hidden(written: str) -> None:
    """As it is, its lines, as JSON has it and percent-encoded; the size stays."""
    mask = SecretMask(["pa$$w0rd", "line one\nline two", "a/b+c", "a%2Fb+c d", "ö\\u00f6"])
    hidden = mask.hide_bytes(f"<{written}>".encode())
    assert len(hidden) == len(f"<{written}>".encode())
    assert hidden.strip(b"<>*") in (b"", b"\n", b"\\n") or written not in hidden.decode()


@pytest.mark.parametrize("value", ["pa$$w0rd", "line one\nline two", "k" * 400, "ü?ü?ü?>>>"])
@pytest.mark.parametrize("before", ["", "u", "me", "me:"])
@pytest.mark.parametrize("after", ["", "@", "@h", "@ho"])
def test_base64_is_hidden(value: str, before: str, after: str) -> None:
    """Of the value alone whole, with the padding; within other text all letters that only the value makes."""
    mask = SecretMask([value])
    for coded in (base64.b64encode, base64.urlsafe_b64encode):
        code = coded(f"{before}{value}{after}".encode())
        hidden = mask.hide_bytes(b"<" + code + b">").strip(b"<>")
        assert len(hidden) == len(code)
        start, end = -(-len(before) * 4 // 3), len((before + value).encode()) * 4 // 3
        assert set(hidden[start:end]) == set(b"*")
        assert hidden[end + 1 :] == code[end + 1 :] or not after
        assert before or after or set(hidden) == set(b"*")


def test_base64_in_lines_is_hidden() -> None:
    """As the program `base64` breaks it."""
    value = "".join(chr(40 + index % 80) for index in range(1000))
    hidden = SecretMask([value]).hide_bytes(base64.encodebytes(value.encode()))
    assert set(hidden) == set(b"*\n")


def test_short_values_are_not_looked_for() -> None:
    """What is in every text by chance."""
    assert not SecretMask(["abc", ""])
    assert SecretMask(["abc", "abcd"]).hide_bytes(b"abc abcd") == b"abc ****"


@given(st.lists(st.text(min_size=4, max_size=9), max_size=4), st.text(max_size=60), st.integers(1, 7))
def test_pieces_are_as_the_whole(values: list[str], text: str, size: int) -> None:
    """However a file is cut, what is read of it piece by piece is what is read at once."""
    mask = SecretMask(values)
    data = "".join(values).join([text, text]).encode("utf-8", "surrogateescape")
    file = io.BytesIO(data)
    pieces = [mask.read_piece(file, at, size) for at in range(0, len(data), size)]
    assert b"".join(pieces) == mask.hide_bytes(data)
    assert len(mask.hide_bytes(data)) == len(data)


def test_half_a_secret_is_held_back() -> None:
    """What may be the beginning of one waits for its end."""
    mask = SecretMask(["pa$$w0rd"])
    assert mask.count_held(b"say pa$$w") == 5
    assert mask.count_held(b"say pa$$w0rd") == 0
    assert mask.count_held(b"say nothing") == 0


@given(st.lists(st.text("ab\n", min_size=4, max_size=9), max_size=3), st.text("ab\n", max_size=12))
def test_what_is_held_back_is_the_longest_beginning(values: list[str], text: str) -> None:
    """No more and no less, however values begin alike."""
    mask, data = SecretMask(values), text.encode()
    ends = [data[at:] for at in range(len(data))]
    longest = next((len(end) for end in ends if any(form != end and form.startswith(end) for form in mask._texts)), 0)
    assert mask.count_held(data) == longest


def test_large_secrets_do_not_hold_up_the_logs() -> None:
    """A value of the largest size, before a piece of a log."""
    mask = SecretMask(["\n".join("ab" * 30 for _ in range(400))])
    start = time.process_time()
    assert mask.count_held(b"x" * 65_000 + b"a") == 1
    assert time.process_time() - start < 0.5


def test_the_logs_of_a_job_are_rewritten_in_place(tmp_path: Path) -> None:
    """In all folders of logs and nowhere else; the size stays, and files without secrets are not touched."""
    for name in ("user_logs/std_log.txt", "logs/deep/a", "outputs/model", "user_logs/clean"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"clean" if name.endswith("clean") else b"x" * (1 << 20) + b"pa$$w0rd\n")
    before = (tmp_path / "user_logs/clean").stat().st_mtime_ns
    SecretMask(["pa$$w0rd"]).hide_in_logs(tmp_path)
    assert (tmp_path / "user_logs/std_log.txt").read_bytes() == b"x" * (1 << 20) + b"********\n"
    assert b"pa$$" not in (tmp_path / "logs/deep/a").read_bytes()
    assert b"pa$$w0rd" in (tmp_path / "outputs/model").read_bytes()
    assert (tmp_path / "user_logs/clean").stat().st_mtime_ns == before


def test_which_files_are_logs() -> None:
    """By where the service keeps them."""
    assert is_log_path("ExperimentRun/dcid.j/user_logs/std_log.txt")
    assert is_log_path("ExperimentRun/dcid.j/logs/a/b")
    assert not is_log_path("ExperimentRun/dcid.j/outputs/user_logs/x")
    assert not is_log_path("other/user_logs/x")
