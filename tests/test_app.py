"""What is built once: the key that signs sessions."""

import stat
import threading
from pathlib import Path

import pytest

from bot.app import secret_key
from bot.errors import SettingsError
from bot.settings import Settings


def test_a_key_is_made_once_and_is_its_owner_s_alone(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    key = secret_key(Settings(), folder)
    assert len(key) >= 32
    assert secret_key(Settings(), folder) == key
    assert stat.S_IMODE((folder / "secret.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    keys: set[str] = set()
    threads = [threading.Thread(target=lambda: keys.add(secret_key(Settings(), tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 1


@pytest.mark.parametrize("kept", ["", "short"])
def test_a_key_that_protects_nothing_is_refused(tmp_path: Path, kept: str) -> None:
    (tmp_path / "secret.key").write_text(kept)
    with pytest.raises(SettingsError, match="delete it"):
        secret_key(Settings(), tmp_path)
    with pytest.raises(SettingsError, match="SECRET_KEY is too short"):
        secret_key(Settings(secret_key="short"), tmp_path)
