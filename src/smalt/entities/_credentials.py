"""Where the official SDK keeps it; programs import it from here."""

from __future__ import annotations

from smalt.entities import AadCredentialConfiguration as AadCredentialConfiguration
from smalt.entities import AccessKeyConfiguration as AccessKeyConfiguration
from smalt.entities import AccountKeyConfiguration as AccountKeyConfiguration
from smalt.entities import AmlTokenConfiguration as AmlTokenConfiguration
from smalt.entities import ApiKeyConfiguration as ApiKeyConfiguration
from smalt.entities import CertificateConfiguration as CertificateConfiguration
from smalt.entities import IdentityConfiguration as IdentityConfiguration
from smalt.entities import ManagedIdentityConfiguration as ManagedIdentityConfiguration
from smalt.entities import NoneCredentialConfiguration as NoneCredentialConfiguration
from smalt.entities import PatTokenConfiguration as PatTokenConfiguration
from smalt.entities import SasTokenConfiguration as SasTokenConfiguration
from smalt.entities import ServicePrincipalConfiguration as ServicePrincipalConfiguration
from smalt.entities import UserIdentityConfiguration as UserIdentityConfiguration
from smalt.entities import UsernamePasswordConfiguration as UsernamePasswordConfiguration
