import json

import pytest

from fruits_pipeline.clusters import templates
from fruits_pipeline.errors import SettingsError


def test_placeholders_take_the_type_of_their_values():
    content = {"a": "${N}", "b": "x-${N}", "c": ["${LIST}", "end"], "d": ["${DICT}"], "e": "${GONE}", "f": "${OPEN}"}
    values = {"N": 3, "LIST": ["p", "q"], "DICT": {"k": 1}, "GONE": None}
    expected = {"a": 3, "b": "x-3", "c": ["p", "q", "end"], "d": [{"k": 1}], "f": "${OPEN}"}
    assert templates.filled(content, values) == expected


def test_a_file_that_is_no_json_is_told_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(templates, "config_folder", lambda: tmp_path)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "whole.json").write_text(json.dumps({"a": "${A}"}))
    assert templates.load("whole.json", {"A": 1}) == {"a": 1}
    for name in ("broken.json", "missing.json"):
        with pytest.raises(SettingsError, match=f"config/{name}"):
            templates.load(name, {})
