"""Forms of URIs, parsed. Nothing here touches a disk."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from smalt.entities.rules.sentences import explain_bad_reference
from smalt.exceptions import ValidationException
from smalt.service.data.files.path_containment import is_storable
from smalt.service.data.uris.locations import AssetReference


class DatastorePath(NamedTuple):
    """A path in a datastore."""

    datastore: str
    path: str
    workspace: tuple[str, str, str] | None


class JobOutput(NamedTuple):
    """A path in a job's output."""

    job: str
    output: str
    path: str
    workspace: tuple[str, str, str] | None


class LocalFilePath(NamedTuple):
    """A path on this machine."""

    path: str


class RemoteUrl(NamedTuple):
    """A URL of the web."""

    url: str
    """http(s), whatever scheme was written."""


class BucketPath(NamedTuple):
    """A URL of an S3 or GCS bucket."""

    url: str
    """s3:// or gs://."""


Parsed = DatastorePath | JobOutput | LocalFilePath | RemoteUrl | BucketPath | AssetReference

_SCOPE = re.compile(
    r"/?subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)"
    r"(?:/providers/Microsoft\.MachineLearningServices)?/workspaces/(?P<workspace>[^/]+)/(?P<rest>.+)",
    re.IGNORECASE,
)
_DATASTORE = re.compile(r"datastores/(?P<name>[^/]+)(?:/paths(?:/(?P<path>.*))?|/)?", re.IGNORECASE | re.DOTALL)
_OUTPUT = re.compile(
    r"(?:jobs|runs)/(?P<job>[^/]+)/outputs/(?P<output>[^/]+)(?:/paths(?:/(?P<path>.*))?|/)?",
    re.IGNORECASE | re.DOTALL,
)
_ASSET = re.compile(
    r"(?P<kind>data|models)/(?P<name>[^/]+)/(?:versions/(?P<version>[^/]+)|labels/(?P<label>[^/]+))/?",
    re.IGNORECASE,
)
_REGISTRY = re.compile(
    r"(?:registries/(?P<registry>[^/]+)|locations/[^/]+/workspaces/[^/]+)/(?P<rest>.+)", re.IGNORECASE
)
_SHORT = re.compile(r"azureml:(?P<name>[^:@/]+)(?::(?P<version>[^:@/]+)|@(?P<label>[^:@/]+))?")
_RUN = re.compile(r"runs:/+(?P<job>[^/]+)(?:/(?P<path>.*))?", re.DOTALL)
_MODEL = re.compile(
    r"models:/+(?P<name>[^/@]+)"
    r"(?:@(?P<alias>[^/@]+)|/(?:(?P<stage>None|Staging|Production|Archived)|(?P<version>[^/@]+)))/?",
    re.IGNORECASE,
)
_ARTIFACT = re.compile(r"mlflow-artifacts:/+(?P<path>.+)", re.DOTALL)
_BLOB_HOST = re.compile(r"(?P<account>[^.]+)\.(?:blob|dfs)\.(?P<cloud>.+)", re.IGNORECASE)
_BLOB_SCHEMES = {"wasb", "wasbs", "abfs", "abfss"}
_BUCKET_SCHEMES = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs"}


@lru_cache(maxsize=1024)  # what one step writes the next one reads
def parse_uri(uri: str) -> Parsed:
    """Parse `uri`; raise ValidationException if it is none of the known forms."""
    if not is_storable(uri):
        raise ValidationException(f"{uri!r} holds characters that no path or URL can have")
    if uri.startswith("azureml://"):
        return _parse_azureml(uri)
    if uri.startswith("azureml:/") and _SCOPE.fullmatch(uri[8:]):
        return _parse_azureml(f"azureml:/{uri[8:]}")
    if uri.startswith("azureml:"):
        return _parse_short(uri)
    if uri.startswith("/"):
        return _parse_scoped(uri, uri) or LocalFilePath(uri)
    if match := _RUN.fullmatch(uri):
        return JobOutput(match["job"], "artifacts", match["path"] or "", None)
    if uri.startswith("models:/"):
        return _parse_model(uri)
    if match := _ARTIFACT.fullmatch(uri):
        return DatastorePath("workspaceartifactstore", match["path"], None)
    scheme = uri.partition(":")[0].lower() if "://" in uri else ""
    if scheme == "file":
        return _parse_file(uri)
    if scheme in ("http", "https"):
        return _parse_web(uri)
    if scheme in _BLOB_SCHEMES:
        return RemoteUrl(make_blob_url(uri))
    if scheme in _BUCKET_SCHEMES:
        return _parse_bucket(uri, _BUCKET_SCHEMES[scheme])
    if scheme:
        raise ValidationException(
            f"{uri}: smalt cannot read {scheme}:// by itself; map its prefix to a folder with "
            f"`smalt config set url-map {scheme}://…=FOLDER`"
        )
    raise ValidationException(f"{uri!r} is neither an absolute path nor a URI; write the path absolutely or as a URI")


def make_blob_url(uri: str) -> str:
    """Return the https URL of a public blob from `wasbs://container@account.blob.core.windows.net/p`, or abfss
    alike.
    """
    parts = _split_url(uri)
    container, at, host = parts.netloc.rpartition("@")
    match = _BLOB_HOST.fullmatch(host)
    if match is None:
        raise ValidationException(
            f"{uri} names no storage account; write {parts.scheme}://CONTAINER@ACCOUNT.blob.core.windows.net/PATH"
        )
    path = f"/{container}{parts.path}" if at else parts.path
    query = f"?{parts.query}" if parts.query else ""
    return f"https://{match['account']}.blob.{match['cloud']}{path}{query}"


def find_other_spelling(parsed: Parsed) -> str | None:
    """Return the other spelling under which the URL map may have the URI."""
    if isinstance(parsed, DatastorePath):
        return f"azureml://datastores/{parsed.datastore}/paths/{parsed.path}"
    if isinstance(parsed, AssetReference):  # clients send ids
        return f"azureml:{parsed.name}:{parsed.version}" if parsed.version else f"azureml:{parsed.name}@{parsed.label}"
    return parsed.url if isinstance(parsed, (RemoteUrl, BucketPath)) else None


def _parse_azureml(uri: str) -> Parsed:
    rest = uri.removeprefix("azureml://").lstrip("/")
    if scoped := _parse_scoped(uri, rest):
        return scoped
    if match := _REGISTRY.fullmatch(rest):
        if asset := _ASSET.fullmatch(match["rest"]):
            return _make_asset(uri, asset, None, match["registry"])
    elif found := _parse_in_workspace(uri, rest, None):
        return found
    raise ValidationException(
        f"{uri} is not a URI that smalt knows; write azureml://datastores/NAME/paths/PATH, "
        "azureml://jobs/JOB/outputs/OUTPUT/paths/PATH or azureml:NAME:VERSION"
    )


def _parse_scoped(uri: str, text: str) -> Parsed | None:
    match = _SCOPE.fullmatch(text)
    if match is None:
        return None
    return _parse_in_workspace(uri, match["rest"], (match["subscription"], match["group"], match["workspace"]))


def _parse_in_workspace(uri: str, rest: str, workspace: tuple[str, str, str] | None) -> Parsed | None:
    if match := _DATASTORE.fullmatch(rest):
        return DatastorePath(match["name"], match["path"] or "", workspace)
    if match := _OUTPUT.fullmatch(rest):
        return JobOutput(match["job"], match["output"], match["path"] or "", workspace)
    if match := _ASSET.fullmatch(rest):
        return _make_asset(uri, match, workspace, None)
    return None


def _make_asset(
    uri: str, match: re.Match[str], workspace: tuple[str, str, str] | None, registry: str | None
) -> AssetReference:
    kind = match["kind"].lower()
    return AssetReference(uri, match["name"], match["version"], match["label"], kind, registry, workspace)


def _parse_short(uri: str) -> AssetReference:
    match = _SHORT.fullmatch(uri)
    if match is None:
        raise ValidationException(explain_bad_reference(uri))
    return AssetReference(uri, match["name"], match["version"], match["label"])


def _parse_model(uri: str) -> AssetReference:
    """Parse MLflow's name of a model; `latest` is a label of every model, and a stage one of four words."""
    match = _MODEL.fullmatch(uri)
    if match is None:
        raise ValidationException(
            f"{uri} names no model; write models:/NAME/VERSION, models:/NAME@ALIAS or runs:/RUN/PATH"
        )
    version, label, stage = match["version"], match["alias"], match["stage"]
    if version is not None and version.lower() == "latest":
        version, label = None, "latest"
    return AssetReference(uri, match["name"], version, label, "models", stage=stage and stage.capitalize())


def _parse_file(uri: str) -> LocalFilePath:
    parts = _split_url(uri)
    if parts.netloc not in ("", "localhost"):
        raise ValidationException(
            f"{uri} names the host {parts.netloc!r}; a file URI has three slashes, as in file:///folder"
        )
    path = unquote(uri.split("://", 1)[1].removeprefix(parts.netloc))
    if not path.startswith("/") or "\0" in path:
        raise ValidationException(f"{uri} is not an absolute path; a file URI has three slashes, as in file:///folder")
    return LocalFilePath(path)


def _parse_web(uri: str) -> RemoteUrl:
    if not _split_url(uri).hostname:
        raise ValidationException(f"{uri} names no host; write https://HOST/PATH")
    return RemoteUrl(uri)


def _parse_bucket(uri: str, scheme: str) -> BucketPath:
    rest = uri.partition("://")[2]
    if not rest.partition("/")[0]:
        raise ValidationException(f"{uri} names no bucket; write {scheme}://BUCKET/PATH")
    return BucketPath(f"{scheme}://{rest}")


def _split_url(uri: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
        _ = parts.port  # the last thing that can be wrong with it
    except ValueError as error:
        raise ValidationException(f"{uri} is not a URL: {error}") from None
    return parts
