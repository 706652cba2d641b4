"""`ml_client.feature_sets`, `ml_client.feature_store_entities` and `ml_client.feature_stores`"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from smalt.client.collections.pollers import CompletedPoller
from smalt.client.collections.versioned import VersionedCollection
from smalt.client.collections.workspaces import WorkspaceCollection
from smalt.exceptions import RefusedError

if TYPE_CHECKING:
    from smalt.entities.workspaces.feature_store import FeatureSet, FeatureStore, FeatureStoreEntity

_NOT_MADE = "smalt stores feature sets but computes no features yet"


class FeatureSetOperations(VersionedCollection):
    kind = "feature_set"
    segment = "featuresets"

    def begin_create_or_update(self, featureset: FeatureSet, **kwargs: Any) -> CompletedPoller[FeatureSet]:
        return CompletedPoller(self._register_asset(featureset))

    def get(self, name: str, version: str, **kwargs: Any) -> FeatureSet:
        return self._parse_entity(self._get_body(name, version, None))  # type: ignore[no-any-return]

    def list(
        self, name: str | None = None, *, list_view_type: str = "ActiveOnly", **kwargs: Any
    ) -> Iterator[FeatureSet]:
        return self._list_assets(name, list_view_type, **kwargs)

    def archive(self, name: str, version: str, **kwargs: Any) -> None:
        self._set_archived(name, version, None, True)

    def restore(self, name: str, version: str, **kwargs: Any) -> None:
        self._set_archived(name, version, None, False)

    def begin_backfill(
        self,
        *,
        name: str,
        version: str,
        feature_window_start_time: datetime | None = None,
        feature_window_end_time: datetime | None = None,
        display_name: str | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        compute_resource: Any = None,
        spark_configuration: dict[str, str] | None = None,
        data_status: list[Any] | None = None,  # type: ignore[valid-type]
        job_id: str | None = None,
        **kwargs: Any,
    ) -> CompletedPoller[Any]:
        """Raise Refused: smalt computes no features yet."""
        self._refuse_materialization(name, version)

    def list_features(
        self,
        feature_set_name: str,
        version: str,
        *,
        feature_name: str | None = None,
        description: str | None = None,
        tags: str | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Raise Refused: smalt does not read the specification of features yet."""
        self._refuse_materialization(feature_set_name, version)

    def get_feature(self, feature_set_name: str, version: str, *, feature_name: str, **kwargs: Any) -> Any:
        """Raise Refused: smalt does not read the specification of features yet."""
        self._refuse_materialization(feature_set_name, version)

    def list_materialization_operations(
        self,
        name: str,
        version: str,
        *,
        feature_window_start_time: str | datetime | None = None,
        feature_window_end_time: str | datetime | None = None,
        filters: str | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Return the jobs that computed the features: none yet."""
        self.get(name, version)
        return iter(())

    def _refuse_materialization(self, name: str, version: str) -> NoReturn:
        self.get(name, version)
        raise RefusedError(f"cannot materialize feature set '{name}:{version}': {_NOT_MADE}")


class FeatureStoreEntityOperations(VersionedCollection):
    kind = "feature_store_entity"
    segment = "featurestoreEntities"

    def begin_create_or_update(
        self, feature_store_entity: FeatureStoreEntity, **kwargs: Any
    ) -> CompletedPoller[FeatureStoreEntity]:
        return CompletedPoller(self._register_asset(feature_store_entity))

    def get(self, name: str, version: str, **kwargs: Any) -> FeatureStoreEntity:
        return self._parse_entity(self._get_body(name, version, None))  # type: ignore[no-any-return]

    def list(
        self, name: str | None = None, *, list_view_type: str = "ActiveOnly", **kwargs: Any
    ) -> Iterator[FeatureStoreEntity]:
        return self._list_assets(name, list_view_type, **kwargs)

    def archive(self, name: str, version: str, **kwargs: Any) -> None:
        self._set_archived(name, version, None, True)

    def restore(self, name: str, version: str, **kwargs: Any) -> None:
        self._set_archived(name, version, None, False)


class FeatureStoreOperations(WorkspaceCollection):
    """Feature stores, which are workspaces of that kind."""

    kind = "feature_store"

    def begin_create(
        self,
        feature_store: FeatureStore,
        *,
        grant_materialization_permissions: bool = True,
        update_dependent_resources: bool = False,
        **kwargs: Any,
    ) -> CompletedPoller[FeatureStore]:
        feature_store.kind = "featurestore"
        return CompletedPoller(self._put_entity(feature_store))

    def begin_update(
        self,
        feature_store: FeatureStore,
        *,
        grant_materialization_permissions: bool = True,
        update_dependent_resources: bool = False,
        **kwargs: Any,
    ) -> CompletedPoller[FeatureStore]:
        return self.begin_create(feature_store)

    def get(self, name: str, **kwargs: Any) -> FeatureStore:
        return self._parse_entity(self._connection.get(self._build_path(name)))  # type: ignore[no-any-return]

    def list(self, *, scope: str = "resource_group", **kwargs: Any) -> Iterator[FeatureStore]:
        bodies = self._connection.list_items(self._build_scope_path(scope))
        return (self._parse_entity(body) for body in bodies if str(body.get("kind", "")).lower() == "featurestore")

    def begin_delete(
        self, name: str, *, delete_dependent_resources: bool = False, **kwargs: Any
    ) -> CompletedPoller[None]:
        """Delete the feature store; the server decides, as for any workspace."""
        return CompletedPoller(self._connection.delete(self._build_path(name)))

    def begin_provision_network(
        self, *, feature_store_name: str | None = None, include_spark: bool = False, **kwargs: Any
    ) -> CompletedPoller[Any]:
        """Raise Refused: workspaces have no network of their own."""
        return self._refuse_network(feature_store_name)
