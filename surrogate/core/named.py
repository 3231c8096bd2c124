"""The shared dynamics by the names that a configuration gives them."""

from typing import Any

from flax import nnx

from surrogate.config import Model
from surrogate.core.recurrent import RecurrentCore
from surrogate.core.transformer import TransformerCore


def core_of(model: Model, dtype: Any, rngs: nnx.Rngs) -> RecurrentCore | TransformerCore:
    """The core of a configuration; "none" is a recurrent core of no layer, which passes its input on."""
    if model.core == "transformer":
        return TransformerCore(model.width, model.layers, model.attention_heads, model.attention_windows, dtype, rngs)
    return RecurrentCore(model.width, model.layers if model.core == "gru" else 0, dtype, rngs)
