"""neuralpredictors on the same animals, in a process of its own Python that is given a folder.

The folder holds `job.json` and an .npz of each animal; expected counts of the new animal's test trials come back.
The core is trained on the other animals and frozen for the new one, or trained on the new one alone.
"""

import copy
import json
import sys
from pathlib import Path

import numpy as np
import torch

from benchmarks.neuralpredictors_model import Encoder, poisson, stacked


class Session:
    """An animal: arrays, and the trials of each part.

    Args:
        path: of its .npz.
        frames: that the core sees.
    """

    def __init__(self, path: Path, frames: int) -> None:
        held = np.load(path)
        self.name, self.frames = path.stem, frames
        self.video, self.behaviour, self.counts = (
            torch.as_tensor(held[one], dtype=torch.float32) for one in ("video", "behaviour", "counts")
        )
        self.train, self.validation, self.test = (held[one].tolist() for one in ("train", "validation", "test"))

    def shortened(self, bins: int) -> "Session":
        """The same with the first `bins` bins of the training trials alone; a trial is shown whole or in part."""
        short, n = copy.copy(self), self.counts.shape[1]
        whole, rest = divmod(bins, n)
        short.pieces = [(trial, n) for trial in self.train[:whole]]  # type: ignore[attr-defined]
        short.pieces += [(self.train[whole], rest)] if rest and whole < len(self.train) else []
        return short

    @property
    def mean(self) -> np.ndarray:
        """Mean response of each unit in the pieces that are trained on."""
        return torch.cat([self.counts[trial, :n] for trial, n in self.pieces]).mean(0).numpy()  # type: ignore[attr-defined]

    def piece(self, trial: int, start: int, stop: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Stacked frames and counts of the bins [start, stop) of a trial, with zeros before its start."""
        first = start - self.frames + 1
        video, behaviour = (one[trial, max(first, 0) : stop] for one in (self.video, self.behaviour))
        if first < 0:
            video, behaviour = (torch.cat([one.new_zeros(-first, *one.shape[1:]), one]) for one in (video, behaviour))
        return stacked(video, behaviour, self.frames), self.counts[trial, start:stop]

    def batch(self, items: int, length: int, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Random stretches of the training pieces."""
        lengths = np.array([n for _, n in self.pieces], float)  # type: ignore[attr-defined]
        found = []
        for k in random.choice(len(lengths), items, p=lengths / lengths.sum()):
            trial, n = self.pieces[k]  # type: ignore[attr-defined]
            start = int(random.integers(0, max(n - length, 0) + 1))
            found.append(self.piece(trial, start, min(start + length, n)))
        return torch.cat([one for one, _ in found]), torch.cat([one for _, one in found])


def train(model: Encoder, sessions: list[Session], job: dict, steps: int, rate: float, weights: list) -> float:
    """Steps of AdamW with a cosine; the weights of the best look at the validation trials are kept."""
    random = np.random.default_rng(job["seed"])
    optimiser = torch.optim.AdamW(weights, lr=rate, weight_decay=1e-3)
    course = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.05)
    best, kept = np.inf, copy.deepcopy(model.state_dict())
    model.train()
    for step in range(1, steps + 1):
        one = sessions[int(random.integers(len(sessions)))]
        frames, counts = one.batch(job["batch"], job["length"], random)
        loss = poisson(model(frames, one.name), counts)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        course.step()
        if step % (steps // 8) == 0 or step == steps:
            score = validated(model, sessions)
            if score < best:
                best, kept = score, copy.deepcopy(model.state_dict())
            model.train()
    model.load_state_dict(kept)
    return best


@torch.no_grad()
def validated(model: Encoder, sessions: list[Session]) -> float:
    """Loss on the validation trials."""
    model.eval()
    losses = [
        poisson(model(frames, one.name), counts).item()
        for one in sessions
        for frames, counts in (one.piece(trial, 0, one.counts.shape[1]) for trial in one.validation)
    ]
    return float(np.mean(losses))


@torch.no_grad()
def expected(model: Encoder, one: Session) -> np.ndarray:
    """(trial, time, unit) of the test trials."""
    model.eval()
    n = one.counts.shape[1]
    return np.stack([model(one.piece(trial, 0, n)[0], one.name).numpy() for trial in one.test])


def main(folder: Path) -> None:
    """Everything of a job."""
    job = json.loads((folder / "job.json").read_text())
    torch.set_num_threads(job["threads"])
    every = [Session(folder / f"{name}.npz", job["frames"]) for name in job["animals"]]
    *known, new = every
    bins = new.counts.shape[1]
    known = [one.shortened(bins * len(one.train)) for one in known]
    shape = (job["frames"] + new.behaviour.shape[2], *new.video.shape[2:])
    sizes = {name: job[name] for name in ("channels", "input_kern", "hidden_kern", "layers")}

    def fresh(sessions: list[Session]) -> tuple[Encoder, list]:
        model = Encoder(shape, {one.name: one.mean for one in sessions}, **sizes)
        return model, list(model.parameters())

    tried = []
    for rate in job["rates"]:
        torch.manual_seed(job["seed"])
        model, weights = fresh(known)
        tried.append((train(model, known, job, job["steps"], rate, weights), rate, model))
    _, rate, pretrained = min(tried, key=lambda one: one[0])

    results = {}
    for minutes in job["minutes"]:
        short = new.shortened(min(round(minutes * 60 / job["bin_s"]), bins * len(new.train)))
        torch.manual_seed(job["seed"])
        adapted = copy.deepcopy(pretrained)
        adapted.add(short.name, short.mean)
        adapted.core.requires_grad_(False)
        train(
            adapted,
            [short],
            job,
            job["adapt_steps"],
            job["adapt_rate"],
            list(adapted.readouts[short.name].parameters()),
        )
        scratch, weights = fresh([short])
        train(scratch, [short], job, job["scratch_steps"], rate, weights)
        results |= {f"adapted {minutes:g}": expected(adapted, short), f"scratch {minutes:g}": expected(scratch, short)}
    np.savez(folder / "expected.npz", **results)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
