"""`azure.core`, `.credentials`, `.paging` and `.polling`, where azure-core is not installed: what programs name."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, Generic, Protocol, TypeVar

from smalt.client.collections.pollers import LROPoller as LROPoller
from smalt.identity import AccessToken as AccessToken

T = TypeVar("T")


class AccessTokenInfo:
    def __init__(
        self, token: str, expires_on: int, *, token_type: str = "Bearer", refresh_on: int | None = None
    ) -> None:
        self.token, self.expires_on, self.token_type, self.refresh_on = token, expires_on, token_type, refresh_on


class TokenCredential(Protocol):
    def get_token(self, *scopes: str, **rest: Any) -> AccessToken: ...


class AzureKeyCredential:
    def __init__(self, key: str) -> None:
        self.key = key

    def update(self, key: str) -> None:
        self.key = key


class AzureSasCredential:
    def __init__(self, signature: str) -> None:
        self.signature = signature

    def update(self, signature: str) -> None:
        self.signature = signature


class AzureNamedKeyCredential:
    def __init__(self, name: str, key: str) -> None:
        self.named_key = (name, key)

    def update(self, name: str, key: str) -> None:
        self.named_key = (name, key)


class ItemPaged(Generic[T]):
    """A name for annotations; lists are plain iterators."""

    def __iter__(self) -> Iterator[T]:
        return iter(())


class MatchConditions(Enum):
    Unconditionally = 1
    IfNotModified = 2
    IfModified = 3
    IfPresent = 4
    IfMissing = 5
