"""`soundalike train cascade-paft`: tune a trained Cascade to answers of listeners."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from soundalike.cli.common import device_option


@click.command("cascade-paft", short_help="Tune a trained Cascade to answers of listeners.")
@click.option(
    "--slakh",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of Slakh2100 with all tracks of the answers.",
)
@click.option("--answers", required=True, type=click.Path(path_type=Path), help="Folder of Inst-Sim-ABX.")
@click.option(
    "--from",
    "base",
    type=click.Path(path_type=Path),
    help="The trained Cascade.  [default: that of the encoder cascade]",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of the results.  [default: where the encoder is loaded from]"
)
@click.option(
    "--held-out", type=float, default=0.3, show_default=True, help="Share of the tracks whose answers are not used."
)
@click.option("--cut-off", type=float, default=0.75, show_default=True, help="Lowest agreement of the triplets used.")
@click.option("--steps", type=int, default=1_000, show_default=True, help="Steps for each part.")
@click.option("--batch", type=int, default=64, show_default=True, help="Triplets in each step.")
@click.option(
    "--preferences", type=int, help="Triplets of answers in each step, beside those of --batch.  [default: as many]"
)
@click.option(
    "--fix-separator",
    is_flag=True,
    help="Tune the embedding networks alone: the clips of the answers are separated once, a step takes less time.",
)
@click.option("--scale", type=float, default=1.0, show_default=True, help="Factor of the rates of training end to end.")
@click.option(
    "--schedule",
    type=click.Choice(["constant", "cosine"]),
    default="constant",
    show_default=True,
    help="The rates for each part: the same throughout, or down to 0 along half a cosine.",
)
@click.option(
    "--weight",
    type=float,
    default=1.0,
    show_default=True,
    help="Weight of the answers beside the losses of the training; 0: train on without them, as a control.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Random seed.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads on a CPU.  [default: all cores]")
@device_option
def command(device: str, threads: int | None, out: Path | None, **arguments: Any) -> None:
    """Tune a trained Cascade to what listeners answered about single parts (PAFT).

    `soundalike reproduce --encoder cascade-paft` evaluates it on triplets of the held-out tracks alone.
    """
    from soundalike.config import Runtime, require_extra

    require_extra("train", "training")
    from soundalike.cli.clip_progress import ClipProgress
    from soundalike.research.baselines.preference_tuning import NAME, TuningOptions, tune
    from soundalike.research.baselines.training import default_folder

    options = TuningOptions(out=out or default_folder(NAME), runtime=Runtime(device, threads=threads), **arguments)
    with ClipProgress() as progress:
        path = tune(options, progress.callbacks)
    print(path)
