"""The backbone that computed an output's features, kept with them and with all that was trained on them.

Whoever uses the models then needs no cache, no weights and no network. ``extract`` writes it into the state, ``reduce``
copies it to the other trained models.
"""

import json
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from fruits_pipeline.backbones.model import Model
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.state.layout import BACKBONES, backbone_file
from fruits_pipeline.state.recipe import Recipe
from fruits_pipeline.storage.store import Store
from fruits_pipeline.trained.saved import packed, read

_PARTS: Final = pa.schema([("part", pa.binary())])
_FACTS: Final = ("backbone", "engine", "precision", "image_size", "dimension", "calibrated_with")
_RECIPE: Final = "recipe"


@dataclass(frozen=True)
class Backbone:
    """The model that computes features from pixels, and the recipe of these features."""

    model: Model
    recipe: Recipe


def keep_backbone(store: Store, model: Model, recipe: Recipe) -> None:
    """Writes the backbone of an output's features into its state, in place of any other."""
    key = backbone_file(recipe.digest)
    others = [found.key for found in store.objects(BACKBONES) if found.key != key]
    if store.stat(key) is None:
        facts = {name: json.dumps(getattr(model, name)) for name in _FACTS}
        table = pa.table([list(model.parts)], schema=_PARTS)
        store.write(key, packed(table, facts | {_RECIPE: recipe.model_dump_json()}))
    store.delete(others)


def kept_backbone(store: Store, recipe: Recipe) -> bytes:
    """The content of the file of the backbone whose features have this recipe.

    Raises:
        DatasetError: When it is not there.
    """
    key = backbone_file(recipe.digest)
    if store.stat(key) is None:
        raise DatasetError(
            f"expected the backbone of the features at {store.root}/{key}, found none; start the 'extract' or 'run' "
            "that made them again: it computes nothing anew"
        )
    content = store.read(key)
    loaded_backbone(content)
    return content


def loaded_backbone(content: bytes) -> Backbone:
    """The backbone of a file's content.

    Raises:
        DatasetError: When it is no such file.
    """
    table = read(content)
    facts = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    if table.schema.names != _PARTS.names or facts.keys() != {*_FACTS, _RECIPE}:
        raise DatasetError(f"expected a backbone, found a table of {table.schema.names} with {sorted(facts)}")
    values = {name: json.loads(facts[name]) for name in _FACTS}
    recipe = Recipe.model_validate_json(facts[_RECIPE])
    sample = tuple(values.pop("calibrated_with"))
    model = Model(**values, parts=tuple(table["part"].to_pylist()), calibrated_with=sample)
    if model.sha256 != (expected := recipe.made_by.get("model_sha256")):
        raise DatasetError(
            f"expected the backbone {expected}, found {model.sha256}: its file was changed; delete it, then start the "
            "'extract' or 'run' that made the features again"
        )
    return Backbone(model, recipe)
