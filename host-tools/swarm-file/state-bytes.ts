/** What the state of pipelines takes on a board: the numbers that stages hold, eight bytes each. */
import type { Stage } from "../../protocols/pipeline/stage.ts";

/** Of one pipeline. */
export const pipelineStateBytesMax = 2_048;

/** Of all pipelines of a board: a twelfth of its heap. */
export const boardStateBytesMax = 8_192;

/** Of a block that is being filled, and what packs it. */
export const batchStateBytes = 704;

/** Of what is kept of a metric for queries: thirteen slots of seven numbers and 32 bins of two bytes. */
export const keptStateBytes = 13 * (7 * 8 + 32 * 2);

const numberBytes = 8;

export function stageStateBytes(stage: Stage): number {
  return numbersHeld(stage) * numberBytes;
}

function numbersHeld(stage: Stage): number {
  switch (stage.op) {
    case "polynomial":
    case "table":
    case "clamp":
    case "range":
      return 0;
    case "ewma":
    case "throttle":
    case "hysteresis":
      return 1;
    case "deadband":
    case "stuck":
    case "biquad":
    case "heartbeat":
    case "derivative":
      return 2;
    case "debounce":
      return 3;
    case "mean":
    case "cusum":
      return 4;
    case "integral":
      return 4;
    case "goertzel":
      return 5;
    case "kalman":
      return stage.model === "level" ? 3 : 6;
    case "session":
      return 2 + (stage.statistic === "percentile" ? 11 : 5);
    case "spectrum":
      // Of half the size.
      return stage.count / 2 + 3;
    case "anomaly":
      return 61;
    case "median":
    case "hampel":
      // In order, and in the order of arrival; how many, and where the next goes.
      return 2 * stage.count + 2;
    case "average":
      return stage.count + 3;
    case "fir":
      return stage.coefficients.length + 1;
    case "tumbling":
      return 4 + (stage.statistic === "percentile" ? 11 : 5);
    case "sliding": {
      const { by, samples, statistic } = stage;
      const times = by === "time" || statistic === "slope" ? samples : 0;
      return 5 + samples + times + (statistic === "percentile" ? samples : 5);
    }
  }
}
