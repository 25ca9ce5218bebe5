/** Entries of the log about registers, as a person reads them. */
import { copiedRegister, copyFromWire } from "../../../protocols/paxos/copy.ts";
import { groupFromWire } from "../../../protocols/paxos/group.ts";
import { groupKey } from "../../../protocols/paxos/types.ts";
import type { StateValue } from "../../../protocols/state/command.ts";
import { decodeCbor } from "../../codec/cbor.ts";
import { historyFromWire, historyKeyPrefix } from "./history.ts";

/** undefined for a key that is about something else, and for a value of a newer version. */
export function describeRegister(key: string, value: StateValue): string | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    if (key === groupKey) {
      const { epoch, isClosing, members } = groupFromWire(decodeCbor(value));
      return `epoch ${epoch}, ${isClosing ? "closing" : "open"}, of ${members.join(", ")}`;
    }
    if (key.startsWith(historyKeyPrefix)) {
      const { changes } = historyFromWire(decodeCbor(value));
      return `${changes.length} ${changes.length === 1 ? "change" : "changes"}`;
    }
    if (copiedRegister(key) === undefined) return undefined;
    const { version, value: agreed, by } = copyFromWire(decodeCbor(value));
    return `${JSON.stringify(agreed)}, version ${version}${by === "" ? "" : ` by ${by}`}`;
  } catch {
    return undefined;
  }
}
