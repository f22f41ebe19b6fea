"""What is refused before any work, and the settings that results depend on."""

import logging
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from fruits_pipeline.backbones.request import dimension_of, image_size_of
from fruits_pipeline.errors import DatasetError, SettingsError
from fruits_pipeline.features.recipe import recipe_settings
from fruits_pipeline.ingest.listing import spelled
from fruits_pipeline.reduce.split import CALIBRATED_SHARE, share_of
from fruits_pipeline.settings.classify import ClassifySettings
from fruits_pipeline.settings.commands import (
    ClassifyCommand,
    ExtractCommand,
    JobCommand,
    ReduceCommand,
    RunCommand,
    ScoreCommand,
    SourceCommand,
)
from fruits_pipeline.settings.examine import ExamineSettings
from fruits_pipeline.settings.ingest import IngestSettings
from fruits_pipeline.settings.reduce import ReduceSettings
from fruits_pipeline.settings.score import ScoreSettings
from fruits_pipeline.state.fingerprint import Essentials, differences
from fruits_pipeline.state.layout import EXPORT_ROOMS
from fruits_pipeline.state.plan import load_plan
from fruits_pipeline.state.rooms import Rooms
from fruits_pipeline.state.snapshot import WaveMarker, load_waves
from fruits_pipeline.storage import uri
from fruits_pipeline.storage.store import Store
from fruits_pipeline.storage.table import TableSource
from fruits_pipeline.trained.models import TrainedModels

log = logging.getLogger(__name__)

# Settings of ingest that give other labels to the same images: these are followed, as corrected labels are.
_RELABELLING = frozenset({"label_folder", "unlabelled"})


def check(command: JobCommand, store: Store, rooms: Rooms, models: TrainedModels | None = None) -> None:
    """Refuses before any work what would be refused later.

    Raises:
        DatasetError: When results were made with other settings and may not be replaced.
        InputError: When the table of labels cannot be read.
        SettingsError: When more components are asked for than the features have.
    """
    if isinstance(command, ScoreCommand) and models:
        rooms.check("score", score_essentials(command.score, models))
        check_backbone(load_waves(store).values(), models)
    plan = load_plan(store)
    changes: list[str] = []
    if plan and plan.waves and isinstance(command, SourceCommand):
        changes += [f"ingest: {what}" for what in _ingest_changes(plan.settings, ingest_essentials(command.ingest))]
    wanted = _recipe_settings(command, models)
    if wanted is not None:
        found = next(iter(load_waves(store).values()), None) if plan else None
        changes += [f"features: {what}" for what in differences(found.recipe.settings, wanted)] if found else []
    rooms.refuse_changes(changes)
    if isinstance(command, RunCommand | ReduceCommand):
        if isinstance(command, RunCommand):
            check_components(command.reduce, command.features.backbone)
            check_calibration(command.reduce, command.features.precision)
        rooms.check("reduce", reduce_essentials(command.reduce, command, store))
        if labels := labels_of(command.reduce, command):
            labels.check()
        for kind in command.reduce.export:
            rooms.check(EXPORT_ROOMS[kind], {})
    if isinstance(command, RunCommand | ClassifyCommand):
        rooms.check("examine", examine_essentials(command.examine))
        # Another page replaces the one before, but never a file of somebody else.
        Rooms(store, overwrite=True).check("report", command.report.essentials())
        rooms.check("classify", classify_essentials(command.classify, command.examine))


def check_backbone(waves: Iterable[WaveMarker], models: TrainedModels) -> None:
    """Refuses features that another backbone computed than that of the models, such as one of other weights.

    Raises:
        DatasetError: Then.
    """
    for wave in waves:
        found = wave.recipe.made_by.get("model_sha256")
        if found != models.backbone.model.sha256:
            raise DatasetError(
                f"expected features by the network of the models, {models.backbone.model.sha256}, found those of batch "
                f"{wave.wave} made by {found}; take another --output-uri"
            )


def _recipe_settings(command: JobCommand, models: TrainedModels | None) -> Essentials | None:
    """The settings that decide on the features which the command makes; None where it makes none."""
    if isinstance(command, ExtractCommand):
        return recipe_settings(command.features, image_size_of(command.features))
    return models.backbone.recipe.settings if models else None


def _ingest_changes(old: Essentials, new: Essentials) -> list[str]:
    """Changes of which images there are; those of their labels alone are logged."""
    for what in differences(_only(old, _RELABELLING), _only(new, _RELABELLING)):
        log.info("labels and splits follow the changed setting %s; no feature is computed for that", what)
    return differences(_only(old, old.keys() - _RELABELLING), _only(new, new.keys() - _RELABELLING))


def _only(settings: Essentials, names: AbstractSet[str]) -> Essentials:
    return {name: value for name, value in settings.items() if name in names}


def check_components(settings: ReduceSettings, backbone: str) -> None:
    """Refuses more components than the features of ``backbone`` have.

    Raises:
        SettingsError: Then.
    """
    dimension = dimension_of(backbone)
    if isinstance(settings.components, int) and settings.components > dimension:
        raise SettingsError(
            f"--components expects a count from 1 to {dimension}, the length of the features, found "
            f"{settings.components!r}. Ask for at most {dimension}, or for a share of the variance such as 0.90."
        )


def check_calibration(settings: ReduceSettings, precision: str) -> None:
    """Refuses splits that may judge images which the int8 model was calibrated with.

    Raises:
        SettingsError: Then.
    """
    share = share_of(settings.train_split)
    if precision == "int8" and share < CALIBRATED_SHARE:
        raise SettingsError(
            f"--train-split expects at least {CALIBRATED_SHARE} with --precision int8, whose calibration may have seen "
            f"images that are for testing below that, found {share}; take a larger share, or --precision f32"
        )


def ingest_essentials(settings: IngestSettings) -> Essentials:
    """The settings that change the plan, with one spelling for each source."""
    return settings.essentials() | {"data_source": spelled(settings.data_source)}


def reduce_essentials(settings: ReduceSettings, command: JobCommand, store: Store) -> Essentials:
    """With one spelling for the table of labels, and for another output whose features are reduced."""
    labels = labels_of(settings, command)
    features = command.features_from.features_uri if isinstance(command, ReduceCommand) else None
    others = uri.normalise(features) if features else store.root
    found: Essentials = {
        "labels": str(labels) if labels else None,
        "features_uri": None if others == store.root else others,
    }
    return settings.essentials() | found


def examine_essentials(settings: ExamineSettings) -> Essentials:
    """Without what only decides on leaks."""
    return _only(settings.essentials(), settings.essentials().keys() - {"twin_bits"})


def classify_essentials(settings: ClassifySettings, twins: ExamineSettings) -> Essentials:
    """With what near-twins are, which decides on leaks."""
    return settings.essentials() | {"twin_cosine": twins.twin_cosine, "twin_bits": twins.twin_bits}


def score_essentials(settings: ScoreSettings, models: TrainedModels) -> Essentials:
    """The models by their content, wherever they lie."""
    return {"classifier": list(settings.classifier), "models": models.digest}


def labels_of(settings: ReduceSettings, command: JobCommand) -> TableSource | None:
    """The table that replaces the manifest's labels, if there is one."""
    return TableSource(uri.normalise(settings.labels), command.storage, "--labels") if settings.labels else None
