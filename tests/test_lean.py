"""Rasa without TensorFlow, telemetry or talkative logs."""

import logging
import os
import sys
from pathlib import Path

import pytest
import structlog

from bot.app import Parts
from bot.errors import ModelError
from bot.lean import refuse_tensorflow
from bot.messages import Incoming
from bot.settings import Settings


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("pipeline", "DIETClassifier"),
        ("pipeline", "rasa.nlu.classifiers.diet_classifier.DIETClassifier"),
        ("pipeline", "ResponseSelector"),
        ("pipeline", "LanguageModelFeaturizer"),
        ("policies", "TEDPolicy"),
        ("policies", "UnexpecTEDIntentPolicy"),
    ],
)
def test_a_component_that_needs_tensorflow_is_refused_by_name(tmp_path: Path, part: str, name: str) -> None:
    config = tmp_path / "config.yml"
    config.write_text(f"recipe: default.v1\n{part}:\n- name: {name}\n")
    with pytest.raises(ModelError) as caught:
        refuse_tensorflow(config)
    sentence = str(caught.value)
    assert name.rpartition(".")[2] in sentence
    assert f"out of '{part}'" in sentence


@pytest.mark.parametrize("text", ["", "pipeline:\npolicies:\n", "pipeline:\n- name: FallbackClassifier\n"])
def test_others_are_not(tmp_path: Path, text: str) -> None:
    config = tmp_path / "config.yml"
    config.write_text(text)
    refuse_tensorflow(config)


def test_the_project_own_recipe_is_allowed() -> None:
    refuse_tensorflow(Settings().config_file)


def test_there_is_no_tensorflow_and_no_telemetry() -> None:
    assert getattr(sys.modules.get("tensorflow"), "__file__", None) is None
    assert os.environ["RASA_TELEMETRY_ENABLED"] == "false"


async def test_what_a_patient_writes_reaches_no_log(parts: Parts, capfd: pytest.CaptureFixture[str]) -> None:
    secret = "Zacarías cédula 71234567"
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)  # even for someone who looks closely
    try:
        for text in (f"{secret} how much is it?", f"/{secret}", f"no puedo respirar {secret}", secret):
            await parts.conversation.handle(Incoming("terminal", "anna", text))
        with parts.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE turn")
        await parts.conversation.handle(Incoming("terminal", "anna", f"{secret} and now it fails"))
    finally:
        root.setLevel(level)
    out, err = capfd.readouterr()
    assert "71234567" not in out + err
    assert "Zacar" not in out + err
    assert "message.failed" in err, "the failure itself is logged"


def test_events_of_other_code_are_dropped_from_structlog(capfd: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger("rasa.core.processor").error("processor.message.parse", parse_data_text="I am Zacarías")
    structlog.get_logger("bot").error("message.failed", part="answer")
    err = capfd.readouterr().err
    assert "Zacar" not in err
    assert "message.failed" in err


def test_an_exception_is_logged_by_name_only(capfd: pytest.CaptureFixture[str]) -> None:
    from bot.lean import _without_traceback

    try:
        raise ValueError("Zacarías")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "it said %s", ("Zacarías",), sys.exc_info())
    assert _without_traceback(record)
    assert record.getMessage() == "ValueError (its text is withheld)"
    assert record.exc_info is None
