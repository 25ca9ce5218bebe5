/** How a run is disturbed: each in its own way, since what finds one mistake hides another. */
import type { Random } from "../raft/random.ts";

export interface Climate {
  /** How often a client asks for something, each 60 ms. In calm runs no board has more to tell than it can keep. */
  readonly pace: number;
  /** Datagrams lost, one of which at a time. */
  readonly losses: readonly number[];
  readonly doubled: number;
  /** Datagrams that are late; one of eight of them by up to 20 s. */
  readonly late: number;
  /** Of each board, each 900 ms. */
  readonly powerCut: number;
  readonly offMsMax: number;
  /** At each of three moments of a writing. */
  readonly keepFault: number;
  /** That a board that is linked to a host gets what is new of the log, each 200 ms. */
  readonly sync: number;
  /** Each 250 ms. */
  readonly groupChange: number;
}

export function climateOf(random: Random): Climate {
  return {
    pace: random.pick([0.01, 0.05, 0.2]),
    losses: random.pick([
      [0, 0, 0.1, 0.3],
      [0.3, 0.5],
    ]),
    doubled: random.pick([0.05, 0.4]),
    late: random.pick([0.1, 0.1, 0.5]),
    powerCut: random.pick([0.02, 0.05, 0.4]),
    offMsMax: random.pick([300, 8_000]),
    keepFault: random.pick([0.004, 0.004, 0.04]),
    sync: random.pick([1, 0.5, 0.1]),
    groupChange: random.pick([0.01, 0.03, 0.15]),
  };
}
