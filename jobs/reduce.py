"""spark-submit jobs/reduce.py [flags]: the same as ``fruits-pipeline reduce``."""

import sys

from fruits_pipeline.cli import main

sys.exit(main(["reduce", *sys.argv[1:]]))
