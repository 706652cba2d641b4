"""`ml_client.workspace_outbound_rules`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt.client.collections.collection import Collection
from smalt.client.collections.pollers import Done
from smalt.client.connection.notices import print_notice
from smalt.wire.encoding.ids import resource_id, workspace_id

if TYPE_CHECKING:
    from smalt.entities.workspaces.workspace import OutboundRule


class WorkspaceOutboundRuleOperations(Collection):
    """Rules are kept; jobs run on the user's own machines and reach what those reach."""

    kind = "outbound_rule"
    segment = "outboundRules"

    def begin_create(self, workspace_name: str, rule: OutboundRule, **kwargs: Any) -> Done[OutboundRule]:
        print_notice("outbound rules are kept, but jobs reach whatever this machine does")
        return Done(self._put(rule, self._of(workspace_name, rule.name)))

    def begin_update(self, workspace_name: str, rule: OutboundRule, **kwargs: Any) -> Done[OutboundRule]:
        self.get(workspace_name, rule.name)
        return self.begin_create(workspace_name, rule)

    def begin_remove(self, workspace_name: str, outbound_rule_name: str, **kwargs: Any) -> Done[None]:
        return self._remove(self._of(workspace_name, outbound_rule_name))

    def get(self, workspace_name: str, outbound_rule_name: str, **kwargs: Any) -> OutboundRule:
        rule: OutboundRule = self._entity(self._connection.get(self._of(workspace_name, outbound_rule_name)))
        return rule

    def list(self, workspace_name: str, **kwargs: Any) -> Iterator[OutboundRule]:
        return self._pages(self._of(workspace_name, "").rstrip("/"))

    def _of(self, workspace: str, name: str) -> str:
        session = self._session
        id = workspace_id(session.subscription_id, session.resource_group_name, workspace)
        return resource_id(id, self.segment, name)
