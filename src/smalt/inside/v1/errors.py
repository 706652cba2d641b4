"""SDK v1's exceptions; the installed package's own classes where there is one, so that scripts catch them."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class AzureMLException(Exception):
    def __init__(self, exception_message: str = "", **_: Any) -> None:
        super().__init__(exception_message)
        self.message = exception_message


class UserErrorException(AzureMLException):
    """The script asked for what cannot be."""


NAMES = (
    "ActivityFailedException", "AuthenticationException", "ComputeTargetException", "DatasetTimestampMissingError",
    "ExperimentExecutionException", "ModelNotFoundException", "ModelPathNotFoundException", "ParallelRunException",
    "ProjectSystemException", "RunConfigurationException", "RunEnvironmentException", "ServiceException",
    "SnapshotException", "TrainingException", "WebserviceException", "WorkspaceException",
)  # fmt: skip
"""The others, which differ by name only."""

CLASSES: dict[str, type[AzureMLException]] = {
    "AzureMLException": AzureMLException,
    "UserErrorException": UserErrorException,
    **{name: type(name, (AzureMLException,), {"__module__": "azureml.exceptions"}) for name in NAMES},
}


def make_exception(sentence: str, kind: str = "AzureMLException") -> Exception:
    """The exception of that name that the script can catch."""
    known = getattr(sys.modules.get("azureml.exceptions"), kind, CLASSES[kind])
    made: Exception = known(sentence)
    return made


def make_user_error(sentence: str) -> Exception:
    return make_exception(sentence, "UserErrorException")
