// The part of wavesurfer.js that the page uses.

export interface WaveSurferOptions {
  container: string | HTMLElement;
  height: number;
  peaks: number[][];
  duration: number;
  waveColor: string;
  progressColor: string;
  cursorWidth: number;
  normalize: boolean;
  hideScrollbar: boolean;
  plugins: object[];
}

export default class WaveSurfer {
  static create(options: WaveSurferOptions): WaveSurfer;
  on(event: "click", listener: (position: number) => void): () => void;
  on(event: "zoom" | "scroll" | "redraw" | "redrawcomplete", listener: () => void): () => void;
  setOptions(options: Partial<WaveSurferOptions>): void;
  load(url: string, peaks: number[][], duration: number): Promise<void>;
  zoom(pixelsPerSecond: number): void;
  getWrapper(): HTMLElement;
  getScroll(): number;
  setScroll(pixels: number): void;
  destroy(): void;
}
