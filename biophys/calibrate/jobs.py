"""Jobs: one search, or the searches of many cells side by side, run to their ends."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from biophys.calibrate.cells_evaluator import CellsEvaluator
from biophys.calibrate.course import Course, History
from biophys.calibrate.evaluator import Evaluator
from biophys.calibrate.methods.method import Method
from biophys.calibrate.problem import Problem
from twin.errors import NeurotwinError

Progress = Callable[[float, float], None]  # share of the budget, lowest loss so far


def run(
    problem: Problem,
    method: Method,
    budget: int,
    key: Any,
    folder: Path | None = None,
    progress: Progress = lambda share, best: None,
) -> History:
    """Run a search to its end, or to the end of its budget.

    Raises:
        InputError: the budget is smaller than one generation, or the folder holds another job.
        NeurotwinError: no parameter set of the first generations gave a finite loss.
    """
    started = time.perf_counter()
    course = Course(problem, method, budget, key, folder)
    if course.asked is not None:
        evaluator = Evaluator(problem, method.size(problem.plan.space), method.gradient)
    while course.asked is not None:
        course.tell(evaluator(course.asked, course.key))
        progress(course.share, course.best)
    return course.history(time.perf_counter() - started)


def run_together(
    problems: Sequence[Problem],
    method: Method,
    budget: int,
    keys: Sequence[Any],
    folders: Sequence[Path | None],
    progress: Callable[[float], None] = lambda share: None,
) -> list[History | NeurotwinError]:
    """Run one search for each cell, all in step: a generation of all cells is one batch.

    A cell that fails does not stop the others; its error is in its place.

    Args:
        problems: with one plan, and targets of one shape.
        method: the same for all.
        budget: simulations of each cell.
        keys: of each.
        folders: of each.
        progress: told the mean share of the budgets that is used.
    """
    started = time.perf_counter()
    rows = zip(problems, keys, folders, strict=True)
    results: list[History | NeurotwinError | None] = [None] * len(problems)
    courses: dict[int, Course] = {}
    for number, (problem, key, folder) in enumerate(rows):
        try:
            courses[number] = Course(problem, method, budget, key, folder)
        except NeurotwinError as error:
            results[number] = error
    evaluator = CellsEvaluator(problems, method.size(problems[0].plan.space), method.gradient)
    while active := [number for number, one in courses.items() if one.asked is not None and results[number] is None]:
        asked = [wanted for number in active if (wanted := courses[number].asked) is not None]
        scores = evaluator(active, asked, [courses[number].key for number in active])
        for number, one in zip(active, scores, strict=True):
            try:
                courses[number].tell(one)
            except NeurotwinError as error:
                results[number] = error
        progress(sum(one.share for one in courses.values()) / len(problems))
    wall_s = time.perf_counter() - started
    return [one if one is not None else courses[number].history(wall_s) for number, one in enumerate(results)]
