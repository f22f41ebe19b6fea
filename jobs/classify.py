"""spark-submit jobs/classify.py [flags]: the same as ``fruits-pipeline classify``."""

import sys

from fruits_pipeline.cli import main

sys.exit(main(["classify", *sys.argv[1:]]))
