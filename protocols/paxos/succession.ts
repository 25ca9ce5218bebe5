/**
 * How one group follows another: the leader's rules, as pure functions. The log is the master that the members of Vertical Paxos have (Lamport, Malkhi and Zhou, "Vertical Paxos and
 * Primary-Backup Replication", 2009): an epoch is closed at a majority of its members before the next one begins with what they tell, so any boards may follow any boards.
 *
 * ```
 * open, epoch e  --put-->  closing, epoch e  --a majority has told what it accepted--put-->  open, epoch e + 1, base = the highest of each register
 * ```
 *
 * Why nothing that was chosen is lost, and nothing of the old epoch is chosen later: `docs/paxos.md`.
 */
import { nameOf } from "../messages/member-name.ts";
import type { MemberId } from "../raft/types.ts";
import type { Copy } from "./copy.ts";
import type { ClosedReport } from "./report.ts";
import {
  fits,
  type Group,
  majorityOf,
  type RegisterDefinition,
  type RegisterState,
  type RegisterValue,
} from "./types.ts";

export interface DeclaredRegister {
  readonly definition: RegisterDefinition;
  readonly initial: RegisterValue;
}

/** The group of epoch 1, or of a later one where the group before is not to be continued. */
export function firstGroup(
  epoch: number,
  members: readonly MemberId[],
  declared: readonly DeclaredRegister[],
): Group {
  const base = declared.map(({ initial }) => initialState(initial, 0));
  return { epoch, isClosing: false, members, registers: declared.map(({ definition }) => definition), base };
}

/** The same one, in which nothing is promised and accepted any more. */
export function closingGroup(group: Group): Group {
  return { ...group, isClosing: true };
}

/** Of these, what members of a closing group have told of it: each member once. What has another shape than the group is none. */
export function tellingsOf(group: Group, reports: Iterable<ClosedReport>): ClosedReport[] {
  const tellings = new Map<MemberId, ClosedReport>();
  for (const report of reports) {
    const { member, epoch, accepted } = report;
    if (!group.isClosing || epoch !== group.epoch || !group.members.includes(member)) continue;
    const isSound =
      accepted.length === group.registers.length &&
      accepted.every(({ state }, at) => fits(group.registers[at]!, state.value));
    if (isSound) tellings.set(member, report);
  }
  return [...tellings.values()];
}

/** Whether these are enough for the next epoch to begin. */
export function isClosed(group: Group, tellings: readonly ClosedReport[]): boolean {
  return group.isClosing && tellings.length >= majorityOf(group.members.length);
}

/**
 * The next one, with these members and registers, from what `tellingsOf` gave. undefined until a majority has told. `copies`, only for a group that lost its majority for good: the log's copies, by
 * register; then it begins with the latest that can be had, and changes that only the lost members held are lost.
 */
export function nextGroup(
  group: Group,
  tellings: readonly ClosedReport[],
  members: readonly MemberId[],
  declared: readonly DeclaredRegister[],
  copies?: ReadonlyMap<string, Copy>,
): Group | undefined {
  if (copies === undefined && !isClosed(group, tellings)) return undefined;
  const base = declared.map(({ definition, initial }) => {
    const at = group.registers.findIndex(({ name }) => name === definition.name);
    if (at < 0) return initialState(initial, 0);
    const latest = latestOf(group, at, tellings, copies?.get(definition.name));
    const isKept =
      group.registers[at]!.kind === definition.kind &&
      fits(definition, latest.value) &&
      (definition.kind !== "coordinator" || isMember(members, latest.value));
    // That it is reset is a change like any other.
    return isKept ? latest : initialState(initial, latest.version + 1);
  });
  const registers = declared.map(({ definition }) => definition);
  return { epoch: group.epoch + 1, isClosing: false, members, registers, base };
}

/** Of what was accepted, the state of the highest ballot: it contains every change that was chosen. */
function latestOf(
  group: Group,
  at: number,
  tellings: readonly ClosedReport[],
  copy: Copy | undefined,
): RegisterState {
  let ballot = 0;
  let latest = group.base[at]!;
  for (const { accepted } of tellings) {
    if (accepted[at]!.ballot <= ballot) continue;
    ballot = accepted[at]!.ballot;
    latest = accepted[at]!.state;
  }
  if (copy === undefined || copy.epoch !== group.epoch || copy.version <= latest.version) return latest;
  const { version, value, by, atMs } = copy;
  return { version, value, by, request: 0, atMs };
}

function isMember(members: readonly MemberId[], value: RegisterValue): boolean {
  return value === "" || members.some((member) => nameOf(member) === value);
}

function initialState(value: RegisterValue, version: number): RegisterState {
  return { version, value, by: "", request: 0, atMs: 0 };
}
