"""Rows of ``schemas.REDUCED`` for tests that care about few of their columns."""

import hashlib

from fruits_pipeline import schemas

USUAL = {
    "width": 100,
    "height": 100,
    "brightness": 0.5,
    "darkest": 0.2,
    "brightest": 0.9,
    "entropy": 6.0,
    "sharpness": 15.0,
}


def reduced_row(path, label, split, content, components, residual=0.0, **columns):
    """One row, in order; its hash follows from ``content`` unless it is given."""
    digest = hashlib.sha256(content.encode()).digest()
    values = USUAL | {"perceptual_hash": int.from_bytes(digest[:8], "big", signed=True)} | columns
    values |= {"path": path, "source_path": path, "label": label, "split": split, "content_sha256": content}
    values |= {"pca_features": components, "residual": residual}
    values |= {name: value for name, value in columns.items() if name in values}
    return tuple(values[name] for name in schemas.REDUCED.names)
