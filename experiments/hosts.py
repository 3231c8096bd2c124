"""One command over several processes: each joins the others before anything is computed."""

import os

import jax

from twin.errors import InputError

ADDRESS, COUNT, NUMBER = "JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID"


def join() -> None:
    """Join the other processes of the job, if the environment says that there are any.

    The three variables are the address of the first process ("host:port"), how many there are, and which one this is.
    A Slurm step with several tasks needs none of them.

    Raises:
        InputError: some of the variables are there and some are not.
    """
    given = {name: os.environ[name] for name in (ADDRESS, COUNT, NUMBER) if os.environ.get(name)}
    if jax.distributed.is_initialized():
        return
    if not given:
        if int(os.environ.get("SLURM_STEP_NUM_TASKS", "1")) > 1:
            jax.distributed.initialize()
        return
    if len(given) < 3:
        missing = [name for name in (ADDRESS, COUNT, NUMBER) if name not in given]
        raise InputError(f"{', '.join(given)} is set and {', '.join(missing)} is not; set all three, or none.")
    jax.distributed.initialize(given[ADDRESS], _whole(COUNT, given[COUNT]), _whole(NUMBER, given[NUMBER]))


def _whole(name: str, text: str) -> int:
    if not text.isdigit():
        raise InputError(f"{name} is {text!r}; wanted a whole number.")
    return int(text)
