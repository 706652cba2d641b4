"""The reasons why a request to an online endpoint is not answered by its deployment, with the service's own status."""

from __future__ import annotations

from smalt.exceptions import SmaltError


class ScoringError(SmaltError):
    """A request that no deployment answered."""

    status = 503


class RequestTimedOut(ScoringError):
    code = "RequestTimeout"
    status = 408


class TooManyRequests(ScoringError):
    code = "TooManyRequests"
    status = 429


class NotServing(ScoringError):
    """No process of the deployment answers now."""

    code = "ServiceUnavailable"
    status = 503


class BrokenAnswer(ScoringError):
    """The process ended, or broke its connection off, while it had the request."""

    code = "BadGateway"
    status = 502


class NoDeployment(ScoringError):
    code = "NotFound"
    status = 404


class RequestTooLarge(ScoringError):
    code = "BodyTooLarge"
    status = 413


class ClientTooSlow(ScoringError):
    code = "ClientTooSlow"
    status = 400
