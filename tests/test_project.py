"""Promises of the project's own files."""

import re
from pathlib import Path

import pytest

from bot.settings import ROOT, Settings


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-dev.lock", "requirements-uv.lock", "requirements-encoder.lock"]
)
def test_a_lock_holds_pins_and_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "--index-url" not in text
    pins = re.findall(r"^[a-z0-9][\w.-]*==\S+", text, flags=re.MULTILINE)
    assert pins
    for block in re.split(r"\n(?=[a-z0-9])", text.strip()):
        assert "--hash=sha256:" in block, block[:80]


def test_the_runtime_lock_is_for_linux_and_macos_and_without_tensorflow() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "darwin" in text
    assert not re.search(r"^(tensorflow|torch|keras)", text, flags=re.MULTILINE)


def test_every_setting_is_explained() -> None:
    explained = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    assert explained == {name.upper() for name in Settings.model_fields}


def test_no_sentence_for_patients_stands_in_python() -> None:
    """A crude net: the contact line and the emergency number belong to content/, and to its documentation."""
    for path in [*(ROOT / "bot").rglob("*.py"), *(ROOT / "actions").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        assert "321 519" not in text, path
        assert "123" not in re.sub(r"[0-9A-Za-z_.]*123[0-9A-Za-z_.]+", "", text), path


def test_documents_point_at_what_exists() -> None:
    for document in ROOT.glob("*.md"):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), f"{document.name}: {target}"
    assert Path(ROOT / "LICENSE").exists()
