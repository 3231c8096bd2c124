"""What can go wrong, as a small tree of exceptions.

```
NeurotwinError            exit code 1: the work failed
├── InputError            exit code 2: what was given cannot be used (also a ValueError)
│   └── UnreportedError   a value is needed that nobody reported
└── UnsupportedError      exit code 2: refused, with the way out (also a NotImplementedError)
```

A message is one sentence or two that a person can act on: it names the file or object, what was found, what was
wanted, and the way out. The command line prints it without a traceback and exits with `exit_code`.
"""


class NeurotwinError(Exception):
    """The root of every error that this project raises on purpose."""

    exit_code = 1


class InputError(NeurotwinError, ValueError):
    """A file, an argument or an array cannot be used as it is."""

    exit_code = 2


class UnreportedError(InputError):
    """A correction or a claim needs a value whose status is `unreported`."""


class UnsupportedError(NeurotwinError, NotImplementedError):
    """A request that this version refuses rather than approximates."""

    exit_code = 2
