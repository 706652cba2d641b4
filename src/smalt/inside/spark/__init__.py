"""Runs a Spark job by spark-submit: its settings become arguments, and its process becomes Spark's.

Inside jobs it is loaded by path, as the package `_smalt_spark`.
"""

import os
import sys

if sys.argv[0] == "-m":  # the job's code, whose modules may be called like those of the standard library, is not ours
    sys.path[:] = [path for path in sys.path if path not in ("", os.getcwd())]
