"""Classifiers fitted on the training side, every image predicted, test and validation side judged."""

import logging
from collections.abc import Iterable, Iterator
from multiprocessing.pool import ThreadPool

from pyspark import inheritable_thread_target
from pyspark.ml import PipelineModel
from pyspark.ml.classification import LogisticRegressionModel
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.classify import inputs, judge
from fruits_pipeline.classify.facts import Classified
from fruits_pipeline.classify.fitted import Fitted
from fruits_pipeline.classify.predict import predictions
from fruits_pipeline.classify.suspects import write_suspects
from fruits_pipeline.classify.train import train
from fruits_pipeline.classify.without_leaks import find_leaks, write_scores
from fruits_pipeline.errors import DatasetError
from fruits_pipeline.session import tables
from fruits_pipeline.settings.classify import ClassifySettings
from fruits_pipeline.settings.examine import ExamineSettings
from fruits_pipeline.state import layout
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Store
from fruits_pipeline.timeline import step
from fruits_pipeline.trained.arrays import Arrays, ForestArrays, RegressionArrays
from fruits_pipeline.trained.classifier import Classifier, save_classifier
from fruits_pipeline.trained.familiarity import save_familiarity

log = logging.getLogger(__name__)


def fit_classifiers(
    store: Store,
    reduced: DataFrame,
    rows: int,
    settings: ClassifySettings,
    twins: ExamineSettings,
    reduction: PipelineModel | None = None,
) -> Classified:
    """Fits, saves and judges the classifiers.

    Args:
        store: The output.
        reduced: All rows of ``reduced``.
        rows: How many they are.
        settings: Which classifiers, and how.
        twins: When two images are near-twins.
        reduction: The saved reduction behind them, where it is at hand.

    Raises:
        InputError: When there is nothing to learn from, or nothing to be judged by.
        DatasetError: When rows were lost on the way.
    """
    with step("classify: count"):
        found = inputs.counted(reduced)
    inputs.check(found)
    with step("classify: near-twins"):
        leaked = find_leaks(store, reduced, found, twins, drop=settings.drop_leaks)
    if leaked.counts():
        found = inputs.without(found, leaked.counts())
        inputs.check(found)
    with step("classify: load reduction"):
        reduction = reduction or PipelineModel.load(uri.join(store.root, layout.MODELS, "reduce"))
    fitted = list(_saved(store, train(reduced, reduction, settings, found.labels)))
    with step("classify: arrays"):
        classifiers = [as_arrays(store, one, found.labels) for one in fitted]
        portable = {classifier.name: save_classifier(store, classifier) for classifier in classifiers}
    with step("classify: familiarity"):
        held_out = leaked.kept(reduced)
        portable["familiarity"] = save_familiarity(store, judge.familiarity(held_out, found.judged, found.labels))
    predicted = _predicted(store, reduced, classifiers, rows)
    with step("classify: duplicates"):
        duplicates = judge.duplicates(reduced)
        tables.write_small(store, duplicates.table, f"{layout.EVALUATION}/duplicates", schemas.DUPLICATES)
    with step("classify: labels"):
        suspects = write_suspects(store, reduced, found.labels)
    with step("classify: evaluate"):
        scores = write_scores(store, predicted, reduced, leaked)[found.judged]
    return Classified(
        judged=found.judged,
        scores=scores,
        uses=found.uses,
        unlearnt=found.unlearnt,
        unjudged=found.unjudged,
        duplicate_images=duplicates.images,
        duplicates_across_splits=duplicates.across_splits,
        predictions=rows * len(fitted),
        training_rows={one.name: one.training_rows for one in fitted},
        fit_s={one.name: one.fit_s for one in fitted},
        leaks=leaked.facts,
        suspects=suspects,
        portable=portable,
    )


def _predicted(store: Store, reduced: DataFrame, classifiers: list[Classifier], rows: int) -> DataFrame:
    """Writes the predictions of all ``rows`` rows of ``reduced``, and gives them as they were written.

    Raises:
        DatasetError: When rows were lost on the way.
    """
    place = uri.join(store.root, layout.PREDICTIONS)
    with step("classify: predict"):
        tables.write(predictions(reduced, classifiers), place, schemas.PREDICTIONS, "predictions")
    predicted = tables.read_written(reduced.sparkSession, store, layout.PREDICTIONS, schemas.PREDICTIONS)
    expected = rows * len(classifiers)
    with step("classify: read back"):
        count = predicted.count()
    if count != expected:
        raise DatasetError(f"expected {expected} rows in {place}, found {count}; start the same command again")
    return predicted


def _saved(store: Store, fits: Iterable[Fitted]) -> Iterator[Fitted]:
    """The fitted classifiers, once their models are saved: each is while the next one is fitted."""

    def save(one: Fitted) -> Fitted:
        with step("classify: save models"):
            tables.save_model(store, one.model, f"{layout.MODELS}/{one.name}")
        return one

    with ThreadPool(1) as pool:
        saving = [pool.apply_async(inheritable_thread_target(save), (one,)) for one in fits]
        yield from (one.get() for one in saving)


def as_arrays(store: Store, fitted: Fitted, labels: list[str]) -> Classifier:
    """The classifier as arrays; the forest's come from the files of its saved model, which Spark has just written."""
    model = fitted.classifier
    arrays: Arrays
    if isinstance(model, LogisticRegressionModel):
        arrays = RegressionArrays(model.coefficientMatrix.toArray(), model.interceptVector.toArray())
    else:
        folder = f"{layout.MODELS}/{fitted.name}"
        arrays = ForestArrays.saved(store, folder, model.uid, model.numClasses, model.getNumTrees)
    return Classifier(fitted.name, arrays, tuple(labels))
