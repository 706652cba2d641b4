"""`azureml.exceptions`: errors of smalt, so that one that a program does not catch is one sentence at its line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from smalt import exceptions as errors
from smalt.inside.v1 import errors as job_errors


class AzureMLException(errors.SmaltError, job_errors.AzureMLException):
    """The base of all; `message` is the sentence."""

    code = "v1"

    def __init__(
        self,
        exception_message: str = "",
        inner_exception: BaseException | None = None,
        target: str | None = None,
        details: object = None,
        message_format: str | None = None,
        message_parameters: object = None,
        reference_code: str | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(exception_message)
        self.message = self.exception_message = exception_message
        self.inner_exception = inner_exception


class UserErrorException(AzureMLException, job_errors.UserErrorException):
    """A mistake in a program."""


class AuthenticationException(AzureMLException): ...


class ServiceException(AzureMLException): ...


class ExperimentExecutionException(AzureMLException): ...


class ExperimentNotFoundException(AzureMLException): ...


class ProjectSystemException(AzureMLException): ...


class RunConfigurationException(AzureMLException): ...


class RunEnvironmentException(AzureMLException): ...


class SnapshotException(AzureMLException): ...


class TrainingException(AzureMLException): ...


class WebserviceException(AzureMLException):
    """An error about models and services."""


class ModelNotFoundException(WebserviceException): ...


class ModelPathNotFoundException(WebserviceException): ...


class WorkspaceException(AzureMLException): ...


class ComputeTargetException(AzureMLException): ...


class UnsupportedComputeTargetException(AzureMLException): ...


class DatasetTimestampMissingError(UserErrorException): ...


class ParallelRunException(AzureMLException): ...


class OptionalDependencyMissingException(AzureMLException): ...


class ActivityFailedException(AzureMLException):
    """A run that was waited for failed."""


class ActivityCanceledException(AzureMLException): ...


job_errors.CLASSES.update(
    {
        name: kind
        for name, kind in list(globals().items())
        if isinstance(kind, type) and issubclass(kind, AzureMLException)
    }
)


@contextlib.contextmanager
def raise_as(kind: type[AzureMLException]) -> Iterator[None]:
    """Raise the client's errors within the block as this class, which v1's programs catch."""
    try:
        yield
    except AzureMLException:
        raise
    except errors.SmaltError as error:
        raise kind(str(error), inner_exception=error) from None
