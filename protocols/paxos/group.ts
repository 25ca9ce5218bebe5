/**
 * The group between struct and CBOR value: the value of the key `covey/registers`.
 *
 * ```
 * [1, epoch, isClosing, [member, ...], [[name, kind, min, max], ...], [[version, value, by, request, atMs], ...]]
 * ```
 *
 * Min and max only of a number. The value has to fit one entry of the log, whatever the registers come to hold: `groupBytesMost` says how long it may become.
 */
import { encodeCbor } from "../cbor/encode.ts";
import { ItemReader, ShapeError } from "../cbor/shape.ts";
import type { CborValue } from "../cbor/value.ts";
import { nameOf } from "../messages/member-name.ts";
import { limits } from "../raft/types.ts";
import { stateLimits } from "../state/command.ts";
import { readState, stateToWire } from "./state-codec.ts";
import {
  fits,
  type Group,
  type RegisterDefinition,
  type RegisterKind,
  type RegisterState,
  registerLimits,
} from "./types.ts";

export const groupVersion = 1;

export function groupToWire({ epoch, isClosing, members, registers, base }: Group): CborValue {
  return [
    groupVersion,
    epoch,
    isClosing,
    members,
    registers.map(({ name, kind, min, max }) =>
      kind === "number" ? [name, kinds.indexOf(kind), min, max] : [name, kinds.indexOf(kind)],
    ),
    base.map(stateToWire),
  ];
}

/** Throws `ShapeError`. */
export function groupFromWire(value: CborValue): Group {
  const items = new ItemReader(value, format, "", 6);
  items.version(groupVersion);
  const epoch = items.integer("the epoch", 1, registerLimits.epochMax);
  const isClosing = items.boolean("isClosing");
  const members: string[] = [];
  const memberItems = new ItemReader(
    items.array("the members", registerLimits.membersMax),
    format,
    "members",
    1,
  );
  for (let i = 0; i < memberItems.length; i++) {
    members.push(memberItems.text("a member", limits.memberIdBytesMax));
  }
  const registers = items.array("the registers", registerLimits.registersMax).map(definitionFrom);
  const states = items.array("the states", registerLimits.registersMax);
  const base = states.map((state) => readState(new ItemReader([state], format, "", 1), format));
  items.end();
  check(members, registers, base);
  return { epoch, isClosing, members, registers, base };
}

/** How many bytes the value of such a group takes at most, whatever its registers come to hold. It must not be more than `stateLimits.valueBytesMax`. */
export function groupBytesMost({ members, registers }: Pick<Group, "members" | "registers">): number {
  let by = "";
  for (const member of members) if (nameOf(member).length > by.length) by = nameOf(member);
  const { versionMax: version, requestMax: request, textBytesMax, epochMax: epoch } = registerLimits;
  const atMs = Number.MAX_SAFE_INTEGER;
  const base = registers.map(({ kind }): RegisterState => {
    const value = kind === "flag" ? true : kind === "number" ? 0.1 : "x".repeat(textBytesMax);
    return { version, value, by, request, atMs };
  });
  return encodeCbor(groupToWire({ epoch, isClosing: true, members, registers, base })).length;
}

/** Whether the value of such a group always fits an entry. */
export function groupFitsEntry(group: Pick<Group, "members" | "registers">): boolean {
  return groupBytesMost(group) <= stateLimits.valueBytesMax;
}

const format = "group of registers";

/** The place of a kind is its number on the wire. */
const kinds: readonly RegisterKind[] = Object.freeze(["flag", "number", "text", "coordinator"] as const);

function definitionFrom(value: CborValue): RegisterDefinition {
  const items = new ItemReader(value, format, "a register", 2);
  const name = items.text("the name", registerLimits.nameLengthMax);
  const kind = kinds[items.integer("the kind", 0, kinds.length - 1)]!;
  if (kind !== "number") return { name, kind, min: 0, max: 0 };
  const min = items.number("min", -Number.MAX_VALUE, Number.MAX_VALUE);
  return { name, kind, min, max: items.number("max", min, Number.MAX_VALUE) };
}

function check(
  members: readonly string[],
  registers: readonly RegisterDefinition[],
  base: readonly RegisterState[],
): void {
  const boards = new Set(members.map(nameOf));
  if (boards.size < members.length) throw new ShapeError(format, "the members", "different boards", members);
  const names = new Set(registers.map(({ name }) => name));
  if (names.size < registers.length) throw new ShapeError(format, "the registers", "of different names", "");
  if (base.length !== registers.length) {
    throw new ShapeError(format, "the states", `one for each of ${registers.length} registers`, base.length);
  }
  for (let i = 0; i < base.length; i++) {
    const { value } = base[i]!;
    if (!fits(registers[i]!, value))
      throw new ShapeError(format, registers[i]!.name, "a value that fits it", value);
  }
}
