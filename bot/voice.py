"""Speech as text, on this machine: what a person says never leaves it. `make voice` installs what this needs."""

import importlib.util
import io
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import SettingsError
from bot.messages import LANGUAGES, Language

SAMPLES = 16_000  # a second, as Whisper reads sound
LEAST_SURE = -1.0  # mean log probability of the words below which Whisper's own code takes a passage for misheard
NO_SPEECH = 0.6  # how likely it is that nobody speaks, above which Whisper's own code hears nothing


@dataclass(frozen=True)
class Heard:
    """What was made out, "" where nothing was; `sure` tells whether all of it was clear."""

    text: str = ""
    sure: bool = False


class Voice:
    """A Whisper model in CTranslate2's format."""

    def __init__(self, folder: Path) -> None:
        """Reads the model, which takes seconds.

        Raises:
            SettingsError: The library is missing, or the folder holds no such model.
        """
        if importlib.util.find_spec("faster_whisper") is None:
            raise SettingsError("VOICE_MODEL is set, but what listens is not installed: run `make voice`, or unset it.")
        missing = [name for name in ("model.bin", "config.json", "tokenizer.json") if not (folder / name).is_file()]
        if missing:
            raise SettingsError(
                f"VOICE_MODEL: {folder} holds no {', '.join(missing)}. The README says what belongs there."
            )
        from faster_whisper import WhisperModel

        try:
            self._model: Any = WhisperModel(str(folder), device="cpu", compute_type="int8", local_files_only=True)
        except Exception as error:  # the libraries raise what they like about a broken file
            raise SettingsError(f"VOICE_MODEL: the model in {folder} cannot be read: {error}") from error
        self._one_at_a_time = threading.Lock()  # it uses every core that it finds

    def heard(self, sound: bytes) -> Heard:
        """What is said in a sound file of any usual kind. It takes seconds: call it in a thread."""
        from faster_whisper import decode_audio

        try:
            samples = decode_audio(io.BytesIO(sound), sampling_rate=SAMPLES)
        except Exception:  # broken, or no sound at all
            return Heard()
        if not len(samples):
            return Heard()
        with self._one_at_a_time:
            passages, _ = self._model.transcribe(
                samples,
                language=self._language(samples),
                temperature=0.0,  # no guessing where it is unclear
                vad_filter=True,
                condition_on_previous_text=False,
            )
            told = [each for each in passages if each.no_speech_prob <= NO_SPEECH]  # heard while this goes on
        text = " ".join(each.text.strip() for each in told).strip()
        return Heard(text, bool(text) and all(each.avg_logprob >= LEAST_SURE for each in told))

    def _language(self, samples: Any) -> Language:
        """The likelier of ours: an accent must not turn Spanish into Galician."""
        if not self._model.model.is_multilingual:
            return "en"
        _, _, likely = self._model.detect_language(samples)
        chances = dict(likely)
        return max(LANGUAGES, key=lambda language: chances.get(language, 0.0))
