/**
 * Who belongs to the swarm: whoever the root has signed, less those that it has revoked since.
 *
 * What is revoked is a statement of the root that travels in the replicated state, under `rosterKey`; the latest one replaces all before it:
 *
 * ```
 * COSE_Sign1 of [version, swarm, epoch, since, h'references, one after the other']
 * ```
 *
 * The epoch grows with every statement. A member takes none that is older than what it has, so that whoever is revoked stays so; and each session
 * and each group key belongs to one epoch.
 */
import { decodeCbor } from "../../cbor/decode.ts";
import { encodeCbor } from "../../cbor/encode.ts";
import { CborError } from "../../cbor/error.ts";
import { ItemReader, ShapeError } from "../../cbor/shape.ts";
import type { Ciphers } from "../ciphers.ts";
import { openRoot, signRoot } from "../cose/sign1.ts";
import { isSameBytes } from "../same-bytes.ts";
import { kidBytes, kidOf } from "./credential.ts";
import { type Claims, type Identity, IdentityError, identityLimits, readIdentity } from "./identity.ts";

/** Where the replicated state keeps the root's latest statement. */
export const rosterKey = "covey/roster";

export interface RosterStatement {
  readonly swarm: string;
  /** 1 or more, and one more than before. Before the first statement it is 0. */
  readonly epoch: number;
  /** Identities that were issued in an earlier epoch belong no more: after all were issued anew, nobody need be listed. */
  readonly since: number;
  /** References of identities that belong no more. */
  readonly revoked: readonly Uint8Array[];
}

export const rosterLimits = Object.freeze({
  /** As many as a value of the replicated state holds. */
  revokedMax: 80,
});

export const rosterVersion = 1;

/** Signs with the root's private key. Throws `RangeError` beyond `rosterLimits`. */
export function signRoster(ciphers: Ciphers, rootKey: Uint8Array, statement: RosterStatement): Uint8Array {
  const { swarm, epoch, since, revoked } = statement;
  if (revoked.length > rosterLimits.revokedMax) {
    throw new RangeError(
      `${revoked.length} identities are revoked and at most ${rosterLimits.revokedMax} can be listed: issue all anew.`,
    );
  }
  const references = new Uint8Array(revoked.length * kidBytes);
  for (let i = 0; i < revoked.length; i++) references.set(revoked[i]!, i * kidBytes);
  return signRoot(ciphers, rootKey, encodeCbor([rosterVersion, swarm, epoch, since, references]));
}

/** undefined for what the root of this swarm did not sign. */
export function readRoster(
  ciphers: Ciphers,
  rootPublicKey: Uint8Array,
  bytes: Uint8Array,
): RosterStatement | undefined {
  const statement = readPacked(ciphers, rootPublicKey, bytes);
  if (statement === undefined) return undefined;
  const { swarm, epoch, since, references } = statement;
  const revoked: Uint8Array[] = [];
  for (let at = 0; at < references.length; at += kidBytes) revoked.push(references.slice(at, at + kidBytes));
  return { swarm, epoch, since, revoked };
}

/** A statement as it is kept: an array for each reference would cost a board 8 KB. */
interface PackedStatement extends Omit<RosterStatement, "revoked"> {
  readonly references: Uint8Array;
}

function readPacked(ciphers: Ciphers, root: Uint8Array, bytes: Uint8Array): PackedStatement | undefined {
  const payload = openRoot(ciphers, root, bytes);
  if (payload === undefined) return undefined;
  try {
    const items = new ItemReader(decodeCbor(payload), "roster", "", 5);
    items.version(rosterVersion);
    const swarm = items.text("the swarm", identityLimits.nameLengthMax);
    const epoch = items.integer("the epoch", 1, epochMax);
    const since = items.integer("since", 0, epoch);
    const references = items.bytes("the references", rosterLimits.revokedMax * kidBytes);
    return references.length % kidBytes === 0 ? { swarm, epoch, since, references } : undefined;
  } catch (error) {
    if (error instanceof ShapeError || error instanceof CborError) return undefined;
    throw error;
  }
}

/** A signed identity that belongs. */
export interface Known {
  readonly signed: Uint8Array;
  readonly kid: Uint8Array;
  readonly identity: Claims;
}

/** What of an identity says whether it still belongs. */
export interface Issued {
  readonly kid: Uint8Array;
  readonly identity: Pick<Claims, "epoch">;
}

export class Roster {
  readonly #ciphers: Ciphers;
  readonly #root: Uint8Array;
  readonly #swarm: string;
  readonly #rememberedMax: number;
  /** Latest last. */
  readonly #known: Known[] = [];
  #statement: PackedStatement | undefined;

  /** @param rememberedMax identities that need not be checked again when they come back. */
  constructor(ciphers: Ciphers, root: Uint8Array, swarm: string, rememberedMax: number) {
    this.#ciphers = ciphers;
    this.#root = root;
    this.#swarm = swarm;
    this.#rememberedMax = rememberedMax;
  }

  get epoch(): number {
    return this.#statement?.epoch ?? 0;
  }

  /** Takes a statement of the root. False for one that is forged, of another swarm, or not newer than what is known. */
  take(bytes: Uint8Array): boolean {
    const statement = readPacked(this.#ciphers, this.#root, bytes);
    if (statement === undefined || statement.swarm !== this.#swarm || statement.epoch <= this.epoch)
      return false;
    this.#statement = statement;
    for (let i = this.#known.length - 1; i >= 0; i--) {
      if (!this.belongs(this.#known[i]!)) this.#known.splice(i, 1);
    }
    return true;
  }

  /** Whoever this signed identity is; undefined for nobody who belongs. */
  admit(signed: Uint8Array): Known | undefined {
    const kid = kidOf(this.#ciphers, signed);
    const found = this.find(kid);
    if (found !== undefined) return found;
    const read = this.read(signed);
    if (read === undefined) return undefined;
    const { publicKey: _, ...identity } = read;
    const known = { signed: signed.slice(), kid, identity };
    if (identity.swarm !== this.#swarm || !this.belongs(known)) return undefined;
    if (this.#known.length >= this.#rememberedMax) this.#known.shift();
    this.#known.push(known);
    return known;
  }

  /** Of those that are remembered. */
  find(kid: Uint8Array): Known | undefined {
    for (const known of this.#known) if (isSameBytes(known.kid, kid)) return known;
    return undefined;
  }

  /** It need not be remembered any more. */
  forget(kid: Uint8Array): void {
    const at = this.#known.findIndex((known) => isSameBytes(known.kid, kid));
    if (at >= 0) this.#known.splice(at, 1);
  }

  /** Whether the root has not revoked it. */
  belongs({ kid, identity }: Issued): boolean {
    const statement = this.#statement;
    if (statement === undefined) return true;
    return identity.epoch >= statement.since && !holds(statement.references, kid);
  }

  private read(signed: Uint8Array): Identity | undefined {
    try {
      return readIdentity(this.#ciphers, this.#root, signed);
    } catch (error) {
      if (error instanceof IdentityError) return undefined;
      throw error;
    }
  }
}

const epochMax = 0x7fff_ffff;

function holds(references: Uint8Array, kid: Uint8Array): boolean {
  for (let at = 0; at < references.length; at += kidBytes) {
    let same = 0;
    while (same < kidBytes && references[at + same] === kid[same]) same++;
    if (same === kidBytes) return true;
  }
  return false;
}
