/**
 * The primitives from node:crypto (OpenSSL), for hosts and, in the simulator, for boards, as their chip's hardware would. Secret keys are handed over as
 * `KeyObject`s: given an array, Node 24 takes two to nine times as long for a record or an HMAC.
 */
import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  ECDH,
  type JsonWebKey,
  randomFillSync,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { type CcmTagBytes, type Ciphers, type KeyPair, keyBytes } from "../../protocols/security/ciphers.ts";

export const nodeCiphers: Ciphers = {
  random: (into) => void randomFillSync(into),
  sha256: (bytes) => plain(createHash("sha256").update(bytes).digest()),
  hmacSha256: (key, bytes) => plain(createHmac("sha256", createSecretKey(key)).update(bytes).digest()),
  ccmSeal,
  ccmOpen,
  generateKeyPair,
  sharedSecret,
  sign: signEs256,
  verify: verifyEs256,
  isEqual: (a, b) => a.length === b.length && timingSafeEqual(a, b),
};

const algorithm = "aes-128-ccm";
const curve = "prime256v1";

function ccmSeal(
  key: Uint8Array,
  nonce: Uint8Array,
  tagBytes: CcmTagBytes,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv(algorithm, createSecretKey(key), nonce, { authTagLength: tagBytes });
  cipher.setAAD(aad, { plaintextLength: plaintext.length });
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  const sealed = new Uint8Array(ciphertext.length + tagBytes);
  sealed.set(ciphertext);
  sealed.set(cipher.getAuthTag(), ciphertext.length);
  return sealed;
}

function ccmOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  tagBytes: CcmTagBytes,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const length = sealed.length - tagBytes;
  if (length < 0) return undefined;
  const decipher = createDecipheriv(algorithm, createSecretKey(key), nonce, { authTagLength: tagBytes });
  decipher.setAuthTag(sealed.subarray(length));
  decipher.setAAD(aad, { plaintextLength: length });
  try {
    const plaintext = decipher.update(sealed.subarray(0, length));
    decipher.final();
    return plain(plaintext);
  } catch {
    return undefined;
  }
}

function generateKeyPair(): KeyPair {
  const ecdh = createECDH(curve);
  const publicKey = ecdh.generateKeys().subarray(1);
  // OpenSSL leaves out leading zeros.
  const privateKey = new Uint8Array(keyBytes);
  const bytes = ecdh.getPrivateKey();
  privateKey.set(bytes, keyBytes - bytes.length);
  return { privateKey, publicKey: plain(publicKey) };
}

function sharedSecret(privateKey: Uint8Array, publicX: Uint8Array): Uint8Array | undefined {
  if (publicX.length !== keyBytes) return undefined;
  const ecdh = createECDH(curve);
  try {
    ecdh.setPrivateKey(privateKey);
    return plain(ecdh.computeSecret(Buffer.concat([Uint8Array.of(2), publicX])));
  } catch {
    return undefined;
  }
}

function signEs256(privateKey: Uint8Array, message: Uint8Array): Uint8Array {
  const ecdh = createECDH(curve);
  ecdh.setPrivateKey(privateKey);
  const jwk = { ...jwkOf(ecdh.getPublicKey().subarray(1)), d: Buffer.from(privateKey).toString("base64url") };
  const key = createPrivateKey({ key: jwk, format: "jwk" });
  return plain(sign("sha256", message, { key, dsaEncoding: "ieee-p1363" }));
}

function verifyEs256(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 2 * keyBytes || signature.length !== 2 * keyBytes) return false;
  try {
    // Importing a JWK does not check that the point is on the curve on every OpenSSL; converting it does.
    ECDH.convertKey(Buffer.concat([Uint8Array.of(4), publicKey]), curve);
    const key = createPublicKey({ key: jwkOf(publicKey), format: "jwk" });
    return verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, signature);
  } catch {
    return false;
  }
}

function jwkOf(publicKey: Uint8Array): JsonWebKey {
  const [x, y] = [publicKey.subarray(0, keyBytes), publicKey.subarray(keyBytes)].map((bytes) =>
    Buffer.from(bytes).toString("base64url"),
  );
  return { kty: "EC", crv: "P-256", x: x!, y: y! };
}

/** As a `Uint8Array` with memory of its own: a small Buffer's may be a pool's. */
function plain(buffer: Uint8Array): Uint8Array {
  const isAlone = buffer.byteLength === buffer.buffer.byteLength;
  return isAlone ? new Uint8Array(buffer.buffer) : new Uint8Array(buffer);
}
