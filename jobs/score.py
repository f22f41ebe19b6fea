"""spark-submit jobs/score.py [flags]: the same as ``fruits-pipeline score``."""

import sys

from fruits_pipeline.cli import main

sys.exit(main(["score", *sys.argv[1:]]))
