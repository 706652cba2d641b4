"""`ml_client.data`"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from smalt.client.collections.versioned import ArchivableCollection
from smalt.client.transfers.mounts import refuse_mount
from smalt.entities.syntax.references import LocalPath, parse_uri
from smalt.exceptions import ValidationException

if TYPE_CHECKING:
    from smalt.entities.assets.data import Data
    from smalt.entities.assets.data_import import DataImport
    from smalt.entities.jobs.pipeline import PipelineJob


class DataOperations(ArchivableCollection):
    kind = "data"
    segment = "data"
    type_key = "dataType"

    def create_or_update(self, data: Data) -> Data:
        """Register data; raises ValidationException if local data is not of its declared type."""
        place = parse_uri(str(data.path or ""))
        if isinstance(place, LocalPath) and os.path.exists(place.path):
            _check_type(place.path, data.type or "uri_folder")
        return self._register_asset(data)  # type: ignore[no-any-return]

    def import_data(self, data_import: DataImport, **kwargs: Any) -> PipelineJob:
        """Submit the job that imports data and registers it as the next version; return the job."""
        from smalt.client.collections.jobs import JobOperations
        from smalt.entities.steps.data_imports import build_import_job

        made: Any = JobOperations(self._session).create_or_update(build_import_job(data_import))
        return made  # type: ignore[no-any-return]

    def list_materialization_status(
        self, name: str, *, list_view_type: str = "ActiveOnly", **kwargs: Any
    ) -> Iterator[Any]:
        """Return the import jobs of the data, newest first."""
        from smalt.client.collections.jobs import JobOperations
        from smalt.entities.steps.data_imports import IMPORT

        return JobOperations(self._session).list(list_view_type=list_view_type, experiment_name=IMPORT.format(name))

    def mount(
        self,
        path: str,
        *,
        mount_point: str | None = None,
        mode: str = "ro_mount",
        debug: bool = False,
        persistent: bool = False,
        **kwargs: Any,
    ) -> NoReturn:
        """Raise Refused: registered data is in folders of this machine already."""
        refuse_mount(path)


def _check_type(path: str, type: str) -> None:
    is_folder = os.path.isdir(path)
    if type == "uri_file" and is_folder:
        raise ValidationException(f"{path} is a folder, and the type is uri_file; make it uri_folder or name a file")
    if type == "uri_folder" and not is_folder:
        raise ValidationException(f"{path} is a file, and the type is uri_folder; make it uri_file or name a folder")
    if type == "mltable" and not os.path.isfile(os.path.join(path, "MLTable")):
        raise ValidationException(f"{path} is not an mltable: it has no file MLTable; name a folder that has one")
    if type == "mltable":
        from smalt.mltable import document  # of jobs; most data is none

        problems = document.find_folder_problems(path)
        if problems:
            raise ValidationException("\n".join(problems))
