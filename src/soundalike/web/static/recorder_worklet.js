// Hands what comes in to the page in pieces of some 4,096 samples a channel.

class Tap extends AudioWorkletProcessor {
  constructor() {
    super();
    this.kept = [];
  }

  process([channels]) {
    if (!channels.length) return true;
    this.kept.push(channels.map((samples) => samples.slice()));
    if (this.kept.length === 32) {
      const count = Math.min(...this.kept.map((piece) => piece.length));
      this.port.postMessage(
        Array.from({ length: count }, (_, c) => {
          const whole = new Float32Array(32 * 128);
          this.kept.forEach((piece, n) => whole.set(piece[c], 128 * n));
          return whole;
        }),
      );
      this.kept = [];
    }
    return true;
  }
}

registerProcessor("tap", Tap);
