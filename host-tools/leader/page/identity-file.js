// @ts-check
/**
 * A member file (`covey keys issue`) in the browser: read, and its key imported so that nothing can take it out again. Neither leaves the page.
 */

/** @typedef {import("../api/types/access.ts").LoginChallenge} LoginChallenge */
/** @typedef {import("../api/types/access.ts").LoginRequest} LoginRequest */

export const identityFileLimits = Object.freeze({ bytesMax: 64 * 1024 });

/** Before x in the claims: the rest of the key's map (`identity.ts`): kty EC2, crv P-256, x of 32 bytes. */
const beforeX = Object.freeze([0xa4, 0x01, 0x02, 0x20, 0x01, 0x21, 0x58, 0x20]);
/** Between x and y. */
const beforeY = Object.freeze([0x22, 0x58, 0x20]);
const coordinateBytes = 32;

export class IdentityFile {
  /** As the root signed it, in base64url. */
  #signed;
  #key;
  swarm;
  name;

  /**
   * @param {{ swarm: string, name: string }} who
   * @param {string} signed
   * @param {CryptoKey} key
   */
  constructor({ swarm, name }, signed, key) {
    this.swarm = swarm;
    this.name = name;
    this.#signed = signed;
    this.#key = key;
  }

  /**
   * Rejects with an Error whose message is for the user.
   * @param {File} file
   */
  static async read(file) {
    if (file.size > identityFileLimits.bytesMax)
      throw new Error(`${file.name} is too large to be an identity.`);
    try {
      const { swarm, name, identity, privateKey } = JSON.parse(await file.text());
      const [x, y] = coordinatesIn(bytesOf(identity));
      const jwk = { kty: "EC", crv: "P-256", x: textOf(x), y: textOf(y), d: privateKey };
      const algorithm = { name: "ECDSA", namedCurve: "P-256" };
      const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]);
      return new IdentityFile({ swarm, name }, identity, key);
    } catch {
      throw new Error(`${file.name} holds no identity; choose the file that covey keys issue wrote.`);
    }
  }

  /**
   * What proves to that host, at this address, that the key is here.
   * @param {LoginChallenge} offer
   * @returns {Promise<LoginRequest>}
   */
  async prove({ swarm, host, challenge }) {
    const { origin } = location;
    const proof = new TextEncoder().encode(["covey login", swarm, host, origin, challenge].join("\n"));
    const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, this.#key, proof);
    return { identity: this.#signed, challenge, origin, signature: textOf(new Uint8Array(signature)) };
  }
}

/**
 * x and y of the public key in a signed identity, which has one encoding. Throws where there is none.
 * @param {Uint8Array} signed
 */
function coordinatesIn(signed) {
  const at = signed.findIndex((_, i) => isAt(signed, i, beforeX));
  const x = at + beforeX.length;
  const y = x + coordinateBytes + beforeY.length;
  if (at < 0 || !isAt(signed, x + coordinateBytes, beforeY)) throw new Error("no key");
  return [signed.slice(x, x + coordinateBytes), signed.slice(y, y + coordinateBytes)];
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {readonly number[]} wanted
 */
function isAt(bytes, at, wanted) {
  return wanted.every((byte, i) => bytes[at + i] === byte);
}

/** @param {string} text base64url */
function bytesOf(text) {
  const plain = text.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(plain), (character) => character.charCodeAt(0));
}

/** @param {Uint8Array} bytes */
function textOf(bytes) {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
