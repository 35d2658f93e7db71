// Where one sound goes on when it takes over from another. Pure functions; nothing here touches the page.

const ALIKE = 2.1; // tempos further apart than about an octave are not counted as the same beat

// How much faster `from` counts than `to`, by their tempos, folded to the nearest octave; 1 where one is not known.
export function pace(from, to) {
  if (!from?.tempo || !to?.tempo) return 1;
  let found = from.tempo / to.tempo;
  while (found > Math.SQRT2) found /= 2;
  while (found < Math.SQRT1_2) found *= 2;
  return found > 1 / ALIKE && found < ALIKE ? found : 1;
}

// The position (s) in `to` that lies as many beats behind its start as `position` lies behind the start of `from`; as many seconds,
// where a tempo is not known. Past the end of what is compared it begins again, so that the beat is kept.
// A sound here: {start, end, tempo}, seconds and BPM.
export function carried(from, to, position) {
  const length = to.end - to.start;
  const gone = Math.max(0, position - from.start) * pace(from, to);
  return length > 0 ? to.start + (gone % length) : to.start;
}
