/**
 * What one member of a swarm has to prove who it is, as `covey keys issue` writes it: a file of JSON that only its owner may read, for a host beside its log, for a
 * board on its way into its flash.
 */
import { readFileSync, statSync } from "node:fs";
import { type Identity, IdentityError, readIdentity } from "../../protocols/security/identity/identity.ts";
import type { OwnIdentity } from "../../protocols/security/session/end.ts";
import { writeDurably } from "../storage/durable-file.ts";
import { nodeCiphers } from "./node-ciphers.ts";

export interface MemberSecrets extends OwnIdentity {
  /** Public key of the swarm's root, x and y: whoever it has signed belongs. */
  readonly root: Uint8Array;
  /** Certificate of the authority that signs the hosts' certificates, DER: for whoever reaches a host over TLS. */
  readonly authority?: Uint8Array | undefined;
  /** For TLS, where the member listens for it; PEM. */
  readonly tls?: TlsSecrets | undefined;
}

export interface TlsSecrets {
  /** Leaf first, then the authority that signed it: a board needs both. */
  readonly certificates: string;
  readonly privateKey: string;
}

/** The file is missing, unreadable, or not what it must be; the message says which and what to do. */
export class MemberFileError extends Error {
  override readonly name = "MemberFileError";
  readonly path: string;

  constructor(path: string, problem: string) {
    super(`${path} ${problem}`);
    this.path = path;
  }
}

/** Text of the file. */
export function formatMember({ identity, signed, privateKey, root, authority, tls }: MemberSecrets): string {
  const { swarm, name, role } = identity;
  const keys = { identity: text(signed), privateKey: text(privateKey), root: text(root) };
  const forTls = { authority: authority && text(authority), tls };
  return `${JSON.stringify({ swarm, name, role, ...keys, ...forTls }, undefined, 2)}\n`;
}

/** Makes the file, or replaces it as a whole; nobody but its owner may read it. */
export function writeMemberFile(path: string, member: MemberSecrets): void {
  writeDurably(path, formatMember(member));
}

/** @throws {MemberFileError} */
export function readMemberFile(path: string): MemberSecrets {
  const content = readText(path);
  try {
    const file = JSON.parse(content) as Record<string, unknown>;
    const [signed, privateKey, root] = [file.identity, file.privateKey, file.root].map(bytes);
    const identity: Identity = readIdentity(nodeCiphers, root!, signed!);
    if (!belongsTo(privateKey!, identity.publicKey)) throw new IdentityError("its private key is another's");
    const authority = file.authority === undefined ? undefined : bytes(file.authority);
    return {
      identity,
      signed: signed!,
      privateKey: privateKey!,
      root: root!,
      authority,
      tls: tlsOf(file.tls),
    };
  } catch (error) {
    const why = error instanceof IdentityError ? error.message : "it is no such file, or it is torn";
    throw new MemberFileError(path, `holds no identity (${why}); issue it again with covey keys issue.`);
  }
}

function readText(path: string): string {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch {
    throw new MemberFileError(
      path,
      "can't be read: issue the identity with covey keys issue, and put it there.",
    );
  }
  if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) {
    throw new MemberFileError(path, `may be read by others and holds a private key; run chmod 600 ${path}.`);
  }
  return content;
}

/** Throws `TypeError` for what is none. */
function tlsOf(given: unknown): TlsSecrets | undefined {
  if (given === undefined) return undefined;
  const { certificates, privateKey } = given as Partial<TlsSecrets>;
  if (typeof certificates !== "string" || typeof privateKey !== "string") throw new TypeError("no PEM");
  return { certificates, privateKey };
}

function belongsTo(privateKey: Uint8Array, publicKey: Uint8Array): boolean {
  const message = new Uint8Array(32);
  return nodeCiphers.verify(publicKey, message, nodeCiphers.sign(privateKey, message));
}

function text(array: Uint8Array): string {
  return Buffer.from(array).toString("base64url");
}

function bytes(value: unknown): Uint8Array {
  if (typeof value !== "string") throw new TypeError("no text");
  return new Uint8Array(Buffer.from(value, "base64url"));
}
