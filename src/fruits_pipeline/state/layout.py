"""Where everything lies below the output: the only home of these names.

Rooms stand in the order of the flow; each owns its folders and nobody else writes there.
"""

RUN_RECORD = "run.json"
LEASE = "_state/lease"

MANIFEST = "manifest"
PACKED = "packed"
FEATURES = "features"
REJECTS = "rejects"
WAVES = "features/_waves"
REDUCED = "reduced"
PREDICTIONS = "predictions"
MODELS = "models"
EVALUATION = "evaluation"
EXPORTS = "exports"
# The file of a dataset that one writer writes at once.
ONLY_FILE = "part-00000.parquet"

OWNED: dict[str, tuple[str, ...]] = {
    "ingest": (MANIFEST,),
    "features": (FEATURES, REJECTS),
    "reduce": (REDUCED, f"{MODELS}/reduce", f"{EVALUATION}/variance"),
    "export_json": (f"{EXPORTS}/json",),
    "export_csv": (f"{EXPORTS}/csv",),
    "classify": (
        PREDICTIONS,
        f"{MODELS}/random_forest",
        f"{MODELS}/logistic_regression",
        *(f"{EVALUATION}/{name}" for name in ("scores", "label_scores", "confusion", "mistakes", "duplicates")),
    ),
    "pack": (PACKED,),
}
ROOMS = tuple(OWNED)


def room_marker(room: str) -> str:
    """The key of a room's marker."""
    return f"_state/{room}.json"


def wave_marker(wave: str) -> str:
    """The key of a wave's marker."""
    return f"{WAVES}/{wave}.json"


def wave_folders(wave: str) -> tuple[str, str]:
    """The folders of a wave's features and rejects."""
    return f"{FEATURES}/wave={wave}", f"{REJECTS}/wave={wave}"


def from_room(room: str) -> tuple[str, ...]:
    """``room`` and those downstream of it."""
    return ROOMS[ROOMS.index(room) :]
