"""The command ``export``: the regression of a finished run as one model for an app, checked before it is written."""

import logging
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.backbones.cache import default_cache_dir
from fruits_pipeline.backbones.chain import AppModel, Chain
from fruits_pipeline.backbones.convert_chain import app_model
from fruits_pipeline.backbones.engines.runtimes import Ran, run_app_model
from fruits_pipeline.errors import SettingsError
from fruits_pipeline.export.card import model_card
from fruits_pipeline.export.compare import Read, agreement_of, read_again, refuse_disagreement
from fruits_pipeline.export.describe import describe, refuse_lines, trained_on
from fruits_pipeline.export.destination import MODEL_JSON, check_destination, write_export
from fruits_pipeline.export.fit_confidence import check_confidence, fit_confidence
from fruits_pipeline.export.fold import head_of, regression_of, without_temperature
from fruits_pipeline.export.intervals import side_scores
from fruits_pipeline.export.reference import reference_files
from fruits_pipeline.export.rows import REGRESSION, Results, components_of, load_results
from fruits_pipeline.export.show import summary
from fruits_pipeline.export.spec import LABELS, Agreement, Exported, Spec, Speed
from fruits_pipeline.settings.commands import ExportCommand
from fruits_pipeline.settings.features import FeaturesSettings
from fruits_pipeline.storage.opening import open_store
from fruits_pipeline.storage.store import Store
from fruits_pipeline.trained.arrays import softmax
from fruits_pipeline.trained.models import TrainedModels, load_models

log = logging.getLogger(__name__)


def export_model(command: ExportCommand) -> str:
    """Writes the model to ``--output-uri``, and gives what it came to, one fact a line.

    Nothing is written before the model was compared with the run.

    Raises:
        SettingsError: When the folder is not free, or the output has no regression.
        InputError: When too few images can be read again, or none is held out.
        ModelError: When weights or packages are missing, or the model says other labels than the run.
        DatasetError: When the output is not finished, or a byte of what is used was changed.
    """
    asked = command.export
    source, folder = (open_store(place, command.storage) for place in (asked.model, command.output.output_uri))
    check_destination(folder, asked.model, overwrite=asked.overwrite)
    models = _regression(source)
    refuse_lines(models.classifiers[0].labels)
    with tempfile.TemporaryDirectory(prefix="fruits-export-") as scratch:
        made = _Export(command, models, load_results(source, models), Path(scratch))
        exported, files = made.checked()
    write_export(folder, files, model_card(exported))
    log.info("exported format=%s files=%d folder=%s", asked.format, len(files) + 1, folder.root)
    return summary(exported, command.output.output_uri)


def _regression(source: Store) -> TrainedModels:
    try:
        return load_models(source, (REGRESSION,))
    except SettingsError as error:
        raise SettingsError(
            f"--model: expected an output with a {REGRESSION}, found none in {source.root}; a forest is not exported: "
            f"run 'classify --classifier {REGRESSION}' there first"
        ) from error


class _Export:
    """One export on its way, with a folder for its temporary files."""

    def __init__(self, command: ExportCommand, models: TrainedModels, results: Results, scratch: Path) -> None:
        self._command, self._models, self._results, self._scratch = command, models, results, scratch
        self._labels = models.classifiers[0].labels

    def checked(self) -> tuple[Exported, dict[str, bytes]]:
        """What the export came to, and its files by key but the model card."""
        asked, models, storage = self._command.export, self._models, self._command.storage
        sides = self._results.sides(self._labels, asked.images)
        fitted = fit_confidence(models, sides, asked.unknown_precision)
        treatment = FeaturesSettings.model_validate(models.backbone.recipe.settings)
        treatment = treatment.model_copy(update={"image_size": models.backbone.model.image_size})
        read = read_again(sides.compared, treatment, storage, self._scratch)
        read.refuse_few(force=asked.force)
        said = self._results.said(read.rows["path"])
        spec = describe(asked.format, models, trained_on(self._results, models, storage), fitted)
        temperature = fitted.confidence.temperature
        model = self._made(spec, temperature)
        log.info("made format=%s bytes=%d", asked.format, model.size_bytes)
        probabilities, ran = run_app_model(model, self._scratch, models.backbone.model.image_size)
        agreement = agreement_of(read, without_temperature(probabilities, temperature), self._labels, said)
        refuse_disagreement(agreement, force=asked.force)
        return self._finished(spec, model, (agreement, ran), (read, probabilities))

    def _made(self, spec: Spec, temperature: float) -> AppModel:
        asked, where = self._command.export, self._command.weights
        chain = Chain(head_of(self._models, temperature), self._labels, spec.model_dump_json(indent=1))
        cache = where.cache_dir or default_cache_dir()
        return app_model(asked.format, self._models.backbone.model, chain, where.weights, cache)

    def _finished(
        self, spec: Spec, model: AppModel, told: tuple[Agreement, Ran], seen: tuple[Read, NDArray[np.float32]]
    ) -> tuple[Exported, dict[str, bytes]]:
        (agreement, ran), (read, probabilities) = told, seen
        margins = regression_of(self._models).margins(components_of(read.rows))
        trained = softmax(margins / spec.fitted.confidence.temperature)
        side = self._models.backbone.model.image_size
        reference = reference_files(self._scratch, read.rows, side, probabilities, trained)
        files = {**model.files, LABELS: "".join(f"{label}\n" for label in self._labels).encode(), **reference}
        exported = Exported(
            spec=spec,
            agreement=agreement,
            checked=check_confidence(read.rows, probabilities, self._labels, spec.fitted),
            speed=Speed(**asdict(ran)),
            scores=tuple(side_scores(split, pairs) for split, pairs in self._results.confusion().items()),
            size_bytes=model.size_bytes,
            sha256=AppModel(files).sha256,
            made=datetime.now(UTC).date().isoformat(),
        )
        return exported, {**files, MODEL_JSON: exported.model_dump_json(indent=1).encode()}
