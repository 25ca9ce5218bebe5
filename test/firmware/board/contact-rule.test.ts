/** Which contact a board is on: against a world in which networks come and go at random. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ContactRule, moveLimits, voterDelayMs } from "../../../firmware/board/contact-rule.ts";

/** What a contact leads to: nothing, a host that was left behind, or the leader. */
type Leads = "nowhere" | "host" | "leader";

interface Phase {
  readonly seconds: number;
  readonly leads: readonly [Leads, Leads];
}

/** A board with two contacts, a second at a time. */
class World {
  readonly rule: ContactRule;
  nowMs = 0;
  leads: readonly [Leads, Leads] = ["leader", "nowhere"];
  inUse = 0;
  isVoter = false;
  hasOther = true;
  joinMs = 20_000;
  isJoined = false;
  changes = 0;
  #reachableMs = 0;
  #hearsSinceMs = Infinity;

  constructor(seed: number) {
    this.rule = new ContactRule({ fill: (into) => into.fill(seed) }, 0);
  }

  get on(): number {
    return this.rule.isAway ? 1 - this.inUse : this.inUse;
  }

  get hearsLeader(): boolean {
    return this.isJoined && this.leads[this.on] === "leader";
  }

  second(): void {
    this.nowMs += 1_000;
    const leads = this.leads[this.on]!;
    if (leads === "nowhere") this.#reachableMs = this.nowMs;
    this.isJoined = this.nowMs - this.#reachableMs >= this.joinMs;
    if (this.hearsLeader) this.rule.onLeader(this.nowMs);
    this.#hearsSinceMs = this.hearsLeader ? Math.min(this.#hearsSinceMs, this.nowMs) : Infinity;
    if (this.rule.isAway && this.nowMs - this.#hearsSinceMs >= 3_000) {
      this.inUse = this.on;
      this.rule.settle(this.nowMs);
    }
    if (!this.rule.run(this.nowMs, this.isJoined, this.isVoter, this.hasOther)) return;
    this.changes++;
    this.isJoined = false;
    this.#reachableMs = this.nowMs;
    this.#hearsSinceMs = Infinity;
  }

  run(ms: number): this {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) this.second();
    return this;
  }

  /** Until the leader is heard; how long that took. */
  untilHeard(): number {
    const fromMs = this.nowMs;
    while (!this.hearsLeader && this.nowMs - fromMs < 10_000_000) this.second();
    return this.nowMs - fromMs;
  }
}

const settled = (seed = 0) => new World(seed).run(60_000);

describe("a new contact", () => {
  test("that works is in use, and nothing moves the board any more", () => {
    const it = settled();
    it.leads = ["leader", "leader"];
    it.rule.offer(10_000, it.nowMs);
    it.run(60_000);
    expect([it.on, it.inUse, it.rule.isAway]).toEqual([1, 1, false]);
    it.run(3_600_000);
    expect(it.changes).toBe(1);
  });

  test("that leads nowhere is left in time, and not tried again while the one in use holds", () => {
    const it = settled(255);
    it.rule.offer(10_000, it.nowMs);
    it.run(10_000);
    expect(it.rule.isAway).toBe(true);
    it.run(moveLimits.tryMs);
    expect(it.rule.isAway).toBe(false);
    it.run(86_400_000);
    expect(it.changes).toBe(2);
  });

  test("that leads to a host and to no leader is left as well", () => {
    const it = settled();
    it.leads = ["leader", "host"];
    it.rule.offer(0, it.nowMs);
    it.run(2 * moveLimits.tryMs);
    expect([it.on, it.changes]).toEqual([0, 2]);
  });

  test("is tried soon when the one in use is gone before its turn", () => {
    const it = settled(255);
    it.rule.offer(10 * 60_000, it.nowMs);
    it.leads = ["nowhere", "leader"];
    const { lostUntriedMs, extraMsMax } = moveLimits;
    expect(it.untilHeard()).toBeLessThanOrEqual(lostUntriedMs + extraMsMax + it.joinMs + 2_000);
  });

  test("that is slow to catch up over has time, as long as the leader is heard there", () => {
    const it = settled();
    it.rule.offer(0, it.nowMs);
    it.second();
    for (let ms = 0; ms < 3 * moveLimits.tryMs; ms += 1_000) {
      it.rule.onLeader(it.nowMs + ms);
      expect(it.rule.run(it.nowMs + ms, true, false, true)).toBe(false);
    }
    expect(it.rule.run(it.nowMs + moveLimits.catchUpMs, true, false, true)).toBe(true);
  });
});

describe("a contact that is lost", () => {
  test("for less than it takes moves nothing", () => {
    const it = settled();
    it.leads = ["nowhere", "leader"];
    it.run(moveLimits.lostMs - it.joinMs - 2_000);
    it.leads = ["leader", "leader"];
    it.run(3_600_000);
    expect([it.on, it.changes]).toEqual([0, 0]);
  });

  test("moves nothing where there is no other", () => {
    const it = settled();
    it.hasOther = false;
    it.leads = ["nowhere", "nowhere"];
    it.run(3_600_000);
    expect(it.changes).toBe(0);
  });

  test("is tried in turns with the other for as long as it takes, a week and more", () => {
    const it = settled(7);
    it.leads = ["nowhere", "nowhere"];
    it.run(7 * 86_400_000);
    it.leads = ["nowhere", "leader"];
    expect(it.untilHeard()).toBeLessThanOrEqual(moveLimits.backMs);
    it.run(3_600_000);
    expect([it.on, it.rule.isAway]).toEqual([1, false]);
  });

  test("but leads to a host counts much longer: the swarm may be without a leader", () => {
    const it = settled();
    it.leads = ["host", "leader"];
    it.run(moveLimits.leaderlessMs - 2_000);
    expect(it.changes).toBe(0);
    it.run(60_000);
    expect(it.on).toBe(1);
  });

  test("is not left by boards that were lost together at one time", () => {
    const leftMs = [0, 64, 128, 192, 255].map((seed) => {
      const it = settled(seed);
      it.leads = ["nowhere", "nowhere"];
      while (it.changes === 0) it.second();
      return it.nowMs;
    });
    expect(new Set(leftMs).size).toBe(leftMs.length);
  });
});

describe("a voter", () => {
  test("waits for its turn, which comes after the one before is back, whatever comes of its try", () => {
    const { tryMs, joinMs, voterNextMs } = moveLimits;
    expect(voterNextMs).toBeGreaterThanOrEqual(tryMs + joinMs / 2);
    expect([0, 1, 2].map(voterDelayMs)).toEqual([10_000, 160_000, 310_000]);
  });

  test("stays while it hears no leader: its vote may be what is missing", () => {
    const it = settled();
    it.isVoter = true;
    it.rule.offer(10_000, it.nowMs);
    it.leads = ["host", "leader"];
    it.run(moveLimits.leaderlessMs - 2_000);
    expect(it.changes).toBe(0);
    it.leads = ["leader", "leader"];
    it.run(2_000);
    expect(it.changes).toBe(1);
  });
});

describe("whatever comes and goes", () => {
  const leads = fc.constantFrom<Leads>("nowhere", "host", "leader");
  const phase = fc.record({
    seconds: fc.integer({ min: 1, max: 1_500 }),
    leads: fc.tuple(leads, leads),
  });
  const world = fc.record({
    phases: fc.array(phase, { minLength: 1, maxLength: 12 }),
    seed: fc.integer({ min: 0, max: 255 }),
    joinMs: fc.integer({ min: 1, max: moveLimits.joinMs / 1_000 - 5 }).map((seconds) => seconds * 1_000),
    isVoter: fc.boolean(),
    offers: fc.array(fc.nat(12_000), { maxLength: 3 }),
  });

  test("a board is back in time on a contact that works, from wherever it is", () => {
    const run = ({ phases, seed, joinMs, isVoter, offers }: WorldCase) => {
      const it = new World(seed);
      Object.assign(it, { joinMs, isVoter });
      // What a contact did without a break: since when it has worked, and since when it has led to no host.
      const worksMs = [Infinity, Infinity];
      const deadMs = [Infinity, Infinity];
      let heardMs = 0;
      let second = 0;
      for (const { seconds, leads } of phases) {
        it.leads = leads;
        for (let i = 0; i < seconds; i++, second++) {
          // A new contact comes through the log, so to a board that hears its leader.
          if (offers.includes(second) && !it.rule.isAway && it.hearsLeader) it.rule.offer(5_000, it.nowMs);
          it.second();
          leads.forEach((each, c) => {
            worksMs[c] = each === "leader" ? Math.min(worksMs[c]!, it.nowMs) : Infinity;
            deadMs[c] = each === "nowhere" ? Math.min(deadMs[c]!, it.nowMs) : Infinity;
          });
          if (it.hearsLeader) heardMs = it.nowMs;
          for (const c of [0, 1]) {
            const since = Math.max(worksMs[c]!, Math.min(deadMs[1 - c]!, worksMs[1 - c]!));
            const away = it.nowMs - Math.max(heardMs, since);
            if (away > moveLimits.backMs) throw new Error(`away for ${away} ms at ${it.nowMs}`);
            const anyway = it.nowMs - Math.max(heardMs, worksMs[c]!);
            if (anyway > moveLimits.backMs + moveLimits.leaderlessMs) throw new Error(`for ever: ${anyway}`);
          }
        }
      }
    };
    fc.assert(fc.property(world, run), { numRuns: 400 });
  });
});

interface WorldCase {
  readonly phases: readonly Phase[];
  readonly seed: number;
  readonly joinMs: number;
  readonly isVoter: boolean;
  readonly offers: readonly number[];
}

describe("voters that were told together", () => {
  test.each(["leader", "host", "nowhere"] as const)(
    "are away one at a time when the new contact leads to: %s",
    (leads) => {
      for (const seed of [0, 100, 255]) {
        const boards = [0, 1, 2, 3, 4].map((rank) => {
          const it = new World(seed);
          // The slowest that counts as working.
          Object.assign(it, { isVoter: true, joinMs: 25_000 });
          it.run(60_000);
          it.leads = ["leader", leads];
          // A second apart, as entries are applied.
          it.rule.offer(voterDelayMs(rank) + 200 * rank, it.nowMs);
          return it;
        });
        for (let second = 0; second < 15 * 60; second++) {
          for (const it of boards) it.second();
          const away = boards.filter(({ hearsLeader }) => !hearsLeader);
          expect(away.length, `${second} s`).toBeLessThanOrEqual(1);
        }
        expect(boards.every(({ on }) => on === (leads === "leader" ? 1 : 0))).toBe(true);
      }
    },
  );
});
