"""Datastores, and the credentials in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.schema.problems import Path, did_you_mean, format_value
from smalt.entities.schema.reader import Reader
from smalt.entities.workspaces import credentials as entities
from smalt.entities.workspaces import datastore as nouns
from smalt.wire.encoding.casing import fold_case, to_camel, to_pascal
from smalt.wire.encoding.codec import Codec, Json, Rule, Writing, make_nested_rule
from smalt.wire.encoding.envelope import HIDDEN, read_identity

_TYPES: dict[str, type[nouns.Datastore]] = {
    "AzureBlob": nouns.AzureBlobDatastore,
    "AzureFile": nouns.AzureFileDatastore,
    "AzureDataLakeGen1": nouns.AzureDataLakeGen1Datastore,
    "AzureDataLakeGen2": nouns.AzureDataLakeGen2Datastore,
    "OneLake": nouns.OneLakeDatastore,
    "Hdfs": nouns.HdfsDatastore,
    "S3": nouns.S3Datastore,
    "Gcs": nouns.GcsDatastore,
    "LocalPath": nouns.LocalPathDatastore,
}
"""The last three are smalt's own."""
_CREDENTIALS: dict[type[entities.Credentials], tuple[str, tuple[str, ...]]] = {
    entities.NoneCredentials: ("None", ()),
    entities.AccountKeyConfiguration: ("AccountKey", ("account_key",)),
    entities.SasTokenConfiguration: ("Sas", ("sas_token",)),
    entities.ServicePrincipalConfiguration: ("ServicePrincipal", ("client_secret",)),
    entities.CertificateConfiguration: ("Certificate", ("certificate",)),
    entities.KerberosKeytabCredentials: ("KerberosKeytab", ("kerberos_keytab",)),
    entities.KerberosPasswordCredentials: ("KerberosPassword", ("kerberos_password",)),
    entities.AccessKeyCredentials: ("AccessKey", ("secret_access_key", "session_token")),
    entities.ServiceAccountKeyCredentials: ("ServiceAccountKey", ("service_account_key",)),
}
"""The wire's word for each, and what of it is secret."""

_KEYS = {"account_key": "key"}
_RULES = {"id": HIDDEN, "name": HIDDEN, "type": HIDDEN, "creation_context": HIDDEN}


def _write_credentials(value: Any, writing: Writing) -> Any:
    kind, secret = _CREDENTIALS[type(value)]
    values = {name: item for name, item in vars(value).items() if item is not None and name in value._fields}
    body: Json = {to_camel(name): item for name, item in values.items() if name not in secret}
    secrets = {to_camel(_KEYS.get(name, name)): values[name] for name in secret if name in values}
    if secrets:
        body["secrets"] = {**secrets, "secretsType": kind}
    return {**body, "credentialsType": kind}


def _read_credentials(value: Any, path: Path, reader: Reader) -> Any:
    """Return the credentials; answers of the service have only their type, without the secret."""
    if not isinstance(value, Mapping):
        return value
    given = str(value.get("credentialsType", "None"))
    noun = next((noun for noun, (kind, _) in _CREDENTIALS.items() if fold_case(kind) == fold_case(given)), None)
    if noun is None:
        reader.add_problem((*path, "credentialsType"), f"unknown credentialsType {format_value(given)}")
        return None
    secrets = value.get("secrets")
    found = {**value, **(secrets if isinstance(secrets, Mapping) else {})}
    names = {fold_case(_KEYS.get(name, name)): name for name in noun._fields}
    values = {
        names[fold_case(key)]: item for key, item in found.items() if fold_case(str(key)) in names and item is not None
    }
    if any(not isinstance(item, str) for item in values.values()):
        return noun._read_data(values, path, reader)
    return noun(**values)


_ARTIFACT = Codec(
    nouns.OneLakeArtifact,
    {"name": Rule("artifactName"), "type": Rule("artifactType", lambda value, writing: to_pascal(value))},
)


def _make_rules(noun: type[nouns.Datastore], credentials: Rule) -> dict[str, Rule]:
    more = {"artifact": make_nested_rule(_ARTIFACT, "artifact")} if noun is nouns.OneLakeDatastore else {}
    return {**_RULES, "credentials": credentials, **more}


class _Datastores:
    """The codec is that of the type."""

    def __init__(self) -> None:
        credentials = Rule("credentials", _write_credentials, _read_credentials)
        self._codecs = {
            kind: Codec(noun, _make_rules(noun, credentials), constants={"datastoreType": kind})
            for kind, noun in _TYPES.items()
        }

    def write(self, noun: nouns.Datastore, writing: Writing) -> Json:
        kind = next(kind for kind, each in _TYPES.items() if each is type(noun))
        body = self._codecs[kind].write(noun, writing)
        body.setdefault("credentials", {"credentialsType": "None"})
        return {"properties": body}

    def read(self, body: Mapping[str, Any], reader: Reader) -> Any:
        properties = body.get("properties")
        given = properties.get("datastoreType") if isinstance(properties, Mapping) else None
        kind = next((kind for kind in _TYPES if isinstance(given, str) and fold_case(kind) == fold_case(given)), None)
        if kind is None or not isinstance(properties, Mapping):
            hint = did_you_mean(given, _TYPES)
            reader.add_problem(("properties", "datastoreType"), f"unknown datastoreType {format_value(given)}{hint}")
            return None
        known = _drop_none_credentials(properties)
        return self._codecs[kind].read({**known, **read_identity(body, _TYPES[kind])}, (), reader)


def _drop_none_credentials(properties: Mapping[str, Any]) -> Json:
    credentials = properties.get("credentials")
    is_none = isinstance(credentials, Mapping) and fold_case(str(credentials.get("credentialsType"))) == "none"
    return {key: value for key, value in properties.items() if key != "credentials" or not is_none}


RESOURCES = _Datastores()
