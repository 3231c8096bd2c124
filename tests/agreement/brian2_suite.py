"""Brian2's own test suite, run on the device "jax"; a command, and the pytest plug-in that it loads.

    python tests/agreement/brian2_suite.py RESULT.json [--long] [-k SELECTION]

RESULT.json: `outcomes`, test -> "passed", "failed" or "refused" (it raised NotImplementedError), with the reason; and
`executed`, template -> how often Brian2's own run-time executed code made from it. On the device that must be set-up
only.
"""

import collections
import json
import os
import sys
from pathlib import Path
from typing import Any

OUTCOMES: dict[str, list[str]] = {}
EXECUTED: collections.Counter[str] = collections.Counter()
RESULT = "BRIAN2_SUITE_RESULT"


def pytest_configure() -> None:
    """Counts what Brian2's run-time executes, by template."""
    from brian2.codegen.runtime.cython_rt import CythonCodeObject
    from brian2.codegen.runtime.numpy_rt import NumpyCodeObject

    for kind in (NumpyCodeObject, CythonCodeObject):
        original = kind.run_block
        if getattr(original, "counts", False):
            continue

        def counted(self: Any, block: str, original: Any = original) -> Any:
            EXECUTED[self.template_name] += 1
            return original(self, block)

        counted.counts = True  # type: ignore[attr-defined]
        kind.run_block = counted


def pytest_runtest_logreport(report: Any) -> None:
    """Keeps the outcome of each test; a part that fails counts for the whole."""
    name = report.nodeid.rpartition("/")[2]
    if report.when == "call" or report.failed or report.skipped:
        said = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr or "")
        word = {"passed": "passed", "failed": "failed", "skipped": "refused"}[report.outcome]
        OUTCOMES[name] = [word, said.strip().splitlines()[-1][:400] if said.strip() else ""]


def pytest_sessionfinish() -> None:
    """Writes after each of the suite's parts, so that the file has all that came before."""
    content = {"outcomes": OUTCOMES, "executed": dict(EXECUTED)}
    Path(os.environ[RESULT]).write_text(json.dumps(content, indent=1, sort_keys=True))


def main() -> None:
    """Runs the suite as Brian2's authors run it for a standalone device."""
    import brian2

    import biophys

    assert biophys.JaxDevice
    sys.modules.setdefault("brian2_suite", sys.modules["__main__"])
    os.environ[RESULT] = os.path.abspath(sys.argv[1])
    own = ["-p", "brian2_suite", "-p", "no:cacheprovider", "--tb=line"]
    brian2.test(
        [],
        test_codegen_independent=False,
        test_standalone="jax",
        long_tests="--long" in sys.argv,
        fail_for_not_implemented=False,
        reset_preferences=True,
        additional_args=own + [one for one in sys.argv[2:] if one != "--long"],
    )


if __name__ == "__main__":
    main()
