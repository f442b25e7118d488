"""Writes what was learnt as files that run without torch: an ONNX model of bytes, the tokenizer, the card."""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.functional import gelu, normalize

from bot.nlu.encoder.network import HEADS, LONGEST, SIZE, Network
from bot.nlu.encoder.sentences import CARD, MODEL, TOKENIZER

WIDTH = SIZE // HEADS


def export(student: Network, tokenizer: Tokenizer, folder: Path, card: dict[str, Any]) -> None:
    """Writes model, tokenizer and card into `folder`; the card names the hashes of both."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        exact = Path(place) / MODEL
        _write_exact(student, exact)
        # Seven of the eight bits: with all, sums overflow on processors without VNNI, and vectors differ there.
        quantize_dynamic(exact, folder / MODEL, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
    tokenizer.no_padding()
    tokenizer.save(str(folder / TOKENIZER), pretty=False)
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (MODEL, TOKENIZER)}
    text = json.dumps({**card, "sha256": hashes}, indent=2, ensure_ascii=False)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")


class _Plain(nn.Module):
    """The same network for one sentence, in the fewest steps: torch's own layers are written in three times as many."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        network = self.network
        read = network.norm(network.words(input_ids) + network.places.weight[: input_ids.shape[1]])
        blind = ((1.0 - attention_mask.to(read.dtype)) * -1e4)[:, None, None, :]
        for layer in network.layers.layers:
            read = layer.norm1(read + _attention(layer.self_attn, read, blind))
            read = layer.norm2(read + layer.linear2(gelu(layer.linear1(read))))
        there = attention_mask.unsqueeze(-1).to(read.dtype)
        return normalize((read * there).sum(1) / there.sum(1), dim=1)


def _attention(attention: nn.MultiheadAttention, read: Tensor, blind: Tensor) -> Tensor:
    both = read @ attention.in_proj_weight.T + attention.in_proj_bias
    query, key, value = (part.reshape(1, -1, HEADS, WIDTH).transpose(1, 2) for part in both.chunk(3, dim=-1))
    looks = torch.softmax(query @ key.transpose(2, 3) * WIDTH**-0.5 + blind, dim=-1)
    seen = (looks @ value).transpose(1, 2).reshape(1, -1, SIZE)
    return seen @ attention.out_proj.weight.T + attention.out_proj.bias


def _write_exact(student: Network, file: Path) -> None:
    one = torch.tensor([[2, 5, 7, 3]])
    places = {1: torch.export.Dim("places", min=2, max=LONGEST)}
    torch.onnx.export(
        _Plain(student).eval(),
        (one, torch.ones_like(one)),
        str(file),
        input_names=["input_ids", "attention_mask"],
        output_names=["sentence_embedding"],
        dynamic_shapes={"input_ids": places, "attention_mask": places},
        dynamo=True,
        external_data=False,
        verbose=False,
    )
