"""Runs an ONNX sentence model: ours, or one that the settings name. One thread, no torch."""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from bot.errors import ModelError
from bot.settings import OUR_ENCODER

MODEL, TOKENIZER, CARD = "model.onnx", "tokenizer.json", "card.json"
LONGEST = 128  # tokens of a message; the rest is not read
UNKNOWN = ("[UNK]", "<unk>")
WORKERS = 2  # messages read at the same time in training


class SentenceEncoder:
    """Makes a vector of length 1 of each sentence that it can read.

    Attributes:
        name: What it is called, and the beginning of a SHA-256 of its files: others have another name.
    """

    def __init__(self, name: str, session: onnxruntime.InferenceSession, tokenizer: Tokenizer) -> None:
        self.name = name
        self._session = session
        self._inputs = [each.name for each in session.get_inputs()]
        self._size = session.get_outputs()[0].shape[-1]
        self._unknown = next((n for n in map(tokenizer.token_to_id, UNKNOWN) if n is not None), None)
        self._tokenizer = tokenizer
        tokenizer.no_padding()
        tokenizer.enable_truncation(LONGEST)

    def vector(self, text: str) -> NDArray[np.float32]:
        """What `text` means; zeros where it has no word or piece of a word that the model knows."""
        read = self._tokenizer.encode(text)
        unknown = zip(read.ids, read.special_tokens_mask, strict=True)
        if all(special or number == self._unknown for number, special in unknown):
            return np.zeros(self._size, dtype=np.float32)
        given = {"input_ids": read.ids, "attention_mask": read.attention_mask, "token_type_ids": read.type_ids}
        out = self._session.run(None, {name: np.array([given[name]], dtype=np.int64) for name in self._inputs})[0][0]
        mean = out.mean(axis=0) if out.ndim == 2 else out  # many models leave a vector for each token
        return np.asarray(mean / (np.linalg.norm(mean) or 1.0), dtype=np.float32)

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A row for each text. Each is read by itself, so that a row never depends on the others."""
        with ThreadPoolExecutor(WORKERS) as workers:
            return np.array(list(workers.map(self.vector, texts)), dtype=np.float32)


@lru_cache(maxsize=2)
def read_encoder(folder: Path | None) -> SentenceEncoder | None:
    """The sentence model in `folder`, loaded once in a process; None where there is none.

    Raises:
        ModelError: Its files are not those that its card names, or cannot be used.
    """
    if folder is None or not (folder / MODEL).is_file():
        return None
    model, tokenizer = folder / MODEL, folder / TOKENIZER
    card = _card(folder)
    try:
        found = {file.name: _sha256(file) for file in (model, tokenizer)}
    except OSError as error:
        raise ModelError(f"The sentence model in {folder} cannot be read: {error}.") from error
    for name, wanted in card.get("sha256", {}).items():
        if found.get(name) != wanted:
            raise ModelError(
                f"{folder / name} is not the file that {CARD} names: fetch it anew, or set ENCODER_FOLDER."
            )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    named = hashlib.sha256("".join(found.values()).encode()).hexdigest()[:12]
    try:
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        encoder = SentenceEncoder(
            f"{card.get('name', folder.name)} {named}", session, Tokenizer.from_file(str(tokenizer))
        )
        encoder.vector("hello, hola")
    except Exception as error:  # the libraries raise kinds of their own for all that may be wrong with a file
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"The sentence model in {folder} cannot be used: {reason}") from error
    return encoder


def encoder_name(folder: Path | None) -> str:
    """What the sentence model in `folder` is called; "none" where there is none."""
    encoder = read_encoder(folder)
    return encoder.name if encoder else "none"


def _card(folder: Path) -> dict[str, Any]:
    """What the card says. Another's model has none; ours must name its files, so that nothing else is taken for it."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        if set(card["sha256"]) == {MODEL, TOKENIZER}:
            return dict(card)
        raise ValueError("sha256 must name the model and the tokenizer")
    except FileNotFoundError as error:
        if folder == OUR_ENCODER:
            raise ModelError(f"{folder / CARD} is missing: fetch it anew, or set ENCODER_FOLDER.") from error
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / CARD} cannot be used: {error}") from error


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
