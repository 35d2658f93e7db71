// The filters above the list, as the server takes them.

import { $ } from "./dom.js";
import { FILTERS } from "./link.js";
import { range } from "./words.js";

const AROUND = 0.04; // "120" stands for 4 % to both sides: what a DJ's pitch fader or a DAW stretches unheard

// As they stand in their fields.
export const written = () => ({
  ...Object.fromEntries(FILTERS.map((name) => [name, $(name).value])),
  favourite: $("favourites-only").getAttribute("aria-pressed") === "true",
});

export function write(filters) {
  for (const name of FILTERS) $(name).value = filters[name] ?? "";
  $("favourites-only").setAttribute("aria-pressed", String(Boolean(filters.favourite)));
}

// As the server takes them; raises Error, naming the field, for what is no filter.
export function asked(kind) {
  const { tempo, key, length, path, favourite } = written();
  const found = { kinds: [kind] };
  for (const name of FILTERS) $(name).removeAttribute("aria-invalid");
  const checked = (name, read) => {
    try {
      return read();
    } catch (error) {
      $(name).setAttribute("aria-invalid", "true");
      throw error;
    }
  };
  found.tempo = checked("tempo", () => range(tempo, "tempo", AROUND));
  found.duration = checked("length", () => range(length, "seconds"));
  found.key = key.trim() || null;
  found.path = path.trim() || null;
  if (favourite) found.favourite = true;
  return found;
}

export const any = () => Object.values(written()).some(Boolean);
