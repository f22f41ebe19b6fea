"""Whether a JPEG 2000 has all of its tiles: its decoder leaves black what is not there.

Source: ISO/IEC 15444-1 A.4.2 (start of a tile-part), A.5.1 (size of picture and tiles).
"""

_START, _TILE_PART = b"\xff\x4f\xff\x51", b"\xff\x90"


def has_all_tiles(content: bytes) -> bool:
    """Whether each tile of a file that was decoded has a tile-part in it."""
    place = content.find(_START) + 2
    right, bottom, _, _, width, height, left, top = (_number(content, place + 6 + 4 * index, 4) for index in range(8))
    tiles = -((left - right) // max(width, 1)) * -((top - bottom) // max(height, 1))
    while place < len(content) and not content.startswith(_TILE_PART, place):
        place += 2 + _number(content, place + 2, 2)
    found = set()
    while content.startswith(_TILE_PART, place):
        found.add(_number(content, place + 4, 2))
        # A length of 0 is that of the last one, which goes on to the end.
        place += _number(content, place + 6, 4) or len(content)
    return len(found) >= tiles


def _number(content: bytes, place: int, length: int) -> int:
    return int.from_bytes(content[place : place + length], "big")
