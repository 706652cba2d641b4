"""Credentials of datastores."""

from __future__ import annotations

from smalt.entities.schema.effects import KEPT
from smalt.entities.schema.entity import Entity, optional, required
from smalt.entities.schema.keyed import Keyed
from smalt.entities.schema.nested import ByKey
from smalt.entities.schema.shapes import Text


class Credentials(Keyed, Entity):
    noun = "credentials"
    _effect = KEPT


class NoneCredentials(Credentials):
    noun = "credentials"


class AccountKeyConfiguration(Credentials):
    noun = "account key credentials"

    account_key = required(Text(), "The key of the storage account.")


class SasTokenConfiguration(Credentials):
    noun = "SAS credentials"

    sas_token = required(Text(), "The shared access signature.")


class ServicePrincipalConfiguration(Credentials):
    noun = "service principal credentials"

    tenant_id = required(Text(), "The tenant.")
    client_id = required(Text(), "The application.")
    client_secret = required(Text(), "Its secret.")
    authority_url = optional(Text(), "The URL of the authority that issues tokens.")
    resource_url = optional(Text(), "The URL of the resource that tokens are for.")


class CertificateConfiguration(Credentials):
    noun = "certificate credentials"

    tenant_id = required(Text(), "The tenant.")
    client_id = required(Text(), "The application.")
    thumbprint = required(Text(), "The certificate's thumbprint.")
    certificate = optional(Text(), "The certificate.")
    authority_url = optional(Text(), "The URL of the authority that issues tokens.")
    resource_url = optional(Text(), "The URL of the resource that tokens are for.")


class KerberosCredentials(Credentials):
    noun = "Kerberos credentials"

    kerberos_realm = required(Text(), "The realm.")
    kerberos_kdc_address = required(Text(), "The address of the key distribution centre.")
    kerberos_principal = required(Text(), "The principal.")


class KerberosPasswordCredentials(KerberosCredentials):
    kerberos_password = required(Text(), "The password.")


class KerberosKeytabCredentials(KerberosCredentials):
    kerberos_keytab = required(Text(), "The keytab.")


class AccessKeyCredentials(Credentials):
    """Credentials of an S3 datastore; not in Azure ML."""

    noun = "access key credentials"

    access_key_id = required(Text(), "The id of the key.")
    secret_access_key = required(Text(), "The key.")
    session_token = optional(Text(), "The token of a key that expires.")


class ServiceAccountKeyCredentials(Credentials):
    """Credentials of a Google Cloud Storage datastore; not in Azure ML."""

    noun = "service account key credentials"

    service_account_key = required(Text(), "The key of the service account, as the JSON text of its file.")


CREDENTIALS = ByKey(
    Credentials,
    {
        "account_key": "workspaces.credentials:AccountKeyConfiguration",
        "sas_token": "workspaces.credentials:SasTokenConfiguration",
        "thumbprint": "workspaces.credentials:CertificateConfiguration",
        "certificate": "workspaces.credentials:CertificateConfiguration",
        "client_secret": "workspaces.credentials:ServicePrincipalConfiguration",
        "tenant_id": "workspaces.credentials:ServicePrincipalConfiguration",
        "access_key_id": "workspaces.credentials:AccessKeyCredentials",
        "secret_access_key": "workspaces.credentials:AccessKeyCredentials",
        "service_account_key": "workspaces.credentials:ServiceAccountKeyCredentials",
        "kerberos_keytab": "workspaces.credentials:KerberosKeytabCredentials",
        "kerberos_realm": "workspaces.credentials:KerberosPasswordCredentials",
    },
    default="workspaces.credentials:NoneCredentials",
)
