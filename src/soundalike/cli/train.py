"""`soundalike train`: train the systems that the paper compares with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from soundalike.cli.common import device_option
from soundalike.cli.lazy_group import LazyGroup

if TYPE_CHECKING:
    from soundalike.research.baselines.training_options import TrainingOptions

F = TypeVar("F", bound=Callable[..., Any])


@click.group(
    "train",
    cls=LazyGroup,
    commands_at={
        "dcsn": "soundalike.cli.train:dcsn_command",
        "cascade": "soundalike.cli.train:cascade_command",
        "cascade-paft": "soundalike.cli.train_paft",
    },
    short_help="Train the systems that the paper compares with.",
    epilog="""\b
Examples:
  soundalike train dcsn --slakh slakh2100_flac_redux --estimate
  soundalike train cascade --slakh slakh2100_flac_redux --device cuda
  soundalike train cascade-paft --slakh slakh2100_flac_redux --answers Inst-Sim-ABX
  soundalike reproduce --answers Inst-Sim-ABX --slakh slakh2100_flac_redux --encoder dcsn --encoder cascade""",
)
def command() -> None:
    """Train D-CSN and Cascade, re-implemented from their papers, on Slakh2100 (docs/training.md)."""


def training_options(function: F) -> F:
    """Add the options that all trainings have."""
    options = [
        click.option(
            "--slakh",
            required=True,
            type=click.Path(path_type=Path),
            help="Folder of Slakh2100 with train and validation.",
        ),
        click.option(
            "--out",
            type=click.Path(path_type=Path),
            help="Folder of the trained file, the state and the curves.  [default: where the encoder is loaded from]",
        ),
        click.option(
            "--part", "parts", multiple=True, metavar="PART", help="Part to train; repeatable.  [default: all]"
        ),
        click.option(
            "--width",
            type=float,
            default=1.0,
            show_default=True,
            help="Factor of all numbers of channels; 1: the paper's.",
        ),
        click.option("--clip", type=float, help="Length of the segments in seconds.  [default: the paper's]"),
        click.option("--batch", type=int, default=64, show_default=True, help="Triplets in each step."),
        click.option("--rate", type=float, help="Learning rate.  [default: the paper's]"),
        click.option(
            "--schedule",
            type=click.Choice(["constant", "cosine"]),
            default="constant",
            show_default=True,
            help="The learning rate of each stage: the same throughout, or down to 0 along half a cosine.",
        ),
        click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Random seed."),
        click.option("--memory", metavar="SIZE", help="Memory for decoded segments, such as 8GB.  [default: 2GB]"),
        click.option("--threads", type=click.IntRange(min=1), help="Threads on a CPU.  [default: all cores]"),
        click.option("--estimate", is_flag=True, help="Print what the training would take, and do not train."),
        device_option,
    ]
    for option in reversed(options):
        function = option(function)
    return function


_pseudo_option = click.option(
    "--pseudo", type=float, default=0.5, show_default=True, help="Share of triplets with pseudo-mixtures."
)
_recombine_option = click.option(
    "--recombine",
    is_flag=True,
    help="Use all triplets among mixtures whose parts come from a few tracks: not the paper's, but learns faster.",
)
_invariance_option = click.option(
    "--invariance",
    type=float,
    default=0.0,
    show_default=True,
    help="Weight of a loss, with --recombine, that keeps a part's vector the same whatever else is heard; 0: not used.",
)
_STEPS = 20_000


@click.command("dcsn", short_help="Train D-CSN, which hears the mixture.")
@training_options
@click.option("--steps", type=int, default=_STEPS, show_default=True, help="Number of steps.")
@_pseudo_option
@_recombine_option
@_invariance_option
def dcsn_command(**arguments: Any) -> None:
    """Train D-CSN: one network that hears the mixture, with a subspace for each instrument.

    An interrupted training continues when the same command is run again.
    """
    run_training("dcsn", **arguments)


@click.command("cascade", short_help="Train Cascade, which separates first.")
@training_options
@click.option("--steps", type=int, default=_STEPS, show_default=True, help="Steps of each network by itself.")
@click.option("--joint-steps", type=int, default=4_000, show_default=True, help="Steps of each part end to end.")
@click.option(
    "--joint-scale", type=float, default=1.0, show_default=True, help="Factor of the paper's learning rates end to end."
)
@_pseudo_option
@_recombine_option
@_invariance_option
def cascade_command(**arguments: Any) -> None:
    """Train Cascade: for each instrument a network that separates it and one that embeds it, then both end to end.

    An interrupted training continues when the same command is run again.
    """
    run_training("cascade", **arguments)


def run_training(system: str, *, estimate: bool, **arguments: Any) -> None:
    """Train a system with the arguments of its command."""
    options = make_options(system, **arguments)
    from soundalike.cli.clip_progress import ClipProgress
    from soundalike.research.baselines.training import check_space, prepare_training, train
    from soundalike.research.baselines.training import estimate as estimate_training

    with ClipProgress() as progress:
        prepared = prepare_training(options, progress.callbacks)
        estimated = estimate_training(prepared)
        progress.show_message(describe_estimate(estimated))
        check_space(options.out, estimated.disk)
        if not estimate:
            path = train(prepared)
            progress.show_message(f"trained; losses by step: {options.out / 'curves.jsonl'}")
    if not estimate:
        print(path)


def make_options(system: str, **arguments: Any) -> TrainingOptions:
    """The options of a training. Raises InputError for invalid values, or if torch is not installed."""
    from soundalike.config import MEMORY, Runtime, parse_bytes, require_extra

    require_extra("train", "training")
    from soundalike.research.baselines.training import default_folder
    from soundalike.research.baselines.training_options import TrainingOptions

    runtime = Runtime(arguments.pop("device"), threads=arguments.pop("threads"))
    memory, out = arguments.pop("memory"), arguments.pop("out")
    return TrainingOptions(
        system,
        out=out or default_folder(system),
        parts=tuple(arguments.pop("parts")) or None,
        memory=MEMORY if memory is None else parse_bytes(memory),
        runtime=runtime,
        **arguments,
    )


def describe_estimate(estimated: Any) -> str:
    """One line about time, memory and disk."""
    from soundalike.research.reproduce.slakh_vectors import format_duration

    memory = f"{estimated.memory / 2**30:.1f} GiB of memory, " if estimated.memory else ""
    return (
        f"about {format_duration(estimated.seconds)} from start to end, {memory}{estimated.disk / 2**20:.0f} MiB on disk, "
        "estimated from a few steps of each stage"
    )
