/** What a board's small values make of it: the same that the firmware on a chip reads from them when it starts. */
import type { BoardConfig, KeyValue } from "../../../firmware/platform/ports.ts";
import { contactInUse } from "../../../protocols/provisioning/contact-use.ts";
import { storedKeys } from "../../../protocols/provisioning/stored.ts";
import {
  type Identity,
  IdentityError,
  readStoredIdentity,
} from "../../../protocols/security/identity/identity.ts";

/** A board that has no identity has no name either, and waits for one. */
export function storedConfig(values: Pick<KeyValue, "read">, model: string): BoardConfig {
  const found = (key: string) => values.read(key) ?? new Uint8Array(0);
  const credentials = {
    root: found(storedKeys.root),
    signed: found(storedKeys.signed),
    privateKey: found(storedKeys.privateKey),
    authority: values.read(storedKeys.authority),
  };
  const contact = contactInUse(values);
  const { swarm, name: board } = identityIn(credentials.signed) ?? { swarm: "", name: "" };
  return { swarm, board, model, hosts: contact?.hosts ?? [], timeServer: contact?.timeServer, credentials };
}

function identityIn(signed: Uint8Array): Identity | undefined {
  try {
    return readStoredIdentity(signed);
  } catch (error) {
    if (error instanceof IdentityError) return undefined;
    throw error;
  }
}
