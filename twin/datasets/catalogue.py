"""All public data sets: a new one is a new module and one name in this list."""

from twin.datasets import grasshopper
from twin.datasets.dataset import Dataset

ALL: dict[str, Dataset] = {dataset.name: dataset for dataset in (grasshopper.DATASET,)}
