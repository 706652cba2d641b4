"""`ml_client.components`"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NoReturn

from smalt.client.collections.versioned import Archivable
from smalt.exceptions import Refused

if TYPE_CHECKING:
    from smalt.client.jobs.validation import ValidationResult
    from smalt.client.transfers.local_assets import Assets
    from smalt.entities.assets.component import Component


class ComponentOperations(Archivable):
    kind = "component"
    segment = "components"
    reuses_latest = True

    def create_or_update(
        self, component: Component, version: str | None = None, *, skip_validation: bool = False, **kwargs: Any
    ) -> Component:
        """Register the component; one without a version that is as the latest is that one."""
        component = _of(component)
        if not skip_validation:
            self.validate(component, raise_on_failure=True)
        return self._register(component, version)  # type: ignore[no-any-return]

    def validate(self, component: Any, raise_on_failure: bool = False, **kwargs: Any) -> ValidationResult:
        """What is wrong with it; one that was read from a file has been checked there."""
        from smalt.client.jobs.validation import validated

        return validated(_of(component), raise_on_failure)

    def download(self, name: str, download_path: str | os.PathLike[str] = ".", *, version: str | None = None) -> None:
        """Its specification and its code into a folder of its name."""
        from smalt.client.transfers.downloads import download_component

        download_component(self._session, self.get(name, version), os.path.join(os.path.abspath(download_path), name))

    def prepare_for_sign(self, component: Component) -> NoReturn:
        """Refused: nothing here checks a signature."""
        raise Refused(
            f"component '{component.name}' was not prepared: smalt has no signed components; register it as it is"
        )

    def _body(self, entity: Any, assets: Assets) -> dict[str, Any]:
        return assets.component_body(entity)

    def _is_same(self, there: dict[str, Any], here: dict[str, Any]) -> bool:
        """Whether it would be as it is there: what it names without a version has the latest one by now."""
        if self._session.registry_name is None:
            here = self._connection.post(f"/smalt/v1{self._workspace}/components/fixed", here)
        return bool(_without_version(there.get("componentSpec")) == _without_version(here["componentSpec"]))

    def _versioned(self, body: dict[str, Any], version: str) -> None:
        body["properties"]["componentSpec"]["version"] = version


def _of(component: Any) -> Any:
    """The component of a function that a decorator made one of, or of a step that was built in place."""
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
