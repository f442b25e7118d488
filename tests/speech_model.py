"""A Whisper model that hears the same words whatever is said: small, and real enough for the real library to run."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import WhisperSpec
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import WordLevel

SIZE = 64  # numbers that stand for a token: one for each place of what is heard, the last one for times
SPECIAL = [
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|es|>",
    "<|gl|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
    *(f"<|{number * 0.02:.2f}|>" for number in range(1501)),
]
SURE = 40.0
PROMPT = 3  # beginning, language, task; what is heard comes after them


def make_speech_model(folder: Path, words: str, language: str = "es", sure: float = SURE) -> Path:
    """Writes the model into `folder`.

    Args:
        folder: Made if missing.
        words: What it hears, at most 50 of them.
        language: What it takes them for: "es", "en" or "gl".
        sure: How far its words are above all others; 0.2 is hardly.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = ["<unk>", *dict.fromkeys(f"▁{word}" for word in words.split())]
    vocabulary = [*known, "", *SPECIAL]  # the library takes a vocabulary with an empty word for one of many languages
    number = {token: place for place, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(WordLevel(number, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.save(str(folder / "tokenizer.json"))

    heard = [number["<|0.00|>"], *tokenizer.encode(words).ids, number["<|2.00|>"], number["<|endoftext|>"]]
    outputs = np.zeros((len(vocabulary), SIZE), dtype=np.float32)
    outputs[number["<|0.00|>"] :, -1] = -100.0  # no time anywhere
    outputs[number[f"<|{language}|>"], 0] = SURE
    for place, token in enumerate(heard, PROMPT - 1):
        outputs[token, place] = sure if vocabulary[token] in known else SURE  # but at the beginning and the end
    places = np.eye(448, SIZE, dtype=np.float32)

    spec = WhisperSpec(1, 1, 1, 1)
    for name, value in spec.variables().items():
        if value is None:
            _put(spec, name, np.ones(SIZE, np.float32) if "gamma" in name else np.zeros(_shape(name), np.float32))
    spec.encoder.position_encodings.encodings = np.zeros((1500, SIZE), dtype=np.float32)
    spec.decoder.embeddings.weight = np.zeros((len(vocabulary), SIZE), dtype=np.float32)
    spec.decoder.position_encodings.encodings = places
    spec.decoder.layer_norm.beta[-1] = 1.0
    spec.decoder.projection.weight = outputs
    spec.register_vocabulary(vocabulary)
    spec.config.lang_ids = [number[f"<|{each}|>"] for each in ("en", "es", "gl")]
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.alignment_heads = [(0, 0)]
    spec.validate()
    spec.optimize(quantization=None)
    spec.save(str(folder))
    return folder


def _shape(name: str) -> tuple[int, ...]:
    """The shape of a weight that does nothing: all that is heard comes from the places."""
    wide = {"linear_0": (3 * SIZE, SIZE), "linear_1": (SIZE, SIZE)}  # of self attention: query, key and value at once
    of = name.split("/")
    match of[-3:]:
        case [*_, "beta"]:
            return (SIZE,)
        case [_, "conv1", _]:
            return (SIZE, 80, 3)
        case [_, "conv2", _]:
            return (SIZE, SIZE, 3)
        case ["self_attention", linear, _]:
            return wide[linear]
        case ["attention", "linear_1", _]:
            return (2 * SIZE, SIZE)
        case ["ffn", "linear_0", _]:
            return (4 * SIZE, SIZE)
        case ["ffn", "linear_1", _]:
            return (SIZE, 4 * SIZE)
    return (SIZE, SIZE)


def _put(spec: Any, name: str, value: Any) -> None:
    *above, last = name.split("/")
    for part in above:  # "layer_0" is the first of `layer`, but some "linear_0" are called just so
        found = None if hasattr(spec, part) else re.fullmatch(r"(\w+)_(\d+)", part)
        spec = getattr(spec, found[1])[int(found[2])] if found else getattr(spec, part)
    setattr(spec, last, value)
