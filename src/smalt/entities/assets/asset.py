"""Assets and resources: the fields and shapes that all of them share."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from smalt.entities.schema.effects import ACTED, KEPT, SERVICE
from smalt.entities.schema.entity import Entity, from_service, mapping, optional
from smalt.entities.schema.equality import is_same_document
from smalt.entities.schema.keyed import Keyed
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.problems import Path
from smalt.entities.schema.shapes import JSON, Anything, AsText, Enum, Map, Shape, Tag, Text, Version
from smalt.entities.schema.travel import Travel

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader
    from smalt.entities.schema.shapes import Definitions


class Tags(Map[str]):
    """A mapping of tags; a tag without a value is the empty text."""

    def make_empty(self) -> str:
        return ""


TAGS = Tags(Tag())
"""Tags of jobs, steps and components. Azure's client accepts only text as their values."""

ASSET_TAGS = Tags(AsText())


class AutoDeleteSetting(Entity):
    noun = "an auto-delete setting"
    _effect = KEPT

    condition = optional(
        Enum("created_greater_than", "last_accessed_greater_than"), "The event that the age counts from."
    )
    value = optional(AsText(), "The age, such as `30d`.")


class Moment(Shape[datetime]):
    """A point in time as ISO 8601 text. Text that does not parse is kept, since only the service sets times."""

    words = "a time"

    def read_value(self, value: Any, path: Path, reader: Reader) -> Any:
        try:
            return datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else value
        except ValueError:
            return value

    def dump_value(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime) else value

    def build_schema(self, definitions: Definitions) -> JSON:
        return {"type": "string"}


class SystemData(Keyed, Entity):
    noun = "who made and changed something, and when"
    _effect = SERVICE
    _is_open = True

    created_by = optional(Text(), "The creator.")
    created_by_type = optional(Text(), "The type of creator: a user, an application, …")
    created_at = optional(Moment(), "The time of creation.")
    last_modified_by = optional(Text(), "The author of the last change.")
    last_modified_by_type = optional(Text(), "The type of the last author.")
    last_modified_at = optional(Moment(), "The time of the last change.")


class ShownEntity(Entity):
    """An entity that has a page in the studio."""

    @property
    def studio_url(self) -> str | None:
        """Return the URL of the entity's page in the studio, or None before the server has answered for it."""
        page: str | None = self.__dict__.get("_studio_url")
        return page


class Resource(ShownEntity):
    """A named resource."""

    noun = "a resource"

    name = optional(Text(), "The name.", effect=ACTED, travels=Travel.NOWHERE)
    description = optional(Text(), "A description, for people.", effect=KEPT)
    tags = mapping(ASSET_TAGS, "Labels, for people and searches.", effect=KEPT, travels=Travel.NOWHERE)
    properties = mapping(
        Map(Anything()),
        "The properties that tools set; they cannot be changed later.",
        effect=KEPT,
        travels=Travel.NOWHERE,
    )
    id = from_service(Text(), "The full id, given by the service.")
    creation_context = from_service(Nested(SystemData), "The authors and times of creation and last change.")

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other) or is_same_document(self, other)

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        """Return the YAML text that `print(job)` shows."""
        return self._to_yaml()


class Asset(Resource):
    """A resource with a name and a version."""

    noun = "an asset"

    version = optional(Version(), "The version; the next free number where unset.", effect=ACTED)
    latest_version = from_service(Version(), "The newest version that there is.")
    stage = optional(Text(), "The stage of its life, such as `Development`.", effect=KEPT)
    auto_delete_setting = optional(Nested(AutoDeleteSetting), "The setting of automatic deletion.", effect=KEPT)
    intellectual_property = from_service(Anything(), "The owner.")


class IntellectualProperty(Entity):
    noun = "intellectual property"

    publisher = optional(Text(), "The owner.")
    protection_level = optional(Enum("all", "none"), "The level of protection.")
