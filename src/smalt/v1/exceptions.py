"""`azureml.exceptions`: errors of smalt, so that one that a program does not catch is one sentence at its line."""

from __future__ import annotations

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


def raise_as(kind: type[AzureMLException]) -> ErrorTranslation:
    """Raise the client's errors within the block as this class, which v1's programs catch."""
    return ErrorTranslation(kind)


class ErrorTranslation:
    """A context manager of smalt's own, as the frames of contextlib would pass for lines of the program."""

    def __init__(self, kind: type[AzureMLException]) -> None:
        self._kind = kind

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, errors.SmaltError) and not isinstance(error, AzureMLException):
            raise self._kind(str(error), inner_exception=error) from None
