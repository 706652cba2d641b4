"""What a trial of a test runs instead of mlflow, which takes seconds to start: it writes to MLflow's database itself.

`python log_metric.py DATABASE NAME VALUE…`; the run is the job's own.
"""

import os
import sqlite3
import sys

path, name, *values = sys.argv[1:]
db = sqlite3.connect(path, timeout=120)
with db:
    db.execute("BEGIN IMMEDIATE")
    db.execute("CREATE TABLE IF NOT EXISTS metrics (run_uuid, key, value, is_nan, step, timestamp)")
    db.execute("CREATE TABLE IF NOT EXISTS latest_metrics (run_uuid, key, value, is_nan, step, timestamp)")
    for step, value in enumerate(values):
        is_nan = value == "nan"
        row = (os.environ["AZUREML_RUN_ID"], name, 0.0 if is_nan else float(value), is_nan, step, 1000 + step)
        db.execute("INSERT INTO metrics VALUES (?,?,?,?,?,?)", row)
    db.execute("INSERT INTO latest_metrics VALUES (?,?,?,?,?,?)", row)
db.close()
