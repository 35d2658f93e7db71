// The part of signalsmith-stretch that the page uses.

interface StretchNode extends AudioWorkletNode {
  addBuffers(channels: Float32Array[]): Promise<number>;
  schedule(change: { active: boolean; input: number; output: number; rate: number; semitones: number }): Promise<void>;
}

declare const SignalsmithStretch: {
  (context: BaseAudioContext, options: AudioWorkletNodeOptions): Promise<StretchNode>;
  moduleUrl?: string;
};

export default SignalsmithStretch;
