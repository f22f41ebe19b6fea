"""HEIC and HEIF, which Pillow reads by a plugin that not everybody has installed."""

import functools

PACKAGE = "pillow-heif"


@functools.cache
def is_readable() -> bool:
    """Whether the plugin is there; it is then known to Pillow, and decodes only the picture itself, in this thread."""
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
    return True
