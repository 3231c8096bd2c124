"""The likelihoods by the names that a configuration gives them."""

from surrogate.heads.categorical import Categorical
from surrogate.heads.gaussian import Gaussian
from surrogate.heads.head import Head
from surrogate.heads.negative_binomial import NegativeBinomial
from surrogate.heads.poisson import Poisson
from surrogate.heads.zero_inflated_gamma import ZeroInflatedGamma
from twin.errors import InputError

HEADS = {head.name: head for head in (Poisson, NegativeBinomial, ZeroInflatedGamma, Gaussian, Categorical)}


def head_named(name: str, n_classes: int = 2) -> Head:
    """The likelihood of that name; only "categorical" looks at `n_classes`.

    Raises:
        InputError: there is none of that name; the sentence lists those there are.
    """
    if name not in HEADS:
        raise InputError(f"there is no likelihood {name!r}; give one of {', '.join(HEADS)}.")
    return Categorical(n_classes) if name == Categorical.name else HEADS[name]()
