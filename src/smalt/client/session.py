"""The connection and the workspace that every collection of a client works with."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from functools import cached_property

from smalt.client.connection.connection import ApiConnection
from smalt.client.scope.command_hints import add_workspace_options
from smalt.client.scope.workspace_choice import Known, Names, WorkspaceChoice, choose_workspace, format_options
from smalt.machine.home import Home
from smalt.wire.encoding import ids


class ClientSession:
    """A connection for each thread, and the names of one workspace or registry.

    Keeps no reference to itself, so that it and its connections end with the last reference to it.
    """

    def __init__(
        self,
        names: Names,
        registry_name: str | None = None,
        *,
        url: str | None = None,
        token: str | None = None,
        home: Home | None = None,
        show_progress: bool = True,
        makes_workspaces: bool = True,
    ) -> None:
        self._url, self._token, self._home = url, token, home
        self._threads = threading.local()
        self._makes_workspaces = makes_workspaces
        self.show_progress = show_progress
        self.registry_name = registry_name
        chosen = self._choose_workspace(names)
        self.subscription_id, self.resource_group_name, self.workspace_name = chosen[:3]
        self.why, self.is_named = chosen[3:]
        """The origin of the workspace's name; and True if that is the caller or the environment."""

    @property
    def connection(self) -> ApiConnection:
        """The connection of the calling thread."""
        connection: ApiConnection | None = getattr(self._threads, "connection", None)
        if connection is None:
            connection = self._threads.connection = ApiConnection.open(
                url=self._url, token=self._token, home=self._home
            )
            connection.makes_workspaces = self._makes_workspaces
            own = weakref.WeakMethod(self.complete_commands)
            connection.complete_commands = lambda text: say(text) if (say := own()) else text
        return connection

    def with_workspace(self, workspace_name: str, resource_group_name: str | None = None) -> ClientSession:
        """Return a session of another workspace that shares this session's connections."""
        names = {
            "subscription": self.subscription_id,
            "group": resource_group_name or self.resource_group_name,
            "workspace": workspace_name,
        }
        other = ClientSession(names, url=self._url, token=self._token, home=self._home)
        other._threads = self._threads
        return other

    def complete_commands(self, text: str) -> str:
        """Return the text with this workspace's options added to its commands, unless they mean it anyway."""
        return add_workspace_options(text, self._format_own_options)

    def format_options_for(self, workspace: str) -> str:
        """Return the options by which a command typed here means the workspace of that id; "" if none are needed."""
        named = ids.parse_id(workspace)
        return (
            format_options(named[:3], self._choose_workspace({}, self._list_workspace_ids)) if named is not None else ""
        )

    def _choose_workspace(self, names: Names, known: Known | None = None) -> WorkspaceChoice:
        is_remote = bool(self._url or (os.environ.get("SMALT_URL") and self._home is None))
        return choose_workspace(names, self._home or Home.find(), known=known, is_remote=is_remote)

    def _format_own_options(self) -> str:
        return self.format_options_for(self.uploads_id)

    def _list_workspace_ids(self) -> Iterator[str]:
        return (str(one["id"]) for one in self.connection.list_items("/smalt/v1/workspaces"))

    @property
    def scope(self) -> tuple[str, str, str]:
        """The names of subscription, resource group and workspace."""
        return self.subscription_id, self.resource_group_name, self.workspace_name

    @cached_property
    def workspace_id(self) -> str:
        """The id of the workspace, or of the registry where the session has one."""
        if self.registry_name is not None:
            return ids.build_registry_id(self.subscription_id, self.resource_group_name, self.registry_name)
        return self.uploads_id

    @cached_property
    def uploads_id(self) -> str:
        """The id of the workspace that receives local files, also where the session is of a registry."""
        return ids.build_workspace_id(self.subscription_id, self.resource_group_name, self.workspace_name)
