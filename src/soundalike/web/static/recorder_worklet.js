// Runs in the audio thread: sends the input to the page in blocks of 4,096 samples for each channel.

const QUANTUM = 128; // samples for each call of process()
const QUANTA = 32; // for each block

class RecorderProcessor extends AudioWorkletProcessor {
  /** @type {Float32Array[][]} */
  quanta = [];

  /** @param {Float32Array[][]} inputs */
  process([channels]) {
    if (!channels.length) return true;
    this.quanta.push(channels.map((samples) => samples.slice()));
    if (this.quanta.length === QUANTA) {
      const count = Math.min(...this.quanta.map((quantum) => quantum.length));
      const block = Array.from({ length: count }, (_, c) => {
        const samples = new Float32Array(QUANTA * QUANTUM);
        this.quanta.forEach((quantum, n) => samples.set(quantum[c], QUANTUM * n));
        return samples;
      });
      this.port.postMessage(block);
      this.quanta = [];
    }
    return true;
  }
}

registerProcessor("recorder", RecorderProcessor);
