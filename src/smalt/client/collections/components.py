"""`ml_client.components`"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NoReturn

from smalt.client.collections.versioned import ArchivableCollection
from smalt.exceptions import RefusedError

if TYPE_CHECKING:
    from smalt.client.jobs.validation import ValidationResult
    from smalt.client.transfers.local_assets import LocalAssets
    from smalt.entities.assets.component import Component


class ComponentOperations(ArchivableCollection):
    kind = "component"
    segment = "components"
    reuses_latest = True

    def create_or_update(
        self, component: Component, version: str | None = None, *, skip_validation: bool = False, **kwargs: Any
    ) -> Component:
        """Register the component; without a version, return the latest version if it is identical."""
        component = _unwrap_component(component)
        if not skip_validation:
            self.validate(component, raise_on_failure=True)
        return self._register_asset(component, version)  # type: ignore[no-any-return]

    def validate(self, component: Any, raise_on_failure: bool = False, **kwargs: Any) -> ValidationResult:
        """Return the component's problems; a component read from a file was validated then."""
        from smalt.client.jobs.validation import validate_entity

        return validate_entity(_unwrap_component(component), raise_on_failure)

    def download(self, name: str, download_path: str | os.PathLike[str] = ".", *, version: str | None = None) -> None:
        """Download the component's specification and code into a folder of its name."""
        from smalt.client.transfers.downloads import download_component

        download_component(self._session, self.get(name, version), os.path.join(os.path.abspath(download_path), name))

    def prepare_for_sign(self, component: Component) -> NoReturn:
        """Raise Refused: smalt has no signed components."""
        raise RefusedError(
            f"component '{component.name}' was not prepared: smalt has no signed components; register it as it is"
        )

    def _build_body(self, entity: Any, assets: LocalAssets) -> dict[str, Any]:
        return assets.build_component_body(entity)

    def _is_same(self, there: dict[str, Any], here: dict[str, Any]) -> bool:
        """Return True if both bodies define the same component, with references resolved to versions."""
        if self._session.registry_name is None:
            here = self._connection.post(f"/smalt/v1{self._workspace_id}/components/fixed", here)
        return bool(_without_version(there.get("componentSpec")) == _without_version(here["componentSpec"]))

    def _set_version(self, body: dict[str, Any], version: str) -> None:
        body["properties"]["componentSpec"]["version"] = version


def _unwrap_component(component: Any) -> Any:
    """Return the component of a decorated function or of a step built in place; a component as it is."""
    from smalt.entities.assets.component import Component

    if hasattr(component, "_is_dsl_func"):
        return component._as_component()
    for name in ("component", "_component"):
        found = getattr(component, name, None)
        if not isinstance(component, Component) and isinstance(found, Component):
            return found
    return component


def _without_version(spec: Any) -> Any:
    return {key: value for key, value in spec.items() if key != "version"} if isinstance(spec, dict) else spec
