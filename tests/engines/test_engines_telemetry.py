"""Nothing is reported to OpenVINO's maker: no socket, no file in the home folder, no question."""

import os
import subprocess
import sys

import pytest

WATCH = """
import sys, threading
asked = []
def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "urllib.Request"):
        asked.append((event, str(args[:2])))
        raise OSError("closed")
sys.addaudithook(watch)
"""

USE = """
from pathlib import Path
import numpy as np
from fruits_pipeline.backbones.catalog import BACKBONES
from fruits_pipeline.backbones.engines import conversion, quantisation
from fruits_pipeline.backbones.model import Model
from fruits_pipeline.backbones.predictor import predictor
from fruits_pipeline.backbones.weights import obtain_weights
folder = Path(sys.argv[2])
folder.mkdir()
weights = obtain_weights(BACKBONES["mobilenetv2"], Path(sys.argv[1]), folder)
# What runs in processes of their own is run in this one, which is watched.
assert conversion.main("mobilenetv2", "32", str(weights), str(folder / "f32")) == 0
np.save(folder / "pixels.npy", np.zeros((2, 32, 32, 3), np.uint8))
assert quantisation.main(str(folder)) == 0
for precision in ("f32", "int8"):
    parts = tuple((folder / precision).with_suffix(suffix).read_bytes() for suffix in (".xml", ".bin"))
    model = Model("mobilenetv2", "openvino", precision, 32, 1280, parts)
    assert predictor(model, 1)(np.zeros((1, 32, 32, 3), np.uint8)).shape == (1, 1280)
"""

TELL = """
for thread in threading.enumerate():
    if thread is not threading.current_thread() and not thread.daemon: thread.join(5)
print("asked", asked)
print("package", [name for name in sys.modules if name.startswith("openvino_telemetry.")])
print("stub", __import__("openvino.tools.ovc.telemetry_utils", fromlist=["tm"]).tm.__name__)
"""


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def run(script, home, *arguments):
    # As on a user's machine: openvino-telemetry keeps quiet by itself where it sees a build server.
    kept = {key: value for key, value in os.environ.items() if key not in {"CI", "TF_BUILD", "JENKINS_URL"}}
    command = [sys.executable, "-c", WATCH + script + TELL, *map(str, arguments)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=kept | {"HOME": str(home)},
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split(" ", 1) for line in done.stdout.splitlines() if line.split(" ")[0] in QUIET)


QUIET = {"asked": "[]", "package": "[]", "stub": "openvino.tools.ovc.telemetry_stub"}


def test_conversion_calibration_and_inference_report_nothing(home, tmp_path, weights_folder):
    file = next(weights_folder.glob("mobilenet*.h5"))
    assert run(USE, home, file, tmp_path / "cache") == QUIET
    assert not (home / "intel").exists()


def test_importing_openvino_reports_nothing(home):
    script = "from fruits_pipeline.backbones.engines.telemetry import import_openvino\nimport_openvino()\n"
    assert run(script, home) == QUIET
    assert list(home.iterdir()) == []


def test_openvino_imported_by_somebody_else_is_silenced_from_then_on(home):
    script = (
        "import types\n"
        "other = types.ModuleType('openvino_telemetry')\n"
        "other.Telemetry = type('Telemetry', (), {m: lambda *a, **k: None for m in ('send_event',)})\n"
        "other.Telemetry.__init__ = lambda *a, **k: None\n"
        "backend = types.ModuleType('openvino_telemetry.backend')\n"
        "backend.backend_ga4 = None\n"
        "sys.modules.update({other.__name__: other, backend.__name__: backend})\n"
        "import openvino\n"
        "from openvino.tools.ovc import convert_impl, utils, telemetry_utils\n"
        "assert convert_impl.tm is other\n"
        "from fruits_pipeline.backbones.engines.telemetry import import_openvino\n"
        "import_openvino()\n"
        "assert not [m for m in sys.modules.values() if getattr(m, 'tm', None) is other]\n"
        "del sys.modules['openvino_telemetry.backend']\n"
    )
    assert run(script, home) == QUIET
