import pytest

from fruits_pipeline.errors import SettingsError
from fruits_pipeline.package import build
from fruits_pipeline.settings.commands import PackageCommand


@pytest.mark.parametrize("name", ["thesis.txt", "index.json"])
def test_a_folder_with_other_files_is_not_replaced(tmp_path, monkeypatch, name):
    monkeypatch.setattr(build, "_wheel", lambda _folder: pytest.fail("it began to package"))
    (tmp_path / name).write_text("years of work")
    asked = {"package": {"target": "emr-7.14", "package_dir": tmp_path}}
    with pytest.raises(SettingsError, match=r"--package-dir: expected .* found other files"):
        build.build_package(PackageCommand.model_validate(asked))
    assert (tmp_path / name).exists()


@pytest.mark.parametrize("upload", ["https://bucket.example.com/packages", "s3://KEY:SECRET@bucket/packages"])
def test_an_address_that_takes_no_upload_is_refused_before_the_work(tmp_path, monkeypatch, upload):
    monkeypatch.setattr(build, "_wheel", lambda _folder: pytest.fail("it began to package"))
    asked = {"package": {"target": "emr-7.14", "package_dir": tmp_path, "upload": upload}}
    with pytest.raises(SettingsError) as told:
        build.build_package(PackageCommand.model_validate(asked))
    assert "SECRET" not in str(told.value)
