"""MLflow (a later issue)."""
