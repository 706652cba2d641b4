"""Keys and words in the two spellings of the wire: camelCase outside, snake_case in a pipeline's nodes."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4096)
def to_camel(name: str) -> str:
    """`instance_count` as `instanceCount`"""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


@lru_cache(maxsize=4096)
def to_pascal(name: str) -> str:
    """`user_identity` as `UserIdentity`"""
    text = to_camel(name)
    return text[:1].upper() + text[1:]


@lru_cache(maxsize=4096)
def to_snake(name: str) -> str:
    """`instanceCount` as `instance_count`"""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


@lru_cache(maxsize=4096)
def fold_case(name: str) -> str:
    """Return one spelling for all that the service takes as equal: `uri_folder`, `UriFolder`, `uriFolder`."""
    return name.replace("_", "").replace("-", "").lower()
