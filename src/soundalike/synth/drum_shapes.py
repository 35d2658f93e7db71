"""The voices of the drum families as numbers: what `drums.py` plays.

Frequencies in Hz, decays in seconds for 60 dB, levels linear and relative within a voice.
"""

from __future__ import annotations

from dataclasses import dataclass

VOICES: tuple[str, ...] = (
    "kick",
    "snare",
    "clap",
    "rim",
    "closed_hat",
    "open_hat",
    "low_tom",
    "high_tom",
    "cymbal",
)


@dataclass(frozen=True)
class HitShape:
    """One drum voice as the sum of its sources."""

    length: float
    """Longest duration in seconds."""
    sweep: tuple[float, float, float, float, float] | None = None
    """A falling sine: (start Hz, end Hz, time constant s, decay s, level)."""
    modes: tuple[tuple[float, float, float], ...] = ()
    """Steady modes: (Hz, level, decay s)."""
    noises: tuple[tuple[float, float, float, float, float], ...] = ()
    """Bands of noise: (low Hz, high Hz, level, decay s, attack s)."""
    bursts: tuple[float, ...] = ()
    """Times in seconds at which the first band is struck again, shortly (the hands of a clap)."""
    metal: tuple[float, float, int, float, float] | None = None
    """A cloud of inharmonic modes: (low Hz, high Hz, how many, level, decay s)."""
    drive: float = 0.0


_ACOUSTIC = {
    "kick": HitShape(
        0.55,
        sweep=(140.0, 56.0, 0.018, 0.42, 1.0),
        modes=((88.0, 0.35, 0.25), (152.0, 0.18, 0.15), (236.0, 0.1, 0.1)),
        noises=((2000.0, 5500.0, 0.30, 0.03, 0.0003), (150.0, 700.0, 0.18, 0.08, 0.001)),
    ),
    "snare": HitShape(
        0.5,
        sweep=(240.0, 186.0, 0.02, 0.22, 0.6),
        modes=(
            (282.0, 0.3, 0.2),
            (331.0, 0.25, 0.16),
            (429.0, 0.2, 0.13),
            (520.0, 0.14, 0.1),
            (688.0, 0.1, 0.09),
        ),
        noises=((1500.0, 9500.0, 0.75, 0.30, 0.0005), (350.0, 1500.0, 0.3, 0.14, 0.0005)),
    ),
    "clap": HitShape(0.4, noises=((850.0, 4200.0, 0.6, 0.22, 0.0005),), bursts=(0.011, 0.019, 0.03)),
    "rim": HitShape(
        0.2,
        modes=((420.0, 0.5, 0.09), (1130.0, 0.7, 0.07), (1720.0, 0.8, 0.05), (2950.0, 0.4, 0.04)),
        noises=((2500.0, 8000.0, 0.25, 0.03, 0.0003),),
    ),
    "closed_hat": HitShape(
        0.16, noises=((7500.0, 17000.0, 0.6, 0.09, 0.0004),), metal=(3200.0, 13000.0, 60, 1.0, 0.12)
    ),
    "open_hat": HitShape(0.9, noises=((7000.0, 17000.0, 0.5, 0.65, 0.0006),), metal=(3200.0, 13000.0, 60, 1.0, 1.0)),
    "low_tom": HitShape(
        0.75,
        sweep=(132.0, 92.0, 0.05, 0.62, 1.0),
        modes=((147.0, 0.32, 0.35), (197.0, 0.2, 0.25), (268.0, 0.12, 0.2)),
        noises=((1200.0, 5000.0, 0.12, 0.05, 0.0004),),
    ),
    "high_tom": HitShape(
        0.6,
        sweep=(225.0, 158.0, 0.045, 0.46, 1.0),
        modes=((252.0, 0.3, 0.28), (338.0, 0.2, 0.2), (460.0, 0.12, 0.15)),
        noises=((1500.0, 6000.0, 0.14, 0.05, 0.0004),),
    ),
    "cymbal": HitShape(2.4, noises=((4500.0, 16000.0, 0.55, 1.5, 0.001),), metal=(400.0, 12500.0, 160, 1.0, 2.6)),
}

_EIGHT = {
    "kick": HitShape(
        1.4, sweep=(110.0, 48.0, 0.02, 1.1, 1.0), noises=((1500.0, 4000.0, 0.06, 0.012, 0.0003),), drive=0.2
    ),
    "snare": HitShape(
        0.35, modes=((178.0, 0.9, 0.2), (331.0, 0.55, 0.13)), noises=((2200.0, 12000.0, 0.5, 0.16, 0.0005),)
    ),
    "clap": HitShape(0.55, noises=((780.0, 1700.0, 0.8, 0.34, 0.0005),), bursts=(0.01, 0.02, 0.03)),
    "rim": HitShape(0.12, modes=((455.0, 0.6, 0.05), (1667.0, 1.0, 0.05)), drive=2.0),
    "closed_hat": HitShape(
        0.12, noises=((8500.0, 14000.0, 0.12, 0.06, 0.0004),), metal=(6500.0, 11500.0, 14, 1.0, 0.085)
    ),
    "open_hat": HitShape(0.8, noises=((8500.0, 14000.0, 0.1, 0.4, 0.0005),), metal=(6500.0, 11500.0, 14, 1.0, 0.75)),
    "low_tom": HitShape(0.6, sweep=(112.0, 82.0, 0.04, 0.5, 1.0), noises=((200.0, 900.0, 0.06, 0.2, 0.001),)),
    "high_tom": HitShape(0.5, sweep=(215.0, 166.0, 0.035, 0.36, 1.0), noises=((300.0, 1200.0, 0.06, 0.16, 0.001),)),
    "cymbal": HitShape(1.6, noises=((6000.0, 13000.0, 0.12, 0.8, 0.001),), metal=(2400.0, 9500.0, 22, 1.0, 1.7)),
}

_NINE = {
    "kick": HitShape(
        0.5, sweep=(245.0, 52.0, 0.026, 0.38, 1.0), noises=((1800.0, 7000.0, 0.22, 0.016, 0.0002),), drive=1.2
    ),
    "snare": HitShape(
        0.32,
        sweep=(300.0, 188.0, 0.012, 0.13, 0.8),
        modes=((284.0, 0.35, 0.1),),
        noises=((1000.0, 15000.0, 0.8, 0.21, 0.0003),),
        drive=0.6,
    ),
    "clap": HitShape(0.35, noises=((1000.0, 3000.0, 0.8, 0.18, 0.0004),), bursts=(0.01, 0.021, 0.031), drive=0.5),
    "rim": HitShape(0.1, modes=((220.0, 0.6, 0.03), (500.0, 1.0, 0.035), (950.0, 0.7, 0.03)), drive=4.0),
    "closed_hat": HitShape(
        0.11, noises=((9000.0, 18500.0, 0.9, 0.07, 0.0002),), metal=(4500.0, 15500.0, 40, 0.7, 0.08)
    ),
    "open_hat": HitShape(0.6, noises=((8000.0, 18500.0, 0.8, 0.5, 0.0003),), metal=(4500.0, 15500.0, 40, 0.7, 0.6)),
    "low_tom": HitShape(
        0.5, sweep=(170.0, 98.0, 0.06, 0.42, 1.0), noises=((400.0, 3000.0, 0.1, 0.07, 0.0003),), drive=0.8
    ),
    "high_tom": HitShape(
        0.42, sweep=(300.0, 176.0, 0.05, 0.34, 1.0), noises=((500.0, 4000.0, 0.1, 0.06, 0.0003),), drive=0.8
    ),
    "cymbal": HitShape(1.5, noises=((5000.0, 18000.0, 0.9, 1.1, 0.0005),), metal=(2500.0, 15000.0, 60, 0.6, 1.4)),
}

_LOFI = {
    "kick": HitShape(0.4, sweep=(118.0, 63.0, 0.03, 0.3, 1.0), noises=((600.0, 2400.0, 0.2, 0.04, 0.0008),), drive=1.4),
    "snare": HitShape(
        0.35,
        sweep=(232.0, 204.0, 0.02, 0.16, 0.7),
        modes=((352.0, 0.4, 0.14), (470.0, 0.25, 0.1)),
        noises=((700.0, 4200.0, 0.8, 0.2, 0.001),),
        drive=1.2,
    ),
    "clap": HitShape(0.3, noises=((600.0, 2300.0, 0.8, 0.17, 0.001),), bursts=(0.013, 0.024), drive=0.8),
    "rim": HitShape(
        0.12, modes=((640.0, 1.0, 0.06), (1250.0, 0.7, 0.05)), noises=((900.0, 3000.0, 0.2, 0.03, 0.0005),)
    ),
    "closed_hat": HitShape(0.14, noises=((3800.0, 7500.0, 0.8, 0.075, 0.0008),), metal=(2800.0, 6500.0, 20, 0.6, 0.08)),
    "open_hat": HitShape(0.5, noises=((3600.0, 7500.0, 0.7, 0.4, 0.001),), metal=(2800.0, 6500.0, 20, 0.6, 0.45)),
    "low_tom": HitShape(
        0.45, sweep=(140.0, 104.0, 0.05, 0.34, 1.0), noises=((300.0, 1800.0, 0.18, 0.09, 0.001),), drive=0.9
    ),
    "high_tom": HitShape(
        0.4, sweep=(240.0, 182.0, 0.05, 0.28, 1.0), noises=((400.0, 2200.0, 0.18, 0.08, 0.001),), drive=0.9
    ),
    "cymbal": HitShape(1.1, noises=((2600.0, 7500.0, 0.8, 0.9, 0.002),), metal=(900.0, 6500.0, 40, 0.6, 1.1)),
}

FAMILIES: dict[str, dict[str, HitShape]] = {"acoustic": _ACOUSTIC, "808": _EIGHT, "909": _NINE, "lofi": _LOFI}
