"""What is measured of a whole recording while it is decoded segment by segment: duration, loudness, overview."""

from __future__ import annotations

from soundalike.audio.metadata.loudness import LoudnessMeter, estimate_loudness
from soundalike.audio.waveform import Waveform
from soundalike.audio.waveform_overview import (
    OVERSAMPLING,
    OVERVIEW_POINTS,
    Overview,
    join_overviews,
    waveform_overview,
)


class AudioSummary:
    """Loudness and waveform overview of a recording, from its segments in order.

    A recording of one segment is measured as a whole. Segments may overlap (by the context that a separator needs): what
    the overview sees twice changes nothing, and the loudness counts each sample once.
    """

    def __init__(self, points: int = OVERVIEW_POINTS) -> None:
        """`points`: length of the overview."""
        self._points = points
        self._only: tuple[Waveform, float] | None = None  # the first segment, until there is a second
        self._overviews: list[tuple[float, float, Overview]] = []
        self._meter: LoudnessMeter | None = None
        self._measured = 0  # samples that the meter has heard
        self.duration = 0.0
        """Seconds up to the end of the last segment."""

    def add(self, waveform: Waveform, offset: float) -> None:
        """Measure a segment that begins `offset` s into the recording."""
        if self._meter is None and self._only is None:
            self._only = waveform, offset
        else:
            if self._only is not None:
                self._measure(*self._only)
                self._only = None
            self._measure(waveform, offset)
        self.duration = (round(offset * waveform.sample_rate) + waveform.samples.shape[1]) / waveform.sample_rate

    def loudness(self) -> float | None:
        """Integrated loudness in LUFS, see `estimate_loudness`; None for silence and for nothing."""
        if self._only is not None:
            return estimate_loudness(self._only[0])
        return None if self._meter is None else self._meter.integrated()

    def overview(self) -> Overview:
        """(points, 2): see `waveform_overview`."""
        if self._only is not None:
            return waveform_overview(self._only[0].samples, self._points)
        return join_overviews(self._overviews, self._points)

    def _measure(self, waveform: Waveform, offset: float) -> None:
        fine = waveform_overview(waveform.samples, OVERSAMPLING * self._points)
        self._overviews.append((offset, offset + waveform.duration, fine))
        self._meter = self._meter or LoudnessMeter(waveform.sample_rate)
        first = round(offset * waveform.sample_rate)
        self._meter.add(waveform.samples[:, max(0, self._measured - first) :])
        self._measured = max(self._measured, first + waveform.samples.shape[1])
