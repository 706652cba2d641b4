"""Programs and notebooks written for `azure.ai.ml`, run as they are: what they import is answered by smalt."""
