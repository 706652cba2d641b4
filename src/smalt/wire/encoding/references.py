"""References of an entity to others, as the wire has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from smalt.entities.schema.entity import Entity


class References(Protocol):
    """Turns what the user wrote into what the server knows: ids, URIs. The client's makes local things remote."""

    keeps_inline: bool
    """True if a step that has its command in place keeps it there, rather than getting a component."""

    def code(self, path: str) -> str:
        """Return the reference for a local folder or file, or for a reference to code."""
        ...

    def environment(self, environment: Any) -> str | Entity:
        """Return the reference for one as written; an Environment stays in place."""
        ...

    def conda(self, given: Any) -> Any:
        """Return a conda specification, given or in a file, with the files of this machine that it names."""
        ...

    def component(self, component: Any) -> str | Entity:
        """Return the reference for one as written; a Component stays in place."""
        ...

    def asset(self, text: str, kind: str) -> str:
        """Return the reference to an asset of the kind ("components", "environments", …)."""
        ...

    def compute(self, name: str) -> str: ...

    def datastore(self, name: str) -> str: ...

    def data(self, path: str, type: str | None) -> str:
        """Return the URI or reference for an input's path, which may be local."""
        ...

    def stored(self, path: str, datastore: str | None) -> str:
        """Return the URI of an asset's content, which goes to a datastore if it is local."""
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
