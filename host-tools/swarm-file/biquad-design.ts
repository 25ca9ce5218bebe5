/** Second-order filters of a frequency: the formulae of Robert Bristow-Johnson's Audio EQ Cookbook (W3C Note, 2021). */
import type { Stage } from "../../protocols/pipeline/stage.ts";

/** Lets through what is slower than `hz`; with q = √½ a Butterworth filter. */
export function lowpass(hz: number, rateHz: number, q: number): Stage {
  const { cos, alpha } = angle(hz, rateHz, q);
  return section([(1 - cos) / 2, 1 - cos, (1 - cos) / 2], cos, alpha);
}

/** Lets through what is quicker than `hz`. */
export function highpass(hz: number, rateHz: number, q: number): Stage {
  const { cos, alpha } = angle(hz, rateHz, q);
  return section([(1 + cos) / 2, -(1 + cos), (1 + cos) / 2], cos, alpha);
}

function angle(hz: number, rateHz: number, q: number) {
  const w0 = (2 * Math.PI * hz) / rateHz;
  return { cos: Math.cos(w0), alpha: Math.sin(w0) / (2 * q) };
}

function section(b: readonly [number, number, number], cos: number, alpha: number): Stage {
  const a0 = 1 + alpha;
  return {
    op: "biquad",
    b0: b[0] / a0,
    b1: b[1] / a0,
    b2: b[2] / a0,
    a1: (-2 * cos) / a0,
    a2: (1 - alpha) / a0,
  };
}
