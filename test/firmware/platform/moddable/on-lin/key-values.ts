/** What `firmware/platform/moddable/lin/key-value.ts` reads: the small values that a board was given before its first start. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MemberSecrets } from "../../../../../host-tools/security/member-file.ts";

/** Bytes of a flash sector, which holds them all. */
const domainBytes = 4_096;

/** Replaces what the board's file holds. @param folder where the board keeps its flash */
export function writeKeyValues(
  folder: string,
  swarm: string,
  board: string,
  values: Readonly<Record<string, Uint8Array>>,
): void {
  const entries = Object.entries(values).map(([key, value]) =>
    Buffer.concat([Buffer.of(key.length, value.length >> 8, value.length & 255), Buffer.from(key), value]),
  );
  const used = Buffer.concat(entries);
  mkdirSync(folder, { recursive: true });
  const rest = Buffer.alloc(domainBytes - used.length, 0xff);
  writeFileSync(join(folder, `${swarm}-${board}.kv-covey`), Buffer.concat([used, rest]), { mode: 0o600 });
}

/** Under the keys by which `firmware/platform/moddable/provisioned.ts` looks for them. */
export function credentialValues(member: MemberSecrets): Record<string, Uint8Array> {
  const { root, signed, privateKey, authority } = member;
  return { root, identity: signed, key: privateKey, ...(authority && { authority }) };
}
