"""An asset of a workspace that a registry is to have."""

from __future__ import annotations

from smalt.entities.asset import Asset
from smalt.entities.effect import KEPT
from smalt.entities.entity import optional
from smalt.entities.shapes import Text


class WorkspaceAssetReference(Asset):
    noun = "a reference to an asset of a workspace"
    _effect = KEPT

    asset_id = optional(Text(), "The full id of the asset.")
