// The part of wavesurfer.js' timeline plugin that the page uses.

export default class TimelinePlugin {
  static create(options: { height: number; secondaryLabelOpacity: number; style?: Record<string, string> }): object;
}
