"""The report of an evaluation: `report.html` for people, `report.json` and `results.zarr` for programs."""

from twin.report.check import schema as schema
from twin.report.check import validate as validate
from twin.report.html import render as render
from twin.report.report import Figure as Figure
from twin.report.report import Report as Report
from twin.report.report import Section as Section
from twin.report.report import Table as Table
from twin.report.report import as_dict as as_dict
from twin.report.report import to_json as to_json
from twin.report.vocabulary import MetricNote as MetricNote
from twin.report.write import check_out_dir as check_out_dir
from twin.report.write import write as write
