"""What an app must know of its model: the content of ``model.json``, of which the model's own file has a part."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from fruits_pipeline.export.intervals import SideScores
from fruits_pipeline.settings.export import AppFormat

LABELS: Final = "labels.txt"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Tensor(_Part):
    """One input or output of the model; a size of None is free.

    Attributes:
        name: Its name in the graph.
        dtype: NumPy's name of its type.
        shape: Its sizes.
        meaning: What its numbers are.
    """

    name: str
    dtype: Literal["uint8", "float32"]
    shape: tuple[int | None, ...]
    meaning: str


class Preprocessing(_Part):
    """How a photo becomes the model's input, in this order; the run did just that.

    Attributes:
        first_picture: Which picture of a file.
        colour: How numbers become RGB.
        transparency: What becomes of it.
        resize: How the side is reached.
        orientation: How it is turned.
        scaling: What is done to the numbers before the model: nothing.
        decoding_rules: The version of these rules in fruits-pipeline.
    """

    first_picture: str = "of an animation or a file of several pictures the first one"
    colour: str = "8-bit RGB, grey repeated in R, G and B; colour profiles are not applied"
    transparency: str = "laid over white"
    resize: str
    orientation: str = "turned upright by the orientation in EXIF, else in XMP"
    scaling: str = "none: the model itself scales 0 to 255 to -1 to 1"
    decoding_rules: int


class Confidence(_Part):
    """How the model's probabilities were made to be believed.

    Attributes:
        split: The side whose images were used.
        images: How many.
        labels: How many labels these have.
        temperature: What the regression's margins are divided by, inside of the model; 1 leaves them as they are.
        error_before: The expected calibration error of the run's own confidence on these images.
        error_after: The same at the temperature.
    """

    split: str
    images: int
    labels: int
    temperature: float
    error_before: float
    error_after: float


class Unknown(_Part):
    """Where an app should say that it does not know.

    Attributes:
        precision: The share of right answers that was asked for.
        confidence: An answer of less confidence is "unknown"; None where none is right so often.
        reached: The share of right answers from there on, of the images that confidence was fitted on.
        coverage: The share of these images that are answered.
    """

    precision: float
    confidence: float | None
    reached: float
    coverage: float


class Checked(_Part):
    """How the written model's own answers do on test images that were compared.

    Attributes:
        images: How many have a label that was learnt.
        error_before: The expected calibration error of its confidence, the temperature taken away again.
        error_after: That of its confidence.
        reached: The share of right answers among those that are given, all of them where there is no threshold.
        coverage: The share of images that are answered.
    """

    images: int
    error_before: float
    error_after: float
    reached: float
    coverage: float


class Fitted(_Part):
    """How probabilities were made to be believed, and which answers not to give.

    Attributes:
        confidence: The temperature.
        unknown: The threshold.
    """

    confidence: Confidence
    unknown: Unknown


class Trained(_Part):
    """What was trained, and on what.

    Attributes:
        source: Where the images lay.
        sides: Images by what they were used for.
        digest: SHA-256 of the run's trained models.
        backbone: The pretrained network.
        tensors_sha256: SHA-256 of its published weights.
        licence: What is known of the licence of these weights.
        features_by: Engine and precision that computed the features of the run.
        transform: What was done to features before they were centred.
        components: Principal components that the regression was fitted on.
    """

    source: str
    sides: dict[str, int]
    digest: str
    backbone: str
    tensors_sha256: str
    licence: str
    features_by: str
    transform: str
    components: int


class Spec(_Part):
    """What is known before the model is made; this part stands in the model's own file.

    Attributes:
        format: The file's kind.
        input: What the model takes.
        output: What it gives.
        preprocessing: How a photo becomes its input.
        labels_file: The labels' names, one in each line, by index of the output.
        labels: How many.
        fitted: How probabilities were fitted, and which answers not to give.
        trained: What was trained, and on what.
        versions: Packages that made it.
    """

    format: AppFormat
    input: Tensor
    output: Tensor
    preprocessing: Preprocessing
    labels_file: str = LABELS
    labels: int
    fitted: Fitted
    trained: Trained
    versions: dict[str, str]


class Agreement(_Part):
    """The written model beside what Spark's regression said of the same images.

    Attributes:
        images: Images that were compared.
        held_out: Of these, those of test or validation.
        same: Images of which both say the same label.
        mean_difference: Of the confidence of the likeliest label, the temperature taken away again: its mean.
        largest_difference: Its largest value.
        left_out: Images that were to be compared and could not be, by reason.
    """

    images: int
    held_out: int
    same: int
    mean_difference: float
    largest_difference: float
    left_out: dict[str, int]

    @property
    def share(self) -> float:
        """Of the images that were compared, the share of which both say the same label."""
        return self.same / self.images


class Speed(_Part):
    """How fast the model's own runtime is on one thread of the machine that wrote it; pixels are ready.

    Attributes:
        package: The runtime's package.
        version: Its version.
        milliseconds: Of one photo, the median.
    """

    package: str
    version: str
    milliseconds: float


class Exported(_Part):
    """The content of ``model.json``.

    Attributes:
        spec: What was known before.
        agreement: How far it agrees with the run.
        checked: How its confidence and its threshold do on test images; None where none was compared.
        speed: How fast it is.
        scores: What the run's own evaluation says of the regression, by side.
        size_bytes: Of the model's files together.
        sha256: SHA-256 of each file beside it but the model card.
        made: Day, in UTC.
    """

    spec: Spec
    agreement: Agreement
    checked: Checked | None
    speed: Speed
    scores: tuple[SideScores, ...]
    size_bytes: int
    sha256: dict[str, str]
    made: str
