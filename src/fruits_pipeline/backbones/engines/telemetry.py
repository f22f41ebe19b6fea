"""Imports OpenVINO with its telemetry disabled.

``import openvino`` alone reports to its maker when the package openvino-telemetry is there, and
``convert_model`` reports settings and results; no setting of OpenVINO turns that off, only a file in the
user's home does. All of OpenVINO falls back to its own do-nothing stub when that package cannot be imported,
which is arranged here, for this process only and before OpenVINO is imported.
"""

import sys
from types import ModuleType
from typing import Final

from fruits_pipeline.errors import ModelError

PACKAGE: Final = "openvino_telemetry"


def import_openvino() -> ModuleType:
    """The package openvino with telemetry disabled in this process.

    Raises:
        ModelError: when it is not installed.
    """
    # None in sys.modules makes `import openvino_telemetry` an ImportError (Python's import system, 5.3.1).
    sys.modules[PACKAGE] = None  # type: ignore[assignment]  # because typeshed leaves this documented use out
    try:
        import openvino
    except ImportError as error:
        raise ModelError(
            "--engine openvino: expected the package openvino, found none that can be imported "
            f"({error}); install fruits-pipeline again, or use --engine tensorflow"
        ) from error
    _silence_what_was_there()
    return openvino  # type: ignore[no-any-return]  # because openvino's types are not followed


def _silence_what_was_there() -> None:
    """Replace telemetry by OpenVINO's stub where OpenVINO was imported before."""
    tools = [module for name, module in sys.modules.items() if name.startswith("openvino.tools.ovc.")]
    reporting = [module for module in tools if getattr(getattr(module, "tm", None), "__name__", "") == PACKAGE]
    if reporting:
        from openvino.tools.ovc import telemetry_stub

        for module in reporting:
            module.tm = telemetry_stub  # type: ignore[attr-defined]  # because the name is OpenVINO's own
