"""`smalt upgrade`: programs and files of SDK v1 become v2; see docs/upgrade.md and docs/internals/sdk-v1.md."""
