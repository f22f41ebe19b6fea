"""How many images and rows a wave has: what a kill, or Ctrl-C, may cost, and what one manifest holds."""

MAX_WAVE_IMAGES = 200_000
# Of images and of what is skipped: a trial with few images of a large source is a few waves with small manifests.
MAX_WAVE_ROWS = 200_000
# On a laptop some 10 seconds for MobileNetV2 and 70 for Xception on two cores; two waves are in flight.
LOCAL_IMAGES_PER_CORE = 750
# On a cluster a minute or two, because each wave there pays for its jobs' starts and its files' commits.
IMAGES_PER_CORE = 10_000


def default_wave_images(cores: int, *, local: bool) -> int:
    """Images in a wave: some seconds of work on a laptop, a minute or more on a cluster.

    >>> default_wave_images(2, local=True), default_wave_images(64, local=False)
    (1500, 200000)
    """
    return min(MAX_WAVE_IMAGES, (LOCAL_IMAGES_PER_CORE if local else IMAGES_PER_CORE) * cores)
