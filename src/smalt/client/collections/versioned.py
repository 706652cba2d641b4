"""Operations common to versioned assets: components, environments, data, models."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import quote

from smalt import wire
from smalt.client.collections.collection import Collection
from smalt.client.connection.name_rules import check_name, check_version
from smalt.client.transfers.import_progress import show_import_progress
from smalt.client.transfers.local_assets import LocalAssets
from smalt.client.transfers.sharing import import_asset, share_asset
from smalt.entities.schema.kinds import KINDS
from smalt.entities.schema.nested import load_noun
from smalt.exceptions import NotFound, RefusedError, ValidationException

Json = dict[str, Any]


class VersionedCollection(Collection):
    type_key = ""
    """The container's key for the type of its assets, where it has one."""
    reuses_latest = False
    """True if an asset without a version that equals the latest version is that version."""

    def _register_asset(self, entity: Any, version: str | None = None) -> Any:
        """Register the asset; without a version, under the next free number, which the server chooses finally."""
        name = _check_has_name(entity)
        assets = LocalAssets(self._session)
        body = self._build_body(entity, assets)
        assets.send()
        given = version or entity.version
        chosen = given or self._choose_version(name, body)
        if isinstance(chosen, dict):
            return self._parse_entity(chosen)
        self._set_version(body, str(chosen))
        with show_import_progress(self._session, body["properties"]):
            return self._parse_entity(
                self._connection.put(self._build_put_path(name, str(chosen), is_next=not given), body)
            )

    def _build_body(self, entity: Any, assets: LocalAssets) -> Json:
        return wire.to_rest(entity, assets)

    def _build_put_path(self, name: str, version: str, *, is_next: bool = False) -> str:
        """Return the path of the asset's PUT; for a registry, with the workspace that received the local files."""
        queries = [f"workspace={self._session.uploads_id}"] if self._session.registry_name is not None else []
        queries += ["next=true"] if is_next else []
        return "?".join(filter(None, (self._build_path(name, version), "&".join(queries))))

    def _list_assets(
        self, name: str | None, list_view_type: str = "ActiveOnly", max_results: int | None = None, **_: object
    ) -> Iterator[Any]:
        """Return the versions of an asset, or without a name all assets with their latest versions."""
        view = str(getattr(list_view_type, "value", list_view_type))
        if name is not None:
            found = self._list_entities(f"{self._build_path(name)}/versions", listViewType=view)
        else:
            found = (
                self._parse_container(body)
                for body in self._connection.list_items(self._build_path(), listViewType=view)
            )
        return islice(found, max_results)

    def _get_body(self, name: str, version: str | None, label: str | None) -> dict[str, Any]:
        if version is not None and label is not None:
            raise ValidationException("version and label exclude each other; give one of them")
        if version is None:
            version = self._resolve_label(name, label or "latest")
        body: dict[str, Any] = self._connection.get(self._build_path(name, version))
        return body

    def _resolve_label(self, name: str, label: str) -> str:
        if label != "latest":
            return str(self._connection.get(f"{self._build_path(name)}/labels/{quote(label, safe='')}")["name"])
        latest = self._connection.get(self._build_path(name))["properties"].get("latestVersion")
        if latest is None:
            self._connection.get(f"{self._build_path(name)}/labels/latest")  # which says why there is none
            raise NotFound(f"{self.kind} {name} has no version")
        return str(latest)

    def _choose_version(self, name: str, body: dict[str, Any]) -> str | dict[str, Any]:
        """Return the next free number, or the body of the latest version if that is identical and may be reused."""
        try:
            facts = self._connection.get(self._build_path(name))["properties"]
        except NotFound:
            return "1"
        latest = facts.get("latestVersion")
        if self.reuses_latest and latest is not None:
            there: dict[str, Any] = self._connection.get(self._build_path(name, str(latest)))
            if self._is_same(there["properties"], body["properties"]):
                return there
        return str(facts.get("nextVersion") or "1")

    def _is_same(self, there: dict[str, Any], here: dict[str, Any]) -> bool:
        return all(there.get(key) == value for key, value in here.items())

    def _set_version(self, body: dict[str, Any], version: str) -> None:
        """Write the version into the body, where the body has a place for it."""

    def _parse_container(self, body: dict[str, Any]) -> Any:
        properties = body["properties"]
        where = KINDS[self.kind]
        if isinstance(where, dict):
            where = where.get(str(properties.get("type", "command")), where["command"])
        noun: Any = load_noun(where)(name=body["name"], id=body.get("id"))
        shown = {"latest_version": "latestVersion", "description": "description", "tags": "tags", "type": self.type_key}
        for key, there in shown.items():
            if properties.get(there):
                setattr(noun, key, properties[there])
        return noun

    def _set_archived(self, name: str, version: str | None, label: str | None, archived: bool) -> None:
        if version is None and label is not None:
            version = self._resolve_label(name, label)
        if (
            version is not None
            and not archived
            and self._connection.get(self._build_path(name))["properties"]["isArchived"]
        ):
            raise RefusedError(
                f"{self.kind} '{name}' is archived as a whole, so its version {version} cannot be restored alone; "
                "restore it without a version"
            )
        body = self._connection.get(self._build_path(name, version))
        properties = {**body["properties"], "isArchived": archived}
        properties.pop("provisioningState", None)
        path = self._build_path(name) if version is None else self._build_put_path(name, version)
        self._connection.put(path, {"properties": properties})


class ArchivableCollection(VersionedCollection):
    """Assets with a version or a label, which are listed, archived, restored and shared."""

    def get(self, name: str, version: str | None = None, label: str | None = None) -> Any:
        """Return the given version, the labelled one, or the latest."""
        return self._parse_entity(self._get_body(name, version, label))

    def list(
        self, name: str | None = None, *, list_view_type: str = "ActiveOnly", max_results: int | None = None
    ) -> Iterator[Any]:
        """Return the versions of an asset, or without a name all assets with their latest versions."""
        return self._list_assets(name, list_view_type, max_results)

    def archive(self, name: str, version: str | None = None, label: str | None = None, **kwargs: Any) -> None:
        """Hide the asset, or one version of it, from lists."""
        self._set_archived(name, version, label, True)

    def restore(self, name: str, version: str | None = None, label: str | None = None, **kwargs: Any) -> None:
        self._set_archived(name, version, label, False)

    def lineage(self, name: str, version: str | None = None, label: str | None = None, *, depth: int = 8) -> Json:
        """Return `made_by` and `used_by` of a version as nested data; for data and models."""
        if version is None:
            version = self._resolve_label(name, label or "latest")
        check_name(self.kind, name)
        check_version(str(version))
        path = f"/smalt/v1{self._workspace_id}/lineage/{self.segment}/{name}/versions/{version}"
        found: Json = self._connection.get(path, depth=depth)
        return found

    def share(
        self,
        name: str,
        version: str,
        *,
        share_with_name: str | None = None,
        share_with_version: str | None = None,
        registry_name: str,
        **kwargs: Any,
    ) -> Any:
        """Copy a version and its content into a registry, by default under the same name and version."""
        shared_as = share_with_name or name, str(share_with_version or version)
        return self._parse_entity(
            share_asset(self._session, self.segment, (name, str(version)), registry_name, shared_as)
        )

    def export_to(
        self,
        name: str,
        version: str,
        *,
        workspace_name: str | None = None,
        resource_group_name: str | None = None,
        registry_name: str | None = None,
    ) -> Any:
        """Copy a version and its content to another workspace or into a registry."""
        if registry_name is not None and workspace_name is None:
            return self.share(name, version, registry_name=registry_name)
        if workspace_name is None or registry_name is not None:
            raise ValidationException("name the destination: give either workspace_name or registry_name")
        there = type(self)(self._session.with_workspace(workspace_name, resource_group_name))
        own = self._session
        return there.import_from(
            name, version, workspace_name=own.workspace_name, resource_group_name=own.resource_group_name
        )

    def import_from(
        self,
        name: str,
        version: str,
        *,
        workspace_name: str | None = None,
        resource_group_name: str | None = None,
        registry_name: str | None = None,
        as_name: str | None = None,
        as_version: str | None = None,
    ) -> Any:
        """Copy a version and its content from another workspace or from a registry into this workspace."""
        found = import_asset(
            self._session,
            self.segment,
            (name, str(version)),
            workspace_name=workspace_name,
            resource_group_name=resource_group_name,
            registry_name=registry_name,
            imported_as=(as_name, as_version),
        )
        return self._parse_entity(found)


def _check_has_name(entity: Any) -> str:
    if not entity.name:
        raise ValidationException(f"{entity.noun} needs a name to be registered; set 'name'")
    return str(entity.name)
