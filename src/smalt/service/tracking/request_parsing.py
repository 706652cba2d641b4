"""Strict parsing of requests: what was checked is what is sent on, built again from the parsed values.

MLflow's own parser accepts repeated keys, JSON inside a JSON text, other encodings and camelCase names; each is a way
to name one run to the check and another to the store.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode

from smalt.exceptions import ValidationException

Body = dict[str, Any]
Query = list[tuple[str, str]]

LARGEST = 4 * 1024 * 1024
"""Bytes of a JSON body; a batch of 1,000 metrics has 0.1 MB."""

_FIELD = re.compile(r"[a-z][a-z0-9_]*")
_ONCE = {"run_id", "run_uuid", "experiment_id", "experiment_name", "path", "name", "version"}
_DEPTH = 60


def parse_body(raw: bytes) -> Body:
    """Parse a JSON object: no key twice, no number that JSON does not have, top-level keys as MLflow spells them."""
    if not raw.strip():
        return {}
    try:
        loaded = json.loads(raw.decode("utf-8"), object_pairs_hook=_build_object, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise ValidationException("the body is not UTF-8") from None
    except RecursionError:
        raise ValidationException("the body is nested too deeply") from None
    except ValueError as error:
        raise ValidationException(f"the body is not JSON that can be understood in one way only: {error}") from None
    if not isinstance(loaded, dict):
        raise ValidationException("the body must be a JSON object")
    if _is_too_deep(loaded):
        raise ValidationException("the body is nested too deeply")
    check_fields(loaded, "")
    return loaded


def dump_json(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":"), allow_nan=False).encode()


def check_fields(content: Body, where: str) -> None:
    """Raise for other spellings of a field's name (`runId`), which protobuf would accept as the same."""
    for key in content:
        if not _FIELD.fullmatch(key):
            raise ValidationException(f"'{where}{key[:60]}' is not the name of a field that MLflow has")


def parse_query(text: str) -> Query:
    """Return the query's parameters; a parameter that identifies something may occur only once."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=2000)
    except ValueError:
        raise ValidationException("the query of the URL cannot be understood") from None
    names = [name for name, _ in pairs]
    for name in _ONCE.intersection(names):
        if names.count(name) > 1:
            raise ValidationException(f"'{name}' occurs twice in the query")
    for name in names:
        if not _FIELD.fullmatch(name):
            raise ValidationException(f"'{name[:60]}' is not the name of a parameter that MLflow has")
    return pairs


def encode_query(pairs: Query) -> str:
    return urlencode(pairs)


def get_text(content: Body, *names: str) -> str:
    """Return the one text under any of these names of the same field; "" if there is none."""
    found = {content[name] for name in names if _has_text(content, name) and content[name]}
    if len(found) > 1:
        raise ValidationException(f"{' and '.join(names)} differ")
    return str(found.pop()) if found else ""


def _has_text(content: Body, name: str) -> bool:
    value = content.get(name)
    if value is not None and not isinstance(value, str):
        raise ValidationException(f"'{name}' must be a text")
    return value is not None


def get_objects(content: Body, name: str) -> list[Body]:
    """Return the objects in the list under `name`."""
    value = content.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValidationException(f"'{name}' must be a list of objects")
    for one in value:
        check_fields(one, f"{name}.")
    return value


def parse_artifact_path(raw: str) -> list[str]:
    """Return the segments of an artifact path as it stands in a URL: decoded once, and contained in every reading."""
    if not raw.isascii():
        raise ValidationException("the path of an artifact must be percent-encoded")
    return split_path(_decode_path(raw))


def split_path(path: str) -> list[str]:
    """Return the segments of an artifact path. Names may contain `%`, unless decoding them again leads out of the
    folder."""
    parts = path.split("/")
    again = path
    for _ in range(4):
        for part in again.split("/"):
            if part in ("", ".", "..") or "\\" in part or any(ord(letter) < 32 for letter in part):
                raise ValidationException(f"'{path[:200]}' is not a path of an artifact")
        following = _decode_leniently(again)
        if following == again:
            return parts
        again = following
    raise ValidationException(f"'{path[:200]}' is not a path of an artifact")


def join_segments(parts: list[str]) -> str:
    """Return segments as they stand in a URL."""
    return "/".join(quote(part, safe="") for part in parts)


def _decode_path(raw: str) -> str:
    if re.search(r"%(?![0-9a-fA-F]{2})", raw):
        raise ValidationException("the path of an artifact has a '%' that encodes nothing")
    try:
        return unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise ValidationException("the path of an artifact is not UTF-8") from None


def _decode_leniently(path: str) -> str:
    return unquote_to_bytes(path).decode("utf-8", "replace")


def _is_too_deep(content: Any) -> bool:
    """True if the content is nested too deeply: Python 3.13 parses bodies that recursion cannot walk through."""
    level = [content]
    for _ in range(_DEPTH):
        inner = [value for one in level for value in (one.values() if isinstance(one, dict) else one)]
        level = [value for value in inner if isinstance(value, (dict, list))]
        if not level:
            return False
    return True


def _build_object(pairs: list[tuple[str, Any]]) -> Body:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key occurs twice")
    return made


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number that JSON has")
