"""spark-submit jobs/run.py [flags]: the same as ``fruits-pipeline run``."""

import sys

from fruits_pipeline.cli import main

sys.exit(main(["run", *sys.argv[1:]]))
