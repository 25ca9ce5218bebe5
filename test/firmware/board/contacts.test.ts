/** Moving house, as one board lives it: from the entry that tells it to where it is in the end, whatever happens on the way. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { moveLimits } from "../../../firmware/board/contact-rule.ts";
import { contactsLimits } from "../../../firmware/board/contacts.ts";
import type { Program } from "../../../protocols/pipeline/program.ts";
import { contactOf, House, HouseBoard, newWifi, oldWifi } from "./house.ts";
import { program, programBytes } from "./surroundings.ts";

const { learnerMs, voterMs, tryMs, joinMs, backMs, extraMsMax, lostUntriedMs } = moveLimits;
const moved = contactOf(1, { wifi: newWifi });

/** A board at home that runs its program, with both networks on the air. */
function atHome(house = new House()): HouseBoard {
  house.only(oldWifi, newWifi);
  house.leader.put("program/north-1", programBytes(program));
  house.leader.put("fan.duty", 40);
  const it = new HouseBoard(house).run(20_000);
  expect(it.isInContact).toBe(true);
  return it;
}

describe("a new password", () => {
  test("is tried and kept, while outputs and pipelines notice nothing and nothing restarts", () => {
    const it = atHome();
    const { length } = it.pins;
    const [before] = it.leader.healths.slice(-1);
    expect(before!.contact).toBe(0);
    it.house.tell(moved);
    expect(it.until(1)).toBeLessThan(learnerMs + joinMs);
    expect(it.wifi).toEqual(newWifi);
    it.run(5_000);
    expect(it.contact).toBe(1);
    expect(it.house.kept).toEqual([1, 0]);
    expect([it.restarts, it.pins.length]).toEqual([[], length]);
    expect(it.leader.healths.at(-1)!.uptimeMs).toBeGreaterThan(before!.uptimeMs);
    expect(it.leader.hellos.every(({ startId }) => startId === it.leader.hellos[0]!.startId)).toBe(true);
    const { samplesIn } = it.leader.healths.at(-1)!;
    it.run(2_000);
    expect(it.leader.healths.at(-1)!.samplesIn).toBeGreaterThan(samplesIn);
  });

  test("outlives a power cut, and the old one is what the board falls back to", () => {
    let it = atHome();
    it.house.tell(moved);
    it.until(1);
    it = it.reboot().run(20_000);
    expect([it.isInContact, it.wifi]).toEqual([true, newWifi]);
    it.house.only(oldWifi);
    expect(it.until(0)).toBeLessThanOrEqual(backMs);
  });

  test("that is wrong is left in time, tried once, and told as not moved", () => {
    const it = atHome();
    it.house.tell(contactOf(1, { wifi: { ...newWifi, password: "wrong" } }));
    it.run(learnerMs);
    expect(it.isInContact).toBe(false);
    it.run(tryMs + joinMs);
    expect([it.isInContact, it.wifi]).toEqual([true, oldWifi]);
    it.run(5_000);
    expect(it.contact).toBe(0);
    it.run(1_200_000);
    expect(it.logged("contact-tried")).toHaveLength(2);
  });

  test("after a wrong one is told anew, and found", () => {
    const it = atHome();
    it.house.tell(contactOf(1, { wifi: { ...newWifi, password: "wrong" } }));
    it.run(learnerMs + tryMs + joinMs);
    it.house.tell(contactOf(2, { wifi: newWifi }));
    expect(it.until(2)).toBeLessThan(learnerMs + joinMs);
    expect(it.house.kept).toEqual([2, 0]);
  });

  test("told while another one is tried waits until that is over", () => {
    const it = atHome();
    it.house.tell(moved);
    it.run(learnerMs + 1_000);
    it.house.tell(contactOf(2, { wifi: oldWifi }));
    it.house.tell(contactOf(3, { wifi: newWifi }));
    it.until(3);
    expect(it.house.kept).toEqual([3, 1]);
    expect(it.logged("contact-tried").length).toBeLessThanOrEqual(3);
  });

  test("that the router has before the board's try is found soon", () => {
    const it = atHome();
    it.house.tell(moved);
    it.run(1_000);
    it.house.only(newWifi);
    expect(it.until(1)).toBeLessThanOrEqual(lostUntriedMs + extraMsMax + joinMs);
  });

  test("that the router has before the swarm agrees on it leaves the board alone until the old one is back", () => {
    const it = atHome();
    it.house.only(newWifi);
    it.run(10_000);
    it.house.tell(moved);
    it.run(3_600_000);
    expect([it.isInContact, it.house.kept]).toEqual([false, [0, undefined]]);
    it.house.only(oldWifi, newWifi);
    expect(it.until(1)).toBeLessThanOrEqual(2 * joinMs + learnerMs);
  });

  test("is not for a board without small values: it stays with what it was built with", () => {
    const it = atHome();
    it.house.values.clear();
    it.house.tell(moved);
    it.run(learnerMs + 5_000);
    expect(it.logged("contact-refused")).toHaveLength(1);
    expect(it.isInContact).toBe(true);
  });

  test("sealed by someone else is refused", () => {
    const it = atHome();
    it.house.tell(moved, new Uint8Array(16).fill(8));
    it.run(60_000);
    expect(it.logged("contact-refused")).toEqual(["error contact-refused number=1"]);
    expect([it.isInContact, it.house.kept]).toEqual([true, [0, undefined]]);
  });
});

describe("new addresses of the hosts", () => {
  const hosts = [{ name: "main", address: "192.0.2.7", port: 7999 }];

  test("are used without leaving the Wi-Fi", () => {
    const it = atHome();
    it.house.tell(contactOf(1, { wifi: undefined, hosts }));
    expect(it.until(1)).toBeLessThan(learnerMs + joinMs);
    expect(it.logged("network-down")).toEqual([]);
    expect(it.leader.connected).toEqual([7999]);
    // What was not told stays as it was.
    expect(it.wifi).toEqual(oldWifi);
    const again = it.reboot().run(20_000);
    expect([again.wifi, again.leader.connected]).toEqual([oldWifi, [7999]]);
  });

  test("that are wrong for this board are left in time", () => {
    const it = atHome();
    it.house.only({ ...oldWifi, ports: [7883] });
    it.house.tell(contactOf(1, { hosts }));
    it.run(learnerMs + tryMs + joinMs);
    expect([it.isInContact, it.house.kept]).toEqual([true, [0, 1]]);
    // Until the old ones are gone.
    it.house.only({ ...oldWifi, ports: [7999] });
    it.leader.cut();
    expect(it.until(1)).toBeLessThanOrEqual(backMs);
  });

  test("go with the time server", () => {
    const house = new House();
    house.leader.epochMs = undefined;
    const it = atHome(house);
    it.house.tell(contactOf(1, { hosts, timeServer: "time.example" }));
    it.until(1);
    it.run(300_000);
    expect(it.timeServer.places[0]).toBe("time.example:123");
  });
});

describe("a board that was away", () => {
  test("for a week finds the house moved, when it was told before", () => {
    let it = atHome();
    it.house.tell(contactOf(1, { wifi: { ...newWifi, password: "not yet" } }));
    it.run(learnerMs + tryMs + joinMs);
    it.nowMs += 7 * 86_400_000;
    it.house.only({ ...newWifi, password: "not yet" });
    it = it.reboot();
    expect(it.until(1)).toBeLessThanOrEqual(backMs);
  });

  test("and missed a move learns of it while the old house stands", () => {
    let it = atHome();
    it.board.powerOff();
    it.leader.setNetwork(false);
    it.house.tell(moved);
    it = it.reboot();
    expect(it.until(1)).toBeLessThan(joinMs + learnerMs);
  });

  test("learns of it by a snapshot as well", () => {
    let it = atHome();
    it.board.powerOff();
    it.leader.setNetwork(false);
    it.house.tell(moved);
    it.leader.compact();
    it = it.reboot();
    expect(it.until(1)).toBeLessThan(2 * joinMs + learnerMs);
    expect(it.logged("snapshot-installed").length).toBeGreaterThan(0);
  });
});

describe("the power that fails", () => {
  test("at any write of a move leaves a board with both contacts, which ends where it is to be", () => {
    const whole = atHome();
    const before = whole.house.writes;
    whole.house.tell(moved);
    whole.until(1);
    const count = whole.house.writes - before;
    expect(count).toBeGreaterThanOrEqual(4);
    for (let cut = 0; cut < count; cut++) {
      let it = atHome();
      it.house.writesLeft = cut;
      it.house.tell(moved);
      it.run(learnerMs + tryMs);
      expect(it.isCut, `write ${cut}`).toBe(true);
      it = it.reboot();
      const numbers = it.house.kept;
      expect(numbers, `write ${cut}`).toContain(0);
      // In contact at once, by the one in use.
      it.run(20_000);
      expect(it.isInContact, `write ${cut}`).toBe(true);
      // The old house goes; what is left is found.
      it.run(learnerMs + joinMs);
      it.house.only(newWifi);
      expect(it.until(1), `write ${cut}`).toBeLessThanOrEqual(backMs);
      expect(it.house.kept[1], `write ${cut}`).toBe(0);
    }
  });

  test("in the middle of a try leads back to what is in use, and a contact that crashes the board is tried once", () => {
    let it = atHome();
    it.house.tell(contactOf(1, { wifi: { ...newWifi, password: "wrong" } }));
    it.run(learnerMs + 5_000);
    expect(it.isInContact).toBe(false);
    it = it.reboot().run(20_000);
    expect(it.isInContact).toBe(true);
    it.run(600_000);
    expect(it.logged("contact-tried")).toEqual([]);
  });

  test("with small values that can't be written any more, a board stays where it is", () => {
    const it = atHome();
    const { values } = it.house;
    values.set = () => {
      throw new Error("no room");
    };
    it.house.tell(moved);
    it.run(learnerMs + tryMs);
    expect([it.isInContact, it.restarts]).toEqual([true, []]);
    expect(it.logged("contact-not-kept")).toHaveLength(1);
  });
});

describe("a board that sleeps", () => {
  const sleepy: Program = {
    pipelines: [],
    outputs: [],
    rules: [],
    sleep: { awakeMs: 10_000, everyMs: 600_000 },
  };

  function asleep(it: HouseBoard): HouseBoard {
    it.run(120_000);
    expect(it.sleepsMs).toHaveLength(1);
    return it;
  }

  function woken(it: HouseBoard): HouseBoard {
    it.nowMs += it.sleepsMs[0]!;
    return it.reboot(true);
  }

  function put(): HouseBoard {
    const house = new House();
    house.only(oldWifi, newWifi);
    house.leader.put("program/north-1", programBytes(sleepy));
    return asleep(new HouseBoard(house));
  }

  test("wakes with a new contact, and stays", () => {
    let it = asleep(woken(put()));
    it.house.tell(moved);
    it = asleep(woken(it));
    for (let wakes = 0; wakes < 2; wakes++) {
      it = asleep(woken(it));
      expect([it.wifi, it.house.kept]).toEqual([newWifi, [1, 0]]);
    }
  });

  test("wakes with the old one again when the new one leads nowhere, and tries it no more", () => {
    let it = put();
    it.house.tell(contactOf(1, { wifi: { ...newWifi, password: "wrong" } }));
    const wifis: (string | undefined)[] = [];
    for (let wakes = 0; wakes < 6; wakes++) {
      it = asleep(woken(it));
      wifis.push(it.wifi?.password);
    }
    expect(wifis).toEqual(["old secret", "wrong", ...new Array(4).fill("old secret")]);
  });

  test("whose network is gone tries its other one when it wakes next", () => {
    let it = put();
    it.house.tell(moved);
    for (let wakes = 0; wakes < 3; wakes++) it = asleep(woken(it));
    it.house.only(oldWifi);
    for (let wakes = 0; wakes < 2; wakes++) it = asleep(woken(it));
    expect([it.wifi, it.house.kept[0]]).toEqual([oldWifi, 0]);
    const { length } = it.leader.hellos;
    it = asleep(woken(it));
    expect(it.leader.hellos.length).toBeGreaterThan(length);
  });
});

describe("a board that votes", () => {
  const voting = (): HouseBoard => {
    const it = atHome();
    it.leader.change("promote");
    return it.run(2_000);
  };
  const said = ({ leader }: HouseBoard) => leader.turnWords.map(({ says, purpose }) => `${says} ${purpose}`);

  test("asks for its turn, leaves when it has it, and gives it back", () => {
    const it = voting();
    it.leader.givesTurns = false;
    it.house.tell(moved);
    it.run(voterMs + 60_000);
    expect(it.logged("contact-tried")).toEqual([]);
    expect(new Set(said(it))).toEqual(new Set(["asks move"]));
    expect(it.leader.turnWords.length).toBeLessThanOrEqual(7);
    it.leader.givesTurns = true;
    expect(it.until(1)).toBeLessThan(20_000);
    it.run(1_000);
    expect(said(it).at(-1)).toBe("back move");
    expect(it.leader.turn).toMatchObject({ number: 2, holder: undefined });
  });

  test("gives it back when the new one was wrong and it is home again", () => {
    const it = voting();
    it.house.tell(contactOf(1, { wifi: { ...newWifi, password: "wrong" } }));
    it.run(voterMs + tryMs - 5_000);
    expect(it.leader.turn.holder).toMatchObject({ board: "north-1", purpose: "move" });
    it.run(joinMs);
    expect([it.isInContact, it.wifi, it.leader.turn.holder]).toEqual([true, oldWifi, undefined]);
  });

  test("of which a restart is wanted meanwhile leaves by no turn that was for something else", () => {
    const it = voting();
    it.leader.givesTurns = false;
    it.house.tell(moved);
    it.run(voterMs + 1_000);
    const { startId, askedMs } = it.leader.turnWords.at(-1)!;
    it.leader.giveTurn({ board: "north-1", startId, askedMs, purpose: "update" });
    it.run(5_000);
    expect(it.logged("contact-tried")).toEqual([]);
  });

  test("says that it is away where it can, while it catches up on the other one", () => {
    const it = voting();
    it.house.tell(moved);
    it.run(voterMs);
    it.until(1);
    const words = said(it);
    expect(words.indexOf("asks move")).toBe(0);
    expect(words.at(-1)).toBe("back move");
  });
});

describe("a Wi-Fi that somebody gives the board", () => {
  const tried = (it: HouseBoard, wifi = newWifi) => {
    const outcomes: boolean[] = [];
    expect(it.board.board!.tryWifi(wifi, (isJoined) => outcomes.push(isJoined))).toBe(true);
    expect(outcomes).toEqual([]);
    return outcomes;
  };

  test("is kept as soon as the board is in it, and the hosts stay", () => {
    let it = atHome();
    const outcomes = tried(it);
    expect(it.board.board!.tryWifi(newWifi, () => {})).toBe(false);
    it.run(6_000);
    expect([outcomes, it.wifi]).toEqual([[true], newWifi]);
    it = it.reboot().run(20_000);
    expect([it.isInContact, it.wifi]).toEqual([true, newWifi]);
    expect(it.house.kept).toEqual([0, 0]);
  });

  test("that is wrong is left again, and nothing of it is kept", () => {
    const it = atHome();
    const outcomes = tried(it, { ...newWifi, password: "wrong" });
    it.run(contactsLimits.givenWifiMs + 10_000);
    expect([outcomes, it.wifi, it.house.kept]).toEqual([[false], oldWifi, [0, undefined]]);
    expect(it.isInContact).toBe(true);
  });

  test("where it is already is no change", () => {
    const it = atHome();
    const outcomes = tried(it, oldWifi);
    it.run(5_000);
    expect([outcomes, it.house.kept]).toEqual([[true], [0, undefined]]);
  });

  test("brings a board back whose only network is gone", () => {
    const it = atHome();
    it.house.only(newWifi);
    it.run(600_000);
    expect(it.isInContact).toBe(false);
    const outcomes = tried(it);
    it.run(20_000);
    expect([outcomes, it.isInContact]).toEqual([[true], true]);
  });

  test("leaves a contact that waits to be tried its turn", () => {
    const it = atHome();
    it.house.tell(
      contactOf(1, { hosts: [{ name: "main", address: "192.0.2.7", port: 7999 }], wifi: undefined }),
    );
    it.run(20);
    tried(it);
    it.until(1);
    expect([it.wifi, it.house.kept]).toEqual([newWifi, [1, 0]]);
  });
});

describe("whatever comes", () => {
  const network = fc.constantFrom(undefined, oldWifi, newWifi, { ...newWifi, password: "wrong" });
  const step = fc.oneof(
    fc.record({ kind: fc.constant("air" as const), on: fc.array(network, { maxLength: 2 }) }),
    fc.record({ kind: fc.constant("tell" as const), wifi: network }),
    fc.record({ kind: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 400 }) }),
    fc.record({ kind: fc.constant("power" as const) }),
    fc.record({ kind: fc.constant("cut" as const), writes: fc.nat(4) }),
  );

  test("a board that knows a contact which works is back in time", { timeout: 120_000 }, () => {
    const run = (steps: readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[]) => {
      let it = atHome();
      let number = 0;
      for (const each of steps) {
        if (each.kind === "wait") it.run(each.seconds * 1_000);
        else if (each.kind === "power") it = it.reboot();
        else if (each.kind === "cut") it.house.writesLeft = each.writes;
        else if (each.kind === "tell") it.house.tell(contactOf(++number, { wifi: each.wifi }));
        else it.house.only(...each.on.filter((wifi) => wifi !== undefined));
        if (it.isCut) it = it.reboot();
      }
      if (it.isCut) it = it.reboot();
      it.house.writesLeft = Infinity;
      // All that the board knows is on the air: whichever it is on leads to the swarm.
      it.house.only(oldWifi, newWifi);
      const fromMs = it.nowMs;
      while (!it.isInContact && it.nowMs - fromMs < 3_600_000) it.run(1_000);
      expect(it.nowMs - fromMs).toBeLessThanOrEqual(backMs);
      // And of two, the one that is left.
      const [inUse, other] = it.house.kept;
      expect([inUse, other]).not.toContain(-1);
      it.house.only(oldWifi);
      const goneMs = it.nowMs;
      while (!it.isInContact && it.nowMs - goneMs < 3_600_000) it.run(1_000);
      const knowsOld = [...it.house.values.values()].some((bytes) =>
        Buffer.from(bytes).includes(oldWifi.password),
      );
      if (knowsOld) expect(it.nowMs - goneMs).toBeLessThanOrEqual(backMs);
    };
    fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), run), { numRuns: 15 });
  });
});
