"""AutoML for tables: the program that an AutoML job runs in an environment with FLAML.

This folder is a package of its own, which knows nothing of the rest of smalt: it is shipped into the job as
`smalt_automl` and started by `python -m smalt_automl`. Only `words`, `checks`, `headers` and `problems` are standard
library; smalt's server reads these.
"""
