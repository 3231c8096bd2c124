"""A table in the published layout with planted effects of conditions and labs, for the tests of this folder."""

import csv

import numpy as np
import pytest

from experiments.neuroelectro import table
from experiments.neuroelectro.additive import Measured
from experiments.neuroelectro.coding import Coding

HEADER = (
    "ir,rmp,tau,amp,hw,thresh,Species,Strain,ElectrodeType,PrepType,JxnPotential,JxnOffset,Temp,Age,Weight,NeuronType,"
    "Title,PubYear,DataTableLinks,MetadataLink,LastAuthor"
).split(",")
JUNCTION_MV = 9.0  # planted in thresholds that were not corrected
PER_DEGREE = 0.04  # planted in log10 input resistance, decades per degree
STATES = ("Corrected", "", "Not corrected")


def _planted(seed=0, n_labs=40, lab_sd=1.0, first_article=0, junction_mv=JUNCTION_MV, confounded=False):
    """A table of six types and some labs, two articles each, with known effects of conditions and of labs.

    Confounded, every lab has a type and a state of the junction potential of its own.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for lab in range(n_labs):
        shift = rng.normal(0.0, lab_sd)
        for article in range(2):
            number = first_article + 2 * lab + article
            state = STATES[(lab % 6) % 3] if confounded else STATES[rng.integers(3)]
            temperature, age = rng.uniform(22, 37), rng.uniform(10, 90)
            for kind in [lab % 6] if confounded else rng.choice(6, 2, replace=False):
                uncorrected = (state == "Not corrected") * junction_mv
                rows.append(
                    {
                        "ir": 10 ** (1.8 + 0.1 * kind - PER_DEGREE * (temperature - 30) + rng.normal(0, 0.08)),
                        "rmp": -75 + 2 * kind + rng.normal(0, 1),
                        "tau": 10 ** (1.2 + rng.normal(0, 0.05)),
                        "amp": 70 + 2 * kind + rng.normal(0, 2),
                        "hw": 10 ** (0.1 * kind - 0.2 + rng.normal(0, 0.05)),
                        "thresh": -45 + kind + shift + uncorrected + rng.normal(0, 1.0),
                        "Species": "Rats",
                        "Strain": "Wistar",
                        "ElectrodeType": "Patch-clamp" if rng.random() < 0.8 else "Sharp",
                        "PrepType": "in vitro",
                        "JxnPotential": state,
                        "JxnOffset": junction_mv if state == "Not corrected" else "NaN",
                        "Temp": temperature,
                        "Age": age,
                        "Weight": "NaN",
                        "NeuronType": f"type {kind}",
                        "Title": f"Article {number}",
                        "PubYear": 2010,
                        "DataTableLinks": "",
                        "MetadataLink": f"article/{number}",
                        "LastAuthor": f"Crépel {first_article + lab}",
                    }
                )
    return rows


def _written(folder, rows, header=HEADER, encoding="latin-1"):
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / table.FILE, "w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, header, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="session")
def planted():
    """Makes the rows of a table; see `_planted`."""
    return _planted


@pytest.fixture(scope="session")
def written():
    """Writes rows to a folder in the published layout and returns the folder."""
    return _written


@pytest.fixture(scope="session")
def header():
    """The columns of the published table."""
    return list(HEADER)


@pytest.fixture(scope="session")
def measured():
    """The rows that have a value of a property, coded by the conditions of all rows."""

    def of(rows, name, labs_per_type=1):
        return Measured.of(rows, name, Coding.of(rows), labs_per_type=labs_per_type)

    return of


@pytest.fixture(scope="session")
def rows(tmp_path_factory):
    """Selected rows of the planted table."""
    return table.select(table.read(_written(tmp_path_factory.mktemp("planted"), _planted()))).rows


@pytest.fixture(scope="session")
def confounded(tmp_path_factory):
    """The same where every lab has a type and a state of correction of its own."""
    return table.select(table.read(_written(tmp_path_factory.mktemp("confounded"), _planted(confounded=True)))).rows
