"""Column names and types of every dataset, as pyarrow schemas in the order of the contract.

``session`` derives Spark's schemas from these. ``docs/RESULTS.md`` says what each column is.
"""

import pyarrow as pa

# Columns that several tables begin with.
_IMAGE = [("path", pa.string()), ("label", pa.string()), ("split", pa.string())]
_JUDGED = [("classifier", pa.string()), ("split", pa.string())]
_PAIR = [("label", pa.string()), ("prediction", pa.string())]
_TWIN = [("twin_path", pa.string()), ("twin_label", pa.string())]

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
# What the pixels of an image are like, as the model sees it: upright, of one size (``images/figures.py``).
# Luminance is between 0 and 1.
FIGURES = pa.schema(
    [
        ("brightness", pa.float32()),
        ("darkest", pa.float32()),
        ("brightest", pa.float32()),
        ("entropy", pa.float32()),
        ("sharpness", pa.float32()),
        ("perceptual_hash", pa.int64()),
    ]
)
PACKED = pa.schema([("path", pa.string()), ("content", pa.binary())])
FEATURES = pa.schema(
    [
        ("path", pa.string()),
        ("content_sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        *FIGURES,
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
        ("width", pa.int32()),
        ("height", pa.int32()),
        *FIGURES,
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
# ``low`` and ``high`` are a 95 % interval over images; ``group_low`` and ``group_high`` one over groups of images that
# look the same (equal ``perceptual_hash``), null where there are no such groups.
SCORES = pa.schema(
    [
        *_JUDGED,
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("images", pa.int64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("group_low", pa.float64()),
        ("group_high", pa.float64()),
    ]
)
LABEL_SCORES = pa.schema(
    [
        *_JUDGED,
        ("label", pa.string()),
        ("precision", pa.float64()),
        ("recall", pa.float64()),
        ("f1", pa.float64()),
        ("images", pa.int64()),
        ("recall_low", pa.float64()),
        ("recall_high", pa.float64()),
    ]
)
CONFUSION = pa.schema([*_JUDGED, *_PAIR, ("images", pa.int64())])
MISTAKES = pa.schema([*_JUDGED, ("path", pa.string()), *_PAIR, ("confidence", pa.float64())])
DUPLICATES = pa.schema(
    [("content_sha256", pa.string()), ("split", pa.string()), ("label", pa.string()), ("path", pa.string())]
)
# Pairs of labels that are taken for each other: ``images`` of ``label`` were predicted as ``prediction``, ``share`` of
# that label's; ``path`` is the surest of them.
CONFUSED = pa.schema(
    [
        *_JUDGED,
        *_PAIR,
        ("images", pa.int64()),
        ("share", pa.float64()),
        ("share_low", pa.float64()),
        ("share_high", pa.float64()),
        ("path", pa.string()),
        ("confidence", pa.float64()),
    ]
)
# Training images whose label a discriminant that was fitted without them denies.
SUSPECTS = pa.schema(
    [
        ("path", pa.string()),
        ("label", pa.string()),
        ("suggested", pa.string()),
        ("label_probability", pa.float64()),
        ("suggested_probability", pa.float64()),
    ]
)
# One training image for each label: the one nearest to the label's mean.
TYPICAL = pa.schema([("label", pa.string()), ("path", pa.string())])
# Judged images of which training has a near-twin, each with its nearest one.
LEAKS = pa.schema([*_IMAGE, *_TWIN, ("cosine", pa.float64()), ("hash_bits", pa.int32()), ("same_content", pa.bool_())])
# Pairs of images that look the same, within a side or across: an image, and the first one that looks like it.
TWINS = pa.schema([*_IMAGE, *_TWIN, ("twin_split", pa.string()), ("same_content", pa.bool_())])
# Images by label and side, as they are used.
LABEL_COUNTS = pa.schema([("label", pa.string()), ("split", pa.string()), ("images", pa.int64())])
SIZES = pa.schema([("width", pa.int32()), ("height", pa.int32()), ("images", pa.int64())])
# Rejected and skipped objects: some examples of each reason, with the number of all.
LEFT_OUT = pa.schema(
    [
        ("kind", pa.string()),
        ("reason", pa.string()),
        ("images", pa.int64()),
        ("path", pa.string()),
        ("length", pa.int64()),
        ("detail", pa.string()),
    ]
)
# What is judged of each picture: images whose figure lies beyond the threshold, in the direction of ``below``.
# ``told`` is false where that holds for more than half of the images: then it is how these pictures are.
PICTURE_ISSUES = pa.schema(
    [
        ("issue", pa.string()),
        ("figure", pa.string()),
        ("below", pa.bool_()),
        ("threshold", pa.float64()),
        ("images", pa.int64()),
        ("share", pa.float64()),
        ("told", pa.bool_()),
    ]
)
# The worst pictures of each issue.
PICTURES = pa.schema([("issue", pa.string()), *_IMAGE, ("value", pa.float64())])
# A sample of images by their first two components.
MAP = pa.schema([*_IMAGE, ("first", pa.float64()), ("second", pa.float64())])
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
    "scores_without_leaks": SCORES,
    "scores_with_leaks": SCORES,
    "confused": CONFUSED,
    "suspects": SUSPECTS,
    "typical": TYPICAL,
    "leaks": LEAKS,
    "twins": TWINS,
    "label_counts": LABEL_COUNTS,
    "sizes": SIZES,
    "left_out": LEFT_OUT,
    "picture_issues": PICTURE_ISSUES,
    "pictures": PICTURES,
    "map": MAP,
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
