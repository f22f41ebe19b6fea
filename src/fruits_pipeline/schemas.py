"""Column names and types of every dataset, as pyarrow schemas in the order of the contract.

``session`` derives Spark's schemas from these. Source of the tables: README, "Datasets".
"""

import pyarrow as pa

MANIFEST = pa.schema(
    [
        ("path", pa.string()),
        ("source_path", pa.string()),
        ("length", pa.int64()),
        ("modified", pa.timestamp("us", tz="UTC")),
        ("label", pa.string()),
        ("split", pa.string()),
        ("skip_reason", pa.string()),
    ]
)
PACKED = pa.schema([("path", pa.string()), ("content", pa.binary())])
FEATURES = pa.schema(
    [
        ("path", pa.string()),
        ("content_sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("features", pa.list_(pa.float32())),
    ]
)
REJECTS = pa.schema([("path", pa.string()), ("length", pa.int64()), ("reason", pa.string()), ("detail", pa.string())])
REDUCED = pa.schema(
    [
        ("path", pa.string()),
        ("source_path", pa.string()),
        ("label", pa.string()),
        ("split", pa.string()),
        ("content_sha256", pa.string()),
        ("pca_features", pa.list_(pa.float32())),
        ("residual", pa.float64()),
    ]
)
PREDICTIONS = pa.schema(
    [
        ("path", pa.string()),
        ("source_path", pa.string()),
        ("label", pa.string()),
        ("split", pa.string()),
        ("classifier", pa.string()),
        ("prediction", pa.string()),
        ("confidence", pa.float64()),
    ]
)
# What ``score`` writes to ``predictions``.
SCORED = pa.schema(
    [
        *PREDICTIONS,
        ("second", pa.string()),
        ("second_confidence", pa.float64()),
        ("third", pa.string()),
        ("third_confidence", pa.float64()),
        ("familiarity", pa.float64()),
        ("unfamiliar", pa.bool_()),
        ("learnt", pa.bool_()),
    ]
)
VARIANCE = pa.schema(
    [
        ("component", pa.int32()),
        ("explained_variance_ratio", pa.float64()),
        ("cumulative_ratio", pa.float64()),
    ]
)
SCORES = pa.schema(
    [("classifier", pa.string()), ("split", pa.string()), ("metric", pa.string()), ("value", pa.float64())]
)
LABEL_SCORES = pa.schema(
    [
        ("classifier", pa.string()),
        ("split", pa.string()),
        ("label", pa.string()),
        ("precision", pa.float64()),
        ("recall", pa.float64()),
        ("f1", pa.float64()),
        ("images", pa.int64()),
    ]
)
CONFUSION = pa.schema(
    [
        ("classifier", pa.string()),
        ("split", pa.string()),
        ("label", pa.string()),
        ("prediction", pa.string()),
        ("images", pa.int64()),
    ]
)
MISTAKES = pa.schema(
    [
        ("classifier", pa.string()),
        ("split", pa.string()),
        ("path", pa.string()),
        ("label", pa.string()),
        ("prediction", pa.string()),
        ("confidence", pa.float64()),
    ]
)
DUPLICATES = pa.schema(
    [("content_sha256", pa.string()), ("split", pa.string()), ("label", pa.string()), ("path", pa.string())]
)
ALL = {
    "manifest": MANIFEST,
    "packed": PACKED,
    "features": FEATURES,
    "rejects": REJECTS,
    "reduced": REDUCED,
    "predictions": PREDICTIONS,
    "variance": VARIANCE,
    "scores": SCORES,
    "label_scores": LABEL_SCORES,
    "confusion": CONFUSION,
    "mistakes": MISTAKES,
    "duplicates": DUPLICATES,
}

LABELS = pa.schema([("path", pa.string()), ("label", pa.string()), ("split", pa.string())])
TRAIN = "train"
VALIDATION = "validation"
TEST = "test"
# How people name the splits, as folders and in tables, in any case.
SPLIT_WORDS = (
    dict.fromkeys(("train", "training"), TRAIN)
    | dict.fromkeys(("val", "valid", "validation", "dev"), VALIDATION)
    | dict.fromkeys(("test", "testing", "eval", "evaluation"), TEST)
)


def differences(found: pa.Schema, expected: pa.Schema) -> list[str]:
    """Every way in which ``found`` lacks or mistypes a column of ``expected``; extra columns are no fault.

    >>> differences(pa.schema([("path", pa.int32())]), pa.schema([("path", pa.string()), ("n", pa.int8())]))
    ["column 'path' is int32, expected string", "column 'n' is missing, expected int8"]
    """
    faults = []
    for field in expected:
        if field.name not in found.names:
            faults.append(f"column {field.name!r} is missing, expected {field.type}")
        elif not _same(found.field(field.name).type, field.type):
            faults.append(f"column {field.name!r} is {found.field(field.name).type}, expected {field.type}")
    return faults


def _same(found: pa.DataType, expected: pa.DataType) -> bool:
    """Equal but for the name and nullability of a list's element, which writers choose freely."""
    if pa.types.is_list(found) and pa.types.is_list(expected):
        return bool(found.value_type == expected.value_type)
    return bool(found == expected)
