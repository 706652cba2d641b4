"""`ml_client.workspace_outbound_rules`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt.client.collections.collection import Collection
from smalt.client.collections.pollers import CompletedPoller
from smalt.client.connection.notices import print_notice
from smalt.wire.encoding.ids import build_resource_id, build_workspace_id

if TYPE_CHECKING:
    from smalt.entities.workspaces.workspace import OutboundRule


class WorkspaceOutboundRuleOperations(Collection):
    """Outbound rules, which are stored; jobs reach whatever this machine reaches."""

    kind = "outbound_rule"
    segment = "outboundRules"

    def begin_create(self, workspace_name: str, rule: OutboundRule, **kwargs: Any) -> CompletedPoller[OutboundRule]:
        print_notice("outbound rules are stored; jobs reach whatever this machine reaches")
        return CompletedPoller(self._put_entity(rule, self._build_rule_path(workspace_name, rule.name)))

    def begin_update(self, workspace_name: str, rule: OutboundRule, **kwargs: Any) -> CompletedPoller[OutboundRule]:
        self.get(workspace_name, rule.name)
        return self.begin_create(workspace_name, rule)

    def begin_remove(self, workspace_name: str, outbound_rule_name: str, **kwargs: Any) -> CompletedPoller[None]:
        return self._delete_existing(self._build_rule_path(workspace_name, outbound_rule_name))

    def get(self, workspace_name: str, outbound_rule_name: str, **kwargs: Any) -> OutboundRule:
        rule: OutboundRule = self._parse_entity(
            self._connection.get(self._build_rule_path(workspace_name, outbound_rule_name))
        )
        return rule

    def list(self, workspace_name: str, **kwargs: Any) -> Iterator[OutboundRule]:
        return self._list_entities(self._build_rule_path(workspace_name, "").rstrip("/"))

    def _build_rule_path(self, workspace: str, name: str) -> str:
        session = self._session
        id = build_workspace_id(session.subscription_id, session.resource_group_name, workspace)
        return build_resource_id(id, self.segment, name)
