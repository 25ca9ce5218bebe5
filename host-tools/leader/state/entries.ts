/** Log entries, read and written with the host's CBOR. */

import { configurationFromEntry } from "../../../protocols/raft/membership.ts";
import { type Entry, EntryKind } from "../../../protocols/raft/types.ts";
import { commandFromWire, commandToWire } from "../../../protocols/state/codec.ts";
import type { PutCommand, StateValue } from "../../../protocols/state/command.ts";
import {
  type Adoption,
  adoptionFromData,
  draftKeyPrefix,
  isAdoption,
} from "../../../protocols/state/draft.ts";
import { isPuts, putsFromData } from "../../../protocols/state/puts.ts";
import { turnIn, turnKey } from "../../../protocols/turns/turn.ts";
import { decodeCbor, encodeCbor } from "../../codec/cbor.ts";
import type { LogEntry } from "../api/types/log.ts";
import { describeRegister } from "../registers/register-text.ts";

/** The data of a `put` entry. */
export function encodePut(command: PutCommand): Uint8Array {
  return encodeCbor(commandToWire(command));
}

/** undefined for an entry that is no `put` of a version that this host knows: it is skipped (design, point 11). */
export function readPut(entry: Entry): PutCommand | undefined {
  if (entry.kind !== EntryKind.put || entry.version !== 1) return undefined;
  try {
    return commandFromWire(decodeCbor(entry.data));
  } catch {
    return undefined;
  }
}

/** None for an entry that is not several puts of a version that this host knows. */
function readPuts(entry: Entry): readonly PutCommand[] {
  if (!isPuts(entry)) return [];
  try {
    return putsFromData(entry.data);
  } catch {
    return [];
  }
}

/** undefined for an entry that adopts no draft, or not as this host knows it. */
function readAdoption(entry: Entry): Adoption | undefined {
  if (!isAdoption(entry)) return undefined;
  try {
    return adoptionFromData(entry.data);
  } catch {
    return undefined;
  }
}

/** How `covey log` shows an entry. */
export function describeEntry(entry: Entry, commitIndex: number): LogEntry {
  const { index, term } = entry;
  const committed = index <= commitIndex;
  if (entry.kind === EntryKind.noop) return { index, term, kind: "noop", text: "", committed };
  if (entry.kind === EntryKind.membership) {
    return { index, term, kind: "membership", text: describeMembership(entry), committed };
  }
  const put = readPut(entry);
  if (put !== undefined) return { index, term, kind: "put", text: describePut(put), key: put.key, committed };
  const puts = readPuts(entry);
  if (puts.length > 0) return { index, term, kind: "puts", text: describePuts(puts), committed };
  const draft = readAdoption(entry);
  if (draft !== undefined) return { index, term, kind: "adoption", text: describeAdoption(draft), committed };
  const text = `kind ${entry.kind}, version ${entry.version}, ${entry.data.length} bytes`;
  return { index, term, kind: "unknown", text, committed };
}

function describePuts(puts: readonly PutCommand[]): string {
  const areRemovals = puts.every(({ key, value }) => key.startsWith(draftKeyPrefix) && value === undefined);
  return areRemovals
    ? `a draft that was not adopted is removed: ${puts.length} pieces`
    : puts.map(describePut).join("; ");
}

function describeAdoption({ pieces, puts, bytes }: Adoption): string {
  return `the draft of ${pieces} pieces: ${puts} keys in ${bytes} bytes, all at once`;
}

function describePut({ key, value }: PutCommand): string {
  if (key.startsWith(draftKeyPrefix)) return describePiece(key.slice(draftKeyPrefix.length), value);
  if (key === turnKey) return describeTurn(value);
  if (value === undefined) return `${key} deleted`;
  return `${key} = ${describeRegister(key, value) ?? describeValue(value)}`;
}

function describePiece(piece: string, value: StateValue | undefined): string {
  return `draft, piece ${piece}, ${value === undefined ? "removed" : describeValue(value)}`;
}

function describeValue(value: StateValue): string {
  return value instanceof Uint8Array ? `${value.length} bytes` : JSON.stringify(value);
}

function describeTurn(value: StateValue | undefined): string {
  const holder = turnIn(value)?.holder;
  return `${turnKey} = ${holder === undefined ? "nobody" : `${holder.board}, to ${holder.purpose}`}`;
}

function describeMembership({ version, data }: Entry): string {
  const configuration = configurationFromEntry(version, data);
  if (configuration === undefined) return `version ${version}, ${data.length} bytes`;
  const { voters, outgoing, learners, learnersNext } = configuration;
  const parts = [voters.join(", ")];
  if (outgoing.length > 0) parts.push(`until agreed also ${outgoing.join(", ")}`);
  if (learners.length + learnersNext.length > 0) {
    parts.push(`learners ${[...learners, ...learnersNext].join(", ")}`);
  }
  return parts.join("; ");
}
