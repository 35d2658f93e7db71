// The part of wavesurfer.js' zoom plugin that the page uses.

export default class ZoomPlugin {
  static create(options: { exponentialZooming: boolean; maxZoom: number; iterations: number }): object;
}
