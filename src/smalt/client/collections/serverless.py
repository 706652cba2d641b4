"""`ml_client.serverless_endpoints` and `ml_client.marketplace_subscriptions`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt.client.collections.endpoints import EndpointCollection
from smalt.client.collections.pollers import CompletedPoller

if TYPE_CHECKING:
    from smalt.entities.endpoints.endpoint import MarketplaceSubscription, ServerlessEndpoint

_NOTE = "serverless endpoints and marketplace subscriptions are stored; smalt cannot reach models of the marketplace"


class ServerlessEndpointOperations(EndpointCollection):
    kind = "serverless_endpoint"
    segment = "serverlessEndpoints"
    notice = _NOTE

    def begin_create_or_update(
        self, endpoint: ServerlessEndpoint, **kwargs: Any
    ) -> CompletedPoller[ServerlessEndpoint]:
        return self._create_deployment(endpoint)

    def get(self, name: str, **kwargs: Any) -> ServerlessEndpoint:
        found: ServerlessEndpoint = self._get_deployment(name)
        return found

    def list(self, **kwargs: Any) -> Iterator[ServerlessEndpoint]:
        return self._list_entities(self._build_path())

    def begin_delete(self, name: str, **kwargs: Any) -> CompletedPoller[None]:
        return self._delete_existing(self._build_path(name))

    def get_keys(self, name: str, **kwargs: Any) -> Any:
        """Raise the server's refusal: there are no keys."""
        return self._post_action(name, "listKeys")

    def begin_regenerate_keys(self, name: str, *, key_type: str = "primary", **kwargs: Any) -> CompletedPoller[Any]:
        """Raise the server's refusal: there are no keys."""
        return CompletedPoller(self._post_action(name, "regenerateKeys"))


class MarketplaceSubscriptionOperations(EndpointCollection):
    kind = "marketplace_subscription"
    segment = "marketplaceSubscriptions"
    notice = _NOTE

    def begin_create_or_update(
        self, marketplace_subscription: MarketplaceSubscription, **kwargs: Any
    ) -> CompletedPoller[MarketplaceSubscription]:
        return self._create_deployment(marketplace_subscription)

    def get(self, name: str, **kwargs: Any) -> MarketplaceSubscription:
        found: MarketplaceSubscription = self._get_deployment(name)
        return found

    def list(self, **kwargs: Any) -> Iterator[MarketplaceSubscription]:
        return self._list_entities(self._build_path())

    def begin_delete(self, name: str, **kwargs: Any) -> CompletedPoller[None]:
        return self._delete_existing(self._build_path(name))
