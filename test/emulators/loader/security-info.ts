/** GET_SECURITY_INFO's twenty bytes: flags, crypt count, seven key purposes, chip id, API version. */
import type { Machine } from "./machine.ts";

export function securityInfo({ traits, efuses }: Machine): Uint8Array {
  const info = Buffer.alloc(20);
  info.writeUInt32LE((efuses.secureBoot ? 1 : 0) | (efuses.secureDownload ? 1 << 2 : 0), 0);
  // An odd number of bits set is encryption on.
  info[4] = efuses.flashEncryption ? 1 : 0;
  if (efuses.secureBoot) info[5] = secureBootDigest0;
  if (efuses.flashEncryption) info[6] = xtsAes128Key;
  info.writeUInt32LE(traits.chipId, 12);
  return info;
}

const secureBootDigest0 = 9;
const xtsAes128Key = 4;
