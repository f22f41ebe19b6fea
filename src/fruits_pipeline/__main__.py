"""``python -m fruits_pipeline``: the same as ``fruits-pipeline``."""

import sys

from fruits_pipeline.session.interrupt import interruptible


def entry() -> None:
    """Runs the command line; an interruption is handled already while the command's modules are imported."""
    with interruptible():
        from fruits_pipeline.cli import main

        code = main()
    sys.exit(code)


if __name__ == "__main__":
    entry()
