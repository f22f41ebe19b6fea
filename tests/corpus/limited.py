"""What the child process of ``fuzz`` runs: it finds this function by its module's name."""

import resource
from pathlib import Path

from fruits_pipeline.images.decode import Decoded, Rejected, decode
from fruits_pipeline.images.reason import Reason

# Address space beyond what the interpreter and its libraries have when the first file comes.
_SPARE_BYTES = 512 << 20


def limited(content: bytes, image_size: int, max_pixels: int) -> Decoded | Rejected:
    """``decode`` in a process that may take half a gigabyte more than it had; what comes out is checked.

    Raises:
        AssertionError: When it is neither pixels of the shape asked for nor a reason with one printable line.
    """
    _limit_memory()
    found = decode(content, image_size, max_pixels)
    if isinstance(found, Decoded):
        assert found.pixels.shape == (image_size, image_size, 3)
        assert found.pixels.dtype.name == "uint8"
        assert min(found.width, found.height) > 0
        return found
    assert found.reason in Reason
    assert 0 < len(found.detail) <= 160, found.detail
    assert found.detail.isprintable(), found.detail
    return found


def _limit_memory() -> None:
    if resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + _SPARE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
