/** Whole boards and hosts under faults, in virtual time (engine: in process). A failing seed replays exactly. */
import { describe, expect, it } from "vitest";
import { encodeCbor } from "../../protocols/cbor/encode.ts";
import type { Program } from "../../protocols/pipeline/program.ts";
import { programToWire } from "../../protocols/pipeline/program-codec.ts";
import { programKeyPrefix } from "../../protocols/state/command.ts";
import { Observer } from "./raft/full/observer.ts";
import type { SimulatedHost } from "./raft/full/simulated-host.ts";
import { SimulatedSwarm } from "./raft/full/simulated-swarm.ts";
import { Random } from "./raft/random.ts";
import { UnsafeStep } from "./raft/safety.ts";

const program: Program = {
  pipelines: [{ metric: "humidity", sensor: "humidity", everyMs: 500, stages: [{ op: "median", count: 3 }] }],
  outputs: [{ name: "valve", kind: "pwm", pin: 4, safeValue: 0, setting: "valve.opening" }],
  rules: [],
};

const sizes = { compactionEntries: 64, trailingEntries: 16, segmentBytes: 8192, rememberedEntries: 1024 };

interface Outcome {
  readonly swarm: SimulatedSwarm;
  readonly observer: Observer;
  readonly trace: readonly string[];
  readonly leader: SimulatedHost;
}

/** Some seconds to commit the programs, a minute of settings and mishaps, then peace until all agree. */
function ordeal(seed: number, hostNames: readonly string[], boardCount: number): Outcome {
  const random = new Random(seed);
  const observer = new Observer(sizes);
  const trace: string[] = [];
  const boardNames = Array.from({ length: boardCount }, (_, i) => `board-${i}`);
  const swarm: SimulatedSwarm = new SimulatedSwarm({
    seed,
    hosts: hostNames,
    boards: boardNames,
    sizes,
    events: {
      onStep: (host) => observer.onHostStep(host),
      onApplied: (host, entries) => {
        observer.onHostApplied(host, entries);
        trace.push(`${swarm.nowMs} ${host.name} applied ${entries.at(-1)!.index}`);
      },
      onRestored: (host) => observer.onHostRestored(host),
      onTurn: (board) => observer.onBoardTurn(board),
      onViolation: (host, violation) => {
        throw new UnsafeStep("violation reported", `${host.name}: ${violation}`);
      },
      note: (text) => trace.push(`${swarm.nowMs} ${text}`),
    },
  });
  const leaderOf = () => swarm.hosts.find(({ member }) => member?.isLeader);
  const put = (key: string, value: string | number | Uint8Array) => {
    const leader = leaderOf();
    leader?.step((member) => member.propose({ key, value }, leader.nowMs, () => {}));
  };
  swarm.start();
  swarm.run(2_000);
  put("covey/voters", boardNames.slice(0, 2).join(","));
  for (const name of boardNames) put(programKeyPrefix + name, encodeCbor(programToWire(program)));
  swarm.run(5_000);
  for (let i = 0; i < 120; i++) {
    swarm.run(swarm.nowMs + 500);
    put("valve.opening", random.between(0, 100));
    const mishap = random.next();
    if (mishap < 0.1) swarm.breakLinks(random.pick(boardNames));
    else if (mishap < 0.2) random.pick(swarm.boards).powerOffAfter(random.between(1, 400));
    else if (mishap < 0.23) {
      const host = random.pick(swarm.hosts);
      host.crash(random.chance(0.5), random.chance(0.5));
      swarm.after(300, () => host.start());
    }
  }
  const isSettled = () => {
    const leader = leaderOf();
    if (leader === undefined) return false;
    const { lastIndex, voters } = leader.member!.status(leader.nowMs);
    const applied = [
      ...swarm.hosts.map(({ member }) => member?.appliedIndex),
      ...swarm.boards.map(({ board }) => board?.store.appliedIndex),
    ];
    return voters.length === hostNames.length + 2 && applied.every((index) => index === lastIndex);
  };
  swarm.run(swarm.nowMs + 60_000, isSettled);
  if (!isSettled()) throw new UnsafeStep("liveness", "a minute after the last mishap not all agree");
  return { swarm, observer, trace, leader: leaderOf()! };
}

describe("a swarm under cut links, power cuts at any byte and hosts that are killed", () => {
  it.each([1, 2, 3])("loses nothing that was committed, and ends of one mind (one host, seed %i)", (seed) => {
    expectOfOneMind(ordeal(seed, ["host"], 6));
  });

  it.each([5, 6, 7])(
    "loses nothing that was committed, and ends of one mind (two hosts, seed %i)",
    (seed) => {
      expectOfOneMind(ordeal(seed, ["east", "west"], 6));
    },
  );

  it("goes exactly the same way again with the same seed, and another with another", () => {
    const hosts = ["east", "west"];
    const [first, again, other] = [ordeal(42, hosts, 4), ordeal(42, hosts, 4), ordeal(43, hosts, 4)];
    expect(again.trace).toEqual(first.trace);
    expect(other.trace).not.toEqual(first.trace);
  });

  it("holds with 40 boards", () => {
    expectOfOneMind(ordeal(7, ["host"], 40));
  });
});

/** Every valve stands where the agreed state says, though none was asked. */
function expectOfOneMind({ swarm, observer, leader }: Outcome): void {
  const opening = leader.member!.state.get("valve.opening");
  expect(opening).toBeTypeOf("number");
  expect(swarm.boards.some(({ boots }) => boots > 1)).toBe(true);
  for (const { name, board, outputs } of swarm.boards) {
    expect({ name, link: board!.linkState }).toEqual({ name, link: "joined" });
    expect({ name, valve: outputs.get("valve") }).toEqual({ name, valve: opening });
    observer.checkBoardState(board!);
  }
}
