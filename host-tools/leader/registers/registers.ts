/** A host's part in registers: the keeper of their group while it leads, what boards tell, what people ask for, and how each register stands. */
import {
  type RegisterOrder,
  type RegisterReport,
  registerOrderToWire,
} from "../../../protocols/paxos/report.ts";
import { majorityOf, type RegisterState, type RegisterValue } from "../../../protocols/paxos/types.ts";
import { encodeCbor } from "../../codec/cbor.ts";
import type { RegisterDefinition, SwarmDefinition } from "../../swarm-file/definition.ts";
import { registerValueProblem } from "../../swarm-file/register-value.ts";
import type { Actor } from "../access/actor.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type {
  RegisterChanges,
  RegisterGroupStatus,
  RegisterMemberStatus,
  RegisterRead,
  RegisterStatus,
  RegistersStatus,
} from "../api/types/registers.ts";
import type { BoardRegistry } from "../boards/board-registry.ts";
import type { HostLinks } from "../hosts/host-links.ts";
import type { Log } from "../log.ts";
import type { ExpectedPut } from "../raft/host-member-types.ts";
import type { Replica } from "../raft/replica.ts";
import type { AgreedRegisters } from "./agreed-registers.ts";
import { type MemberFacts, RegisterKeeper, registerKeeperLimits } from "./register-keeper.ts";
import { RegisterRequests } from "./register-requests.ts";

export interface RegistersOptions {
  readonly definition: SwarmDefinition;
  readonly hostName: string;
  readonly agreed: AgreedRegisters;
  readonly replica: Pick<Replica, "isLeader">;
  readonly boards: BoardRegistry;
  readonly links: HostLinks;
  readonly log: Log;
  /** Keeps what was done where everybody can look it up. */
  readonly audit: { noted(who: string, what: string): void };
  /** All in one entry, or none. Rejects when that was not agreed on. */
  put(puts: readonly ExpectedPut[]): Promise<unknown>;
}

/** For members of a group that is given up to say what they have. */
const recoverWaitMs = 3_000;

export class Registers {
  readonly #options: RegistersOptions;
  readonly #agreed: AgreedRegisters;
  readonly #keeper: RegisterKeeper;
  readonly #requests: RegisterRequests;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RegistersOptions) {
    const { definition, agreed, replica, log, put } = options;
    this.#options = options;
    this.#agreed = agreed;
    this.#keeper = new RegisterKeeper({
      ...{ declared: definition.registers, agreed, replica, log, put },
      facts: (board) => this.#facts(board),
      send: (board, order) => this.#send(board, order),
      nowMs: () => performance.now(),
    });
    this.#requests = new RegisterRequests({
      members: () => this.#connected(),
      send: (board, ask) => this.#send(board, ask),
      nowMs: () => performance.now(),
    });
  }

  start(): void {
    this.#timer = setInterval(() => this.#keeper.look(), registerKeeperLimits.lookEveryMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A board that has proved to be `board` tells something. */
  reported(board: string, report: RegisterReport): void {
    if (report.kind === "chosen") this.#keeper.onChosen(board, report);
    else if (report.kind === "closed") this.#keeper.onClosed(board, report);
    else this.#requests.onAnswer(board, report);
  }

  /** For whoever takes a register for a setting. Throws `ApiFailure` if `name` is one. */
  demandNone(name: string): void {
    if (!this.#has(name)) return;
    throw new ApiFailure(
      "not-found",
      `${name} is a register, which boards agree on by themselves: covey register get ${name}, covey register set ${name} VALUE.`,
    );
  }

  /** As the log has them, by name; undefined in a swarm without registers. */
  values(): Record<string, RegisterStatus> | undefined {
    const names = Object.keys(this.#declared);
    if (names.length === 0) return undefined;
    return Object.fromEntries(names.map((name) => [name, this.#valueOf(name)]));
  }

  /** As the log has it. Throws `ApiFailure`. */
  statusOf(name: string): RegisterStatus {
    this.#demand(name);
    return this.#valueOf(name);
  }

  status(): RegistersStatus {
    return { group: this.#group(), registers: this.values() ?? {} };
  }

  /** Throws `ApiFailure`. */
  changes(name: string): RegisterChanges {
    this.#demand(name);
    const { changes = [], floor = 0 } = this.#agreed.history(name)?.said ?? {};
    return { name, floor, changes: changes.map((change) => ({ ...change, atMs: change.atMs || undefined })) };
  }

  /** From a majority of its boards. Rejects with `ApiFailure`. */
  async read(name: string): Promise<RegisterRead> {
    this.#demand(name);
    const { state, via } = await this.#requests.read(name);
    return readOf(name, state, via);
  }

  /** As `RegisterRequests.change`. */
  async change(
    name: string,
    value: unknown,
    ifVersion: number | undefined,
    actor: Actor,
  ): Promise<RegisterRead> {
    const checked = this.#check(name, value);
    const { state, via } = await this.#requests.change({ register: name, value: checked, ifVersion });
    // Without the value, which the history has: who changes it often is counted, and fills no ring.
    this.#options.audit.noted(actor.name, `register ${name}`);
    return readOf(name, state, via);
  }

  /** See `RegisterKeeper.recover`. Rejects with `ApiFailure`. */
  async recover(actor: Actor): Promise<RegistersStatus> {
    const group = this.#agreed.group?.said;
    if (group === undefined) throw new ApiFailure("bad-request", "No group of registers was ever agreed on.");
    const here = this.#group().members.filter(({ link, isMember }) => link === "up" && isMember);
    const majority = majorityOf(group.members.length);
    if (here.length >= majority) {
      const names = here.map(({ board }) => board).join(", ");
      throw new ApiFailure(
        "unwise",
        `${names} are connected, which is a majority of ${group.members.length}: nothing needs to be given up.`,
      );
    }
    await this.#keeper.recover(recoverWaitMs);
    this.#options.audit.noted(actor.name, `register recover epoch ${group.epoch}`);
    return this.status();
  }

  #has(name: string): boolean {
    return Object.hasOwn(this.#declared, name);
  }

  get #declared(): Readonly<Record<string, RegisterDefinition>> {
    return this.#options.definition.registers?.names ?? {};
  }

  #valueOf(name: string): RegisterStatus {
    const takes = this.#declared[name]!;
    const unit = takes.type === "number" ? takes.unit : "";
    const choices =
      takes.type === "coordinator" ? { choices: this.#options.definition.registers!.boards } : {};
    const copy = this.#agreed.copy(name);
    if (copy === undefined) {
      const value = takes.type === "coordinator" ? "" : takes.initial;
      return { value, unit, version: 0, by: "", atMs: undefined, index: 0, takes, ...choices };
    }
    const { value, version, by, atMs } = copy.said;
    return { value, unit, version, by, atMs: atMs || undefined, index: copy.index, takes, ...choices };
  }

  #group(): RegisterGroupStatus {
    const { boards = [] } = this.#options.definition.registers ?? {};
    const group = this.#agreed.group?.said;
    const phase = group === undefined ? "none" : group.isClosing ? "closing" : "open";
    const members = boards.map((board): RegisterMemberStatus => {
      const { memberId, isUp } = this.#facts(board);
      const member = group?.members.find((one) => one.startsWith(`${board}.`));
      const isMember = member !== undefined && (memberId === undefined || memberId === member);
      const hasClosed = member !== undefined && this.#keeper.closed.includes(member);
      return { board, link: isUp ? "up" : "down", isMember, hasClosed, lost: this.#keeper.lostAt(board) };
    });
    const majority = majorityOf(group?.members.length ?? boards.length);
    return { phase, epoch: group?.epoch ?? 0, majority, members, missing: this.#keeper.missing };
  }

  #demand(name: string): void {
    if (this.#has(name)) return;
    if (Object.hasOwn(this.#options.definition.settings, name)) {
      throw new ApiFailure(
        "not-found",
        `${name} is a setting, not a register: covey get ${name}, covey set ${name}.`,
      );
    }
    const known = Object.keys(this.#declared).join(", ") || "none";
    throw new ApiFailure(
      "not-found",
      `There is no register ${name}; this swarm has ${known} (registers in swarm.ts).`,
    );
  }

  #check(name: string, value: unknown): RegisterValue {
    this.#demand(name);
    const declared = this.#declared[name]!;
    const { boards } = this.#options.definition.registers!;
    const problem = registerValueProblem(declared, value);
    const isOther = declared.type === "coordinator" && value !== "" && !boards.includes(String(value));
    if (problem === undefined && !isOther) return value as RegisterValue;
    const takes = isOther ? `${boards.join(", ")} or "" for nobody` : problem;
    const code = typeof value === "number" && declared.type === "number" ? "out-of-limits" : "bad-request";
    throw new ApiFailure(code, `${name} takes ${takes}, not ${shortly(value)}.`);
  }

  #facts(board: string): MemberFacts {
    return this.#options.boards.memberOf(board);
  }

  /** Members of the group that are connected somewhere, those of this host first. */
  #connected(): string[] {
    const { boards, hostName, definition } = this.#options;
    const here = (board: string) => boards.hostsOfBoard(board)[0] === hostName;
    const all = definition.registers?.boards ?? [];
    return all.filter((board) => this.#facts(board).isUp).sort((a, b) => Number(here(b)) - Number(here(a)));
  }

  /** Over the host where the board is. */
  #send(board: string, order: RegisterOrder): boolean {
    const { boards, links, hostName } = this.#options;
    const payload = encodeCbor(registerOrderToWire(order));
    const host = boards.hostsOfBoard(board)[0];
    if (host === hostName) return boards.sendHere(board, "register", payload);
    if (host === undefined || !links.isUp(host)) return false;
    links.send(host, { kind: "order", board, payload });
    return true;
  }
}

function readOf(name: string, { value, version, by, atMs }: RegisterState, via: string): RegisterRead {
  return { name, value, version, by, atMs: atMs || undefined, via };
}

function shortly(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
