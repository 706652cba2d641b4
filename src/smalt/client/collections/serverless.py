"""`ml_client.serverless_endpoints` and `ml_client.marketplace_subscriptions`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt.client.collections.endpoints import Endpoints
from smalt.client.collections.pollers import Done

if TYPE_CHECKING:
    from smalt.entities.endpoints.endpoint import MarketplaceSubscription, ServerlessEndpoint

_NOTE = "serverless endpoints and marketplace subscriptions are kept, but smalt reaches no model of the marketplace"


class ServerlessEndpointOperations(Endpoints):
    kind = "serverless_endpoint"
    segment = "serverlessEndpoints"
    does_nothing = _NOTE

    def begin_create_or_update(self, endpoint: ServerlessEndpoint, **kwargs: Any) -> Done[ServerlessEndpoint]:
        return self._create(endpoint)

    def get(self, name: str, **kwargs: Any) -> ServerlessEndpoint:
        found: ServerlessEndpoint = self._one(name)
        return found

    def list(self, **kwargs: Any) -> Iterator[ServerlessEndpoint]:
        return self._pages(self._path())

    def begin_delete(self, name: str, **kwargs: Any) -> Done[None]:
        return self._remove(self._path(name))

    def get_keys(self, name: str, **kwargs: Any) -> Any:
        """Refused: there is nothing that a key would open."""
        return self._refused(name, "listKeys")

    def begin_regenerate_keys(self, name: str, *, key_type: str = "primary", **kwargs: Any) -> Done[Any]:
        """Refused, as there are no keys."""
        return Done(self._refused(name, "regenerateKeys"))


class MarketplaceSubscriptionOperations(Endpoints):
    kind = "marketplace_subscription"
    segment = "marketplaceSubscriptions"
    does_nothing = _NOTE

    def begin_create_or_update(
        self, marketplace_subscription: MarketplaceSubscription, **kwargs: Any
    ) -> Done[MarketplaceSubscription]:
        return self._create(marketplace_subscription)

    def get(self, name: str, **kwargs: Any) -> MarketplaceSubscription:
        found: MarketplaceSubscription = self._one(name)
        return found

    def list(self, **kwargs: Any) -> Iterator[MarketplaceSubscription]:
        return self._pages(self._path())

    def begin_delete(self, name: str, **kwargs: Any) -> Done[None]:
        return self._remove(self._path(name))
