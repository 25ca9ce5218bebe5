/** Sees all that anybody takes to be chosen, and what the log records, and says what must not be. */
import { isDeepStrictEqual } from "node:util";
import type { Copy } from "../../../protocols/paxos/copy.ts";
import type { Member } from "../../../protocols/paxos/member.ts";
import type { Change, Chosen, Outcome, RegisterState } from "../../../protocols/paxos/types.ts";
import type { SimulatedLeader } from "./simulated-leader.ts";
import type { SimulatedMember } from "./simulated-member.ts";

/** Something that must not be. */
export class RegisterViolation extends Error {
  override readonly name = "RegisterViolation";
}

export class RegisterWatch {
  /** By register and version. */
  readonly #chosen = new Map<string, RegisterState>();
  readonly #versionOf = new Map<string, string>();
  readonly #recorded = new Set<string>();
  /** Version of the log's copy, by register. */
  readonly #copied = new Map<string, number>();
  readonly #not = new Set<string>();

  /** That were chosen, of all registers. */
  get versions(): number {
    return this.#chosen.size;
  }

  onOutcome(board: string, change: Change, { kind, state }: Outcome): void {
    if (change.value === undefined) return;
    const made = `${change.register} ${board} ${change.request}`;
    if (kind === "done" && (state!.by !== board || state!.request !== change.request)) {
      throw new RegisterViolation(`${made} is done, and is ${JSON.stringify(state)}`);
    }
    if (kind !== "done" && kind !== "unknown") this.#not.add(made);
    this.#checkNot(made);
  }

  onStep(_board: string, member: Member): void {
    for (const register of ["r1", "r2", "r3"]) {
      const known = member.known(register);
      if (known !== undefined) this.onChosen(known);
    }
    for (const chosen of member.untold) this.onChosen(chosen);
  }

  onChosen({ register, state }: Chosen): void {
    // `r3` is taken out and declared anew; and the log's copy says nothing of the request.
    if (register === "r3") return;
    const { version, value, by, request } = state;
    const key = `${register} ${version}`;
    const other = this.#chosen.get(key);
    if (other === undefined || (other.request === 0 && request > 0)) this.#chosen.set(key, state);
    const isSame = other === undefined || (other.value === value && other.by === by);
    const isSameRequest = other === undefined || request === 0 || other.request === 0;
    if (!isSame || (!isSameRequest && !isDeepStrictEqual(other, state))) {
      throw new RegisterViolation(`${key} is ${JSON.stringify(other)} and ${JSON.stringify(state)}`);
    }
    if (by === "" || request === 0) return;
    const made = `${register} ${by} ${request}`;
    const before = this.#versionOf.get(made);
    if (before !== undefined && before !== key)
      throw new RegisterViolation(`${made} is ${before} and ${key}`);
    this.#versionOf.set(made, key);
    this.#checkNot(made);
  }

  /** The log has it as its copy from now on. */
  onCopy(register: string, { version }: Copy): void {
    if (register === "r3") return;
    const before = this.#copied.get(register) ?? -1;
    if (version <= before) {
      throw new RegisterViolation(`the log's copy of ${register} goes from ${before} to ${version}`);
    }
    this.#copied.set(register, version);
  }

  onRecorded({ register, state }: Chosen): void {
    this.#recorded.add(`${register} ${state.version}`);
  }

  /** When all has been well for a while. */
  judge(
    isWhole: boolean,
    leader: SimulatedLeader,
    members: readonly SimulatedMember[],
    registers: readonly string[],
  ): void {
    const missing: string[] = [];
    for (const register of registers) {
      const copy = leader.copies.get(register)!;
      for (const member of members) {
        const known = member.known(register)?.state;
        if (known?.version !== copy.version || known.value !== copy.value) {
          const what = `${member.name} knows ${JSON.stringify(known)}`;
          throw new RegisterViolation(`${what} of ${register}, the log ${JSON.stringify(copy)}`);
        }
        if (member.untold.length > 0) throw new RegisterViolation(`${member.name} has not told all`);
      }
      for (let version = 0; version <= copy.version; version++) {
        if (!this.#recorded.has(`${register} ${version}`)) missing.push(`${register} ${version}`);
      }
      if (!this.#chosen.has(`${register} ${copy.version}`))
        throw new RegisterViolation(`${register} is lost`);
    }
    // What falls out of a board's memory because hosts are away for too long, it counts.
    const lost = members.reduce((sum, member) => sum + member.lost, 0);
    if (isWhole && missing.length > lost) {
      throw new RegisterViolation(`the history lacks ${missing.join(", ")}; ${lost} fell out`);
    }
  }

  #checkNot(made: string): void {
    if (this.#not.has(made) && this.#versionOf.has(made)) {
      throw new RegisterViolation(`${made} was said not to be made, and is ${this.#versionOf.get(made)}`);
    }
  }
}
