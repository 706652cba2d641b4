"""Assets that programs make by hand only now and then: code, and a registry's copy of a workspace's asset."""

from __future__ import annotations

from typing import Any

from smalt.entities.assets.code import Code
from smalt.entities.assets.deployment_template import WorkspaceModelReference
from smalt.wire.encoding.codec import Codec, Json, Rule, Writing
from smalt.wire.encoding.envelope import ASSET, ASSET_DEFAULTS, HIDDEN, Envelope

CODE = Envelope(
    Codec(
        Code,
        {**ASSET, "path": Rule("codeUri"), "description": HIDDEN, "tags": HIDDEN},
        defaults={**ASSET_DEFAULTS, "properties": {}},
    )
)


class _Reference(Codec[WorkspaceModelReference]):
    """The name and version are those that the copy is to have."""

    def write(self, noun: WorkspaceModelReference, writing: Writing) -> Json:
        given = {"destinationName": noun.name, "destinationVersion": noun.version, "sourceAssetId": noun.asset_id}
        named: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        return {"referenceType": "Id", **named}


REFERENCE = Envelope(_Reference(WorkspaceModelReference))
