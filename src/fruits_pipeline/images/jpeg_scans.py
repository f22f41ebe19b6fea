"""Whether the scans of a JPEG hold all that its frame has.

libjpeg takes what was not sent for zero, and does not warn of it: a file that was cut after one of its scans and closed
with an end marker looks whole. T.81 lets an encoder leave out bits and bands for good (libjpeg's ``jcmaster.c`` says
so), and nobody can tell that from a cut. Both are refused, because the scans that libjpeg and mozjpeg choose send
everything: what is missing was lost, or taken away by hand for a rough preview.

Sources: ITU-T T.81 B.2.3 (scan header) and G.1.1.1 (spectral selection, successive approximation).
"""

import re
from collections import defaultdict
from collections.abc import Iterator

from fruits_pipeline.images.jpeg_header import JpegHeader, segments

_SCAN = 0xDA
_PROGRESSIVE = 2
# Of a block, one bit each.
_ALL = (1 << 64) - 1
# Between the two bytes of a marker that is neither a stuffed zero nor a restart.
END_OF_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def has_all_scans(content: bytes, header: JpegHeader) -> bool:
    """Whether each component was sent, in a progressive JPEG each of its 64 coefficients down to the last bit.

    Args:
        content: a whole file, of which libjpeg warns of nothing.
        header: its header.
    """
    if header.is_decoded_row_by_row:
        return True
    sent = defaultdict[int, int](int)
    for scan in _scan_headers(content):
        first, last, bits = scan[-3:]
        coefficients = (2 << last) - (1 << first) if header.process == _PROGRESSIVE else _ALL
        if header.process != _PROGRESSIVE or bits & 15 == 0:
            for component in scan[1:-3:2]:
                sent[component] |= coefficients
    return list(sent.values()) == [_ALL] * len(header.sampling)


def _scan_headers(content: bytes) -> Iterator[bytes]:
    """The body of each scan header before the end of the first picture."""
    place = 2
    while header := next((found for found in segments(content, place) if found[0] == _SCAN), None):
        _, start, end = header
        yield content[start:end]
        data_end = END_OF_SCAN.search(content, end)
        if data_end is None:
            return
        place = data_end.start()
