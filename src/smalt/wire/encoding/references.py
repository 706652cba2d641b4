"""What an entity refers to, as it is to stand on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from smalt.entities.schema.entity import Entity


class References(Protocol):
    """Turns what the user wrote into what the server knows: ids, URIs. The client's makes local things remote."""

    keeps_inline: bool
    """Whether a step that has its command in place keeps it there, rather than getting a component."""

    def code(self, path: str) -> str:
        """Of a local folder or file, or of a reference to code."""
        ...

    def environment(self, environment: Any) -> str | Entity:
        """Of a reference or an Environment; an Environment stays in place."""
        ...

    def conda(self, given: Any) -> Any:
        """Of a specification, or the path of a file with one: the specification, with what it names of this machine."""
        ...

    def component(self, component: Any) -> str | Entity:
        """Of a reference or a Component; a Component stays in place."""
        ...

    def asset(self, text: str, kind: str) -> str:
        """Of a reference to an asset of the kind ("components", "environments", …)."""
        ...

    def compute(self, name: str) -> str: ...

    def datastore(self, name: str) -> str: ...

    def data(self, path: str, type: str | None) -> str:
        """Of an input's path: local, a URI, or a reference."""
        ...

    def stored(self, path: str, datastore: str | None) -> str:
        """Of what an asset is made of, which is kept in a datastore when it is local."""
        ...


class AsWritten:
    """Everything stays as the user wrote it."""

    keeps_inline = True

    def code(self, path: str) -> str:
        return path

    def environment(self, environment: Any) -> str | Entity:
        return environment  # type: ignore[no-any-return]

    def conda(self, given: Any) -> Any:
        return given

    def component(self, component: Any) -> str | Entity:
        return component  # type: ignore[no-any-return]

    def asset(self, text: str, kind: str) -> str:
        return text

    def compute(self, name: str) -> str:
        return name

    def datastore(self, name: str) -> str:
        return name

    def data(self, path: str, type: str | None) -> str:
        return path

    def stored(self, path: str, datastore: str | None) -> str:
        return path


AS_WRITTEN = AsWritten()
