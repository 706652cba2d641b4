"""`ContainerRegistry`: where an image is pulled from; Docker's or Podman's own login counts here."""

from __future__ import annotations


class ContainerRegistry:
    def __init__(self) -> None:
        self.address: str | None = None
        self.username: str | None = None
        self.password: str | None = None
        self.registry_identity: object = None
