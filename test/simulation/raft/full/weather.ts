import { Random } from "../random.ts";
import type { Recurring, Schedule } from "../schedule.ts";
import { drawSteps } from "../schedule.ts";

export type FullStep =
  | "operate"
  | "crash-host"
  | "crash-board"
  | "blackout"
  | "cut"
  | "noise"
  | "slow-disk"
  | "transfer"
  | "voters"
  | "lose-flash"
  | "lose-disk"
  | "hostility"
  | "forge"
  | "revoke"
  | "drain";

export type FullSchedule = Schedule<FullWeather, FullStep>;

export const faultsEndMs = 25_000;
/** By so long after the last fault all must agree. */
export const convergeMs = 90_000;

/** How the world is and how bad, drawn anew for each seed; see `core/weather.ts`. */
export interface FullWeather {
  readonly hosts: readonly string[];
  readonly boards: readonly string[];
  /** Names of the boards that shall vote. */
  readonly voters: readonly string[];
  readonly clients: number;
  readonly keys: number;
  readonly loss: number;
  readonly repeat: number;
  readonly slow: number;
  readonly slowMsMax: number;
  readonly syncMsMax: number;
  readonly slowSyncMsMax: number;
  readonly downMsMax: number;
  /** Clocks run faster or slower by up to this share. */
  readonly drift: number;
  /** The most time between two steps of a kind; Infinity for never. */
  readonly operateEveryMs: number;
  readonly crashHostEveryMs: number;
  readonly crashBoardEveryMs: number;
  readonly blackoutEveryMs: number;
  readonly cutEveryMs: number;
  readonly noiseEveryMs: number;
  readonly slowDiskEveryMs: number;
  readonly transferEveryMs: number;
  readonly votersEveryMs: number;
  readonly loseFlashEveryMs: number;
  readonly loseDiskEveryMs: number;
  /** Times in which whoever is between boards and hosts does to messages what it likes. */
  readonly hostilityEveryMs: number;
  /** Share of messages then. */
  readonly hostilityShare: number;
  /** One host speaks in the name of another. */
  readonly forgeEveryMs: number;
  /** A board or a host belongs no more; at most two in a run. */
  readonly revokeEveryMs: number;
  /** Names of boards that sleep most of the time, as long as they do not vote. */
  readonly sleepers: readonly string[];
  /** How many are shared out among the boards. */
  readonly tasks: number;
  /** Boards are to be given none, or may again. */
  readonly drainEveryMs: number;
  /** Of the clients' writes, those by draft. */
  readonly draftShare: number;
  /** Of adoptions, those during which a board loses its power; and those after which the leader dies. */
  readonly draftCutShare: number;
  readonly leaderShare: number;
  /** Of host crashes: the computer loses its power, not only the process its life. */
  readonly powerShare: number;
  readonly compactionEntries: number;
  readonly trailingEntries: number;
  readonly segmentBytes: number;
  readonly rememberedEntries: number;
}

function drawWeather(random: Random): Omit<FullWeather, keyof SharedWork | keyof Drafts> {
  const never = Infinity;
  const boards = ["n", "s", "e", "w", "x"];
  return {
    hosts: random.pick([
      ["a", "b"],
      ["a", "b"],
      ["a", "b", "c"],
    ]),
    boards,
    voters: boards.slice(0, random.pick([1, 3, 3])),
    clients: random.pick([2, 4, 6]),
    keys: random.pick([1, 3, 6]),
    loss: random.pick([0.05, 0.2, 0.4]),
    repeat: random.pick([0, 0.05, 0.2]),
    slow: random.pick([0, 0.1, 0.3]),
    slowMsMax: random.pick([300, 2_000]),
    syncMsMax: random.pick([2, 20]),
    slowSyncMsMax: random.pick([200, 1_500]),
    downMsMax: random.pick([300, 2_000, 6_000]),
    drift: random.pick([0, 0.01, 0.05]),
    operateEveryMs: random.pick([20, 60, 200]),
    crashHostEveryMs: random.pick([2_000, 6_000, never]),
    crashBoardEveryMs: random.pick([1_000, 4_000, never]),
    blackoutEveryMs: random.pick([8_000, never, never]),
    cutEveryMs: random.pick([1_500, 5_000, never]),
    noiseEveryMs: random.pick([2_000, 8_000, never]),
    slowDiskEveryMs: random.pick([4_000, never]),
    transferEveryMs: random.pick([2_000, 8_000, never]),
    votersEveryMs: random.pick([3_000, 10_000, never]),
    loseFlashEveryMs: random.pick([6_000, never]),
    loseDiskEveryMs: random.pick([10_000, never, never]),
    hostilityEveryMs: random.pick([3_000, 10_000, never]),
    hostilityShare: random.pick([0.01, 0.05, 0.2]),
    forgeEveryMs: random.pick([500, never]),
    revokeEveryMs: random.pick([8_000, never]),
    sleepers: random.pick([[], ["x"]]),
    leaderShare: random.pick([0.3, 0.7]),
    powerShare: random.pick([0.2, 0.8]),
    compactionEntries: random.pick([16, 32, 128]),
    trailingEntries: random.pick([4, 16, 64]),
    segmentBytes: random.pick([1_024, 8_192]),
    rememberedEntries: random.pick([64, 65_536]),
  };
}

type SharedWork = Pick<FullWeather, "tasks" | "drainEveryMs">;

/** Drawn apart from all else, so that a seed means the same weather with tasks as without. */
function drawSharedWork(random: Random): SharedWork {
  return { tasks: random.pick([0, 2, 3]), drainEveryMs: random.pick([3_000, 10_000, Infinity]) };
}

type Drafts = Pick<FullWeather, "draftShare" | "draftCutShare">;

/** The same of drafts. */
function drawDrafts(random: Random): Drafts {
  return { draftShare: random.pick([0.1, 0.2, 0.4]), draftCutShare: random.pick([0.1, 0.3, 0.6]) };
}

/** `given` in place of what would be drawn. */
export function drawFullSchedule(
  seed: number,
  random: Random,
  given: Partial<FullWeather> = {},
): FullSchedule {
  const weather = {
    ...drawWeather(random),
    ...drawSharedWork(new Random(seed ^ 0x7a5c)),
    ...drawDrafts(new Random(seed ^ 0xd4af)),
    ...given,
  };
  const recurring: Recurring<FullStep>[] = [];
  const add = (what: FullStep, mostMs: number, untilMs = faultsEndMs) => {
    if (mostMs < Infinity) recurring.push({ what, everyMs: [Math.ceil(mostMs / 10), mostMs], untilMs });
  };
  add("operate", weather.operateEveryMs, faultsEndMs + 2_000);
  add("crash-host", weather.crashHostEveryMs);
  add("crash-board", weather.crashBoardEveryMs);
  add("blackout", weather.blackoutEveryMs);
  add("cut", weather.cutEveryMs);
  add("noise", weather.noiseEveryMs);
  add("slow-disk", weather.slowDiskEveryMs);
  add("transfer", weather.transferEveryMs);
  add("voters", weather.votersEveryMs);
  add("lose-flash", weather.loseFlashEveryMs);
  add("lose-disk", weather.loseDiskEveryMs);
  add("hostility", weather.hostilityEveryMs);
  add("forge", weather.forgeEveryMs);
  add("revoke", weather.revokeEveryMs);
  add("drain", weather.drainEveryMs);
  return { seed, weather, steps: drawSteps(random, recurring), faultsEndMs };
}
