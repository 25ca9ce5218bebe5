/** Actions in the full simulation: whole boards and hosts under cut links, power cuts at any byte and hosts that are killed. Engine: in process. */
import { describe, expect, it } from "vitest";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { Program } from "../../../protocols/pipeline/program.ts";
import { programToWire } from "../../../protocols/pipeline/program-codec.ts";
import { programKeyPrefix } from "../../../protocols/state/command.ts";
import type { Action } from "../../../protocols/two-phase-commit/action.ts";
import { unpackNames } from "../../../protocols/two-phase-commit/names.ts";
import { Random } from "../raft/random.ts";
import { ActingSwarm } from "./acting-swarm.ts";

const program: Program = {
  pipelines: [],
  outputs: [{ name: "valve", kind: "pwm", pin: 4, safeValue: 0, setting: undefined }],
  rules: [],
};
const names = ["n-0", "n-1", "n-2", "n-3", "n-4"];

/** A minute of actions and mishaps, then peace. Each action sets the valve to a value of its own, so that it shows who acted on what. */
function ordeal(seed: number, hosts: readonly string[]) {
  const random = new Random(seed);
  const decisions = new Map<number, Action["phase"]>();
  const begun = new Map<number, Action>();
  const astray = new Set<string>();
  const acted = new Map<number, Set<string>>();
  const acting: ActingSwarm = new ActingSwarm(
    {
      ...{ seed, hosts, boards: names },
      events: {
        ...{ onStep: () => {}, onApplied: () => {}, onRestored: () => {}, note: () => {} },
        onTurn: () => {},
        onViolation: (_host, violation) => {
          throw new Error(violation);
        },
      },
    },
    {
      onPhase: (action) => {
        const { id, phase, isEnded } = action;
        if (phase === "begun") {
          begun.set(id, action);
          return;
        }
        if (isEnded) for (const board of unpackNames(action.boards)) astray.add(`${board} ${id}`);
        const known = decisions.get(id);
        if (known !== undefined && known !== phase) throw new Error(`two decisions on ${id}`);
        decisions.set(id, phase);
      },
    },
  );
  const { swarm } = acting;
  // Each value that a pin is ever given: it may be gone by the end of the turn, with the power.
  for (const { name, outputs } of swarm.boards) {
    const set = outputs.set.bind(outputs);
    outputs.set = (output, id) => {
      if (id > 0) acted.set(id, (acted.get(id) ?? new Set()).add(name));
      return set(output, id);
    };
  }
  const put = (key: string, value: string | Uint8Array) => {
    const { leader } = acting;
    leader?.step((member) => member.propose({ key, value }, leader.nowMs, () => {}));
  };
  swarm.start();
  swarm.run(3_000);
  for (const name of names) put(programKeyPrefix + name, encodeCbor(programToWire(program)));
  put("covey/voters", names.slice(0, 2).join(","));
  swarm.run(6_000);
  for (let round = 0; round < 80; round++) {
    swarm.run(swarm.nowMs + 500);
    const set = [{ output: "valve", value: acting.nextId }];
    const chosen = names.filter(() => random.chance(0.7));
    if (chosen.length > 0 && random.chance(0.5)) {
      acting.begin(
        chosen,
        { set, forMs: random.chance(0.5) ? 1_000 : 0, safetyMs: random.chance(0.3) ? 2_000 : 0 },
        3_000,
      );
    }
    const mishap = random.next();
    if (mishap < 0.15) swarm.breakLinks(random.pick(names));
    else if (mishap < 0.4) random.pick(swarm.boards).powerOffAfter(random.between(1, 300));
    else if (mishap < 0.46) {
      const host = random.pick(swarm.hosts);
      host.crash(random.chance(0.5), random.chance(0.5));
      swarm.after(300, () => host.start());
    }
  }
  const isDone = () => {
    const { leader } = acting;
    if (leader === undefined) return false;
    const { appliedIndex, lastIndex } = leader.member!.status(leader.nowMs);
    return appliedIndex === lastIndex && acting.actionsOf(leader).every(({ isEnded }) => isEnded);
  };
  // A leader that has just been elected may not have applied all: what it shows has to last.
  let doneRounds = 0;
  for (let round = 0; round < 240 && doneRounds < 6; round++) {
    swarm.run(swarm.nowMs + 500);
    doneRounds = isDone() ? doneRounds + 1 : 0;
  }
  return { decisions, begun, astray, acted, isDone: isDone() };
}

describe("actions over five boards, power cuts, cut links and killed hosts", () => {
  it.each([1, 2, 3, 4])(
    "all or none, and everything ends (one host, seed %i)",
    (seed) => {
      expectAllOrNone(ordeal(seed, ["host"]));
    },
    60_000,
  );

  it.each([5, 6, 7, 8])(
    "all or none, and everything ends (two hosts, seed %i)",
    (seed) => {
      expectAllOrNone(ordeal(seed, ["east", "west"]));
    },
    60_000,
  );
});

function expectAllOrNone({ decisions, begun, astray, acted, isDone }: ReturnType<typeof ordeal>): void {
  expect(isDone).toBe(true);
  let committed = 0;
  for (const [id, action] of begun) {
    const who = acted.get(id) ?? new Set();
    if (decisions.get(id) !== "committed") expect({ id, who: [...who] }).toEqual({ id, who: [] });
    else {
      committed++;
      for (const board of unpackNames(action.boards)) {
        // A limited action may have had its time while the board was off.
        if (action.forMs > 0 || astray.has(`${board} ${id}`)) continue;
        expect({ id, board, acted: who.has(board) }).toEqual({ id, board, acted: true });
      }
    }
  }
  expect(committed).toBeGreaterThan(0);
}
