"""Java compiles little in commands that last for seconds, here and in the processes that are killed."""

import os

os.environ.setdefault("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1")
