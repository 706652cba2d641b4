"""`azureml.telemetry`"""

from __future__ import annotations


def set_diagnostics_collection(send_diagnostics: bool = True, verbosity: object = None) -> None:
    """Do nothing: no diagnostics are sent anywhere."""
