"""`smalt upgrade`: programs, notebooks and files of SDK v1 become v2; see docs/upgrade.md."""
