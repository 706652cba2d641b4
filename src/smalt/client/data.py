"""`ml_client.data`"""

from __future__ import annotations

import os
from typing import Any

from smalt.client.versioned import Versioned
from smalt.entities.references import LocalPath, parse_uri
from smalt.exceptions import ValidationException


class DataOperations(Versioned):
    kind = "data"
    segment = "data"
    type_key = "dataType"

    def create_or_update(self, entity: Any, *, version: str | None = None, **_: object) -> Any:
        """Register data; what is local must be of the type that is said."""
        place = parse_uri(str(entity.path or ""))
        if isinstance(place, LocalPath) and os.path.exists(place.path):
            _check(place.path, entity.type or "uri_folder")
        return super().create_or_update(entity, version=version)


def _check(path: str, type: str) -> None:
    is_folder = os.path.isdir(path)
    if type == "uri_file" and is_folder:
        raise ValidationException(f"{path} is a folder, and the type is uri_file; make it uri_folder or name a file")
    if type == "uri_folder" and not is_folder:
        raise ValidationException(f"{path} is a file, and the type is uri_folder; make it uri_file or name a folder")
    if type == "mltable" and not os.path.isfile(os.path.join(path, "MLTable")):
        raise ValidationException(f"{path} is no mltable: it has no file MLTable; name a folder that has one")
