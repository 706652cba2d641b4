"""The handlers that all unversioned resources share: create, list, change, delete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from smalt import wire
from smalt.exceptions import NotFound, RefusedError
from smalt.service.api.arm.asset_collection import check_asset_name
from smalt.service.api.pagination import build_page
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.api.rest_shapes import (
    build_resource_id,
    build_system_data,
    get_properties,
    get_resource_type,
    merge_objects,
)
from smalt.service.api.router import Handler
from smalt.service.api.studio.links import build_page_link
from smalt.service.records import resources
from smalt.service.records.resources import ResourceRecord

Body = dict[str, Any]

DONE = "/smalt/v1/done"
_BESIDE = ("location", "tags", "identity", "kind", "sku")
_ADDED = (
    *("provisioningState", "provisioningOperation", "nextTimes", "lastTicks"),
    *("scoringUri", "swaggerUri", "inferenceEndpoint"),
)


@dataclass(frozen=True)
class ResourceCollection:
    """The routes of one kind of named resource of a workspace, or of a `parent` resource."""

    segment: str
    kind: str
    """The entities' word for one: "schedule", "batch_endpoint", …"""
    noun: str
    parent: ResourceCollection | None = None
    refused: Mapping[str, str] = field(default_factory=dict)
    """Verb → the reason for which a POST to it is refused; `{name}` is the resource's name."""

    def list_routes(self) -> list[tuple[str, str, Handler]]:
        every = f"/{self.parent.segment}/{{parent}}/{self.segment}" if self.parent else f"/{self.segment}"
        one = f"{every}/{{name}}"
        return [
            ("GET", every, self.list_resources),
            ("GET", one, self.get_resource),
            ("PUT", one, self.put_resource),
            ("PATCH", one, self.put_resource),
            ("DELETE", one, self.delete_resource),
            *(("POST", f"{one}/{verb}", self._make_refusal(words)) for verb, words in self.refused.items()),
        ]

    async def list_resources(self, request: ApiRequest) -> Body:
        found = resources.list_resources(request.server.db, request.workspace.id, self.get_record_kind(request))
        return build_page(
            request,
            [one for one in found if self.is_listed(request, one)],
            lambda one: self.render_resource(request, one),
        )

    async def get_resource(self, request: ApiRequest) -> Body:
        return self.render_alone(request, self.find_resource(request))

    async def put_resource(self, request: ApiRequest) -> ApiResponse:
        body, name = await self.read_body(request)
        stored = self.store_resource(request, name, body)
        # always 200: of some kinds clients take nothing else
        return ApiResponse(self.render_alone(request, stored), headers=build_done_headers(request))

    async def read_body(self, request: ApiRequest) -> tuple[Body, str]:
        """Return the whole resource as a PUT or PATCH says it, checked, and its name."""
        name = request.get_name()
        check_asset_name(name)
        body = await request.read_object()
        if request.scope["method"] == "PATCH":
            body = merge_objects(self.find_resource(request).content, body)
        self.get_record_kind(request)  # the endpoint of a deployment must exist
        properties = {key: value for key, value in get_properties(body).items() if key not in _ADDED}
        wire.from_rest({**body, "name": name, "properties": properties}, self.kind)
        properties = await self.check_properties(request, properties)
        return {**body, "properties": properties}, name

    def store_resource(self, request: ApiRequest, name: str, body: Body) -> ResourceRecord:
        place, db, workspace = self.get_record_kind(request), request.server.db, request.workspace
        existed = resources.get_resource(db, workspace.id, place, name)
        beside = {key: body[key] for key in _BESIDE if body.get(key) is not None}
        kept = {**beside, "properties": self.prepare_properties(request, body["properties"], existed)}
        with db.transaction():
            resources.put_resource(db, workspace.id, place, existed.name if existed else name, kept, request.principal)
            self.handle_stored(request, self.find_resource(request))
        return self.find_resource(request)

    async def delete_resource(self, request: ApiRequest) -> ApiResponse:
        """Delete a resource and the resources that belong to it."""
        db, workspace = request.server.db, request.workspace
        found = resources.get_resource(db, workspace.id, self.get_record_kind(request), request.get_name())
        if found is None:
            return ApiResponse({}, 204)
        self.check_deletion(request, found)
        inner = f"{self.segment}/{found.name}/deployments"
        for one in resources.list_resources(db, workspace.id, inner):
            resources.remove_resource(db, workspace.id, inner, one.name)
        with db.transaction():
            resources.remove_resource(db, workspace.id, self.get_record_kind(request), found.name)
            self.forget_resource(request, found)
        return ApiResponse({}, 200)

    def get_record_kind(self, request: ApiRequest) -> str:
        """Return the kind under which the records store the resource.

        The kind of deployments includes their endpoint, which must exist.
        """
        if self.parent is None:
            return self.segment
        name = request.get_name("parent")
        parent = resources.get_resource(request.server.db, request.workspace.id, self.parent.segment, name)
        if parent is None:
            raise _make_not_found(request, self.parent, name)
        return f"{self.parent.segment}/{parent.name}/{self.segment}"

    def find_resource(self, request: ApiRequest) -> ResourceRecord:
        found = resources.get_resource(
            request.server.db, request.workspace.id, self.get_record_kind(request), request.get_name()
        )
        if found is None:
            raise _make_not_found(request, self, request.get_name())
        return found

    def is_listed(self, request: ApiRequest, resource: ResourceRecord) -> bool:
        """True if the request's filter selects the resource."""
        return True

    async def check_properties(self, request: ApiRequest, properties: Body) -> Body:
        """Return the properties with what they name looked up; raise what is wrong with them."""
        return properties

    def check_deletion(self, request: ApiRequest, resource: ResourceRecord) -> None:
        """Raise Conflict if the resource may not be deleted."""

    def forget_resource(self, request: ApiRequest, resource: ResourceRecord) -> None:
        """Remove the records that belong to a resource that was deleted."""

    def prepare_properties(self, request: ApiRequest, properties: Body, existed: ResourceRecord | None) -> Body:
        """Return the properties to store."""
        return properties

    def handle_stored(self, request: ApiRequest, resource: ResourceRecord) -> None:
        """Do what follows from the resource's being stored, in the same transaction."""

    def render_properties(self, request: ApiRequest, resource: ResourceRecord, properties: Body) -> Body:
        """Return the properties to send."""
        return properties

    def render_alone(self, request: ApiRequest, resource: ResourceRecord) -> Body:
        """Return a resource as the answer about it alone has it; lists have what `render_resource` returns."""
        return self.render_resource(request, resource)

    def render_resource(self, request: ApiRequest, resource: ResourceRecord) -> Body:
        content = resource.content
        place = self.get_record_kind(request)
        return {
            "location": "local",
            "tags": {},
            **{key: content[key] for key in _BESIDE if key in content},
            "id": build_resource_id(request.workspace, place, resource.name),
            "name": resource.name,
            "type": get_resource_type(f"{self.parent.segment}/{self.segment}" if self.parent else self.segment),
            "properties": {
                **self.render_properties(request, resource, content["properties"]),
                "provisioningState": "Succeeded",
            },
            "systemData": build_system_data(resource.created_by, resource.created_at, resource.modified_at),
            **build_page_link(request.server_url, request.workspace, place, resource.name),
        }

    def _make_refusal(self, words: str) -> Callable[[ApiRequest], Awaitable[Any]]:
        async def refuse(request: ApiRequest) -> None:
            found = self.find_resource(request)
            raise RefusedError(words.format(name=found.name))

        return refuse


def build_done_headers(request: ApiRequest) -> dict[str, str]:
    """Return headers that make Azure's clients treat the answer as that of a long-running operation that is complete.

    Clients up to 1.27 parse an immediate answer twice, and the first parse removes its type.
    """
    return {"Azure-AsyncOperation": f"{request.server_url}{DONE}"}


def _make_not_found(request: ApiRequest, collection: ResourceCollection, name: str) -> NotFound:
    at = f" of endpoint '{request.get_name('parent')}'" if collection.parent else ""
    return NotFound(f"there is no {collection.noun} '{name[:100]}'{at} in workspace '{request.workspace.name}'")
