/**
 * Where the root of a swarm's trust lives, on a computer of its owner and never on a board:
 *
 * ```
 * root.json        the private keys, under a passphrase
 * ledger.json      who was issued what, and who is revoked
 * issued/NAME.json a member's identity and private key, to be taken to it
 * keys.lock        held while something changes
 * ```
 *
 * A change is all or nothing: the members' files are made durable beside their places, then the ledger is replaced, then they are renamed.
 * Whoever opens the folder after a power cut finishes or undoes what stands between.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { kidOf } from "../../protocols/security/identity/credential.ts";
import { formatMember, type MemberSecrets, readMemberFile } from "../security/member-file.ts";
import { nodeCiphers } from "../security/node-ciphers.ts";
import { place, stage, stagedSuffix, syncFolder, writeDurably } from "../storage/durable-file.ts";
import { ExclusiveLock } from "../storage/exclusive-lock.ts";
import { makeAuthority } from "./authority.ts";
import { KeyFolderUnusable, KeysExist, KeysInUse, NoKeys, WrongPassphrase } from "./key-error.ts";
import { formatLedger, type Ledger, latestOf, parseLedger } from "./ledger.ts";
import { formatRoot, parseRoot, type RootFile, type RootKeys, unlockRoot } from "./root-file.ts";

/** What changes together. */
export interface Change {
  readonly ledger: Ledger;
  /** Their files. */
  readonly issued: readonly MemberSecrets[];
}

/** For a process that holds the lock; a change takes far less. */
const lockWaitMs = 5_000;

export class KeyFolder {
  readonly path: string;
  readonly #root: RootFile;

  private constructor(path: string, root: RootFile) {
    this.path = path;
    this.#root = root;
  }

  /**
   * Makes a root and an authority, and the folder where there is none; one that was only half made is made whole.
   *
   * @param passphrase undefined for a simulation: the keys stand in the clear.
   * @throws {KeysExist} {KeysInUse} {KeyFolderUnusable}
   */
  static async create(path: string, swarm: string, passphrase: string | undefined): Promise<KeyFolder> {
    refuseExisting(path);
    const root = nodeCiphers.generateKeyPair();
    const authority = makeAuthority(swarm, Date.now());
    const shown = { swarm, root: root.publicKey, authority: authority.certificate };
    const keys = { root: root.privateKey, authority: authority.privateKey };
    const content = await formatRoot(shown, keys, passphrase);
    makeFolder(path);
    return locked(path, () => {
      refuseExisting(path);
      // The ledger first: without a root nobody was issued anything, so that a ledger alone is one that was just begun.
      const ledger: Ledger = { swarm, root: text(root.publicKey), roster: undefined, entries: [] };
      writeDurably(join(path, ledgerName), formatLedger(ledger));
      writeDurably(join(path, rootName), content);
      return new KeyFolder(path, parseRoot(join(path, rootName), content));
    });
  }

  /** @throws {NoKeys} {KeyFolderUnusable} {KeysInUse} */
  static open(path: string): KeyFolder {
    const file = join(path, rootName);
    if (!existsSync(file)) throw missingRoot(path);
    refuseForeignEyes(path, 0o700);
    refuseForeignEyes(file, 0o600);
    const folder = new KeyFolder(path, parseRoot(file, readText(file)));
    if (folder.#stagedNames().length > 0) locked(path, () => folder.#settle(folder.ledger()));
    return folder;
  }

  get swarm(): string {
    return this.#root.swarm;
  }

  /** Public key, x and y. */
  get root(): Uint8Array {
    return this.#root.root;
  }

  /** Certificate of the authority that signs hosts' certificates, DER. */
  get authority(): Uint8Array {
    return this.#root.authority;
  }

  /** Whether a passphrase is needed. */
  get isSealed(): boolean {
    return this.#root.isSealed;
  }

  /** Takes about half a second where there is a passphrase. @throws {WrongPassphrase} */
  async unlock(passphrase = ""): Promise<RootKeys> {
    const keys = await unlockRoot(this.#root, passphrase);
    if (!ownsRoot(keys.root, this.root)) throw new WrongPassphrase(this.#root.path);
    return keys;
  }

  /** As it is now. @throws {KeyFolderUnusable} */
  ledger(): Ledger {
    const file = join(this.path, ledgerName);
    if (!existsSync(file)) {
      throw new KeyFolderUnusable(
        file,
        "is gone, and nobody else knows who was issued what; put the copy back that you kept.",
      );
    }
    const ledger = parseLedger(file, readText(file));
    if (ledger.root === text(this.root)) return ledger;
    throw new KeyFolderUnusable(file, `belongs to other keys than ${rootName} beside it; put its own back.`);
  }

  /**
   * Does what `act` makes of the ledger as it is now; no other process does so meanwhile.
   * @throws {KeysInUse} {KeyFolderUnusable} and what `act` throws
   */
  change<Made extends Change>(act: (ledger: Ledger) => Made): Made {
    return locked(this.path, () => {
      const before = this.ledger();
      this.#settle(before);
      const made = act(before);
      mkdirSync(this.#issuedFolder, { recursive: true, mode: 0o700 });
      for (const member of made.issued) stage(this.issuedPath(member.identity.name), formatMember(member));
      if (made.issued.length > 0) syncFolder(this.#issuedFolder);
      writeDurably(join(this.path, ledgerName), formatLedger(made.ledger));
      this.#settle(made.ledger);
      return made;
    });
  }

  /** Where the file of this member is, or would be. */
  issuedPath(name: string): string {
    return join(this.#issuedFolder, `${name}.json`);
  }

  hasIssued(name: string): boolean {
    return existsSync(this.issuedPath(name));
  }

  /** @throws {MemberFileError} */
  readIssued(name: string): MemberSecrets {
    return readMemberFile(this.issuedPath(name));
  }

  get #issuedFolder(): string {
    return join(this.path, "issued");
  }

  /** What the ledger knows of comes into its place; the rest never got out, and goes. */
  #settle(ledger: Ledger): void {
    const staged = this.#stagedNames();
    for (const name of staged) {
      const path = this.issuedPath(name);
      const kid = kidInside(`${path}${stagedSuffix}`);
      if (kid !== undefined && kid === latestOf(ledger, name)?.kid) place(path);
      else rmSync(`${path}${stagedSuffix}`);
    }
    if (staged.length > 0) syncFolder(this.#issuedFolder);
  }

  #stagedNames(): string[] {
    const ending = `.json${stagedSuffix}`;
    return readFolder(this.#issuedFolder)
      .filter((file) => file.endsWith(ending))
      .map((file) => basename(file, ending));
  }
}

const rootName = "root.json";
const ledgerName = "ledger.json";

/** Of a place where `create` is to make a folder. @throws {KeysExist} {KeyFolderUnusable} */
export function refuseExisting(path: string): void {
  const file = join(path, rootName);
  if (existsSync(file)) throw new KeysExist(path, parseRoot(file, readText(file)).swarm);
  const problem = missingRoot(path);
  if (!(problem instanceof NoKeys)) throw problem;
}

/** A ledger that names members had a root once. */
function missingRoot(path: string): NoKeys | KeyFolderUnusable {
  const file = join(path, ledgerName);
  if (!existsSync(file) || parseLedger(file, readText(file)).entries.length === 0) return new NoKeys(path);
  return new KeyFolderUnusable(
    path,
    `has a ledger and no ${rootName}, without which nobody can be issued anything or revoked; put the copy back that you kept.`,
  );
}

function locked<T>(path: string, act: () => T): T {
  const lock = ExclusiveLock.take(join(path, "keys.lock"), lockWaitMs);
  if (lock === undefined) throw new KeysInUse(path);
  try {
    return act();
  } finally {
    lock.release();
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    throw new KeyFolderUnusable(
      path,
      `cannot be made (${(error as Error).message}); choose another --state.`,
    );
  }
  refuseForeignEyes(path, 0o700);
}

/** @throws {KeyFolderUnusable} when others than the owner may look into it. */
function refuseForeignEyes(path: string, mode: number): void {
  if (process.platform === "win32" || (statSync(path).mode & 0o077) === 0) return;
  throw new KeyFolderUnusable(
    path,
    `is open to other users of this computer; run chmod ${mode.toString(8)} ${path}.`,
  );
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new KeyFolderUnusable(path, `cannot be read (${code}); see who owns it, and that it is a file.`);
  }
}

function readFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** undefined for a torn one. */
function kidInside(path: string): string | undefined {
  try {
    const { identity } = JSON.parse(readFileSync(path, "utf8")) as { identity: string };
    return Buffer.from(kidOf(nodeCiphers, Buffer.from(identity, "base64url"))).toString("hex");
  } catch {
    return undefined;
  }
}

function ownsRoot(privateKey: Uint8Array, publicKey: Uint8Array): boolean {
  const message = new Uint8Array(32);
  return nodeCiphers.verify(publicKey, message, nodeCiphers.sign(privateKey, message));
}

function text(array: Uint8Array): string {
  return Buffer.from(array).toString("base64url");
}
