// The part of wavesurfer.js' minimap plugin that the page uses.

export default class MinimapPlugin {
  static create(options: {
    container: string;
    height: number;
    overlayColor: string;
    waveColor: string;
    progressColor: string;
    cursorWidth: number;
  }): object;
}
