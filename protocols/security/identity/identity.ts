/**
 * Who somebody is: a CWT (RFC 8392) signed by the swarm's root, which holds a public key, a role and a scope. The root's private key is on
 * no leader: whoever is broken into can't make identities.
 *
 * ```
 * COSE_Sign1    [<< {1: -7} >>, {}, << claims >>, signature]             RFC 9052, section 4.2; ES256
 * claims        {1: swarm, 2: name, 8: {1: key}, 9: [[resource, bits], ...], -65537: role, -65538: epoch}
 * key           {1: 2, -1: 1, -2: x, -3: y}                              RFC 9053, section 7.1.1; RFC 8747, section 3.2
 * ```
 */
import { decodeCbor } from "../../cbor/decode.ts";
import { encodeCbor } from "../../cbor/encode.ts";
import { CborError } from "../../cbor/error.ts";
import { concat, encodeMap, SequenceReader } from "../../cbor/sequence.ts";
import { type Ciphers, keyBytes } from "../ciphers.ts";
import { openRoot, payloadUnchecked, signRoot } from "../cose/sign1.ts";
import { type Scope, scopeLimits } from "./scope.ts";

/** In the order of their numbers. A viewer, an operator and an admin are people; what they may do is in their scope. */
export const roles = Object.freeze(["board", "host", "viewer", "operator", "admin"] as const);
export type IdentityRole = (typeof roles)[number];

/** What a signed identity says beside its key. A member keeps it of several others; their keys it reads again where a handshake needs one. */
export interface Claims {
  readonly swarm: string;
  /** Of the board, host or person: without an incarnation, which is drawn anew where memory is lost. */
  readonly name: string;
  readonly role: IdentityRole;
  readonly scope: Scope;
  /** Of the roster when this was issued; a roster of a later epoch says who of an earlier one still belongs. */
  readonly epoch: number;
}

export interface Identity extends Claims {
  /** x and y on P-256. */
  readonly publicKey: Uint8Array;
}

export const identityLimits = Object.freeze({
  /** Bytes of a whole signed identity, to be carried in a handshake. */
  bytesMax: 512,
  /** Characters of a swarm's or a member's name. */
  nameLengthMax: 48,
});

/** An identity that is not one: what is wrong with it. */
export class IdentityError extends Error {
  constructor(what: string) {
    super(`Identity: ${what}`);
  }

  override get name(): string {
    return "IdentityError";
  }
}

/** Signs with the root's private key. Throws `IdentityError` for one that would be too long. */
export function issueIdentity(ciphers: Ciphers, rootKey: Uint8Array, identity: Identity): Uint8Array {
  const bytes = signRoot(ciphers, rootKey, encodeClaims(identity));
  if (bytes.length > identityLimits.bytesMax) {
    throw new IdentityError(
      `${bytes.length} bytes; at most ${identityLimits.bytesMax} fit, so give it a shorter scope`,
    );
  }
  return bytes;
}

/** Throws `IdentityError` for whatever the root did not sign as it stands. */
export function readIdentity(ciphers: Ciphers, rootPublicKey: Uint8Array, bytes: Uint8Array): Identity {
  if (bytes.length > identityLimits.bytesMax) throw new IdentityError(`it has ${bytes.length} bytes`);
  const claims = openRoot(ciphers, rootPublicKey, bytes);
  if (claims === undefined) throw new IdentityError("this swarm's root did not sign it");
  return reading(claims, decodeClaims);
}

/** Of one that was checked when it was stored. Throws `IdentityError` for what is none. */
export function readStoredIdentity(bytes: Uint8Array): Identity {
  return readingStored(bytes, decodeClaims);
}

/**
 * The key alone, of an identity that was checked as a whole when it was stored: the other claims are passed over, of which texts and scope are most of the work. Throws
 * `IdentityError` where no key stands in its place.
 */
export function readStoredKey(bytes: Uint8Array): Uint8Array {
  return readingStored(bytes, decodeKey);
}

function readingStored<What>(bytes: Uint8Array, decode: (claims: Uint8Array) => What): What {
  const claims = payloadUnchecked(bytes);
  if (claims === undefined) throw new IdentityError("it is no COSE_Sign1");
  return reading(claims, decode);
}

function reading<What>(claims: Uint8Array, decode: (claims: Uint8Array) => What): What {
  try {
    return decode(claims);
  } catch (error) {
    if (error instanceof CborError) throw new IdentityError(error.message);
    throw error;
  }
}

const Claim = Object.freeze({
  issuer: 1,
  subject: 2,
  confirmation: 8,
  scope: 9,
  role: -65537,
  epoch: -65538,
});

/** COSE_Key: kty EC2, curve P-256, the coordinates. */
const KeyLabel = Object.freeze({ type: 1, curve: -1, x: -2, y: -3 });
const keyTypeEc2 = 2;
const curveP256 = 1;

function encodeClaims({ swarm, name, role, scope, epoch, publicKey }: Identity): Uint8Array {
  const key = encodeMap(
    [encodeCbor(KeyLabel.type), encodeCbor(keyTypeEc2)],
    [encodeCbor(KeyLabel.curve), encodeCbor(curveP256)],
    [encodeCbor(KeyLabel.x), encodeCbor(publicKey.subarray(0, keyBytes))],
    [encodeCbor(KeyLabel.y), encodeCbor(publicKey.subarray(keyBytes))],
  );
  return encodeMap(
    [encodeCbor(Claim.issuer), encodeCbor(swarm)],
    [encodeCbor(Claim.subject), encodeCbor(name)],
    [encodeCbor(Claim.confirmation), encodeMap([encodeCbor(1), key])],
    [encodeCbor(Claim.scope), encodeCbor(scope.map(({ resource, permissions }) => [resource, permissions]))],
    [encodeCbor(Claim.role), encodeCbor(roles.indexOf(role))],
    [encodeCbor(Claim.epoch), encodeCbor(epoch)],
  );
}

/** Exactly the claims above, in that order: one identity has one encoding. */
function decodeClaims(claims: Uint8Array): Identity {
  const reader = new SequenceReader(claims);
  if (reader.map() !== 6) throw new IdentityError("it has other claims than this version knows");
  expectLabel(reader, Claim.issuer);
  const swarm = text(reader, "the swarm");
  expectLabel(reader, Claim.subject);
  const name = text(reader, "the name");
  const publicKey = readConfirmation(reader);
  expectLabel(reader, Claim.scope);
  const scope = readScope(decodeCbor(reader.item()));
  expectLabel(reader, Claim.role);
  const role = roles[reader.integer()];
  if (role === undefined) throw new IdentityError("its role is not known here");
  expectLabel(reader, Claim.epoch);
  const epoch = reader.integer();
  if (epoch < 0) throw new IdentityError("its epoch is negative");
  reader.end();
  return { swarm, name, role, scope, epoch, publicKey };
}

/** The key stands third among the claims; what comes after it is not looked at. */
function decodeKey(claims: Uint8Array): Uint8Array {
  const reader = new SequenceReader(claims);
  reader.map();
  expectLabel(reader, Claim.issuer);
  reader.skip();
  expectLabel(reader, Claim.subject);
  reader.skip();
  return readConfirmation(reader);
}

function readConfirmation(reader: SequenceReader): Uint8Array {
  expectLabel(reader, Claim.confirmation);
  if (reader.map() !== 1) throw new IdentityError("it confirms no single key");
  expectLabel(reader, 1);
  return readKey(reader);
}

function readKey(reader: SequenceReader): Uint8Array {
  if (reader.map() !== 4)
    throw new IdentityError("its key has not exactly a type, a curve and two coordinates");
  expectLabel(reader, KeyLabel.type);
  const type = reader.integer();
  expectLabel(reader, KeyLabel.curve);
  const curve = reader.integer();
  expectLabel(reader, KeyLabel.x);
  const x = reader.byteStringView();
  expectLabel(reader, KeyLabel.y);
  const y = reader.byteStringView();
  if (type !== keyTypeEc2 || curve !== curveP256 || x.length !== keyBytes || y.length !== keyBytes) {
    throw new IdentityError("its key is not one of P-256");
  }
  return concat(x, y);
}

function readScope(value: unknown): Scope {
  const { entriesMax, resourceLengthMax } = scopeLimits;
  if (!Array.isArray(value) || value.length > entriesMax)
    throw new IdentityError("its scope is no short list");
  return value.map((entry) => {
    const isPair = Array.isArray(entry) && entry.length === 2;
    const resource = isPair ? entry[0] : undefined;
    const permissions = isPair ? entry[1] : undefined;
    const isSound =
      typeof resource === "string" &&
      resource.length > 0 &&
      resource.length <= resourceLengthMax &&
      Number.isInteger(permissions) &&
      permissions > 0 &&
      permissions < 256;
    if (!isSound) throw new IdentityError("its scope has an entry that is no resource with permissions");
    return { resource, permissions };
  });
}

function expectLabel(reader: SequenceReader, label: number): void {
  if (reader.integer() !== label) throw new IdentityError(`its claims are not in order at ${label}`);
}

function text(reader: SequenceReader, what: string): string {
  const value = decodeCbor(reader.item());
  if (typeof value !== "string" || value.length < 1 || value.length > identityLimits.nameLengthMax) {
    throw new IdentityError(`${what} is no text of 1 to ${identityLimits.nameLengthMax} characters`);
  }
  return value;
}
