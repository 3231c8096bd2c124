"""What training minimises, one short file each: a new objective is a file here and a line in `total`."""

from surrogate.objectives.free_running import free_running, generate
from surrogate.objectives.masked import masked
from surrogate.objectives.supervised import needs_hiding, negative_log_likelihood, supervised
from surrogate.objectives.total import total

__all__ = ["free_running", "generate", "masked", "needs_hiding", "negative_log_likelihood", "supervised", "total"]
