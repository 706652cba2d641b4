"""Online endpoints and their deployments, which processes of this machine serve."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

from smalt.exceptions import Conflict, NotFound, RefusedError, ValidationException
from smalt.service.api.arm.resource_collection import ResourceCollection
from smalt.service.api.auth import scoring_access
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.api.rest_shapes import build_resource_id
from smalt.service.api.router import Handler
from smalt.service.endpoints.online import deployment_logs, routes
from smalt.service.endpoints.online.definitions import make_definition
from smalt.service.endpoints.online.routes import EndpointRoute
from smalt.service.records import online as records
from smalt.service.records import resources
from smalt.service.records.resources import ResourceRecord

Body = dict[str, Any]

_LONGEST_WAIT = 30.0
_IN_PROGRESS = "InProgress"
_NO_IDENTITY = "the endpoint's identity has no effect: its deployments have no managed identity here"


class OnlineEndpointCollection(ResourceCollection):
    def list_routes(self) -> list[tuple[str, str, Handler]]:
        one = f"/{self.segment}/{{name}}"
        return [
            *super().list_routes(),
            ("POST", f"{one}/listKeys", self.list_keys),
            ("POST", f"{one}/regenerateKeys", self.regenerate_key),
            ("POST", f"{one}/token", self.issue_token),
        ]

    def prepare_properties(self, request: ApiRequest, properties: Body, existed: ResourceRecord | None) -> Body:
        """Return the properties to store; raise for traffic to deployments that are not there."""
        if properties.get("keys"):
            raise RefusedError("smalt makes the keys of an endpoint itself; leave 'keys' out")
        name = existed.name if existed else request.get_name()
        found = list_deployments(request, name)
        routes.check_traffic(
            properties.get("traffic") or {},
            properties.get("mirrorTraffic") or {},
            {one.name.lower(): one.name for one in found},
        )
        request.server.online.forget_route(name)
        return properties

    async def delete_resource(self, request: ApiRequest) -> ApiResponse:
        """Stop what serves, and delete the endpoint with its deployments."""
        found = resources.get_resource(request.server.db, request.workspace.id, self.segment, request.get_name())
        if found is not None:
            await request.server.online.remove_endpoint(request.workspace.id, found.name)
        return await super().delete_resource(request)

    def render_properties(self, request: ApiRequest, resource: ResourceRecord, properties: Body) -> Body:
        """Return the properties with the addresses of requests and of the description of the API."""
        base = f"{request.server_url}{routes.build_path(request.workspace, resource.name, '')}"
        return {
            "properties": {},
            "traffic": {},
            "mirrorTraffic": {},
            **properties,
            "scoringUri": f"{base}/score",
            "swaggerUri": f"{base}/swagger.json",
        }

    async def list_keys(self, request: ApiRequest) -> Body:
        route = self._find_route(request)
        if route.auth_mode != scoring_access.KEY:
            raise RefusedError(f"online endpoint '{route.name}' has no keys: its auth_mode is not key; ask for a token")
        keys = request.server.online.keys.get_keys(route.workspace.id, route.name)
        return {"primaryKey": keys["Primary"], "secondaryKey": keys["Secondary"]}

    async def regenerate_key(self, request: ApiRequest) -> ApiResponse:
        route, body = self._find_route(request), await request.read_object()
        if route.auth_mode != scoring_access.KEY:
            raise RefusedError(f"online endpoint '{route.name}' has no keys: its auth_mode is not key")
        name = str(body.get("keyType") or "").capitalize()
        if name not in records.KEY_NAMES:
            raise ValidationException(f"keyType must be Primary or Secondary, not '{str(body.get('keyType'))[:40]}'")
        keys, value = request.server.online.keys, body.get("keyValue")
        if value and value not in keys.get_keys(route.workspace.id, route.name).values():
            raise RefusedError("smalt makes the keys of an endpoint itself; leave 'keyValue' out")
        keys.replace_key(route.workspace.id, route.name, name)
        return ApiResponse(None, 200)

    async def issue_token(self, request: ApiRequest) -> Body:
        route = self._find_route(request)
        if route.auth_mode == scoring_access.KEY:
            raise RefusedError(f"online endpoint '{route.name}' takes keys, not tokens; ask for its keys")
        return scoring_access.issue_token(request.server, route)

    def _find_route(self, request: ApiRequest) -> EndpointRoute:
        found = self.find_resource(request)
        return EndpointRoute.from_content(request.workspace, found.name, found.content)


class OnlineDeploymentCollection(ResourceCollection):
    def list_routes(self) -> list[tuple[str, str, Handler]]:
        assert self.parent is not None
        one = f"/{self.parent.segment}/{{parent}}/{self.segment}/{{name}}"
        return [
            *super().list_routes(),
            ("POST", f"{one}/getLogs", self.get_logs),
            ("GET", f"{one}/operations/{{operation}}", self.get_operation),
        ]

    async def put_resource(self, request: ApiRequest) -> ApiResponse:
        """Store the deployment and begin to serve it; the answer names the operation to ask for the end."""
        body, name = await self.read_body(request)
        definition = make_definition(request.server.engine.context, request.workspace, {**body, "name": name})
        stored = self.store_resource(request, name, body)
        endpoint = self._get_endpoint(request)
        if self._has_user_identity(request, endpoint):
            definition = dataclasses.replace(definition, notes=[*definition.notes, _NO_IDENTITY])
        _, record = request.server.online.deploy(request.workspace, endpoint, stored.name, definition)
        where = build_resource_id(request.workspace, self.get_record_kind(request), stored.name)
        operation = f"{request.server_url}{where}/operations/{record.id}"
        headers = {"Azure-AsyncOperation": operation, "Retry-After": "1"}
        return ApiResponse(self.render_resource(request, stored), headers=headers)

    def _has_user_identity(self, request: ApiRequest, endpoint: str) -> bool:
        found = resources.get_resource(request.server.db, request.workspace.id, "onlineEndpoints", endpoint)
        return found is not None and bool((found.content.get("identity") or {}).get("userAssignedIdentities"))

    async def delete_resource(self, request: ApiRequest) -> ApiResponse:
        """Stop and delete the deployment; raise Conflict while it gets requests."""
        kind, db, workspace = self.get_record_kind(request), request.server.db, request.workspace
        found = resources.get_resource(db, workspace.id, kind, request.get_name())
        if found is None:
            return ApiResponse({}, 204)
        endpoint = resources.get_resource(db, workspace.id, "onlineEndpoints", self._get_endpoint(request))
        assert endpoint is not None
        route = EndpointRoute.from_content(workspace, endpoint.name, endpoint.content)
        for what, shares in (("traffic", route.traffic), ("mirror_traffic", route.mirror)):
            percent = next((share for name, share in shares.items() if name.lower() == found.name.lower()), 0)
            if percent:
                raise Conflict(
                    f"deployment '{found.name}' has {percent} percent of the {what} of endpoint '{endpoint.name}'; "
                    "give it to another first, or delete the endpoint"
                )
        await request.server.online.remove_deployment(workspace.id, endpoint.name, found.name)
        return await super().delete_resource(request)

    def render_resource(self, request: ApiRequest, resource: ResourceRecord) -> Body:
        """Return the deployment with the state of its newest revision."""
        shown = super().render_resource(request, resource)
        newest = records.find_newest_revision(
            request.server.db, request.workspace.id, self._get_endpoint(request), resource.name
        )
        if newest is not None:
            shown["properties"].update(provisioningState=newest.state, provisioningOperation=str(newest.id))
        return shown

    def render_properties(self, request: ApiRequest, resource: ResourceRecord, properties: Body) -> Body:
        """Return the properties with the scale settings that clients require, by default the service's."""
        return {**properties, "scaleSettings": properties.get("scaleSettings") or {"scaleType": "Default"}}

    async def get_operation(self, request: ApiRequest) -> Body:
        """Return how far a change of the deployment is; with `wait`, wait so many seconds for its end."""
        found = self.find_resource(request)
        text = request.path_params["operation"]
        endpoint, db = self._get_endpoint(request), request.server.db
        revision = records.get_revision(db, int(text)) if text.isdecimal() and len(text) < 16 else None
        if revision is None or (revision.endpoint, revision.deployment) != (endpoint, found.name):
            raise NotFound(f"deployment '{found.name}' of endpoint '{endpoint}' has no operation '{text[:40]}'")
        deployment = request.server.online.find_deployment(request.workspace.id, endpoint, found.name)
        wait = min(float(request.get_number("wait", 0)), _LONGEST_WAIT)
        if revision.state == records.CREATING and wait and deployment is not None:
            stopping = asyncio.ensure_future(request.server.stopping.wait())
            ended = asyncio.ensure_future(deployment.ended.wait())
            await asyncio.wait({stopping, ended}, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            ended.cancel()
            revision = records.get_revision(db, revision.id) or revision
        shown: Body = {
            "id": text,
            "name": text,
            "status": _IN_PROGRESS if revision.state == records.CREATING else revision.state,
            "startTime": revision.created_at,
        }
        if request.get_query("log") and deployment is not None:
            text, offset = deployment.read_log(revision, request.get_number("log", 0))
            hide = request.server.engine.context.vault.get_hider(request.workspace)
            shown.update(log=hide(text) if hide else text, logOffset=offset)
        if revision.error:
            shown["error"] = {"code": "DeploymentFailed", "message": revision.error}
        return shown

    async def get_logs(self, request: ApiRequest) -> Body:
        found, body = self.find_resource(request), await request.read_object()
        tail = body.get("tail")
        return {
            "content": deployment_logs.read_logs(
                request.server.engine.context,
                request.workspace,
                self._get_endpoint(request),
                found.name,
                str(body.get("containerType") or "InferenceServer"),
                int(tail) if isinstance(tail, int) and tail > 0 else None,
            )
        }

    def _get_endpoint(self, request: ApiRequest) -> str:
        """Return the name of the endpoint, as it was created."""
        return self.get_record_kind(request).split("/")[1]


def list_deployments(request: ApiRequest, endpoint: str) -> list[ResourceRecord]:
    return resources.list_resources(request.server.db, request.workspace.id, f"onlineEndpoints/{endpoint}/deployments")


_NO_INVOKE = "requests to online endpoint '{name}' go to its scoring_uri, with one of its keys or a token"
ONLINE_ENDPOINTS = OnlineEndpointCollection(
    "onlineEndpoints", "online_endpoint", "online endpoint", refused={"invoke": _NO_INVOKE}
)
ONLINE_DEPLOYMENTS = OnlineDeploymentCollection(
    "deployments", "online_deployment", "online deployment", parent=ONLINE_ENDPOINTS
)
