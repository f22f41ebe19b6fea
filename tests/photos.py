"""Large pictures with edges, texture and noise, as a camera would leave them."""

import numpy as np
from PIL import Image, ImageFilter


def photo(width: int, height: int, seed: int = 3) -> Image.Image:
    """RGB: coloured shapes of all sizes, softened, with noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (9, 12, 3), np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.NEAREST)
    fine = Image.fromarray(rng.integers(0, 256, (height // 16, width // 16, 3), np.uint8))
    image = Image.blend(image, fine.resize((width, height), Image.Resampling.BICUBIC), 0.4)
    values = np.asarray(image.filter(ImageFilter.GaussianBlur(1))) + rng.normal(0, 6, (height, width, 3))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))
