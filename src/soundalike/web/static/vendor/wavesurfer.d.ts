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
  plugins: object[];
}

export default class WaveSurfer {
  static create(options: WaveSurferOptions): WaveSurfer;
  on(event: "click", listener: (position: number) => void): () => void;
  setOptions(options: Partial<WaveSurferOptions>): void;
  destroy(): void;
}
