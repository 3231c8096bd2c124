"""Likelihoods of a response, one short file each: a new one is a file here and a line in `named`."""

from surrogate.heads.categorical import Categorical
from surrogate.heads.gaussian import Gaussian
from surrogate.heads.head import Head
from surrogate.heads.named import head_named
from surrogate.heads.negative_binomial import NegativeBinomial
from surrogate.heads.poisson import Poisson
from surrogate.heads.zero_inflated_gamma import ZeroInflatedGamma

__all__ = ["Categorical", "Gaussian", "Head", "NegativeBinomial", "Poisson", "ZeroInflatedGamma", "head_named"]
