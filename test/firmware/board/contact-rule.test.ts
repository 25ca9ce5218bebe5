/** Which contact a board is on: against a world in which networks come and go at random. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ContactRule, moveLimits } from "../../../firmware/board/contact-rule.ts";

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
  /** Whether it may leave a contact that works for a new one: a voter has its turn. */
  mayTry = true;
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
    if (!this.rule.run(this.nowMs, this.isJoined, this.mayTry, this.hasOther)) return;
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
      expect(it.rule.run(it.nowMs + ms, true, true, true)).toBe(false);
    }
    expect(it.rule.run(it.nowMs + moveLimits.catchUpMs, true, true, true)).toBe(true);
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
  test("waits for its turn with a new contact, and leaves when it has it", () => {
    const it = settled();
    it.mayTry = false;
    it.rule.offer(10_000, it.nowMs);
    it.leads = ["leader", "leader"];
    expect(it.rule.isDue(it.nowMs)).toBe(false);
    it.run(86_400_000);
    expect([it.changes, it.rule.isDue(it.nowMs)]).toEqual([0, true]);
    it.mayTry = true;
    it.second();
    expect([it.changes, it.rule.isDue(it.nowMs)]).toEqual([1, false]);
  });

  test("leaves a contact that is lost without it", () => {
    const it = settled(255);
    it.mayTry = false;
    it.rule.offer(10_000, it.nowMs);
    it.leads = ["nowhere", "leader"];
    const { lostUntriedMs, extraMsMax } = moveLimits;
    expect(it.untilHeard()).toBeLessThanOrEqual(lostUntriedMs + extraMsMax + it.joinMs + 2_000);
  });
});

describe("a board on its way back from a failed try", () => {
  const returning = (): World => {
    const it = settled();
    it.rule.offer(0, it.nowMs);
    while (!it.rule.isAway) it.second();
    while (it.rule.isAway) it.second();
    expect(it.isJoined).toBe(false);
    return it;
  };

  test("tries another new one when it has heard its leader, not before", () => {
    const it = returning();
    it.leads = ["host", "leader"];
    it.rule.offer(5_000, it.nowMs);
    expect(it.rule.isWaiting).toBe(true);
    it.run(moveLimits.lostMs);
    expect(it.changes).toBe(2);
    it.leads = ["leader", "leader"];
    it.run(4_000);
    expect([it.changes, it.hearsLeader]).toEqual([2, true]);
    it.run(10_000);
    expect(it.changes).toBe(3);
  });

  test("that finds nobody there either leaves as it would have", () => {
    const it = returning();
    it.leads = ["nowhere", "leader"];
    it.rule.offer(5_000, it.nowMs);
    expect(it.untilHeard()).toBeLessThanOrEqual(moveLimits.backMs);
    it.run(10_000);
    expect([it.inUse, it.rule.isWaiting]).toEqual([1, false]);
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
    turns: fc.array(fc.nat(12_000), { maxLength: 3 }),
    isVoter: fc.boolean(),
    offers: fc.array(fc.nat(12_000), { maxLength: 3 }),
  });

  test("a board is back in time on a contact that works, from wherever it is", () => {
    const run = ({ phases, seed, joinMs, isVoter, offers, turns }: WorldCase) => {
      const it = new World(seed);
      Object.assign(it, { joinMs, mayTry: !isVoter });
      // What a contact did without a break: since when it has worked, and since when it has led to no host.
      const worksMs = [Infinity, Infinity];
      const deadMs = [Infinity, Infinity];
      let heardMs = 0;
      let second = 0;
      for (const { seconds, leads } of phases) {
        it.leads = leads;
        for (let i = 0; i < seconds; i++, second++) {
          if (offers.includes(second) && !it.rule.isAway) it.rule.offer(5_000, it.nowMs);
          // A voter that has its turn leaves at once or not at all.
          it.mayTry = !isVoter || (turns.includes(second) && it.hearsLeader);
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
  readonly turns: readonly number[];
}
