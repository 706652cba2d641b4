"""`ml_client.models`"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from smalt.client.collections.versioned import ArchivableCollection
from smalt.exceptions import RefusedError, ValidationException

if TYPE_CHECKING:
    from smalt.entities.assets.model import Model


class ModelOperations(ArchivableCollection):
    kind = "model"
    segment = "models"

    def create_or_update(self, model: Model) -> Model:
        """Register a model from local files, a URI, or a job's output (`azureml://jobs/NAME/outputs/OUTPUT`)."""
        return self._register_asset(model)  # type: ignore[no-any-return]

    def list(
        self,
        name: str | None = None,
        stage: str | None = None,
        *,
        list_view_type: str = "ActiveOnly",
        max_results: int | None = None,
    ) -> Iterator[Model]:
        """Return the versions of a model, or without a name all models; `stage` filters them."""
        found = self._list_assets(name, list_view_type)
        from itertools import islice

        return islice((each for each in found if stage is None or each.stage == stage), max_results)

    def download(
        self,
        name: str,
        version: str | None = None,
        download_path: str | os.PathLike[str] = ".",
        *,
        label: str | None = None,
    ) -> None:
        """Download the model's files into a folder of its name."""
        from smalt.client.transfers.downloads import download_uri, unpack_archive

        found = self._get_body(name, version, label)
        uri, folder = found["properties"]["modelUri"], os.path.join(os.path.abspath(download_path), name)
        if (
            uri == found.get("id") and not self._connection.is_local
        ):  # of a registry, whose folder is not seen from here
            unpack_archive(self._session, f"/smalt/v1/{uri.removeprefix('azureml://')}/archive", folder, uri)
        else:
            download_uri(self._session, uri, folder)

    def package(self, name: str, version: str, package_request: Any, **kwargs: Any) -> NoReturn:
        """Raise Refused: a deployment takes the model itself, and its packages are installed for it."""
        self.get(name, version)
        raise RefusedError(
            f"model '{name}:{version}' was not packaged: smalt makes no packages of models; give the model itself, its "
            "environment and code to an online deployment"
        )


class EvaluatorOperations(ModelOperations):
    """Evaluators, which are models with the property `is-evaluator`."""

    def create_or_update(self, model: Model, **kwargs: Any) -> Model:
        model.properties = {**model.properties, **_EVALUATOR}
        return super().create_or_update(model)

    def get(  # type: ignore[override]
        self, name: str, *, version: str | None = None, label: str | None = None, **kwargs: Any
    ) -> Model:
        found: Model = super().get(name, version, label)
        if not _is_evaluator(found):
            raise ValidationException(
                f"model '{name}:{found.version}' is not an evaluator; get it from ml_client.models"
            )
        return found

    def list(  # type: ignore[override]
        self, name: str, stage: str | None = None, *, list_view_type: str = "ActiveOnly", **kwargs: Any
    ) -> Iterator[Model]:
        return (each for each in super().list(name, stage, list_view_type=list_view_type) if _is_evaluator(each))

    def download(  # type: ignore[override]
        self, name: str, version: str, download_path: str | os.PathLike[str] = ".", **kwargs: Any
    ) -> None:
        super().download(name, version, download_path)


_EVALUATOR = {"is-evaluator": "true"}


def _is_evaluator(model: Model) -> bool:
    return _EVALUATOR.items() <= model.properties.items()
