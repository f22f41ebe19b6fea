"""Where everything lies below the output, and what is made from what: the only home of these names."""

from typing import Literal

RUN_RECORD = "run.json"
STATE = "_state"
LEASE = f"{STATE}/lease"
SNAPSHOT = f"{STATE}/snapshot.json"
WAVES = f"{STATE}/waves"
PACKED_WAVES = f"{STATE}/packed"
LABELS = f"{STATE}/labels"
# SHA-256 of the images that the int8 model of the features was calibrated with, one in each line.
CALIBRATED = f"{STATE}/calibrated.txt"
# The backbone of the features, as trained models are saved, by the digest of the features' recipe.
BACKBONES = f"{STATE}/backbones"
# What every output of the version before has, and none of this one.
FORMER_MARKER = f"{STATE}/ingest.json"

MANIFEST = "manifest"
PACKED = "packed"
FEATURES = "features"
REJECTS = "rejects"
REDUCED = "reduced"
PREDICTIONS = "predictions"
MODELS = "models"
# What predicts without Spark: the fitted models once more, as plain arrays, and the backbone.
PORTABLE = f"{MODELS}/portable"
EVALUATION = "evaluation"
EXPORTS = "exports"
# The page that people read.
REPORT = "report.html"
# The file of a dataset that one writer writes at once.
ONLY_FILE = "part-00000.parquet"

# Datasets of waves: ``DATASET/wave=NAME/``.
BY_WAVE = (MANIFEST, FEATURES, REJECTS, PACKED)

RoomName = Literal["reduce", "export_json", "export_csv", "examine", "classify", "score", "report"]

# Tables of what was predicted for labelled images.
_JUDGED = ("scores", "label_scores", "confusion", "confused", "mistakes")
EXPORT_ROOMS: dict[str, RoomName] = {"json": "export_json", "csv": "export_csv"}
# The folders of each room that is made as a whole, or its only file (``is_file``); nobody else writes there.
OWNED: dict[RoomName, tuple[str, ...]] = {
    "reduce": (
        *(REDUCED, f"{MODELS}/reduce", f"{PORTABLE}/reduce", f"{PORTABLE}/backbone", f"{EVALUATION}/variance"),
        LABELS,
    ),
    "export_json": (f"{EXPORTS}/json",),
    "export_csv": (f"{EXPORTS}/csv",),
    "examine": tuple(
        f"{EVALUATION}/{name}"
        for name in ("twins", "label_counts", "sizes", "left_out", "picture_issues", "pictures", "map")
    ),
    "classify": (
        PREDICTIONS,
        f"{MODELS}/random_forest",
        f"{MODELS}/logistic_regression",
        *(f"{PORTABLE}/{name}" for name in ("random_forest", "logistic_regression", "familiarity")),
        *(f"{EVALUATION}/{name}" for name in (*_JUDGED, "duplicates", "suspects", "typical", "leaks")),
        *(f"{EVALUATION}/scores_{which}_leaks" for which in ("with", "without")),
    ),
    # The rival of ``classify``: see ``rivals``.
    "score": (PREDICTIONS, *(f"{EVALUATION}/{name}" for name in _JUDGED)),
    "report": (REPORT,),
}
# The rooms that each room is made from; ``reduce`` and ``score`` are made from the snapshot's features, packs from its
# manifest.
MADE_FROM: dict[RoomName, tuple[RoomName, ...]] = {
    "export_json": ("reduce",),
    "export_csv": ("reduce",),
    "examine": ("reduce",),
    "classify": ("reduce",),
    "report": ("examine", "classify"),
}
# The steps of each command, in their order, by the names that ``run.json`` has them under.
_TRAIN = ("examine", "classify", "report")
_RUN = ("ingest", "features", "reduce", *_TRAIN)
STEPS: dict[str, tuple[str, ...]] = {
    "demo": _RUN,
    "run": _RUN,
    "extract": _RUN[:2],
    "reduce": ("reduce",),
    "classify": _TRAIN,
    "score": ("ingest", "features", "score"),
    "pack": ("ingest", "pack"),
}
# What a room makes, in the words of its user.
RESULTS: dict[str, str] = {
    "reduce": "principal components",
    "export_json": "principal components as JSON lines",
    "export_csv": "principal components as CSV",
    "examine": "tables about the images",
    "classify": "classifiers and predictions",
    "score": "predictions of new images",
    "report": "page",
}
# The command that makes a room again.
COMMANDS: dict[RoomName, str] = {
    "reduce": "reduce",
    "export_json": "reduce --export json",
    "export_csv": "reduce --export csv",
    "examine": "classify",
    "classify": "classify",
    "score": "score",
    "report": "report",
}


def rivals(room: RoomName) -> tuple[RoomName, ...]:
    """The rooms beside which there is no ``room``: those of a run and ``score`` need outputs of their own.

    >>> rivals("classify")
    ('score',)
    """
    return tuple(other for other in OWNED if (other == "score") != (room == "score"))


def is_file(place: str) -> bool:
    """Whether what a room owns is one file rather than a folder: no folder of ours has an ending.

    >>> is_file("report.html"), is_file("evaluation/scores")
    (True, False)
    """
    return "." in place.rpartition("/")[2]


def portable_file(name: str) -> str:
    """The only file of a trained model: ``reduce``, ``backbone``, ``familiarity``, or a classifier.

    >>> portable_file("reduce")
    'models/portable/reduce/part-00000.parquet'
    """
    return f"{PORTABLE}/{name}/{ONLY_FILE}"


def backbone_file(recipe: str) -> str:
    """The key of the backbone whose features have the recipe with that digest."""
    return f"{BACKBONES}/{recipe}.parquet"


def room_marker(room: RoomName) -> str:
    """The key of a room's marker."""
    return f"{STATE}/{room}.json"


def wave_marker(wave: str) -> str:
    """The key of a wave's marker."""
    return f"{WAVES}/{wave}.json"


def packed_marker(wave: str) -> str:
    """The key of the marker of a wave that was packed."""
    return f"{PACKED_WAVES}/{wave}.json"


def wave_folder(dataset: str, wave: str) -> str:
    """The folder of a wave's files of one dataset.

    >>> wave_folder(FEATURES, "00007")
    'features/wave=00007'
    """
    return f"{dataset}/wave={wave}"


def manifest_file(wave: str) -> str:
    """The key of a wave's manifest, its only file."""
    return f"{wave_folder(MANIFEST, wave)}/{ONLY_FILE}"


def dependants(room: RoomName) -> tuple[RoomName, ...]:
    """The rooms that are made from ``room``, directly or not, each before what it is made from.

    >>> dependants("reduce"), dependants("classify")
    (('report', 'classify', 'examine', 'export_csv', 'export_json'), ('report',))
    """
    found: dict[RoomName, None] = {}
    for name in reversed([name for name, sources in MADE_FROM.items() if room in sources]):
        found |= dict.fromkeys((*dependants(name), name))
    return tuple(found)
