"""Patch-seq features of mouse motor cortex at two temperatures: a table."""

from twin.datasets.dataset import Dataset

DATASET = Dataset(
    name="patchseq_m1_scala2021",
    title="mouse motor cortex, electrical features and transcriptomic types at two temperatures (a table)",
    source="berenslab/mini-atlas, data",
    citation="Scala et al. 2021, Nature 598:144",
    licence="none seen: local use, do not redistribute",
    size="1.1 MB, 1,328 and 184 cells, 29 features",
    load=None,
    experiment="neuroelectro",
    traps=(
        "the two *_meta_data.csv are tab-separated and have one row more than the features: join `Cell` to `cell id`",
        "types differ strongly between the temperatures: compare within a type; RNA family 'low quality' has none",
        "one pipette of 30.7 MOhm (likely 3.07), and seal resistances too low for seals",
    ),
)
