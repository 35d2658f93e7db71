// Collections: named lists of sounds in the library. A menu filters by one; selected hits are added to one, or removed from it.

import * as api from "./api.js";
import { $, inputById, make, selectById } from "./dom.js";
import { plural } from "./format.js";
import { showStatus } from "./status.js";

export class Collections {
  /**
   * The number of sounds of each.
   * @type {Record<string, number>}
   */
  counts = {};

  /**
   * selection(): the hits that are collected; onChange: the collection that the list is filtered by has changed.
   * @param {object} options
   * @param {() => Hit[]} options.selection
   * @param {() => unknown} options.onChange
   */
  constructor({ selection, onChange }) {
    this.selection = selection;
    this.onChange = onChange;
  }

  /** The collection that the list is filtered by; "": none. */
  get shown() {
    return selectById("collection").value;
  }

  /** @param {Record<string, number>} counts */
  show(counts) {
    this.counts = counts;
    const menu = selectById("collection");
    const chosen = menu.value;
    const names = Object.keys(counts);
    menu.replaceChildren(new Option("all sounds", ""), ...names.map((name) => new Option(`${name} (${counts[name]})`, name)));
    menu.value = names.includes(chosen) ? chosen : "";
    menu.hidden = !names.length;
    $("collection-names").replaceChildren(...names.map((name) => make("option", { value: name })));
  }

  /** Shows what can be done with the selected hits. */
  showActions() {
    $("uncollect").hidden = !this.shown;
    $("uncollect").textContent = `remove from ${this.shown}`;
    const field = inputById("collection-name");
    if (!field.value) field.value = this.shown || (Object.keys(this.counts).at(-1) ?? "");
  }

  /** Adds the selected hits to the collection whose name was written. */
  async add() {
    const name = inputById("collection-name").value.trim();
    if (!name) throw new Error("write the name of a collection, a new one or one that exists");
    const ids = this.selection().map(({ item }) => item.id);
    await this.change(name, { add: ids });
    showStatus(`${plural(ids.length, "sound")} added to ${name}, which now has ${this.counts[name]}`);
  }

  /** Removes the selected hits from the collection that the list is filtered by. */
  async remove() {
    const name = this.shown;
    await this.change(name, { remove: this.selection().map(({ item }) => item.id) });
    await this.onChange();
  }

  /**
   * @param {string} name
   * @param {{ add?: string[], remove?: string[] }} change
   */
  async change(name, change) {
    const { name: stored, count } = await api.changeCollection(name, change);
    const { [stored]: _, ...others } = this.counts;
    this.show(count ? { ...this.counts, [stored]: count } : others);
  }
}
