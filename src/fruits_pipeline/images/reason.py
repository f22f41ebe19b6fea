"""Why an image was rejected: the values of column ``reason`` in the dataset of rejects."""

from enum import StrEnum


class Reason(StrEnum):
    """One word for each way in which an image fails; the words are part of the dataset's contract."""

    EMPTY = "empty"
    """When the file has zero bytes."""
    NOT_AN_IMAGE = "not_an_image"
    """When the first bytes are of none of the formats that are tried."""
    TRUNCATED = "truncated"
    """When the file ends before the image does."""
    CORRUPT = "corrupt"
    """When the file is of a known format, and its decoder refuses what it says."""
    TOO_MANY_PIXELS = "too_many_pixels"
    """When the header asks for more than ``max_pixels``; nothing was decoded."""
    TOO_MANY_BYTES = "too_many_bytes"
    """When the file is larger than ``max_bytes``; it was not read."""
    UNSUPPORTED_MODE = "unsupported_mode"
    """When the pixels have no agreed meaning as 8-bit RGB (floats, LAB, wide integers)."""
    MISSING = "missing"
    """When the file was listed, and is gone when it is read."""
    FORBIDDEN = "forbidden"
    """When storage refuses the file to whoever runs the job, and gives others."""
    UNADDRESSABLE_KEY = "unaddressable_key"
    """When no client can ask for the object by its name as it is."""
    UNREADABLE = "unreadable"
    """When storage refuses to give the file's bytes."""
    CRASHED = "crashed"
    """When the process that decoded the image died."""
    TIMEOUT = "timeout"
    """When decoding took longer than its deadline."""
