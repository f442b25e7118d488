"""Makes Rasa importable here: no TensorFlow, no telemetry, nothing that patients write in a log.

`prepare()` must run before the first `import rasa`. Rasa imports TensorFlow, and the clients of a dozen chat and cloud
services, even if nothing uses them; a finder answers those imports with empty classes. A component that really needs
TensorFlow cannot work then, so `refuse_tensorflow` names it before Rasa is asked to build it.
"""

import importlib.abc
import importlib.machinery
import logging
import os
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog
import yaml

from bot.errors import ModelError

# Rasa imports every channel, broker and tracker store that it brings; we use none of them.
_SERVICES = frozenset({
    "aio_pika", "aiogram", "aiormq", "boto3", "botocore", "fbmessenger", "mattermostwrapper", "pymongo",
    "rocketchat_API", "slack_sdk", "twilio", "webexteamssdk",
})  # fmt: skip
_TENSORFLOW = frozenset({"tensorflow", "keras"})
_NEEDS_TENSORFLOW = {
    "DIETClassifier": "bot.nlu.topics.TopicClassifier",
    "ResponseSelector": "a topic with an answer in content/answers",
    "ConveRTFeaturizer": "bot.nlu.topics.TopicClassifier",
    "LanguageModelFeaturizer": "bot.nlu.topics.TopicClassifier",
    "TEDPolicy": "RulePolicy",
    "UnexpecTEDIntentPolicy": "RulePolicy",
}


def prepare() -> None:
    """Sets logging up, switches telemetry off and answers the imports that nothing uses. Safe to call again."""
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    os.environ.setdefault("RASA_MAX_CACHE_SIZE", "0")  # trained parts would pile up in the working folder
    os.environ["LOG_LEVEL"] = "WARNING"  # of Rasa: no bars of its own, and nothing that quotes a message
    _configure_logs()
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def _configure_logs() -> None:
    """One JSON line an event, to standard error. Third parties speak from WARNING on: below it they log messages."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _only_ours,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=_loggers,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_without_traceback)
    logging.getLogger("rasa").setLevel(logging.ERROR)
    # Rasa's own code is older than the libraries it runs on here; its deprecations are not ours to mend.
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)


def _without_traceback(record: logging.LogRecord) -> bool:
    """Keeps of an exception its name only: its text, and the lines it passed, may quote what a patient wrote."""
    if record.exc_info and record.exc_info[0]:
        record.msg, record.args = f"{record.exc_info[0].__name__} (its text is withheld)", ()
        record.exc_info = record.exc_text = None
    return True


class _StandardError:
    """Where the log goes: the standard error of the moment, which a server or a test may have replaced."""

    def msg(self, line: str) -> None:
        sys.stderr.write(line + "\n")

    debug = info = warning = error = critical = msg


def _loggers(*args: Any) -> structlog.typing.WrappedLogger:
    return _StandardError()


_OURS = ("message.", "web.", "telegram.", "outbox.", "requests.", "staff.", "model.")


def _only_ours(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Drops events of other code through structlog: Rasa's carry what people wrote."""
    if not str(event.get("event", "")).startswith(_OURS):
        raise structlog.DropEvent
    return event


def refuse_tensorflow(config_file: Path) -> None:
    """Checks that `config_file` names no component that needs TensorFlow.

    Raises:
        ModelError: It does, or it cannot be read; the sentence says which component and what to put in its place.
    """
    try:
        config = yaml.safe_load(config_file.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise ModelError(f"{config_file.name} cannot be read: {' '.join(str(error).split())}") from error
    for part in ("pipeline", "policies"):
        entries = config.get(part) or [] if isinstance(config, dict) else None
        if not isinstance(entries, list):
            raise ModelError(f"{config_file.name} must hold a list of components under '{part}'.")
        for entry in entries:
            name = str(entry.get("name") if isinstance(entry, dict) else entry).rpartition(".")[2]
            if name in _NEEDS_TENSORFLOW:
                raise ModelError(
                    f"{config_file.name} asks for {name}, which needs TensorFlow; this installation has none. "
                    f"Take {name} out of '{part}'; {_NEEDS_TENSORFLOW[name]} does its work here."
                )


class _Anything(type):
    def __getattr__(cls, name: str) -> "_Anything":
        if name.startswith("__"):
            raise AttributeError(name)
        return cls


class _Module(types.ModuleType):
    __path__: list[str] = []

    def __getattr__(self, name: str) -> _Anything:
        if name.startswith("__"):
            raise AttributeError(name)
        # Clients of services are named in `except`, so they are exceptions; TensorFlow's names must not be: matplotlib
        # asks `tensorflow.is_tensor(x)`, and an exception that can be made of x would be a yes.
        bases = () if self.__name__.partition(".")[0] in _TENSORFLOW else (Exception,)
        placeholder = _Anything(name, bases, {"__class_getitem__": classmethod(lambda cls, _: cls)})
        setattr(self, name, placeholder)
        return placeholder


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] in _TENSORFLOW | _SERVICES:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass
