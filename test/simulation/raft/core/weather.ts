import type { MemberId } from "../../../../protocols/raft/types.ts";
import type { Random } from "../random.ts";
import type { Recurring, Schedule } from "../schedule.ts";
import { drawSteps } from "../schedule.ts";

export const hosts = ["a", "b", "c"];
export const votingBoards = ["n", "s", "e"];
export const learners = ["w", "x"];

/** `noise`: the network loses, repeats and delays for a while. */
export type CoreStep =
  | "propose"
  | "change"
  | "transfer"
  | "compact"
  | "crash"
  | "blackout"
  | "cut"
  | "noise"
  | "forge"
  | "forget";

export type CoreSchedule = Schedule<CoreWeather, CoreStep>;

export const faultsEndMs = 6_000;
export const proposalsEndMs = 7_500;
/** By now all must agree. */
export const endMs = 11_500;

/**
 * How bad the world is, drawn anew for each seed: a mixture that always contains a little of everything finds less than worlds
 * that are each bad in their own way (Groce et al., "Swarm Testing", 2012).
 */
export interface CoreWeather {
  readonly loss: number;
  readonly repeat: number;
  readonly slow: number;
  readonly slowMsMax: number;
  readonly syncMsMax: number;
  readonly downMsMax: number;
  /** The most time between two steps of a kind; Infinity for never. */
  readonly crashEveryMs: number;
  readonly blackoutEveryMs: number;
  readonly cutEveryMs: number;
  readonly noiseEveryMs: number;
  readonly proposeEveryMs: number;
  readonly changeEveryMs: number;
  readonly transferEveryMs: number;
  readonly compactEveryMs: number;
  /** Somebody publishes what no leader did. Then no learner is promoted, because who may speak is not Raft's business. */
  readonly forgeEveryMs: number;
  /** A board loses its flash and comes back as a new member. */
  readonly forgetEveryMs: number;
  readonly leaderCrashShare: number;
  /** Mostly as the product has them; without, there are many more elections. */
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  readonly jointShare: number;
  /** Whether hosts too lose their vote: then those that keep it may all lack what the boards hold. */
  readonly losesHosts: boolean;
  /** What commands carry besides: with much of it a snapshot takes several chunks. */
  readonly paddingBytes: number;
  /** Whether learners listen to publications; else each is replicated to. */
  readonly listens: boolean;
  /** Who votes at first; the fewer, the closer every majority is to breaking. */
  readonly voters: readonly MemberId[];
}

function drawWeather(random: Random): CoreWeather {
  const never = Infinity;
  return {
    loss: random.pick([0.02, 0.1, 0.3]),
    repeat: random.pick([0, 0.03, 0.2]),
    slow: random.pick([0, 0.05, 0.3]),
    slowMsMax: random.pick([50, 400]),
    syncMsMax: random.pick([0, 12, 60]),
    downMsMax: random.pick([5, 60, 500]),
    crashEveryMs: random.pick([60, 250, 1000]),
    blackoutEveryMs: random.pick([never, 1500, 4000]),
    cutEveryMs: random.pick([100, 300, 1000]),
    noiseEveryMs: random.pick([never, 500, 1500]),
    proposeEveryMs: random.pick([10, 30, 150]),
    changeEveryMs: random.pick([100, 400, 1500]),
    transferEveryMs: random.pick([never, 200, 1000]),
    compactEveryMs: random.pick([never, 50, 300]),
    forgeEveryMs: random.pick([never, never, 50]),
    forgetEveryMs: random.pick([never, never, 1500]),
    leaderCrashShare: random.pick([0, 0.5]),
    preVote: random.chance(0.75),
    checkQuorum: random.chance(0.75),
    jointShare: random.pick([0, 0.5, 0.9]),
    losesHosts: random.chance(0.3),
    listens: random.chance(0.8),
    paddingBytes: random.pick([0, 0, 400]),
    voters: random.pick([[...hosts, ...votingBoards], ["a", "b", ...votingBoards], ["a", "b", "n"], hosts]),
  };
}

/** `given` in place of what would be drawn. */
export function drawCoreSchedule(
  seed: number,
  random: Random,
  given: Partial<CoreWeather> = {},
): CoreSchedule {
  const weather = { ...drawWeather(random), ...given };
  const recurring: Recurring<CoreStep>[] = [];
  const add = (what: CoreStep, mostMs: number, untilMs = faultsEndMs) => {
    if (mostMs < Infinity) recurring.push({ what, everyMs: [Math.ceil(mostMs / 10), mostMs], untilMs });
  };
  add("propose", weather.proposeEveryMs, proposalsEndMs);
  add("compact", weather.compactEveryMs, proposalsEndMs);
  add("crash", weather.crashEveryMs);
  add("blackout", weather.blackoutEveryMs);
  add("cut", weather.cutEveryMs);
  add("noise", weather.noiseEveryMs);
  add("change", weather.changeEveryMs);
  add("transfer", weather.transferEveryMs);
  add("forge", weather.forgeEveryMs);
  add("forget", weather.forgetEveryMs);
  return { seed, weather, steps: drawSteps(random, recurring), faultsEndMs };
}
