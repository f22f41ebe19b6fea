"""A command, run in a subprocess, by which Keras downloads its published weights from its own host.

    python -m fruits_pipeline.backbones.engines.keras_host MobileNetV2 OUT.weights.h5 CONNECT_LIMIT_S

A subprocess, because Keras raises a bare ``Exception`` when its host is not reached, prints a
progress bar, and takes its time limit from the process-wide socket default.
"""

import socket
import sys

from fruits_pipeline.backbones.download import MISSING_PACKAGE
from fruits_pipeline.backbones.engines.keras_model import import_keras
from fruits_pipeline.errors import ModelError


def main(keras_class: str, out: str, connect_limit_s: str) -> int:
    """Download the weights into ``out`` by ``keras.applications``; return the exit status."""
    try:
        keras = import_keras()
    except ModelError:
        return MISSING_PACKAGE
    socket.setdefaulttimeout(float(connect_limit_s))
    getattr(keras.applications, keras_class)(weights="imagenet", include_top=False).save_weights(out)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
