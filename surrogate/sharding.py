"""Data parallel over all devices of all hosts: items are divided, weights are everywhere the same.

One process with one device is the same program. Several processes are started by the user, each with
`jax.distributed.initialize()` before anything else; each then reads its own items of every batch only.
"""

from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from surrogate.batches import Batch, Loader
from twin.errors import InputError


class Devices:
    """All devices in one row.

    Args:
        n_items: of a batch.

    Raises:
        InputError: the devices do not divide the batch.
    """

    def __init__(self, n_items: int) -> None:
        devices = jax.devices()
        if n_items % len(devices):
            raise InputError(
                f"a batch of {n_items} items cannot be divided over {len(devices)} devices; set training.batch to a "
                f"multiple of {len(devices)}."
            )
        self.mesh = Mesh(np.array(devices), ("data",))
        self.n_items = n_items
        self._divided = NamedSharding(self.mesh, PartitionSpec("data"))
        self._everywhere = NamedSharding(self.mesh, PartitionSpec())

    @property
    def rows(self) -> slice:
        """The items that this process reads."""
        share = self.n_items // jax.process_count()
        return slice(jax.process_index() * share, (jax.process_index() + 1) * share)

    def divided(self, batch: Batch) -> Batch:
        """A batch, of which this process has its rows, over all devices."""
        return jax.tree.map(lambda own: jax.make_array_from_process_local_data(self._divided, own), batch)

    def everywhere(self, tree: Any) -> Any:
        """A pytree on every device."""
        return jax.tree.map(lambda value: jax.device_put(np.asarray(value), self._everywhere), tree)

    def batch(self, loader: Loader, step: int) -> Batch:
        """The batch of a step, read in part by each process."""
        return self.divided(loader.batch(step, self.rows))


def is_first_process() -> bool:
    """Whether this process is the one that writes files."""
    return jax.process_index() == 0
