"""spark-submit jobs/extract.py [flags]: the same as ``fruits-pipeline extract``."""

import sys

from fruits_pipeline.cli import main

sys.exit(main(["extract", *sys.argv[1:]]))
