/**
 * Whole boards in virtual time that agree on registers, and hosts that come and go: the boards' firmware with their flash, sessions and LAN, the hosts' logs and elections as they
 * ship (`simulated-swarm.ts`), and on each host the keeper of registers that ships, on what its member has applied.
 */
import { decodeCbor, encodeCbor } from "../../../host-tools/codec/cbor.ts";
import { AgreedRegisters } from "../../../host-tools/leader/registers/agreed-registers.ts";
import { RegisterKeeper } from "../../../host-tools/leader/registers/register-keeper.ts";
import { AgreedState } from "../../../host-tools/leader/state/agreed-state.ts";
import type { RegistersDefinition } from "../../../host-tools/swarm-file/definition.ts";
import {
  type RegisterAsk,
  type RegisterOrder,
  type RegisterReport,
  registerOrderToWire,
  registerReportFromWire,
} from "../../../protocols/paxos/report.ts";
import type { SimulatedHost } from "../raft/full/simulated-host.ts";
import { SimulatedSwarm, type SwarmOptions } from "../raft/full/simulated-swarm.ts";

export interface VotingOptions extends Omit<SwarmOptions, "events"> {
  readonly declared: RegistersDefinition;
  readonly note?: (text: string) => void;
  /** A board told a host something of registers. */
  readonly onReport?: (host: SimulatedHost, board: string, report: RegisterReport) => void;
}

/** Of one start of one host. */
interface Keeping {
  readonly starts: number;
  readonly agreed: AgreedState;
  readonly registers: AgreedRegisters;
  readonly keeper: RegisterKeeper;
}

export class VotingSwarm {
  readonly swarm: SimulatedSwarm;
  readonly #options: VotingOptions;
  readonly #keepings = new Map<SimulatedHost, Keeping>();
  #commands = 0;

  constructor(options: VotingOptions) {
    this.#options = options;
    this.swarm = new SimulatedSwarm({
      ...options,
      events: {
        onStep: () => {},
        onTurn: () => {},
        onRestored: (host) => this.#onRestored(host),
        note: (text) => options.note?.(`${this.swarm.nowMs} ${text}`),
        onViolation: (_host, violation) => {
          throw new Error(violation);
        },
        onApplied: (host, entries) => {
          this.#keeping(host)?.agreed.apply(entries);
          this.swarm.after(0, () => this.#keeping(host)?.keeper.look());
        },
        onRegister: (host, board, payload) => this.#onReport(host, board, payload),
      },
    });
    const tick = () => {
      for (const host of this.swarm.hosts) this.#keeping(host)?.keeper.look();
      this.swarm.after(200, tick);
    };
    this.swarm.after(200, tick);
  }

  get leader(): SimulatedHost | undefined {
    return this.swarm.hosts.find(({ member }) => member?.isLeader);
  }

  /** Until `untilMs`, or until `isDone` says so, asked now and then. What the keepers await goes on in between. */
  async run(untilMs: number, isDone?: () => boolean): Promise<void> {
    while (this.swarm.nowMs < untilMs && isDone?.() !== true) {
      this.swarm.run(Math.min(untilMs, this.swarm.nowMs + 50));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** As this host has applied it; undefined while it is down. */
  registersOf(host: SimulatedHost): AgreedRegisters | undefined {
    return this.#keeping(host)?.registers;
  }

  put(key: string, value: string | Uint8Array): void {
    const { leader } = this;
    leader?.step((member) => member.propose({ key, value }, leader.nowMs, () => {}));
  }

  /** Asks a board for a change or a reading, over any host that it is connected to; false where there is none. */
  ask(board: string, order: Omit<RegisterAsk, "kind">): boolean {
    return this.#send(board, { kind: "ask", ...order });
  }

  #onReport(host: SimulatedHost, board: string, payload: Uint8Array): void {
    const report = registerReportFromWire(decodeCbor(payload));
    this.#options.onReport?.(host, board, report);
    // Among hosts it is handed on to the one that leads.
    for (const each of this.swarm.hosts) {
      const keeper = this.#keeping(each)?.keeper;
      if (report.kind === "closed") keeper?.onClosed(board, report);
      else if (report.kind === "chosen") keeper?.onChosen(board, report);
    }
  }

  #send(board: string, order: RegisterOrder): boolean {
    const host = this.swarm.hosts.find(({ member, sessions }) => member !== undefined && sessions.has(board));
    host?.sessions.get(board)?.send("register", encodeCbor(registerOrderToWire(order)));
    return host !== undefined;
  }

  #keeping(host: SimulatedHost): Keeping | undefined {
    if (host.member === undefined) return undefined;
    const known = this.#keepings.get(host);
    if (known?.starts === host.starts) return known;
    const agreed = new AgreedState();
    agreed.restore(host.member.state, host.member.appliedIndex);
    const registers = new AgreedRegisters(agreed);
    const quiet = () => {};
    const keeper = new RegisterKeeper({
      ...{ declared: this.#options.declared, agreed: registers },
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      replica: {
        get isLeader() {
          return host.member?.isLeader ?? false;
        },
      },
      facts: (board) => {
        const memberId = this.swarm.boards.find(({ name }) => name === board)?.board?.memberId;
        return { memberId, isUp: true, isCloned: false };
      },
      put: (puts) =>
        new Promise((resolve, reject) => {
          host.step((member) =>
            member.proposeAll({ puts, id: this.#newId(agreed) }, host.nowMs, (outcome) =>
              outcome instanceof Error ? reject(outcome) : resolve(outcome),
            ),
          );
        }),
      send: (board, order) => void this.#send(board, order),
      nowMs: () => this.swarm.nowMs,
    });
    const made = { starts: host.starts, agreed, registers, keeper };
    this.#keepings.set(host, made);
    return made;
  }

  #newId(agreed: AgreedState) {
    return { after: agreed.lastIndex, random: encodeNumber(++this.#commands) };
  }

  #onRestored(host: SimulatedHost): void {
    const { member } = host;
    if (member !== undefined) this.#keeping(host)?.agreed.restore(member.state, member.appliedIndex);
  }
}

function encodeNumber(number: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(4, number);
  return bytes;
}
