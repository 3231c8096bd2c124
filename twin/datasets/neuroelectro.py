"""Electrical features of neuron types as articles report them, with how they were measured: a table."""

from twin.datasets.dataset import Dataset

DATASET = Dataset(
    name="neuroelectro",
    title="electrical features of 132 neuron types from the literature, with how they were measured (a table)",
    source="stripathy/neuroelectro_matlab_analysis, neuroelectro/neuroelectro_org, stripathy/NeuroElectro",
    citation="Tripathy et al. 2014, J Neurophysiol; Tripathy et al. 2015, J Neurophysiol",
    licence="CC BY-SA (share alike: derived tables carry it too)",
    size="2.8 MB, 386 rows, 977 articles",
    load=None,
    experiment="neuroelectro",
    traps=(
        "JxnOffset has both signs and outliers, and some offsets belong to articles that did not correct",
        "cells with several values use ' | ', ranges read '20.0 - 24.0', and the summary is latin-1",
        "the three tiers share articles: do not train on one and test on another",
    ),
)
