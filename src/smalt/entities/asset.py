"""What all assets and resources share."""

from __future__ import annotations

from smalt.entities.entity import Entity, from_service, mapping, optional
from smalt.entities.nested import Nested
from smalt.entities.shapes import Anything, AsText, Enum, Map, Text

TAGS = Map(AsText())


class AutoDeleteSetting(Entity):
    noun = "an auto-delete setting"

    condition = optional(Enum("created_greater_than", "last_accessed_greater_than"), "What the age counts from.")
    value = optional(AsText(), "The age, such as `30d`.")


class Resource(Entity):
    """Something with a name."""

    noun = "a resource"

    name = optional(Text(), "The name.")
    description = optional(Text(), "What it is, for people.")
    tags = mapping(TAGS, "Labels, for people and searches.")
    properties = mapping(Map(Anything()), "What tools note about it; cannot be changed later.")
    id = from_service(Text(), "The full id, given by the service.")
    creation_context = from_service(Anything(), "Who made and changed it, and when.")


class Asset(Resource):
    """Something with a name and a version."""

    noun = "an asset"

    version = optional(AsText(), "The version; the next free number where unset.")
    latest_version = from_service(AsText(), "The newest version that there is.")
    stage = optional(Text(), "Where it is in its life, such as `Development`.")
    auto_delete_setting = optional(Nested(AutoDeleteSetting), "When it is deleted by itself.")
    intellectual_property = from_service(Anything(), "Who owns it.")


class IntellectualProperty(Entity):
    noun = "intellectual property"

    publisher = optional(Text(), "Who owns it.")
    protection_level = optional(Enum("all", "none"), "What of it is hidden.")
