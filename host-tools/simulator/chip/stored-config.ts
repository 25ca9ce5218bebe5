/** What a board's small values make of it: the same that the firmware on a chip reads from them when it starts. */
import type { BoardConfig, KeyValue } from "../../../firmware/platform/ports.ts";
import { contactInUse } from "../../../protocols/provisioning/contact-use.ts";
import { storedKeys } from "../../../protocols/provisioning/stored.ts";
import { IdentityError, readStoredIdentity } from "../../../protocols/security/identity/identity.ts";

/** @returns undefined for a board that does not know who it is */
export function storedConfig(values: Pick<KeyValue, "read">, model: string): BoardConfig | undefined {
  const found = (key: string) => values.read(key) ?? new Uint8Array(0);
  const credentials = {
    root: found(storedKeys.root),
    signed: found(storedKeys.signed),
    privateKey: found(storedKeys.privateKey),
    authority: values.read(storedKeys.authority),
  };
  const contact = contactInUse(values);
  try {
    const { swarm, name: board } = readStoredIdentity(credentials.signed);
    return { swarm, board, model, hosts: contact?.hosts ?? [], timeServer: contact?.timeServer, credentials };
  } catch (error) {
    if (error instanceof IdentityError) return undefined;
    throw error;
  }
}
