/**
 * How boards are to reach their hosts, as the swarm agreed on it: sealed, so that a host keeps it and passes it on, and cannot read it
 * (`protocols/provisioning/contact.ts`). All that a host sees of it is its number, which only grows.
 */
import { contactStateKey, numberOfSealed } from "../../../protocols/provisioning/contact.ts";
import { isSameBytes } from "../../../protocols/security/same-bytes.ts";
import { stateLimits } from "../../../protocols/state/command.ts";
import { ApiFailure } from "../api/api-failure.ts";
import type { AgreedContact, ContactStatus } from "../api/types/contact.ts";
import type { AgreedState } from "../state/agreed-state.ts";

/** undefined while the swarm has agreed on none: boards are where they were provisioned. */
export function contactStatus(state: AgreedState): ContactStatus | undefined {
  const agreed = sealedIn(state);
  return agreed && { number: numberOfSealed(agreed.value) ?? 0, index: agreed.index };
}

export function agreedContact(state: AgreedState): Omit<AgreedContact, "root"> {
  const sealed = sealedIn(state);
  const { number = 0, index = 0 } = contactStatus(state) ?? {};
  return { number, index, sealed: sealed && Buffer.from(sealed.value).toString("base64url") };
}

/** What is to be proposed: with what it replaces, undefined for none. `isThere`: that has been agreed on already. @throws {ApiFailure} */
export function checkContact(
  state: AgreedState,
  sealed: Uint8Array,
): { present: Uint8Array | undefined; isThere: boolean } {
  const number = numberOfSealed(sealed);
  if (number === undefined || sealed.length > stateLimits.valueBytesMax) {
    throw new ApiFailure("bad-request", "That is no sealed contact; covey move makes one.");
  }
  const present = sealedIn(state)?.value;
  if (present !== undefined && isSameBytes(present, sealed)) return { present, isThere: true };
  const known = present === undefined ? 0 : (numberOfSealed(present) ?? 0);
  if (number > known) return { present, isThere: false };
  throw new ApiFailure(
    "not-newer",
    `Contact ${known} is agreed on already, and this is number ${number}; look at it and try again with covey move.`,
  );
}

function sealedIn(state: AgreedState): { value: Uint8Array; index: number } | undefined {
  const agreed = state.get(contactStateKey);
  return agreed?.value instanceof Uint8Array ? { value: agreed.value, index: agreed.index } : undefined;
}
