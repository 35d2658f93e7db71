// The mixer's arithmetic: what share of the score each part has. Pure functions; nothing here touches the page.
//
// A strip is {value: -1..1, muted, solo, locked}. Shares are signed, and their absolute values add up to 1. A locked strip keeps
// the share it was locked at, whatever the others do: they divide what it leaves among themselves, in the ratio of their values.

export const strip = (value = 0.5) => ({ value, muted: false, solo: false, locked: null });

const sum = (values) => values.reduce((total, value) => total + Math.abs(value), 0);

// The parts that are heard: those soloed, if any is, without those muted.
export function counting(strips) {
  const parts = Object.keys(strips);
  const solo = parts.filter((part) => strips[part].solo);
  return (solo.length ? solo : parts).filter((part) => !strips[part].muted);
}

// {part: signed share} of the parts that count; nothing where all are zero.
export function shares(strips) {
  const parts = counting(strips);
  const free = parts.filter((part) => strips[part].locked === null);
  const kept = Object.fromEntries(parts.filter((part) => !free.includes(part)).map((part) => [part, strips[part].locked]));
  const left = Math.max(0, 1 - sum(Object.values(kept)));
  const total = sum(free.map((part) => strips[part].value));
  const found = { ...kept };
  for (const part of free) if (total) found[part] = (left * strips[part].value) / total;
  const all = sum(Object.values(found));
  const used = Object.entries(found).filter(([, share]) => Math.abs(share) > 1e-6);
  return Object.fromEntries(used.map(([part, share]) => [part, share / all]));
}

// The strips with `part` locked at its present share.
export function lock(strips, part) {
  return { ...strips, [part]: { ...strips[part], locked: shares(strips)[part] ?? 0 } };
}

// The strips with `part` free again, at a value that gives it the share it has.
export function unlock(strips, part) {
  const share = strips[part].locked;
  const free = { ...strips, [part]: { ...strips[part], locked: null } };
  const others = counting(free).filter((other) => other !== part);
  const kept = sum(others.map((other) => free[other].locked ?? 0));
  const loose = others.filter((other) => free[other].locked === null);
  const total = sum(loose.map((other) => free[other].value));
  const room = 1 - kept - Math.abs(share);
  const value = room > 1e-6 && total ? (share * total) / room : share;
  const factor = Math.max(1, Math.abs(value));
  free[part].value = value / factor;
  for (const other of loose) free[other] = { ...free[other], value: free[other].value / factor };
  return free;
}

// The part with the greatest positive share; among equals the last, which is the mix where it is one of them.
export const heaviest = (parts, found) => parts.reduce((best, part) => ((found[part] ?? 0) >= (found[best] ?? 0) - 1e-9 ? part : best));

// Values for strips that order as raw weights do (a learnt profile's): the greatest at the end of its slider.
export function valuesOf(weights, spread) {
  const scaled = Object.entries(weights).map(([part, weight]) => [part, weight * (spread[part] ?? 1)]);
  const most = Math.max(...scaled.map(([, value]) => Math.abs(value)), 0) || 1;
  return Object.fromEntries(scaled.map(([part, value]) => [part, value / most]));
}
