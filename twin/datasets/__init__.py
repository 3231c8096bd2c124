"""Public data sets by name: one short module each, with source, citation, licence and the loader into the schema."""

from twin.datasets.catalogue import ALL
from twin.datasets.dataset import Dataset

__all__ = ["ALL", "Dataset"]
