"""Making the model from `config.yml`, `domain.yml` and `nlu_data/`."""

import contextlib
import io
import logging
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import yaml

from bot.errors import ModelError
from bot.lean import refuse_tensorflow
from bot.nlu.encoder.sentences import read_encoder
from bot.settings import Settings


def train(settings: Settings, progress: Callable[[float, str], None] = lambda share, step: None) -> Path:
    """Trains the model and puts it at `settings.model_file`; an older model stays until the new one is whole.

    Args:
        settings: Where the recipe and the data are.
        progress: Told the share that is done, 0 to 1, and what is being done.

    Raises:
        ModelError: The recipe needs TensorFlow, Rasa finds the data wrong, or the sentence model cannot be used.
    """
    refuse_tensorflow(settings.config_file)
    read_encoder(settings.encoder_folder)
    for needed in (settings.domain_file, settings.nlu_folder):
        if not needed.exists():
            raise ModelError(f"There is no {needed}, and no model without it.")
    from rasa.model_training import train as train_rasa  # slow to import, and only needed here

    watch = _Steps(progress, total=_components(settings.config_file))
    watched = logging.getLogger("rasa.engine.training.hooks")
    level = watched.level
    watched.addHandler(watch)
    watched.setLevel(logging.INFO)
    watched.propagate = False
    try:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            result = train_rasa(
                domain=str(settings.domain_file),
                config=str(settings.config_file),
                training_files=str(settings.nlu_folder),
                output=folder,
                fixed_model_name="musebot",
                force_training=True,
            )
            if result.code or not result.model:
                raise ModelError("Rasa made no model of these data; `musebot rasa data validate` tells why.")
            settings.model_file.parent.mkdir(parents=True, exist_ok=True)
            fresh = settings.model_file.with_suffix(".new")
            shutil.copyfile(result.model, fresh)
            fresh.replace(settings.model_file)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"The model could not be trained: {' '.join(str(_root(error)).split())}") from error
    finally:
        watched.removeHandler(watch)
        watched.setLevel(level)
    progress(1.0, "done")
    return settings.model_file


def _root(error: BaseException) -> BaseException:
    """What went wrong first: Rasa wraps it in words of its own."""
    return _root(error.__cause__) if error.__cause__ else error


def _components(config_file: Path) -> int:
    config = yaml.safe_load(config_file.read_text(encoding="utf-8"))
    return len(config["pipeline"]) + len(config["policies"])


class _Steps(logging.Handler):
    """Turns Rasa's log of finished components into progress."""

    def __init__(self, progress: Callable[[float, str], None], total: int) -> None:
        super().__init__()
        self._progress, self._total, self._done = progress, total, 0

    def emit(self, record: logging.LogRecord) -> None:
        words = record.getMessage()
        if words.startswith("Starting to train component"):
            self._progress(min(self._done / self._total, 0.95), words.split("'")[1])
        elif words.startswith("Finished training component"):
            self._done += 1
