import pytest

from fruits_pipeline.bundle import assemble
from fruits_pipeline.errors import SettingsError
from fruits_pipeline.settings.commands import BundleCommand


@pytest.mark.parametrize("name", ["thesis.txt", "index.json"])
def test_a_folder_with_other_files_is_not_replaced(tmp_path, monkeypatch, name):
    monkeypatch.setattr(assemble, "_wheel", lambda _folder: pytest.fail("it began to assemble"))
    (tmp_path / name).write_text("years of work")
    asked = {"bundle": {"target": "emr-7.14", "bundle_dir": tmp_path}}
    with pytest.raises(SettingsError, match=r"--bundle-dir: expected .* found other files"):
        assemble.assemble_bundle(BundleCommand.model_validate(asked))
    assert (tmp_path / name).exists()


@pytest.mark.parametrize("upload", ["https://bucket.example.com/packages", "s3://KEY:SECRET@bucket/packages"])
def test_an_address_that_takes_no_upload_is_refused_before_the_work(tmp_path, monkeypatch, upload):
    monkeypatch.setattr(assemble, "_wheel", lambda _folder: pytest.fail("it began to assemble"))
    asked = {"bundle": {"target": "emr-7.14", "bundle_dir": tmp_path, "upload": upload}}
    with pytest.raises(SettingsError) as told:
        assemble.assemble_bundle(BundleCommand.model_validate(asked))
    assert "SECRET" not in str(told.value)
