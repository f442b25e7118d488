"""Writes what was learnt as files that run without torch: an ONNX model of bytes, the tokenizer, the card."""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer

from bot.nlu.encoder.network import Network
from bot.nlu.encoder.sentences import CARD, MODEL, TOKENIZER
from bot.nlu.encoder.training import numbers_of


def export(student: Network, tokenizer: Tokenizer, folder: Path, card: dict[str, Any]) -> None:
    """Writes model, tokenizer and card into `folder`; the card names the hashes of both."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        exact = Path(place) / MODEL
        _write_exact(student, tokenizer, exact)
        quantize_dynamic(exact, folder / MODEL, weight_type=QuantType.QInt8, per_channel=True)
    tokenizer.no_padding()
    tokenizer.save(str(folder / TOKENIZER), pretty=False)
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (MODEL, TOKENIZER)}
    text = json.dumps({**card, "sha256": hashes}, indent=2, ensure_ascii=False)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")


def _write_exact(student: Network, tokenizer: Tokenizer, file: Path) -> None:
    torch.backends.mha.set_fastpath_enabled(False)  # which no other program knows
    tokens, mask = numbers_of(tokenizer, ["how much is it?", "¿cuánto vale?"])
    sentences, places = torch.export.Dim("sentences"), torch.export.Dim("places", max=128)
    shape = {0: sentences, 1: places}
    torch.onnx.export(
        student.eval(),
        (tokens, mask),
        str(file),
        input_names=["input_ids", "attention_mask"],
        output_names=["sentence_embedding"],
        dynamic_shapes={"tokens": shape, "mask": shape},
        dynamo=True,
        external_data=False,
        verbose=False,
    )
