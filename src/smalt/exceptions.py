"""Errors that a user can cause, each as one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, NamedTuple


class ErrorCategory:
    """The party that caused an error, by the official SDK's names."""

    SYSTEM_ERROR = "SystemError"
    UNKNOWN = "Unknown"
    USER_ERROR = "UserError"


class ErrorTarget:
    """The subject of an error, by the official SDK's names."""

    ARM_DEPLOYMENT = "ArmDeployment"
    ARM_RESOURCE = "ArmResource"
    ARTIFACT = "Artifact"
    ASSET = "Asset"
    AUTOML = "AutoML"
    BATCH_DEPLOYMENT = "BatchDeployment"
    BATCH_ENDPOINT = "BatchEndpoint"
    BLOB_DATASTORE = "BlobDatastore"
    CAPABILITY_HOST = "CapabilityHost"
    CODE = "Code"
    COMMAND_JOB = "CommandJob"
    COMPONENT = "Component"
    COMPUTE = "Compute"
    DATA = "Data"
    DATASTORE = "Datastore"
    DATA_TRANSFER_JOB = "DataTransferJob"
    DEPLOYMENT = "Deployment"
    ENDPOINT = "Endpoint"
    ENVIRONMENT = "Environment"
    FEATURE_SET = "FeatureSet"
    FEATURE_STORE_ENTITY = "FeatureStoreEntity"
    FILE_DATASTORE = "FileDatastore"
    FINETUNING = "FineTuning"
    GEN1_DATASTORE = "Gen1Datastore"
    GEN2_DATASTORE = "Gen2Datastore"
    GENERAL = "General"
    IDENTITY = "Identity"
    INDEX = "Index"
    JOB = "Job"
    LOCAL_ENDPOINT = "LocalEndpoint"
    LOCAL_JOB = "LocalJob"
    MODEL = "Model"
    MODEL_MONITORING = "ModelMonitoring"
    ONLINE_DEPLOYMENT = "OnlineDeployment"
    ONLINE_ENDPOINT = "OnlineEndpoint"
    PIPELINE = "Pipeline"
    REGISTRY = "Registry"
    SCHEDULE = "Schedule"
    SERVERLESS_ENDPOINT = "ServerlessEndpoint"
    SPARK_JOB = "SparkJob"
    SWEEP_JOB = "SweepJob"
    UNKNOWN = "Unknown"
    WORKSPACE = "Workspace"


class ValidationErrorType(Enum):
    INVALID_VALUE = "INVALID VALUE"
    UNKNOWN_FIELD = "UNKNOWN FIELD"
    MISSING_FIELD = "MISSING FIELD"
    FILE_OR_FOLDER_NOT_FOUND = "FILE OR FOLDER NOT FOUND"
    CANNOT_SERIALIZE = "CANNOT DUMP"
    CANNOT_PARSE = "CANNOT PARSE"
    RESOURCE_NOT_FOUND = "RESOURCE NOT FOUND"
    GENERIC = "GENERIC"


class LocatedProblem(NamedTuple):
    """A problem and where it stands; line and column count from 1, 0 when unknown."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        if not self.file:
            return self.message
        if not self.line:
            return f"{self.file}: {self.message}"
        column = f":{self.column}" if self.column else ""
        return f"{self.file}:{self.line}{column}: {self.message}"


class _Base(Exception):
    """A base that `azure.core.exceptions.AzureError` replaces in programs that catch that (smalt.python.raised)."""


class SmaltError(_Base):
    """The base of all; `str()` is the sentence that users see."""

    code = "Error"

    def __init__(self, message: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(message)
        self.message = message

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows: the sentence and the user's own lines, without the frames of smalt."""
        from smalt.machine.source_lines import format_traceback

        return format_traceback(self)


AzureError = SmaltError


class MlException(SmaltError):
    """An error of the kind that the official SDK finds by itself; programs catch it and read its target."""

    def __init__(
        self,
        message: str,
        no_personal_data_message: str = "",
        *args: Any,
        target: str = ErrorTarget.UNKNOWN,
        error_category: str = ErrorCategory.UNKNOWN,
        **kwargs: Any,
    ) -> None:
        super().__init__(message)
        self.no_personal_data_message, self.target, self.error_category = (
            no_personal_data_message,
            target,
            error_category,
        )


class ValidationException(MlException):
    """An error for a document or object that does not validate; carries every problem, not only the first."""

    code = "ValidationError"

    def __init__(
        self,
        message: Sequence[LocatedProblem] | str,
        no_personal_data_message: str = "",
        *args: Any,
        error_type: ValidationErrorType = ValidationErrorType.GENERIC,
        target: str = ErrorTarget.UNKNOWN,
        error_category: str = ErrorCategory.USER_ERROR,
        **kwargs: Any,
    ) -> None:
        """`message` may be many problems, each with its place."""
        self.problems = [LocatedProblem("", 0, 0, message)] if isinstance(message, str) else list(message)
        self.error_type = error_type
        self.partial: Any = None
        """The document as far as it could be read; None if nothing of it could."""
        sentences = "\n".join(str(problem) for problem in self.problems)
        super().__init__(sentences, no_personal_data_message, target=target, error_category=error_category)


class UserErrorException(ValidationException):
    """A mistake in a program, with the program's file and line where they are known.

    Programs do not create it: it takes a file and line where the official class takes a message without personal data.
    """

    def __init__(self, message: str, where: tuple[str, int] = ("", 0)) -> None:
        super().__init__([LocatedProblem(*where, 0, message)])


class KeywordError(UserErrorException, TypeError):
    """A call with arguments that the callee does not take; a TypeError, as of any Python function."""


class UnexpectedKeywordError(KeywordError):
    """An argument without a parameter of that name."""


class MissingPositionalArgsError(KeywordError):
    """An argument that must be there and is not."""


class TooManyPositionalArgsError(KeywordError):
    """More positional arguments than parameters, or some where only names are taken."""


class MultipleValueError(KeywordError):
    """Two values for one parameter."""


class ParamValueNotExistsError(KeywordError):
    """A name in `non_pipeline_inputs` that is not a parameter of the function."""


class UnsupportedParameterKindError(UserErrorException):
    """A pipeline function with a parameter that cannot be an input, such as `*args`."""


class UnexpectedAttributeError(UserErrorException, AttributeError):
    """An input or output that there is not: `node.outputs.nonsense`."""


class NotFound(SmaltError):
    """Something named does not exist."""

    code = "NotFound"


class Conflict(SmaltError):
    """A resource of that name exists already and is different."""

    code = "Conflict"


class RefusedError(SmaltError):
    """Understood, and not done: not allowed, not supported here, or not safe."""

    code = "Refused"


class Unauthorized(SmaltError):
    """No token, or one that is not good for this."""

    code = "Unauthorized"


class Unavailable(SmaltError):
    """The server cannot be reached or cannot work (disk full, home unusable)."""

    code = "Unavailable"


class JobException(MlException):
    """A job that was waited for did not complete."""

    code = "JobFailed"


class AssetException(MlException):
    """An asset, by the name that the official SDK has for it."""


class AssetPathException(MlException):
    """An error about an asset's path, under the official SDK's name."""


class ComponentException(MlException):
    """An error about a component, under the official SDK's name."""


class DeploymentException(MlException):
    """An error about a deployment, under the official SDK's name."""


class ModelException(MlException):
    """An error about a model, under the official SDK's name."""


class ScheduleException(MlException):
    """An error about a schedule, under the official SDK's name."""


class JobParsingError(MlException):
    """A job of the service that cannot be read."""

    def __init__(
        self, error_category: str, no_personal_data_message: str, message: str, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(
            message, no_personal_data_message, target=ErrorTarget.JOB, error_category=error_category, **kwargs
        )


class EmptyDirectoryError(MlException):
    """A folder without files where some are needed."""

    def __init__(
        self,
        message: str,
        no_personal_data_message: str = "",
        target: str = ErrorTarget.UNKNOWN,
        error_category: str = ErrorCategory.UNKNOWN,
    ) -> None:
        super().__init__(message, no_personal_data_message, target=target, error_category=error_category)


class CannotSetAttributeError(UserErrorException):
    """An attribute of inputs or outputs that cannot be set."""

    def __init__(self, object_name: Any) -> None:
        super().__init__(f"the attributes of {object_name!r} cannot be set")


class UnsupportedOperationError(UserErrorException):
    """The value of an input was read while a pipeline is being built."""

    def __init__(self, operation_name: Any) -> None:
        super().__init__(f"{operation_name} is not supported")


class PipelineChildJobError(MlException):
    """An operation on a step that is for pipelines only."""

    ERROR_MESSAGE_TEMPLATE = "az ml job {command} is not supported on pipeline child job, {prompt_message}."
    PROMPT_PARENT_MESSAGE = "please use this command on pipeline parent job"
    PROMPT_STUDIO_UI_MESSAGE = "please go to studio UI to do related actions{url}"

    def __init__(self, job_id: str, command: str = "parse", prompt_studio_ui: bool = False) -> None:
        where = self.PROMPT_STUDIO_UI_MESSAGE.format(url="") if prompt_studio_ui else self.PROMPT_PARENT_MESSAGE
        words = self.ERROR_MESSAGE_TEMPLATE.format(command=command, prompt_message=where)
        super().__init__(words, target=ErrorTarget.JOB, error_category=ErrorCategory.USER_ERROR)
        self.job_id = job_id


class LocalEndpointError(MlException):
    """The base of errors about endpoints on the user's machine, which the official SDK raises and programs catch."""

    def __init__(self, message: str, error_category: str = ErrorCategory.USER_ERROR) -> None:
        super().__init__(message, target=ErrorTarget.LOCAL_ENDPOINT, error_category=error_category)


def _describe_resource(endpoint_name: str, deployment_name: str | None) -> str:
    if deployment_name:
        return f"the local deployment '{deployment_name}' of the endpoint '{endpoint_name}'"
    return f"the local endpoint '{endpoint_name}'"


class LocalEndpointNotFoundError(LocalEndpointError):
    def __init__(
        self,
        endpoint_name: str,
        deployment_name: str | None = None,
        error_category: str = ErrorCategory.USER_ERROR,
    ) -> None:
        super().__init__(f"{_describe_resource(endpoint_name, deployment_name)} does not exist", error_category)


class LocalEndpointInFailedStateError(LocalEndpointError):
    def __init__(
        self, endpoint_name: str, deployment_name: str | None = None, error_category: str = ErrorCategory.UNKNOWN
    ) -> None:
        super().__init__(
            f"{_describe_resource(endpoint_name, deployment_name)} has failed; see its logs", error_category
        )


class LocalEndpointImageBuildError(LocalEndpointError):
    def __init__(self, error: str | Exception, error_category: str = ErrorCategory.UNKNOWN) -> None:
        super().__init__(f"the image of the local endpoint was not built: {error}", error_category)


class MultipleLocalDeploymentsFoundError(LocalEndpointError):
    def __init__(self, endpoint_name: str, error_category: str = ErrorCategory.UNKNOWN) -> None:
        super().__init__(f"{_describe_resource(endpoint_name, None)} has several deployments; name one", error_category)


class CloudArtifactsNotSupportedError(LocalEndpointError):
    def __init__(
        self,
        endpoint_name: str,
        invalid_artifact: str,
        deployment_name: str | None = None,
        error_category: str = ErrorCategory.USER_ERROR,
    ) -> None:
        where = _describe_resource(endpoint_name, deployment_name)
        super().__init__(f"{where} names '{invalid_artifact}', which is not on this machine", error_category)


class RequiredLocalArtifactsNotFoundError(LocalEndpointError):
    def __init__(
        self,
        endpoint_name: str,
        required_artifact: str,
        required_artifact_type: str,
        deployment_name: str | None = None,
        error_category: str = ErrorCategory.USER_ERROR,
    ) -> None:
        what = f"'{required_artifact}' ({required_artifact_type})"
        super().__init__(f"{_describe_resource(endpoint_name, deployment_name)} has no {what}", error_category)


class InvalidLocalEndpointError(LocalEndpointError):
    def __init__(
        self, message: str, no_personal_data_message: str = "", error_category: str = ErrorCategory.USER_ERROR
    ) -> None:
        super().__init__(message, error_category)
        self.no_personal_data_message = no_personal_data_message


class DockerEngineNotAvailableError(LocalEndpointError):
    def __init__(self, error_category: str = ErrorCategory.UNKNOWN) -> None:
        super().__init__("no Docker engine answers; start one", error_category)


class LocalDeploymentGPUNotAvailable(LocalEndpointError):
    def __init__(self, error_category: str = ErrorCategory.USER_ERROR, msg: str | None = None) -> None:
        super().__init__(msg or "this machine has no GPU that a deployment could use", error_category)


class InvalidVSCodeRequestError(LocalEndpointError):
    def __init__(self, error_category: str = ErrorCategory.USER_ERROR, msg: str | None = None) -> None:
        super().__init__(msg or "only local endpoints can be debugged in VS Code", error_category)


class VSCodeCommandNotFound(LocalEndpointError):
    def __init__(self, output: str | None = None, error_category: str = ErrorCategory.USER_ERROR) -> None:
        why = f" ({output})" if output else ""
        super().__init__(f"VS Code did not start{why}; its command 'code' must be on the PATH", error_category)
