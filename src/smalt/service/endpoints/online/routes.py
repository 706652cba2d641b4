"""The routes of online endpoints: which deployment a request goes to, by its header or by the endpoint's traffic."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, NamedTuple

from smalt.exceptions import ValidationException
from smalt.service.records.workspaces import Workspace

PREFIX = "/online/"
"""The beginning of the paths that requests to deployments have: /online/WORKSPACE/ENDPOINT/score."""

_MOST_MIRRORED = 50


class ScoringPath(NamedTuple):
    folder: str
    """The folder of the workspace."""
    endpoint: str
    rest: str


def split_path(path: str) -> ScoringPath | None:
    """Return the parts of a path to a deployment; None for any other path."""
    if not path.startswith(PREFIX):
        return None
    folder, _, rest = path[len(PREFIX) :].partition("/")
    endpoint, slash, rest = rest.partition("/")
    return ScoringPath(folder, endpoint, f"{slash}{rest}")


def build_path(workspace: Workspace, endpoint: str, rest: str) -> str:
    return f"{PREFIX}{workspace.folder}/{endpoint}{rest}"


class EndpointRoute(NamedTuple):
    """An endpoint as requests need it."""

    workspace: Workspace
    name: str
    auth_mode: str
    """`key`, `amltoken` or `aadtoken`."""
    traffic: dict[str, int]
    mirror: dict[str, int]

    @classmethod
    def from_content(cls, workspace: Workspace, name: str, content: Mapping[str, Any]) -> EndpointRoute:
        properties = content["properties"]
        return cls(
            workspace,
            name,
            str(properties.get("authMode") or "Key").lower(),
            {str(key): int(value) for key, value in (properties.get("traffic") or {}).items() if value},
            {str(key): int(value) for key, value in (properties.get("mirrorTraffic") or {}).items() if value},
        )

    def choose_deployment(self) -> str | None:
        """Return a deployment at random, as the traffic says; None if there is no traffic."""
        if len(self.traffic) == 1:
            return next(iter(self.traffic))
        if not self.traffic:
            return None
        return random.choices(list(self.traffic), list(self.traffic.values()))[0]

    def choose_mirror(self) -> str | None:
        """Return the deployment that is sent a copy of a request, if it is one of those that are mirrored."""
        for name, percent in self.mirror.items():
            if random.random() * 100 < percent:
                return name
        return None


def check_traffic(traffic: Mapping[str, Any], mirror: Mapping[str, Any], deployments: Mapping[str, str]) -> None:
    """Raise ValidationException for shares that cannot be; `deployments` maps lower-case names to those that exist."""
    problems = []
    for what, shares in (("traffic", traffic), ("mirror_traffic", mirror)):
        unknown = [name for name, percent in shares.items() if percent and name.lower() not in deployments]
        if unknown:
            known = ", ".join(deployments.values()) or "it has none yet"
            problems.append(f"{what} names '{unknown[0]}', which is no deployment of the endpoint ({known})")
    total = sum(int(percent) for percent in traffic.values())
    if total not in (0, 100):
        problems.append(f"the shares of traffic add up to {total}; they must add up to 100, or all be 0")
    mirrored = {name: int(percent) for name, percent in mirror.items() if percent}
    if len(mirrored) > 1:
        problems.append("mirror_traffic may name one deployment only")
    for name, percent in mirrored.items():
        if percent > _MOST_MIRRORED:
            problems.append(f"mirror_traffic may copy at most {_MOST_MIRRORED} percent of the requests, not {percent}")
        if traffic.get(name):
            problems.append(f"'{name}' cannot have traffic and mirror_traffic at once")
    if problems:
        raise ValidationException("; ".join(problems))
