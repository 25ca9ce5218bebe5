/** A board's place in the group that the agreed state names, and what that group lets its registers be. */
import { nameOf } from "../messages/member-name.ts";
import type { MemberId } from "../raft/types.ts";
import { type Change, fits, type Group, type RegisterDefinition, type RegisterState } from "./types.ts";

export class Membership {
  readonly #memberId: MemberId;
  #group: Group | undefined;
  #place = -1;
  #peers: readonly string[] = [];

  constructor(memberId: MemberId) {
    this.#memberId = memberId;
  }

  /** Also where it is no member of it; undefined for none. */
  get group(): Group | undefined {
    return this.#group;
  }

  /** Its own in the group; -1 for none. */
  get place(): number {
    return this.#place;
  }

  /** Names of the other members; none where it is no member itself. */
  get peers(): readonly string[] {
    return this.#peers;
  }

  /** The agreed state has this group now; undefined for none. */
  onGroup(group: Group | undefined): void {
    const members = group?.members ?? [];
    this.#group = group;
    this.#place = members.indexOf(this.#memberId);
    this.#peers = this.#place < 0 ? [] : members.filter((_, at) => at !== this.#place).map(nameOf);
  }

  /** Of the member with this name; -1 for none. */
  placeOf(name: string): number {
    return this.#group?.members.findIndex((member) => nameOf(member) === name) ?? -1;
  }

  /** Of a register on which this board votes; undefined for others. */
  definition(register: string): RegisterDefinition | undefined {
    if (this.#place < 0) return undefined;
    return this.#group?.registers.find(({ name }) => name === register);
  }

  /** Whether a register may be changed so; a reading fits any. */
  isFit(definition: RegisterDefinition, { value }: Change): boolean {
    if (value === undefined) return true;
    if (!fits(definition, value)) return false;
    const isName = definition.kind === "coordinator" && value !== "";
    return !isName || this.#group!.members.some((member) => nameOf(member) === value);
  }

  /** Whether a state that another member tells is one that the register may have. */
  isSound(register: number, { value }: RegisterState): boolean {
    const definition = this.#group!.registers[register];
    return definition !== undefined && fits(definition, value);
  }
}
