"""Settings as keyword arguments of Python, and those of the stages of ``ml``; no JVM."""

import pytest

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.commands import RunCommand
from fruits_pipeline.settings.keywords import from_keywords


def test_settings_by_the_names_of_their_flags_come_into_their_rooms():
    found = from_keywords(RunCommand, {"data_source": "a", "output_uri": "b", "classifier": ["random_forest"]})
    assert (found.ingest.data_source, found.output.output_uri) == ("a", "b")
    assert found.classify.classifier == ("random_forest",)


def test_every_fault_of_keywords_is_told_at_once(golden):
    wrong = {"data_sorce": "a", "output_uri": "", "image_size": 8, "s3_endpoint_url": "https://me:secret@host"}
    with pytest.raises(SettingsError) as raised:
        from_keywords(RunCommand, wrong)
    golden("keywords_all_faults", str(raised.value))


def test_what_belongs_to_the_command_line_is_no_keyword_of_the_job():
    ml = pytest.importorskip("fruits_pipeline.ml")
    with pytest.raises(SettingsError, match="config: no such setting"):
        ml.run(data_source="a", output_uri="b", config="c.json")


def test_stages_refuse_settings_that_they_do_not_have(golden):
    ml = pytest.importorskip("fruits_pipeline.ml")
    with pytest.raises(SettingsError, match=r"FruitsFeatures expects settings of \['backbone', .*found \['reader'\]"):
        ml.FruitsFeatures(reader="auto")
    with pytest.raises(SettingsError) as raised:
        ml.FruitsReduction(components=1.5)
    golden("keywords_components", str(raised.value))
    stage = ml.FruitsFeatures(inputCol="image", image_size=160)
    assert stage.getOrDefault("image_size") == 160
    assert stage.getOrDefault("backbone") == "mobilenetv2"
