"""Everything that decides what a surrogate is and how it is trained: typed values, read from TOML.

Each table of the file is one class here, each key one of its fields. A key that no field reads is an error.
"""

import dataclasses
import json
import tomllib
import types
import typing
from pathlib import Path
from typing import Any, Literal

from twin.errors import InputError

Choice = Literal["auto", "counts", "spikes", "fluorescence"]


@dataclasses.dataclass(frozen=True)
class Data:
    """Which recordings, and what of them.

    Attributes:
        recordings: zarr folders, relative to the configuration file.
        signal: the group that is predicted; "auto" takes the only one.
        window_s: one step of the model, s; responses and streams are binned to it.
        streams: stimulus streams that are used as features. A recording without one is told so to the model.
        video: the stimulus stream (time, height, width[, channel]) that the video encoder sees.
        behaviour: behaviour streams.
        levels: streams whose values are names or codes rather than amounts: one feature for each level.
        covariates: protocol covariates that the model is conditioned on.
        subject: the covariate that names the animal.
        clock_bumps: Gaussian bumps over the time within a trial, as further stimulus features.
        trial_bumps: Gaussian bumps over the number of the trial (or, with one trial, over its time): slow drift.
        length: windows of one item of a batch.
        burn_in: windows at the start of an item that lend context and are not scored, but at the start of a trial.
        max_units: units of one item; of a larger session a random part is drawn each time.
        fewest_units: of the smallest bucket; sessions of fewer are padded, and the more it is the less is compiled.
        carried: whether an item knows all that its units did earlier in the trial, as traces at its start; otherwise
            they start from silence, and `burn_in` lends what context there is.
        cache_mb: memory for what was read from the stores, MB.
        validation: share of each recording for choosing the best weights.
        test: share of each recording that is set apart altogether.
        split_by: what is drawn into the shares: whole trials, or the end of the time.
    """

    recordings: tuple[str, ...] = ()
    signal: Choice = "auto"
    window_s: float = 0.05
    streams: tuple[str, ...] = ()
    video: str | None = None
    behaviour: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    subject: str = "subject"
    clock_bumps: int = 0
    trial_bumps: int = 0
    length: int = 128
    burn_in: int = 16
    max_units: int = 512
    fewest_units: int = 8
    carried: bool = False
    cache_mb: float = 256.0
    validation: float = 0.1
    test: float = 0.1
    split_by: Literal["auto", "trial", "time"] = "auto"


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What a prediction may look at; each is one flag, so that an ablation is one flag.

    Attributes:
        stimulus: streams, video and the clock.
        behaviour: behaviour streams.
        behaviour_until: the latest window of the behaviour, counted from the one predicted: 0 the same one, 4 four
            windows ahead (the last one of an item is held). Behaviour follows activity as often as it leads it.
        own_past: a unit's own earlier responses.
        others: the other units' responses.
        others_until: the latest window of the other units, counted from the one predicted: -1 the one before it,
            0 the same one, 2 two windows ahead (co-smoothing). Only -1 can be generated freely.
        others_near: that many nearest units are also given as a mean of their own; it wants unit positions `x` and `y`.
        others_windows: that many windows of the others, `others_until` and those before it, are given as they are,
            beside the traces; those before the present want as many windows of `burn_in`.
        tokens_look_ahead: whether the core's pooled tokens, which hold the unit itself too, see as far as
            `others_until`. Then units have to be hidden from them in turns; otherwise they see the past alone.
        trial_index: the number of the trial.
        covariates: how the recording was made.
    """

    stimulus: bool = True
    behaviour: bool = True
    behaviour_until: int = 0
    own_past: bool = True
    others: bool = True
    others_until: int = -1
    others_near: int = 0
    others_windows: int = 0
    tokens_look_ahead: bool = False
    trial_index: bool = True
    covariates: bool = True

    @property
    def tokens_until(self) -> int:
        """The latest window that the pooled tokens see, counted from the one predicted."""
        return self.others_until if self.tokens_look_ahead else min(self.others_until, -1)


@dataclasses.dataclass(frozen=True)
class Model:
    """Sizes.

    Attributes:
        head: likelihood of a response.
        classes: classes of the categorical likelihood.
        core: the shared dynamics: a gated recurrent network, a causal transformer, or none.
        width: features of the core.
        layers: of the core.
        attention_heads: of the transformer.
        attention_windows: how far back the transformer looks, windows.
        memory: how far back an encoder of a stream looks, windows.
        embedding: numbers that say what a unit is like.
        decoder: hidden features of the shared decoder, which turns core, embedding and history into a response; 0 for
            none, which leaves each unit's linear readout.
        decoder_layers: further hidden layers of it.
        log_history: whether it is given logarithms of the traces, and the `start` of the unit to compare them with: a
            slow trace then says how far the rate has drifted.
        history_taus: time constants of the traces of past responses, windows.
        latents: pooled tokens that the core sees of the population; 0 for none.
        coupling_rank: rank of the linear coupling between units.
        video_channels: features of each layer of the video encoder.
        video_kernel: (windows, pixels) of its filters.
        video_hidden_kernel: the same of the layers after the first, where it differs.
        video_stride: pixels between neighbouring positions after its first layer.
        video_recurrent: whether a convolutional recurrent layer follows.
        dropout: share of the core's features that training leaves out.
        covariate_dropout: chance that training hides a covariate or the subject.
        average_subject: chance that training shows an item as the average subject's, who then has a readout too: it
            answers for sessions that nobody adapted to, and adaptation starts from it. It wants sessions with the same
            units, such as parcels of an atlas; 0 for no such subject.
        stream_dropout: chance that training hides each stimulus and behaviour stream of an item, as if the recording
            lacked it, so that a prediction without one means something.
    """

    head: Literal["poisson", "negative_binomial", "zero_inflated_gamma", "gaussian", "categorical"] = "poisson"
    classes: int = 2
    core: Literal["gru", "transformer", "none"] = "gru"
    width: int = 64
    layers: int = 1
    attention_heads: int = 4
    attention_windows: int = 64
    memory: int = 8
    embedding: int = 16
    decoder: int = 32
    decoder_layers: int = 0
    log_history: bool = False
    history_taus: tuple[float, ...] = (0.4, 1.5, 4.0, 12.0, 40.0)
    latents: int = 4
    coupling_rank: int = 16
    video_channels: tuple[int, ...] = (8, 16)
    video_kernel: tuple[int, int] = (3, 5)
    video_hidden_kernel: tuple[int, int] | None = None
    video_stride: int = 2
    video_recurrent: bool = True
    dropout: float = 0.0
    covariate_dropout: float = 0.2
    average_subject: float = 0.0
    stream_dropout: float = 0.0


@dataclasses.dataclass(frozen=True)
class Objective:
    """What training minimises: a weighted sum.

    Attributes:
        supervised: each window from the recorded inputs (with `own_past`, that is teacher-forced autoregression).
        masked: units, stretches of time and whole populations are hidden and predicted.
        hidden_share: share of the units, or of the time, that is hidden.
        free_running: statistics of generated against recorded activity.
        free_windows: windows that are generated.
    """

    supervised: float = 1.0
    masked: float = 0.0
    hidden_share: float = 0.25
    free_running: float = 0.0
    free_windows: int = 32


@dataclasses.dataclass(frozen=True)
class Training:
    """The optimiser and the loop.

    Attributes:
        steps: gradient steps at the most.
        batch: items of a batch, over all devices.
        learning_rate: peak rate.
        warm_up: steps to the peak.
        final_rate: share of the peak that the cosine ends with.
        fit_units: whether the weights that belong to one unit are fitted too. Without, what is shared learns to predict
            units that it has never seen; `adapt` fits them later.
        weight_decay: decoupled decay of the shared weights.
        unit_decay: decoupled decay of the weights that belong to one unit.
        clip: largest norm of a gradient.
        ema: decay of the average of the weights that is evaluated and kept; 0 for none.
        precision: of the arithmetic; weights, their average and the loss are float32.
        check_every: steps between looks at the validation part.
        patience: looks without improvement after which training stops; 0 for never.
    """

    steps: int = 1000
    batch: int = 16
    learning_rate: float = 3e-3
    warm_up: int = 50
    final_rate: float = 0.05
    fit_units: bool = True
    weight_decay: float = 1e-3
    unit_decay: float = 1e-2
    clip: float = 1.0
    ema: float = 0.99
    precision: Literal["float32", "bfloat16"] = "float32"
    check_every: int = 100
    patience: int = 5


@dataclasses.dataclass(frozen=True)
class Config:
    """One surrogate. `seed` is that of everything random, `out` the folder that training writes, as in the file."""

    name: str = "surrogate"
    seed: int = 0
    out: str = "surrogate-run"
    start_from: str | None = None
    data: Data = Data()
    inputs: Inputs = Inputs()
    model: Model = Model()
    objective: Objective = Objective()
    training: Training = Training()

    def __post_init__(self) -> None:
        _check(self)

    def to_json(self) -> dict[str, Any]:
        """As nested plain values; `from_document` reads it back."""
        return json.loads(json.dumps(dataclasses.asdict(self)))


def _check(config: Config) -> None:
    """Refuse numbers that no training can use."""
    data, training = config.data, config.training
    positive = {
        "data.window_s": data.window_s, "data.length": data.length, "data.max_units": data.max_units,
        "data.fewest_units": data.fewest_units,
        "data.cache_mb": data.cache_mb, "model.width": config.model.width, "training.steps": training.steps,
        "training.batch": training.batch, "training.learning_rate": training.learning_rate,
        "training.check_every": training.check_every, "training.clip": training.clip,
    }  # fmt: skip
    for name, value in positive.items():
        if not value > 0:
            raise InputError(f"the configuration has {name} = {value}; wanted a positive number.")
    if config.inputs.others_windows and config.inputs.others_until < 0:
        raise InputError(
            f"the configuration has inputs.others_windows = {config.inputs.others_windows} and inputs.others_until = "
            f"{config.inputs.others_until}; the others' windows as they are go with looking at their present, so set "
            "others_until to 0 or more; the traces hold their past."
        )
    if not 0 <= data.burn_in < data.length - config.inputs.others_until - 1:
        raise InputError(
            f"the configuration has data.burn_in = {data.burn_in} and data.length = {data.length}; wanted fewer "
            "windows of context than an item has."
        )
    if min(data.validation, data.test) < 0 or data.validation + data.test >= 1:
        raise InputError(
            f"the configuration sets {data.validation} and {data.test} of each recording apart; leave some to fit."
        )
    if config.objective.free_running and training.batch < 2:
        raise InputError(
            f"the configuration has objective.free_running = {config.objective.free_running} and training.batch = "
            f"{training.batch}; wanted 2 items or more, which are compared in two halves."
        )
    for name in ("average_subject", "stream_dropout"):
        if not 0 <= getattr(config.model, name) < 1:
            raise InputError(
                f"the configuration has model.{name} = {getattr(config.model, name)}; wanted a chance below 1."
            )
    if min(config.inputs.others_near, config.inputs.others_windows, config.model.decoder_layers) < 0:
        raise InputError(
            "the configuration has inputs.others_near, inputs.others_windows or model.decoder_layers below 0."
        )
    if config.inputs.others_until < -1 or config.inputs.behaviour_until < 0:
        raise InputError(
            f"the configuration has inputs.others_until = {config.inputs.others_until} and inputs.behaviour_until = "
            f"{config.inputs.behaviour_until}; wanted -1 or more, and 0 or more."
        )
    if config.model.width % config.model.attention_heads:
        raise InputError(
            f"the configuration has model.width = {config.model.width}, which {config.model.attention_heads} attention "
            "heads do not divide."
        )


def read(path: str | Path) -> Config:
    """A configuration file; its recordings, `out` and `start_from` become paths relative to where it lies.

    Raises:
        InputError: the file is missing, is no TOML, has a key that nothing reads or a value of another type.
    """
    path = Path(path)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: the configuration cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the configuration is not TOML ({error}).") from error
    config = from_document(document, str(path))
    recordings = tuple(str(path.parent / one) for one in config.data.recordings)
    start_from = None if config.start_from is None else str(path.parent / config.start_from)
    data = dataclasses.replace(config.data, recordings=recordings)
    return dataclasses.replace(config, data=data, out=str(path.parent / config.out), start_from=start_from)


def from_document(document: dict[str, Any], where: str = "the configuration") -> Config:
    """A configuration from nested plain values."""
    return _made(Config, document, where, "")


def _made(kind: type, document: dict[str, Any], where: str, prefix: str) -> Any:
    hints, fields = typing.get_type_hints(kind), {field.name for field in dataclasses.fields(kind)}
    values = {}
    for key, value in document.items():
        name = f"{prefix}{key}"
        if key not in fields:
            raise InputError(f"{where}: nothing reads the key {name!r}; known here: {', '.join(sorted(fields))}.")
        if dataclasses.is_dataclass(hints[key]):
            if not isinstance(value, dict):
                raise InputError(f"{where}: {name} is {value!r}; wanted a table.")
            values[key] = _made(hints[key], value, where, f"{name}.")  # type: ignore[arg-type]
        else:
            values[key] = _value(hints[key], value, where, name)
    return kind(**values)


def _value(hint: Any, value: Any, where: str, name: str) -> Any:
    """`value` as the type `hint`, or an error that says what was wanted."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        if value in arguments:
            return value
        raise InputError(f"{where}: {name} is {value!r}; wanted one of {', '.join(map(str, arguments))}.")
    if origin is types.UnionType:
        return None if value is None else _value(arguments[0], value, where, name)
    if origin is tuple and isinstance(value, list | tuple):
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else list(arguments)
        if len(kinds) == len(value):
            return tuple(_value(one, element, where, name) for one, element in zip(kinds, value, strict=True))
    elif hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif isinstance(hint, type) and type(value) is hint:
        return value
    wanted = getattr(hint, "__name__", str(hint)) if origin is None else str(hint).replace("typing.", "")
    raise InputError(f"{where}: {name} is {value!r}; wanted {wanted}.")
