"""`azure.identity.aio`: the same credentials, to be awaited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from smalt.python.core import AccessToken
from smalt.python.credentials import CREDENTIALS, make_token


class AsyncCredential:
    def __init__(self, *_: Any, **__: Any) -> None: ...

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return make_token(scopes[0] if scopes else "")

    async def close(self) -> None: ...

    async def __aenter__(self) -> AsyncCredential:
        return self

    async def __aexit__(self, *_: object) -> None: ...


def get_bearer_token_provider(credential: Any, *scopes: str) -> Callable[[], Awaitable[str]]:
    async def provide() -> str:
        return str((await credential.get_token(*scopes)).token)

    return provide


globals().update({name: type(name, (AsyncCredential,), {"__module__": "azure.identity.aio"}) for name in CREDENTIALS})

__all__ = [*CREDENTIALS, "get_bearer_token_provider"]  # noqa: PLE0604  # each is a str
