"""Of the facts of ``reduce``, ``examine`` and ``classify``, those that the page tells; and what the page came to."""

from pydantic import BaseModel, ConfigDict

from fruits_pipeline.report.verdict import Verdict
from fruits_pipeline.state.uses import Uses


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True)


class Reduced(_Facts):
    """What the page tells of the reduction.

    Attributes:
        components: Kept, k.
        dimension: Length of the features, D.
        variance_share: Share of the training variance that the k components keep.
        rows: Images that were read.
        uses: These by what they were used for.
        split_by: What decided on the side: ``folder or table``, or ``content``.
        features: The output whose features were reduced; None where it is the same.
        labelled_by_table: Images that the table of ``--labels`` names; None without one.
        labels_table_rows: Rows of that table; None without one.
        rejected_share: Of the images of the features, the share that could not be read.
    """

    components: int = 0
    dimension: int = 0
    variance_share: float = 0.0
    rows: int = 0
    uses: Uses = Uses()
    split_by: str = ""
    features: str | None = None
    labelled_by_table: int | None = None
    labels_table_rows: int | None = None
    rejected_share: float | None = None


class TwinFacts(_Facts):
    """Pairs of images that look the same, those of equal bytes, those on two sides, and those with two labels."""

    pairs: int
    same_content: int = 0
    across_sides: int = 0
    two_labels: int = 0


class SizeFacts(_Facts):
    """How many sizes there are, and three of them as width and height in pixels."""

    distinct: int
    smallest: tuple[int, int]
    median: tuple[int, int]
    largest: tuple[int, int]


class Examined(_Facts):
    """What the page tells of the images as they are."""

    images: int = 0
    twins: TwinFacts | None = None
    sizes: SizeFacts | None = None


class Labels(_Facts):
    """Some labels: how many, the images that have them, and the first names."""

    labels: int = 0
    images: int = 0
    names: tuple[str, ...] = ()


class LeakFacts(_Facts):
    """Judged images of which training has a near-twin.

    Attributes:
        judged: Images of the judged sides.
        looked_at: Those, of these, whose neighbours were looked for.
        leaked: Those with a near-twin.
        same_content: Those, of these, whose twin has the same bytes.
        two_labels: Those whose twin has another label.
        cosine: The least similarity of a candidate, in [0, 1].
        hash_bits: Bits in which the hashes of confirmed twins may differ.
        dropped: Whether the scores leave them out.
    """

    judged: int
    looked_at: int
    leaked: int
    same_content: int = 0
    two_labels: int = 0
    cosine: float | None = None
    hash_bits: int | None = None
    dropped: bool = False


class SuspectFacts(_Facts):
    """Training images that were looked at, and those whose label looks wrong."""

    looked_at: int
    images: int


class Classified(_Facts):
    """What the page tells of the classifiers; ``judged`` is the side that its scores are of."""

    judged: str = "test"
    uses: Uses = Uses()
    unlearnt: Labels = Labels()
    unjudged: Labels = Labels()
    duplicate_images: int | None = None
    duplicates_across_splits: int | None = None
    training_rows: dict[str, int] = {}
    fit_s: dict[str, float] = {}
    leaks: LeakFacts | None = None
    suspects: SuspectFacts | None = None


class Reported(_Facts):
    """What the page came to.

    Attributes:
        verdicts: In the order of the page.
        bytes: Of ``report.html``.
        pictures: Images that it shows.
        missing: Images that it would have shown and that could not be read again.
    """

    verdicts: tuple[Verdict, ...] = ()
    bytes: int = 0
    pictures: int = 0
    missing: int = 0
