"""All public data sets: a new one is a new module and one name in this list."""

from twin.datasets import (
    allen_cell_types,
    allen_celltypes_10,
    allen_natscenes_511510667,
    allen_npx_pvopto,
    allen_visual_coding,
    bluepyefe,
    cascade_groundtruth,
    dandi,
    ferguson2015_ca1,
    gif_pozzorini,
    grasshopper,
    herg_sinewave,
    lantyer2018_s1,
    neural_latents,
    neuroelectro,
    park_v1acc,
    patchseq_m1_scala2021,
    pyabf_subset,
    qsnmc2007,
    sensorium2023,
    star_pouzat,
    waverepo,
)
from twin.datasets.dataset import Dataset

SETS = (
    grasshopper,
    # intracellular, with a known stimulus
    gif_pozzorini,
    qsnmc2007,
    bluepyefe,
    ferguson2015_ca1,
    lantyer2018_s1,
    allen_celltypes_10,
    herg_sinewave,
    pyabf_subset,
    # tables
    patchseq_m1_scala2021,
    neuroelectro,
    # populations
    star_pouzat,
    allen_natscenes_511510667,
    allen_npx_pvopto,
    park_v1acc,
    cascade_groundtruth,
    waverepo,
    # folders as their archives have them
    sensorium2023,
    allen_cell_types,
    allen_visual_coding,
    neural_latents,
    dandi,
)
ALL: dict[str, Dataset] = {module.DATASET.name: module.DATASET for module in SETS}
