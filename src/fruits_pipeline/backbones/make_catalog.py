"""Makes ``catalog.json``, the table of published tensors, from the Keras HDF5 files.

    python -m fruits_pipeline.backbones.make_catalog mobilenetv2=FILE xception=FILE > catalog.json

The files are those of ``keras.applications.<Name>(weights="imagenet", include_top=False)`` (Keras keeps them
in its own cache folder). The table's ``tensors_sha256`` must come out as before: the tensors are published.
"""

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path

from fruits_pipeline.backbones.catalog import BACKBONES, Backbone, Tensor
from fruits_pipeline.backbones.hdf5 import float32_bytes, read_layer_tensors


def with_tensors_of(backbone: Backbone, file: Path) -> Backbone:
    """The backbone with the tensors of ``file``, a Keras HDF5 file without a head.

    Raises:
        ModelError: when the file is no such HDF5 file.
    """
    overall = hashlib.sha256()
    rows = []
    for layer, name, array in read_layer_tensors(file):
        content = float32_bytes(array)
        overall.update(content)
        rows.append(Tensor(layer, name, array.shape, hashlib.sha256(content).hexdigest()))
    return replace(backbone, tensors=tuple(rows), tensors_sha256=overall.hexdigest())


def catalog_text(backbones: list[Backbone]) -> str:
    """The JSON text of ``catalog.json``, one tensor a line, so that diffs show changed tensors."""
    return "{\n" + ",\n".join(_entry(backbone) for backbone in backbones) + "\n}\n"


def _entry(backbone: Backbone) -> str:
    facts = {
        "keras_class": backbone.keras_class,
        "image_size": backbone.image_size,
        "smallest_size": backbone.smallest_size,
        "dimension": backbone.dimension,
        "largest": backbone.largest,
        "tensors_sha256": backbone.tensors_sha256,
        "wheel": vars(backbone.wheel) if backbone.wheel else None,
    }
    lines = [f'  "{key}": {json.dumps(value)}' for key, value in facts.items()]
    rows = [f"   {json.dumps([t.layer, t.name, list(t.shape), t.sha256])}" for t in backbone.tensors]
    lines.append('  "tensors": [\n' + ",\n".join(rows) + "\n  ]")
    return f' "{backbone.name}": {{\n' + ",\n".join(lines) + "\n }"


def main(arguments: list[str]) -> None:
    """Print the table for ``name=FILE`` arguments."""
    named = dict(argument.split("=", 1) for argument in arguments)
    sys.stdout.write(catalog_text([with_tensors_of(BACKBONES[name], Path(file)) for name, file in named.items()]))


if __name__ == "__main__":
    main(sys.argv[1:])
