// The part of wavesurfer.js' regions plugin that the page uses.

export interface WaveRegion {
  start: number;
  end: number;
  remove(): void;
}

export default class RegionsPlugin {
  static create(): RegionsPlugin;
  enableDragSelection(options: { color: string }): () => void;
  on(event: "region-created" | "region-updated", listener: (region: WaveRegion) => void): () => void;
  getRegions(): WaveRegion[];
  addRegion(options: { start: number; end: number; color: string }): WaveRegion;
  clearRegions(): void;
}
