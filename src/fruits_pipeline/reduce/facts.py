"""What a reduction came to: the facts in its marker and in ``run.json``."""

from pydantic import BaseModel, ConfigDict

from fruits_pipeline.state.uses import Uses


class Reduced(BaseModel):
    """What the reduction came to.

    Attributes:
        components: Kept, k.
        dimension: Length of the features, D.
        variance_share: Share of the training variance that the k components keep.
        training_rows: Rows fitted.
        rows: Rows written.
        uses: These by what they were used for.
        split_by: What decides on the side: ``folder or table``, or ``content``.
        fit_s: Seconds of the fit alone.
        features: Where the features lie; None where they lie in the same output.
        labelled_by_table: Images that the table of ``--labels`` names; None without one.
        labels_table_rows: Rows of that table; None without one.
        rejected_share: Of the images of the features, the share that could not be read.
        portable: SHA-256 of each file of what is trained, by name.
    """

    model_config = ConfigDict(frozen=True)

    components: int
    dimension: int
    variance_share: float
    training_rows: int
    rows: int
    uses: Uses
    split_by: str
    fit_s: float
    features: str | None = None
    labelled_by_table: int | None = None
    labels_table_rows: int | None = None
    rejected_share: float | None = None
    portable: dict[str, str] = {}
