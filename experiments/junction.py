"""The command `twin ljp`: the liquid junction potential between two solutions."""

from rich.console import Console

from biophys.corrections import junction_potential, parse_solution, require_neutral


def show(pipette: str, bath: str, temperature_c: float, console: Console) -> None:
    """Print the junction potential, its convention, and how the concentrations were taken.

    Raises:
        InputError: an unknown ion, a recipe that cannot be read, or a solution that is not electroneutral.
    """
    solutions = {"pipette": parse_solution(pipette), "bath": parse_solution(bath)}
    for side, solution in solutions.items():
        require_neutral(solution, side)
    result = junction_potential(solutions["pipette"], solutions["bath"], temperature_c)
    console.print(f"[bold]{result.value_mv:+.2f} mV[/bold]  {result.convention}", highlight=False)
    example = -60.0 - result.value_mv
    console.print(f"a recorded -60 mV is a membrane potential of {example:.2f} mV", highlight=False)
    console.print(f"{result.method} equation at {result.temperature_c:g} degC, concentrations for activities")
    for side, solution in solutions.items():
        for note in solution.notes:
            console.print(f"{side}: {note}", highlight=False)
