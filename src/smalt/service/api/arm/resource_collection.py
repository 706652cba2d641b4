"""What the collections of named resources without versions share: create, list, change, delete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from smalt import wire
from smalt.exceptions import NotFound, Refused
from smalt.service.api.arm.asset_collection import check_name
from smalt.service.api.pagination import page
from smalt.service.api.request import Call, Reply
from smalt.service.api.rest_shapes import merged, properties_of, resource_id, resource_type, system_data
from smalt.service.api.router import Handler
from smalt.service.records import resources
from smalt.service.records.resources import ResourceRecord

Body = dict[str, Any]

DONE = "/smalt/v1/done"
_BESIDE = ("location", "tags", "identity", "kind", "sku")
_ADDED = ("provisioningState", "scoringUri", "swaggerUri", "inferenceEndpoint")


@dataclass(frozen=True)
class Named:
    """One kind of named resource of a workspace, or, `within` another, of one of those."""

    segment: str
    kind: str
    """The entities' word for one: "schedule", "batch_endpoint", …"""
    noun: str
    within: Named | None = None
    refused: Mapping[str, str] = field(default_factory=dict)
    """What a POST to a verb below one is answered with; `{name}` is the resource's name."""

    def routes(self) -> list[tuple[str, str, Handler]]:
        every = f"/{self.within.segment}/{{parent}}/{self.segment}" if self.within else f"/{self.segment}"
        one = f"{every}/{{name}}"
        return [
            ("GET", every, self.list),
            ("GET", one, self.get),
            ("PUT", one, self.put),
            ("PATCH", one, self.put),
            ("DELETE", one, self.delete),
            *(("POST", f"{one}/{verb}", self._refusal(words)) for verb, words in self.refused.items()),
        ]

    async def list(self, call: Call) -> Body:
        found = resources.list_resources(call.service.db, call.workspace.id, self.place(call))
        return page(call, [one for one in found if self.is_listed(call, one)], lambda one: self.shape(call, one))

    async def get(self, call: Call) -> Body:
        return self.shape(call, self.existing(call))

    async def put(self, call: Call) -> Reply:
        name = call.name()
        check_name(name)
        body = await call.object()
        place, db, workspace = self.place(call), call.service.db, call.workspace
        existed = resources.get_resource(db, workspace.id, place, name)
        if call.scope["method"] == "PATCH":
            body = merged(self.existing(call).content, body)
        properties = {key: value for key, value in properties_of(body).items() if key not in _ADDED}
        wire.from_rest({**body, "name": name, "properties": properties}, self.kind)
        beside = {key: body[key] for key in _BESIDE if body.get(key) is not None}
        kept = {**beside, "properties": self.kept(call, properties, existed)}
        resources.put_resource(db, workspace.id, place, existed.name if existed else name, kept, call.principal)
        return Reply(await self.get(call), headers=done(call))  # always 200: of some kinds clients take nothing else

    async def delete(self, call: Call) -> Reply:
        """With what is within it."""
        db, workspace = call.service.db, call.workspace
        found = resources.get_resource(db, workspace.id, self.place(call), call.name())
        if found is None:
            return Reply({}, 204)
        inner = f"{self.segment}/{found.name}/deployments"
        for one in resources.list_resources(db, workspace.id, inner):
            resources.remove_resource(db, workspace.id, inner, one.name)
        resources.remove_resource(db, workspace.id, self.place(call), found.name)
        return Reply({}, 200)

    def place(self, call: Call) -> str:
        """The records' word for the kind; of deployments, those of one endpoint, which must be there."""
        if self.within is None:
            return self.segment
        name = call.name("parent")
        parent = resources.get_resource(call.service.db, call.workspace.id, self.within.segment, name)
        if parent is None:
            raise _missing(call, self.within, name)
        return f"{self.within.segment}/{parent.name}/{self.segment}"

    def existing(self, call: Call) -> ResourceRecord:
        found = resources.get_resource(call.service.db, call.workspace.id, self.place(call), call.name())
        if found is None:
            raise _missing(call, self, call.name())
        return found

    def is_listed(self, call: Call, resource: ResourceRecord) -> bool:
        """Whether it is what the list is asked for."""
        return True

    def kept(self, call: Call, properties: Body, existed: ResourceRecord | None) -> Body:
        """The properties as they are to be stored."""
        return properties

    def shown(self, call: Call, resource: ResourceRecord, properties: Body) -> Body:
        """The properties as they are answered."""
        return properties

    def shape(self, call: Call, resource: ResourceRecord) -> Body:
        content = resource.content
        place = self.place(call)
        return {
            "location": "local",
            "tags": {},
            **{key: content[key] for key in _BESIDE if key in content},
            "id": resource_id(call.workspace, place, resource.name),
            "name": resource.name,
            "type": resource_type(f"{self.within.segment}/{self.segment}" if self.within else self.segment),
            "properties": {
                **self.shown(call, resource, content["properties"]),
                "provisioningState": "Succeeded",
            },
            "systemData": system_data(resource.created_by, resource.created_at, resource.modified_at),
        }

    def _refusal(self, words: str) -> Callable[[Call], Awaitable[Any]]:
        async def refuse(call: Call) -> None:
            found = self.existing(call)
            raise Refused(words.format(name=found.name))

        return refuse


def done(call: Call) -> dict[str, str]:
    """Headers by which Azure's clients take an answer for that of a long operation, which is over when they ask.

    Those up to 1.27 read what is answered at once twice, and the first reading takes from it what it is.
    """
    return {"Azure-AsyncOperation": f"{call.base}{DONE}"}


def _missing(call: Call, collection: Named, name: str) -> NotFound:
    at = f" of endpoint '{call.name('parent')}'" if collection.within else ""
    return NotFound(f"there is no {collection.noun} '{name[:100]}'{at} in workspace '{call.workspace.name}'")
