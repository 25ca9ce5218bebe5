import type { MemberId } from "../../../../protocols/raft/types.ts";
import type { Random } from "./random.ts";

export const hosts = ["a", "b", "c"];
export const votingBoards = ["n", "s", "e"];
export const learners = ["w", "x"];

/**
 * How bad the world is, drawn anew for each seed: a mixture that always contains a little of everything finds less than worlds
 * that are each bad in their own way (Groce et al., "Swarm Testing", 2012).
 */
export class Weather {
  readonly loss: number;
  readonly repeat: number;
  readonly slow: number;
  readonly slowMsMax: number;
  readonly syncMsMax: number;
  readonly faultMsMax: number;
  readonly downMsMax: number;
  readonly crashShare: number;
  readonly leaderCrashShare: number;
  readonly proposeMsMax: number;
  readonly blackoutShare: number;
  /** Mostly as the product has them; without, there are many more elections. */
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  readonly changeShare: number;
  readonly jointShare: number;
  readonly transferShare: number;
  /** Whether hosts too lose their vote. Then those that keep it may all lack what the boards hold, and nobody can be elected. */
  readonly losesHosts: boolean;
  /** Who votes at first; the fewer, the closer every majority is to breaking. */
  readonly voters: readonly MemberId[];

  /** `given` in place of what would be drawn. */
  constructor(random: Random, given: Partial<Weather> = {}) {
    this.loss = random.pick([0, 0.02, 0.1, 0.3]);
    this.repeat = random.pick([0, 0.03, 0.2]);
    this.slow = random.pick([0, 0.05, 0.3]);
    this.slowMsMax = random.pick([50, 400]);
    this.syncMsMax = random.pick([0, 12, 60]);
    this.faultMsMax = random.pick([60, 250, 800]);
    this.downMsMax = random.pick([5, 60, 500]);
    this.crashShare = random.pick([0.1, 0.5, 0.9]);
    this.leaderCrashShare = random.pick([0, 0.5]);
    this.proposeMsMax = random.pick([10, 30, 150]);
    this.blackoutShare = random.pick([0, 0.05, 0.3]);
    this.preVote = random.chance(0.75);
    this.checkQuorum = random.chance(0.75);
    this.changeShare = random.pick([0.01, 0.05, 0.2]);
    this.jointShare = random.pick([0, 0.5, 0.9]);
    this.transferShare = random.pick([0, 0.02, 0.1]);
    this.losesHosts = random.chance(0.2);
    this.voters = random.pick([
      [...hosts, ...votingBoards],
      ["a", "b", ...votingBoards],
      ["a", "b", "n"],
      hosts,
    ]);
    Object.assign(this, given);
  }
}
