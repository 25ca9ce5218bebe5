/**
 * `root.json`: the swarm's two private keys (the root's, which signs who belongs, and the authority's, which signs certificates for
 * TLS) under a passphrase: scrypt (RFC 7914) makes a key of it, AES-256-GCM seals with it, and all else in the file is authenticated
 * with them. Without a passphrase, as a simulation's are, they stand there as they are.
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { keyBytes } from "../../protocols/security/ciphers.ts";
import { KeyFolderUnusable, WrongPassphrase } from "./key-error.ts";

/** Whoever has them is the swarm's root. */
export interface RootKeys {
  /** 32 bytes each, on P-256. */
  readonly root: Uint8Array;
  readonly authority: Uint8Array;
}

/** What everybody may know. */
export interface RootPublic {
  readonly swarm: string;
  /** x and y. */
  readonly root: Uint8Array;
  /** Certificate of the authority, DER. */
  readonly authority: Uint8Array;
}

export interface RootFile extends RootPublic {
  /** False for a simulation's. */
  readonly isSealed: boolean;
  readonly path: string;
  readonly content: Content;
}

interface Content {
  readonly version: number;
  readonly about: string;
  readonly swarm: string;
  readonly root: string;
  readonly authority: string;
  readonly encryption: Encryption | null;
  readonly keys: string;
}

interface Encryption {
  readonly kdf: "scrypt";
  readonly n: number;
  readonly r: number;
  readonly p: number;
  readonly salt: string;
  readonly cipher: "aes-256-gcm";
  readonly nonce: string;
}

const version = 1;
/** 128 MiB and about half a second. OWASP's first choice for scrypt. */
const cost = { n: 2 ** 17, r: 8, p: 1 } as const;
/** Beyond it a file that was tampered with could take all memory. */
const memoryBytesMax = 2 ** 30;
const tagBytes = 16;

const aboutSealed =
  "The root of a swarm's trust: whoever has this file and its passphrase decides who belongs. Keep a copy off this computer.";
const aboutPlain =
  "Keys of a simulation, in the clear: fit for boards and hosts that are simulated on this computer, for nothing else.";

/** The file's text. @param passphrase undefined: in the clear. */
export async function formatRoot(
  of: RootPublic,
  keys: RootKeys,
  passphrase: string | undefined,
): Promise<string> {
  const encryption: Encryption | null =
    passphrase === undefined
      ? null
      : {
          ...{ kdf: "scrypt", ...cost, salt: text(randomBytes(16)) },
          ...{ cipher: "aes-256-gcm", nonce: text(randomBytes(12)) },
        };
  const header = {
    version,
    about: encryption === null ? aboutPlain : aboutSealed,
    ...{ swarm: of.swarm, root: text(of.root), authority: text(of.authority), encryption },
  };
  const plaintext = Buffer.concat([keys.root, keys.authority]);
  const sealed = encryption === null ? plaintext : await seal(header, encryption, passphrase!, plaintext);
  return `${JSON.stringify({ ...header, keys: text(sealed) }, undefined, 2)}\n`;
}

/** Of the file at `path`. @throws {KeyFolderUnusable} */
export function parseRoot(path: string, content: string): RootFile {
  const parsed = parse(content);
  if (parsed === undefined) {
    throw new KeyFolderUnusable(
      path,
      "is torn, or was written by another version of Covey; put the copy back that you kept.",
    );
  }
  const { swarm, root, authority, encryption } = parsed;
  return {
    ...{ path, swarm, root: bytes(root), authority: bytes(authority) },
    ...{ isSealed: encryption !== null, content: parsed },
  };
}

/** @throws {WrongPassphrase} also when the file was tampered with: the two cannot be told apart. */
export async function unlockRoot({ path, content }: RootFile, passphrase: string): Promise<RootKeys> {
  const { keys, ...header } = content;
  const { encryption } = header;
  const plaintext =
    encryption === null ? bytes(keys) : await open(header, encryption, passphrase, bytes(keys));
  if (plaintext?.length !== 2 * keyBytes) throw new WrongPassphrase(path);
  return {
    root: new Uint8Array(plaintext.subarray(0, keyBytes)),
    authority: new Uint8Array(plaintext.subarray(keyBytes)),
  };
}

type Header = Omit<Content, "keys">;

async function seal(
  header: Header,
  encryption: Encryption,
  passphrase: string,
  plaintext: Uint8Array,
): Promise<Uint8Array> {
  const key = await keyOf(encryption, passphrase);
  const cipher = createCipheriv(encryption.cipher, key, bytes(encryption.nonce));
  cipher.setAAD(Buffer.from(JSON.stringify(header)));
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** undefined when the passphrase is another one, or anything in the file. */
async function open(
  header: Header,
  encryption: Encryption,
  passphrase: string,
  sealed: Uint8Array,
): Promise<Uint8Array | undefined> {
  const length = sealed.length - tagBytes;
  if (length < 0) return undefined;
  const key = await keyOf(encryption, passphrase);
  const decipher = createDecipheriv(encryption.cipher, key, bytes(encryption.nonce));
  decipher.setAAD(Buffer.from(JSON.stringify(header)));
  decipher.setAuthTag(sealed.subarray(length));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, length)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** One passphrase has one form, whatever the keyboard makes of an accent (NFKC, as RFC 8265 would have it). */
function keyOf({ n, r, p, salt }: Encryption, passphrase: string): Promise<Buffer> {
  const options = { N: n, r, p, maxmem: memoryBytesMax + 2 ** 20 };
  return derive(passphrase.normalize("NFKC"), bytes(salt), 32, options);
}

const derive: (
  passphrase: string,
  salt: Uint8Array,
  length: number,
  options: { N: number; r: number; p: number; maxmem: number },
) => Promise<Buffer> = promisify(scrypt);

function parse(content: string): Content | undefined {
  let file: Partial<Content> | null;
  try {
    file = JSON.parse(content) as Partial<Content> | null;
  } catch {
    return undefined;
  }
  const isSound =
    file?.version === version &&
    [file.about, file.swarm, file.root, file.authority, file.keys].every(
      (each) => typeof each === "string",
    ) &&
    bytes(file.root!).length === 2 * keyBytes &&
    (file.encryption === null || isEncryption(file.encryption));
  return isSound ? (file as Content) : undefined;
}

function isEncryption(given: Encryption | undefined): boolean {
  if (typeof given !== "object") return false;
  const { kdf, n, r, p, salt, cipher, nonce } = given;
  const areSmall = [n, r, p].every((each) => Number.isSafeInteger(each) && each >= 1) && p <= 16;
  const isPower = n >= 2 && Number.isInteger(Math.log2(n));
  return (
    kdf === "scrypt" &&
    cipher === "aes-256-gcm" &&
    areSmall &&
    isPower &&
    128 * n * r <= memoryBytesMax &&
    typeof salt === "string" &&
    typeof nonce === "string" &&
    bytes(nonce).length === 12
  );
}

function text(array: Uint8Array): string {
  return Buffer.from(array).toString("base64url");
}

function bytes(base64url: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64url, "base64url"));
}
