/** The hosts' half by the rules of succession and of recording that ship, over a log that is never lost: who leads and how the log is kept is proved elsewhere (`test/simulation/raft`). */
import type { RegisterHistory } from "../../../host-tools/leader/registers/history.ts";
import { recordingOf } from "../../../host-tools/leader/registers/recording.ts";
import type { Copy } from "../../../protocols/paxos/copy.ts";
import type { ClosedReport, RecordedState, RegisterReport } from "../../../protocols/paxos/report.ts";
import {
  closingGroup,
  type DeclaredRegister,
  nextGroup,
  tellingsOf,
} from "../../../protocols/paxos/succession.ts";
import type { Chosen, Group } from "../../../protocols/paxos/types.ts";
import type { RegisterWatch } from "./register-watch.ts";

export type LogEntry =
  | { readonly kind: "group"; readonly group: Group }
  | { readonly kind: "copy"; readonly register: string; readonly copy: Copy };

export class SimulatedLeader {
  readonly log: LogEntry[];
  readonly copies = new Map<string, Copy>();
  readonly #histories = new Map<string, RegisterHistory>();
  readonly #watch: RegisterWatch;
  readonly #ids = new Map<string, string>();
  readonly #lost = new Set<string>();
  #tellings = new Map<string, ClosedReport>();
  #wanted: { members: readonly string[]; declared: readonly DeclaredRegister[] } | undefined;
  group: Group;
  isUp = true;

  constructor(group: Group, watch: RegisterWatch) {
    this.group = group;
    this.#watch = watch;
    this.log = [];
    this.#open(group);
  }

  /** A board is there, under this id. */
  hello(name: string, memberId: string): void {
    this.#ids.set(name, memberId);
    this.#lost.delete(name);
  }

  idOf(name: string): string | undefined {
    return this.#ids.get(name);
  }

  onDiskLost(name: string): void {
    this.#lost.add(name);
  }

  /** A member came back as somebody new. */
  hasLostMember(): boolean {
    return this.group.members.some((id) => {
      const now = this.#ids.get(id.slice(0, id.indexOf(".")));
      return now !== undefined && now !== id;
    });
  }

  /** A group may lose fewer than half of its members' memories; and here also those of one that is about to follow. */
  bearsLossOf(memberId: string): boolean {
    const { members } = this.group;
    if (this.group.isClosing || this.#wanted !== undefined) return false;
    const gone = members.filter((id) => {
      const name = id.slice(0, id.indexOf("."));
      return this.#lost.has(name) || (this.#ids.get(name) ?? id) !== id || id === memberId;
    });
    return gone.length <= (members.length - 1) / 2;
  }

  want(members: readonly string[], declared: readonly DeclaredRegister[]): void {
    this.#wanted ??= { members, declared };
  }

  /** Another host leads, which has heard nothing. */
  forget(): void {
    this.#tellings = new Map();
    if (!this.group.isClosing) this.#wanted = undefined;
  }

  step(): void {
    if (this.#wanted === undefined) return;
    if (!this.group.isClosing) {
      this.group = closingGroup(this.group);
      this.log.push({ kind: "group", group: this.group });
      return;
    }
    const tellings = tellingsOf(this.group, this.#tellings.values());
    const next = nextGroup(this.group, tellings, this.#wanted.members, this.#wanted.declared);
    if (next === undefined) return;
    this.#wanted = undefined;
    this.#tellings = new Map();
    this.#open(next);
  }

  /** What of it is recorded now. */
  onReport(report: RegisterReport): RecordedState[] {
    if (report.kind === "closed") this.#tellings.set(report.member, report);
    if (report.kind !== "chosen") return [];
    return report.chosen.map((chosen) => this.#record(chosen));
  }

  #record(chosen: Chosen): RecordedState {
    const { register, epoch, state } = chosen;
    // Of a register that is gone there is nothing to be written.
    const isGone = !this.group.registers.some(({ name }) => name === register);
    if (!isGone) this.#write(chosen);
    this.#watch.onRecorded(chosen);
    return { register, epoch, version: state.version };
  }

  #write(chosen: Chosen): void {
    const { register } = chosen;
    const recording = recordingOf(chosen, this.#histories.get(register), this.copies.get(register));
    if (recording === undefined) return;
    const { history, copy } = recording;
    this.#histories.set(register, history);
    if (copy === undefined) return;
    this.#watch.onCopy(register, copy);
    this.copies.set(register, copy);
    this.log.push({ kind: "copy", register, copy });
  }

  #open(group: Group): void {
    this.group = group;
    this.log.push({ kind: "group", group });
    const names = new Set(group.registers.map(({ name }) => name));
    for (const leftOver of [...this.copies.keys()].filter((name) => !names.has(name))) {
      this.copies.delete(leftOver);
      this.#histories.delete(leftOver);
    }
    group.registers.forEach(({ name }, at) => {
      const chosen = { register: name, epoch: group.epoch, state: group.base[at]! };
      this.#write(chosen);
      this.#watch.onChosen(chosen);
      this.#watch.onRecorded(chosen);
    });
  }
}
