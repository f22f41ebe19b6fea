"""The folder that an app's model is written to: refused before any work where it is not free."""

import json
import re
from typing import Final

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Store

MODEL_JSON: Final = "model.json"
CARD: Final = "model-card.md"
REFERENCE: Final = "reference"
# What any ``export`` writes; nothing else is ever deleted.
_OURS: Final = re.compile(
    r"model\.(tflite|onnx|xml|bin|json)|labels\.txt|model-card\.md|reference/(\d\d\.png|reference\.json)"
)


def check_destination(store: Store, model: str, *, overwrite: bool) -> None:
    """Refuses a folder that lies in the run's output, or that is not empty.

    Args:
        store: The folder.
        model: The address of the run's output.
        overwrite: Whether files of an earlier export may be replaced; those of one that was ended half-way always may.

    Raises:
        SettingsError: Then.
    """
    if uri.below(store.root, uri.normalise(model)) is not None:
        raise SettingsError(
            f"--output-uri: expected a folder outside of the output of --model, found {store.root}; name another one"
        )
    found = next(store.objects(), None)
    if found is not None and not (_is_export(store) and (overwrite or store.stat(CARD) is None)):
        raise SettingsError(
            f"--output-uri: expected an empty folder, or with --overwrite that of an earlier export, found "
            f"{found.key!r} in {store.root}; name another one"
        )


def _is_export(store: Store) -> bool:
    """Whether an export began to write here."""
    if store.stat(MODEL_JSON) is None:
        return False
    try:
        found = json.loads(store.read(MODEL_JSON))
    except ValueError:
        return False
    return isinstance(found, dict) and "spec" in found


def write_export(store: Store, files: dict[str, bytes], card: str) -> None:
    """Replaces the files of any earlier export; the model card goes first and comes last, so that it is of all others.

    Args:
        store: The folder.
        files: Content of each file by its key but the card.
        card: The model card.
    """
    earlier = [found.key for found in store.objects() if _OURS.fullmatch(found.key)]
    store.delete([key for key in earlier if key == CARD])
    store.delete([key for key in earlier if key != CARD and key not in files])
    # First of all what tells that the others are an export's, should this be ended in between.
    for key, content in sorted(files.items(), key=lambda file: file[0] != MODEL_JSON):
        store.write(key, content)
    store.write(CARD, card.encode())
