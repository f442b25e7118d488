"""The command line as a person uses it: a process of its own."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from bot.nlu.encoder.sentences import encoder_name
from bot.settings import OUR_ENCODER, ROOT, Settings

PROBLEM = "- content: phrases.yml: failure: missing"


def musebot(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=300,
        check=False,
    )


@pytest.fixture
def content(tmp_path: Path) -> Path:
    return Path(shutil.copytree(Settings().content_folder, tmp_path / "content"))


def test_help_names_every_command() -> None:
    shown = musebot("--help").stdout
    for command in ("train", "chat", "ask", "check", "show", "serve", "rasa"):
        assert command in shown


@pytest.fixture(scope="module")
def checked() -> subprocess.CompletedProcess[str]:
    """What `musebot check` says of the project: it reads every message, so it is asked once."""
    return musebot("check")


def test_check_is_clean(checked: subprocess.CompletedProcess[str]) -> None:
    assert (checked.returncode, checked.stderr) == (0, "")


def test_check_names_the_sentence_model(checked: subprocess.CompletedProcess[str]) -> None:
    assert "Sentence model in use: none." in musebot("check", ENCODER_FOLDER="none").stdout
    assert f"Sentence model in use: {encoder_name(OUR_ENCODER)}." in checked.stdout


def test_a_sentence_model_that_is_not_there_or_is_none_is_told(tmp_path: Path) -> None:
    told = musebot("check", ENCODER_FOLDER=str(tmp_path))
    assert (told.returncode, "Traceback" in told.stderr) == (1, False)
    assert "ENCODER_FOLDER: Value error, this folder holds no model.onnx" in told.stderr
    for name in ("model.onnx", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"none")
    told = musebot("check", ENCODER_FOLDER=str(tmp_path))
    assert (told.returncode, "Traceback" in told.stderr) == (1, False)
    assert "cannot be used" in told.stderr


@pytest.mark.skipif(find_spec("torch") is not None, reason="it would run")
def test_the_recipe_of_the_sentence_model_tells_what_it_needs() -> None:
    told = musebot("encoder", "train")
    assert told.returncode == 1
    assert told.stderr.strip().endswith("run `make encoder`, which installs and uses it.")


def test_check_lists_every_problem_and_nothing_starts(content: Path, model_file: Path) -> None:
    phrases = content / "phrases.yml"
    phrases.write_text(phrases.read_text(encoding="utf-8").replace("failure:", "failing:"), encoding="utf-8")
    settings = {"CONTENT_FOLDER": str(content), "MODEL_FILE": str(model_file)}
    checked = musebot("check", **settings)
    assert checked.returncode == 1
    assert PROBLEM in checked.stderr
    asked = musebot("ask", "hello", **settings)
    assert asked.returncode == 1
    assert "phrases.yml: failure: missing" in asked.stderr
    assert "Traceback" not in asked.stderr


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"MODEL_FILE": "/nowhere/musebot.tar.gz"}, "Make one with: musebot train"),
        ({"PORT": "eighty"}, "PORT: "),
        ({"PORT": "99999"}, "PORT: "),
        ({"NLU_FOLDER": "/nowhere"}, "no training message"),
        ({"DATABASE_URL": "mysql://here/there"}, "DATABASE_URL cannot be used"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL cannot be used"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(environment: dict[str, str], sentence: str, model_file: Path) -> None:
    failed = musebot("serve", **{"MODEL_FILE": str(model_file), **environment})
    assert failed.returncode == 1
    assert sentence in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_model_that_is_none_is_told_in_a_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "musebot.tar.gz"
    broken.write_bytes(b"this is no model")
    failed = musebot("ask", "hello", MODEL_FILE=str(broken))
    assert failed.returncode == 1
    assert "Make it anew with: musebot train" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_recipe_that_needs_tensorflow_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text("recipe: default.v1\nlanguage: en\npipeline:\n- name: DIETClassifier\n")
    for command in (["train"], ["check"], ["rasa", "train", "nlu"]):
        refused = musebot(*command, CONFIG_FILE=str(config))
        assert refused.returncode == 1
        assert "DIETClassifier, which needs TensorFlow" in refused.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_serve_serves_and_stops_when_asked(model_file: Path, tmp_path: Path) -> None:
    port = free_port()
    settings = {
        "MODEL_FILE": str(model_file),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'served.db'}",
        "SECRET_KEY": "k" * 40,
        "PORT": str(port),
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "bot", "serve"], cwd=ROOT, env={**os.environ, **settings}, stderr=subprocess.PIPE
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as browser:
            for _ in range(600):
                try:
                    page = browser.get("/chat?lang=en")
                    break
                except httpx.ConnectError:
                    assert server.poll() is None, server.stderr.read() if server.stderr else ""
                    time.sleep(0.1)
            assert page.status_code == 200
            assert browser.get("/readyz").json()["ready"] is True
            assert browser.get("/static/chat.css").status_code == 200
        taken = musebot("serve", **settings)
        assert taken.returncode == 1
        assert "set PORT to another number" in taken.stderr
        assert "Traceback" not in taken.stderr
    finally:
        server.terminate()
        _, logged = server.communicate(timeout=30)
    assert b"Traceback" not in logged
    assert f"Ready at http://127.0.0.1:{port}/".encode() in logged


def test_ask_answers_lines_and_survives_a_broken_one(model_file: Path) -> None:
    lines = [
        {"conversation": "c1", "text": "how much is it?"},
        "broken",
        {"conversation": "c2", "text": "¿cuánto cuesta?"},
    ]
    stdin = "\n".join(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    asked = musebot("ask", "--jsonl", stdin=stdin, MODEL_FILE=str(model_file))
    answers = [json.loads(line) for line in asked.stdout.splitlines()]
    assert asked.returncode == 0
    assert [answer.get("language") for answer in answers] == ["en", None, "es"]
    assert "error" in answers[1]


def test_ask_keeps_what_it_was_told_to_keep(model_file: Path, tmp_path: Path) -> None:
    database = tmp_path / "kept.db"
    asked = musebot("ask", "--jsonl", "--database", str(database), stdin="", MODEL_FILE=str(model_file))
    assert asked.returncode == 0
    assert database.exists()


def test_rasa_own_command_line_measures_the_model(model_file: Path, tmp_path: Path) -> None:
    held_out = tmp_path / "held_out.yml"
    held_out.write_text(
        'version: "3.1"\nnlu:\n- intent: cost\n  examples: |\n    - how much is it\n'
        "- intent: greet\n  examples: |\n    - hello\n"
    )
    tested = musebot(
        "rasa",
        "test",
        "nlu",
        "--nlu",
        str(held_out),
        "--model",
        str(model_file),
        "--out",
        str(tmp_path / "out"),
    )
    assert tested.returncode == 0, tested.stderr
    assert json.loads((tmp_path / "out" / "intent_report.json").read_text())["cost"]["recall"] == 1.0


def test_check_prints_a_row_for_each_topic_and_what_is_too_hard_to_read(
    content: Path, checked: subprocess.CompletedProcess[str]
) -> None:
    shown = checked.stdout
    for topic in ("walk_again", "crisis_suicide", "greet", "cost", "menu", "(comparison)"):
        assert sum(line.split()[:1] == [topic] for line in shown.splitlines()) == 1, topic
    answers = content / "answers/clinic.yml"
    hard = "Organizational accessibility considerations necessitate institutional communication, " * 4
    text = answers.read_text(encoding="utf-8")
    assert text.count("It is in Medellín, Colombia.") == 1
    answers.write_text(text.replace("It is in Medellín, Colombia.", hard), encoding="utf-8")
    refused = musebot("check", CONTENT_FOLDER=str(content))
    assert refused.returncode == 1
    assert "answers/clinic.yml: location: too hard to read in 'en'" in refused.stderr


def test_check_clinic_lists_what_is_empty(content: Path) -> None:
    clinic = content / "clinic.yml"
    text = clinic.read_text(encoding="utf-8")
    assert "\n- hours: opening hours" in musebot("check", "--clinic").stdout
    filled = '  hours: {en: "Monday to Friday, 8 to 5.", es: "De lunes a viernes, de 8 a 5."}'
    clinic.write_text(re.sub(r"  hours: null", filled, text), encoding="utf-8")
    shown = musebot("check", "--clinic", CONTENT_FOLDER=str(content)).stdout
    assert "- hours:" not in shown
    assert "- holidays:" in shown
    assert (
        "De lunes a viernes, de 8 a 5." in musebot("show", "hours", "--lang", "es", CONTENT_FOLDER=str(content)).stdout
    )


@pytest.mark.parametrize(
    ("topic", "language", "words"),
    [
        ("walk_again", "en", "not a cure"),
        ("walk_again", "es", "No es una cura"),
        ("crisis_suicide", "es", "123"),
        ("greet", "en", "program"),
    ],
)
def test_show_prints_what_patients_read(topic: str, language: str, words: str) -> None:
    shown = musebot("show", topic, "--lang", language)
    assert shown.returncode == 0
    assert words in shown.stdout


def test_the_line_that_show_prints_approves_the_answer(content: Path) -> None:
    review = musebot("show", "walk_again").stdout.partition("review: ")[2].strip().replace("NAME", "Dr A")
    answers = content / "answers/for_me.yml"
    before, block, after = answers.read_text(encoding="utf-8").partition("walk_again:")
    after = after.replace("review: {state: draft}", f"review: {review}", 1)
    answers.write_text(before + block + after, encoding="utf-8")
    checked = musebot("check", CONTENT_FOLDER=str(content))
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "approved" in checked.stdout


def test_show_of_no_topic_says_which_may_be_meant() -> None:
    failed = musebot("show", "walk_agian")
    assert failed.returncode == 1
    assert "did you mean walk_again" in failed.stderr


def test_staff_write_to_a_conversation_that_exists(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'say.db'}"
    told = musebot("say", "7", "hello", DATABASE_URL=database)
    assert told.returncode == 1
    assert "There is no conversation 7." in told.stderr
    assert musebot("say", "7", " ", DATABASE_URL=database).returncode == 2
