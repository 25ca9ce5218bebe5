/** The test that matters (design, point 8): the boards hold what the surviving host lacks, and nothing may be lost by it. */
import { describe, expect, it } from "vitest";
import { Observer } from "./full/observer.ts";
import type { SimulatedHost } from "./full/simulated-host.ts";
import { SimulatedSwarm } from "./full/simulated-swarm.ts";
import { UnsafeStep } from "./safety.ts";

const sizes = { compactionEntries: 32, trailingEntries: 8, segmentBytes: 4096, rememberedEntries: 1024 };

class TwoHosts {
  readonly observer = new Observer(sizes);
  readonly swarm: SimulatedSwarm;
  readonly acknowledged = new Map<string, number>();

  /** Two hosts and three voting boards, all in step. */
  constructor(seed: number) {
    const { observer } = this;
    this.swarm = new SimulatedSwarm({
      seed,
      hosts: ["a", "b"],
      boards: ["n", "s", "e"],
      sizes,
      events: {
        onStep: (host) => observer.onHostStep(host),
        onApplied: (host, entries) => observer.onHostApplied(host, entries),
        onRestored: (host) => observer.onHostRestored(host),
        onTurn: (board) => observer.onBoardTurn(board),
        onViolation: (host, violation) => {
          throw new UnsafeStep("violation reported", `${host.name}: ${violation}`);
        },
        note: () => {},
      },
    });
    this.swarm.start();
    this.until(() => this.leader !== undefined);
    this.put("covey/voters", "n,s,e");
    this.until(() => this.voters === 5);
  }

  get leader(): SimulatedHost | undefined {
    return this.swarm.hosts.find(({ member }) => member?.isLeader);
  }

  get voters(): number {
    return this.leader?.member?.status(0).voters.length ?? 0;
  }

  other(host: SimulatedHost): SimulatedHost {
    return this.swarm.hosts.find((each) => each !== host)!;
  }

  put(key: string, value: string | number): void {
    const leader = this.leader!;
    leader.step((member) =>
      member.propose({ key, value }, leader.nowMs, (outcome) => {
        if (!(outcome instanceof Error) && typeof value === "number") this.acknowledged.set(key, value);
      }),
    );
  }

  /** Runs until it is so, for half a minute at most. */
  until(isSo: () => boolean): void {
    this.swarm.run(this.swarm.nowMs + 30_000, isSo);
    if (!isSo()) throw new UnsafeStep("liveness", "half a minute was not enough");
  }

  /** The leader, and entries that it and the boards have committed while the other host heard nothing. */
  commitBehindTheOther(count: number): { leader: SimulatedHost; other: SimulatedHost } {
    const leader = this.leader!;
    const other = this.other(leader);
    this.swarm.run(this.swarm.nowMs + 1_000);
    const lastIndex = other.member!.log.lastIndex;
    const { name } = leader;
    const untilMs = this.swarm.nowMs + 60_000;
    this.swarm.cut(name, other.name, untilMs);
    this.swarm.cut(other.name, name, untilMs);
    // Nor may the other host disturb the boards, which would only take longer.
    for (const { name: board } of this.swarm.boards) {
      this.swarm.cut(other.name, board, untilMs);
      this.swarm.cut(board, other.name, untilMs);
    }
    for (let i = 0; i < count; i++) {
      this.put(`key-${i % 20}`, i);
      this.swarm.run(this.swarm.nowMs + 40);
    }
    this.until(() => this.acknowledged.get(`key-${(count - 1) % 20}`) === count - 1);
    expect(other.member!.log.lastIndex).toBe(lastIndex);
    return { leader, other };
  }

  expectNothingLost(host: SimulatedHost): void {
    for (const [key, value] of this.acknowledged)
      expect({ key, value: host.member!.state.get(key) }).toEqual({ key, value });
    this.observer.checkHostState(host);
  }

  /** Both lead again or follow, and have all. */
  expectRecovered(): void {
    this.until(() => {
      const { committedCount } = this.observer.safety;
      const isApplied = this.swarm.hosts.every(({ member }) => member?.appliedIndex === committedCount);
      return this.leader !== undefined && isApplied;
    });
    for (const host of this.swarm.hosts) this.expectNothingLost(host);
  }
}

const cases = [
  { what: "a few entries", count: 10 },
  { what: "more entries than the boards retain, so that it takes their snapshot", count: 300 },
];

describe.each(cases)(
  "a leader is killed when the voting boards hold what the other host has not: $what",
  ({ count }) => {
    it.each([1, 2, 3])("the other fetches it, wins, and loses nothing (seed %i)", (seed) => {
      const group = new TwoHosts(seed);
      const { leader, other } = group.commitBehindTheOther(count);
      leader.crash(true, false);
      group.swarm.mend();
      const { committedCount } = group.observer.safety;
      group.until(() => other.member!.isLeader && other.member!.appliedIndex > committedCount);
      group.expectNothingLost(other);
      leader.start();
      group.expectRecovered();
    });

    it.each([
      ["the one that led", "first", 4],
      ["the one that lacked it", "first", 5],
      ["both", "at once", 6],
      ["the one that lacked it", "alone, and the other for good", 7],
    ])("both hosts go down and up again: %s %s", (who, when, seed) => {
      const group = new TwoHosts(seed);
      const { leader, other } = group.commitBehindTheOther(count);
      leader.crash(true, false);
      other.crash(true, true);
      group.swarm.mend();
      group.swarm.run(group.swarm.nowMs + 3_000);
      const [first, second] = who === "the one that led" ? [leader, other] : [other, leader];
      first.start();
      if (when === "at once") second.start();
      group.until(() => group.leader !== undefined);
      if (when === "first") second.start();
      if (when.startsWith("alone")) {
        group.until(() => first.member!.appliedIndex === group.observer.safety.committedCount);
        group.expectNothingLost(first);
      } else {
        group.expectRecovered();
      }
    });
  },
);
