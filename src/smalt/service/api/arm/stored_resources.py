"""Resources that are stored as described: endpoints, deployments, connections, feature sets, …

Nothing acts on them yet. They are created, listed, changed and deleted as in the service; requests that would act
are refused in one sentence.
"""

from __future__ import annotations

from typing import Any

from smalt.service.api.arm.asset_collection import AssetCollection
from smalt.service.api.arm.batch_endpoints import BATCH_DEPLOYMENTS, BATCH_ENDPOINTS
from smalt.service.api.arm.connections import CONNECTIONS
from smalt.service.api.arm.online_endpoints import ONLINE_DEPLOYMENTS, ONLINE_ENDPOINTS
from smalt.service.api.arm.resource_collection import ResourceCollection
from smalt.service.api.arm.schedules import SCHEDULES
from smalt.service.api.request import ApiRequest
from smalt.service.api.rest_shapes import build_resource_id
from smalt.service.records.resources import ResourceRecord

Body = dict[str, Any]


class _EndpointCollection(ResourceCollection):
    def render_properties(self, request: ApiRequest, resource: ResourceRecord, properties: Body) -> Body:
        """Return the properties with the address that clients require; requests to it are refused."""
        id = build_resource_id(request.workspace, self.segment, resource.name)
        return {"properties": {}, **properties, "scoringUri": f"{request.server_url}{id}/invoke"}


class _ServerlessCollection(ResourceCollection):
    def render_properties(self, request: ApiRequest, resource: ResourceRecord, properties: Body) -> Body:
        """Return the properties with the address that clients up to 1.20 require."""
        id = build_resource_id(request.workspace, self.segment, resource.name)
        return {**properties, "inferenceEndpoint": {"uri": f"{request.server_url}{id}/invoke", "headers": {}}}


class _SubscriptionCollection(ResourceCollection):
    def render_properties(self, request: ApiRequest, resource: ResourceRecord, properties: Body) -> Body:
        """Return the properties with the empty plan that clients require: nothing was bought."""
        plan = {"publisherId": "", "offerId": "", "planId": ""}
        return {**properties, "marketplacePlan": plan, "marketplaceSubscriptionStatus": "Unsubscribed"}


_FROM_MARKET = "smalt reaches no model of the marketplace"
SERVERLESS_ENDPOINTS = _ServerlessCollection(
    "serverlessEndpoints",
    "serverless_endpoint",
    "serverless endpoint",
    refused=dict.fromkeys(
        ("listKeys", "regenerateKeys"), f"serverless endpoint '{{name}}' has no keys: {_FROM_MARKET}"
    ),
)
SUBSCRIPTIONS = _SubscriptionCollection(
    "marketplaceSubscriptions", "marketplace_subscription", "marketplace subscription"
)
OUTBOUND_RULES = ResourceCollection("outboundRules", "outbound_rule", "outbound rule")

FEATURE_SETS = AssetCollection("featuresets", "feature_set", content=("specification", "entities"))
FEATURE_STORE_ENTITIES = AssetCollection("featurestoreEntities", "feature_store_entity", content=("indexColumns",))
INDEXES = AssetCollection("indexes", "index", content=("storageUri",), uri="storageUri")

COLLECTIONS: tuple[ResourceCollection | AssetCollection, ...] = (
    *(SCHEDULES, ONLINE_ENDPOINTS, ONLINE_DEPLOYMENTS, BATCH_ENDPOINTS, BATCH_DEPLOYMENTS),
    *(SERVERLESS_ENDPOINTS, SUBSCRIPTIONS, OUTBOUND_RULES, CONNECTIONS),
    *(FEATURE_SETS, FEATURE_STORE_ENTITIES, INDEXES),
)
