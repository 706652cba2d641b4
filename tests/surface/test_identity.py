"""Credentials: the official one that has nobody to speak for, and ours."""

from __future__ import annotations

import time

import pytest

from smalt.identity import AzureMLOnBehalfOfCredential, CredentialUnavailableError, SmaltCredential
from tests.helpers import Server


def test_nobody_is_spoken_for() -> None:
    """It can be made and closed, and says why it has no token."""
    with AzureMLOnBehalfOfCredential() as credential, pytest.raises(CredentialUnavailableError, match="nobody"):
        credential.get_token("https://storage.azure.com/.default")


def test_our_own_server_gives_tokens(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the form that Azure's have, and good for a while."""
    monkeypatch.delenv("SMALT_URL", raising=False)
    monkeypatch.setenv("SMALT_HOME", str(server.home.root))
    credential = SmaltCredential()
    token, expires = credential.get_token("https://ml.azure.com/.default")
    credential.close()
    assert token.count(".") == 2
    assert expires > time.time()
