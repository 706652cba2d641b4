"""The proxy tells the engine of metrics, once the client has its answer."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from smalt.service.tracking.proxy import TrackingProxy
from smalt.service.tracking.run_database import LoggedMetric

LOSS = {"key": "loss", "value": "0.5", "timestamp": 1000, "step": 3}
BEST = {"key": "best", "value": "NaN", "timestamp": "1001"}


def send(path: str, body: dict[str, Any], *, status: int = 200, hears: bool = True) -> list[Any]:
    """Send a request to a proxy whose MLflow answers with the status; return what happened, in order."""
    happened: list[Any] = []

    async def answer(*_: Any, **__: Any) -> Any:
        return SimpleNamespace(response=SimpleNamespace(status=status, headers=[]), whole=b"{}")

    async def know(*_: Any) -> None:
        pass

    async def receive() -> Any:
        return {"type": "http.request", "body": json.dumps(body).encode()}

    async def deliver(message: Any) -> None:
        happened.append(message["type"])

    connection: Any = SimpleNamespace(send_request=answer)
    runs: Any = SimpleNamespace(ensure_runs=know)
    unused: Any = None
    proxy = TrackingProxy(connection, unused, runs, unused, unused, lambda workspace: None, unused)
    proxy.find_metric_listener = lambda workspace, run: (lambda found: happened.append((run, found))) if hears else None
    scope = {"smalt.workspace": None, "smalt.job": None, "smalt.rest": path, "method": "POST", "headers": []}
    asyncio.run(proxy.handle_request(scope, receive, deliver))
    return happened


ANSWERED = ["http.response.start", "http.response.body"]


def test_one_metric() -> None:
    """It comes after the answer."""
    happened = send("/api/2.0/mlflow/runs/log-metric", {"run_id": "r", **LOSS})
    assert happened == [*ANSWERED, ("r", [LoggedMetric("loss", 0.5, 3, 1000)])]


def test_a_batch() -> None:
    """In order, with no step as step 0."""
    *answered, (run, (first, second)) = send("/api/2.0/mlflow/runs/log-batch", {"run_id": "r", "metrics": [LOSS, BEST]})
    assert answered == ANSWERED
    assert (run, first) == ("r", LoggedMetric("loss", 0.5, 3, 1000))
    assert repr(second) == repr(LoggedMetric("best", float("nan"), 0, 1001))


@pytest.mark.parametrize(("status", "hears"), [(400, True), (200, False)])
def test_nothing_is_told_where_nobody_listens_or_mlflow_refused(status: int, hears: bool) -> None:
    """The client has its answer all the same."""
    body = {"run_id": "r", **LOSS}
    assert send("/api/2.0/mlflow/runs/log-metric", body, status=status, hears=hears) == ANSWERED
