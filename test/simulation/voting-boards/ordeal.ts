/**
 * A minute and a half of mishaps, then peace: hosts that come and go, boards that lose their power at any byte, networks that are cut and noisy, rules that propose, and
 * people who ask for changes over whatever host is there. Throws the first thing that is wrong.
 */
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { AnswerReport } from "../../../protocols/paxos/report.ts";
import type { RegisterState } from "../../../protocols/paxos/types.ts";
import { programToWire } from "../../../protocols/pipeline/program-codec.ts";
import { programKeyPrefix } from "../../../protocols/state/command.ts";
import { checkLinearizable, faultToText } from "../linearizability/check.ts";
import type { HistoryEvent, OperationName, Value } from "../linearizability/history.ts";
import { Random } from "../raft/random.ts";
import { declared, names, program } from "./isolated-boards.ts";
import { VotingSwarm } from "./voting-swarm.ts";

const register = "note";
const initial = "";
const faultsMs = 90_000;
const quietMs = 90_000;
const askMs = 4_000;

interface Asked {
  readonly process: number;
  readonly f: OperationName;
  readonly value: HistoryEvent["value"];
}

export interface OrdealResult {
  readonly operations: number;
  readonly done: number;
  readonly versions: number;
  readonly powerCuts: number;
  readonly convergedMs: number;
}

export async function ordeal(seed: number): Promise<OrdealResult> {
  return new Ordeal(seed).run();
}

class Ordeal {
  readonly #random: Random;
  readonly #voting: VotingSwarm;
  readonly #history: HistoryEvent[] = [];
  readonly #asked = new Map<number, Asked>();
  /** By register and version: what boards told of it. */
  readonly #chosen = new Map<string, string>();
  #seen: { version: number; value: Value } = { version: 0, value: initial };
  #requests = 0;
  #done = 0;
  #lost = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#voting = new VotingSwarm({
      ...{ seed, hosts: ["east", "west"], boards: names, declared, drift: 0.01 },
      onReport: (_host, _board, report) => {
        if (report.kind === "answer") this.#onAnswer(report);
        else if (report.kind === "chosen") {
          for (const { register: of, epoch, state } of report.chosen) this.#onChosen(of, epoch, state);
          this.#lost += report.lost;
        }
      },
    });
  }

  async run(): Promise<OrdealResult> {
    const voting = this.#voting;
    const { swarm } = voting;
    for (const board of swarm.boards) board.reading = 10;
    swarm.start();
    await voting.run(3_000);
    for (const name of names) voting.put(programKeyPrefix + name, encodeCbor(programToWire(program)));
    await voting.run(8_000);
    this.#record("invoke", { process: 0, f: "write", value: initial });
    this.#record("ok", { process: 0, f: "write", value: initial });
    while (swarm.nowMs < faultsMs) {
      this.#mishap();
      for (let i = this.#random.between(0, 3); i > 0; i--) this.#ask();
      await voting.run(swarm.nowMs + this.#random.between(50, 1_500));
    }
    const convergedMs = await this.#makePeace();
    this.#judge();
    const powerCuts = swarm.boards.reduce((sum, { boots }) => sum + boots - 1, 0);
    const versions = this.#chosen.size;
    return { operations: this.#requests, done: this.#done, versions, powerCuts, convergedMs };
  }

  #mishap(): void {
    const random = this.#random;
    const { swarm } = this.#voting;
    const board = random.pick(swarm.boards);
    const lot = random.next();
    if (lot < 0.12) board.powerOffAfter(random.between(1, 400));
    else if (lot < 0.2) {
      board.powerOff();
      swarm.after(random.between(500, 15_000), () => board.powerOn());
    } else if (lot < 0.32) {
      const other = random.pick(names);
      const untilMs = swarm.nowMs + random.between(500, 10_000);
      swarm.cut(board.name, other, untilMs);
      if (random.chance(0.7)) swarm.cut(other, board.name, untilMs);
    } else if (lot < 0.42) {
      const host = random.pick(swarm.hosts);
      host.crash(random.chance(0.5), random.chance(0.5));
      swarm.after(random.between(500, 20_000), () => host.start());
    } else if (lot < 0.5) {
      for (const host of swarm.hosts) {
        host.crash(false, true);
        swarm.after(random.between(8_000, 25_000), () => host.start());
      }
    } else if (lot < 0.6) {
      const noise = { loss: random.next() * 0.4, repeat: 0.2, slow: 0.2, slowMsMax: 2_000 };
      swarm.noise = random.chance(0.5) ? noise : undefined;
    } else if (lot < 0.7) board.reading = board.reading === 10 ? 90 : 10;
    else if (lot < 0.75) swarm.breakLinks(board.name);
  }

  #ask(): void {
    const random = this.#random;
    const voting = this.#voting;
    const board = random.pick(names);
    const request = ++this.#requests;
    const f = random.pick<OperationName>(["read", "write", "cas"]);
    const value = `v${request}`;
    const ask = { request, register, timeoutMs: askMs };
    const asked: Asked = {
      ...{ process: request, f },
      value: f === "cas" ? [this.#seen.value, value] : f === "write" ? value : null,
    };
    const ifVersion = f === "cas" ? this.#seen.version : undefined;
    if (!voting.ask(board, { ...ask, value: f === "read" ? undefined : value, ifVersion })) return;
    this.#asked.set(request, asked);
    this.#record("invoke", asked);
    if (random.chance(0.2)) voting.ask(board, { ...ask, value: f === "read" ? undefined : value, ifVersion });
    // Somebody turns the alarm off, too.
    if (random.chance(0.1)) {
      voting.ask(board, {
        ...ask,
        request: 1_000_000 + request,
        register: "emergency",
        value: false,
        ifVersion: undefined,
      });
    }
  }

  #onAnswer({ request, outcome, state }: AnswerReport): void {
    const asked = this.#asked.get(request);
    if (asked === undefined) return;
    this.#asked.delete(request);
    if (state !== undefined && state.version >= this.#seen.version) {
      this.#seen = { version: state.version, value: state.value };
    }
    if (outcome === "done") {
      this.#done++;
      this.#record("ok", asked.f === "read" ? { ...asked, value: state!.value } : asked);
    } else if (outcome === "unknown") this.#record("info", asked);
    else this.#record("fail", asked, outcome === "conflict");
  }

  #onChosen(of: string, epoch: number, { version, value, by, request }: RegisterState): void {
    const key = `${of} ${epoch} ${version}`;
    const text = JSON.stringify([value, by, request]);
    const before = this.#chosen.get(key) ?? text;
    if (before !== text) throw new Error(`${key} is ${before} and ${text}`);
    this.#chosen.set(key, text);
  }

  async #makePeace(): Promise<number> {
    const voting = this.#voting;
    const { swarm } = voting;
    swarm.mend();
    for (const host of swarm.hosts) host.start();
    for (const board of swarm.boards) {
      board.powerOffAfter(Infinity);
      board.powerOn();
      board.reading = 10;
    }
    const startMs = swarm.nowMs;
    await voting.run(startMs + quietMs, () => swarm.nowMs > startMs + 30_000 && this.#isSettled());
    if (!this.#isSettled()) throw new Error("It does not come to rest.");
    return swarm.nowMs - startMs;
  }

  /** The log has what all boards follow. */
  #isSettled(): boolean {
    const { leader } = this.#voting;
    const registers = leader && this.#voting.registersOf(leader);
    const emergency = registers?.copy("emergency")?.said.value === true ? 1 : 0;
    const coordinator = registers?.copy("coordinator")?.said.value ?? "";
    return (
      registers !== undefined &&
      this.#voting.swarm.boards.every(
        ({ name, outputs, isOn }) =>
          isOn && outputs.get("horn") === emergency && outputs.get("fan") === (name === coordinator ? 1 : 0),
      )
    );
  }

  #judge(): void {
    // What nobody answered may have been made.
    for (const asked of this.#asked.values()) this.#record("info", asked);
    const verdict = checkLinearizable(this.#history);
    if (verdict.kind !== "linearizable") throw new Error(verdict.faults.map(faultToText).join("\n"));
    const registers = this.#voting.registersOf(this.#voting.leader!)!;
    for (const name of Object.keys(declared.names)) {
      const version = registers.copy(name)?.said.version ?? 0;
      const { floor = 0, changes = [] } = registers.history(name)?.said ?? {};
      const recorded = changes.map((change) => change.version);
      for (let each = floor + 1; each <= version && this.#lost === 0; each++) {
        if (!recorded.includes(each)) throw new Error(`the history of ${name} lacks ${each} of ${version}`);
      }
    }
  }

  #record(type: HistoryEvent["type"], { process, f, value }: Asked, refused = false): void {
    const event = { process, type, f, key: register, value, time: this.#voting.swarm.nowMs };
    this.#history.push(refused && f === "cas" ? { ...event, refused } : event);
  }
}
