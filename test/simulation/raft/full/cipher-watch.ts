/**
 * Stands between everybody in a run and their ciphers, and sees what no single member can: whether a nonce is ever used twice under one key, and whether
 * anybody opens what is published under a key that was made after its own revocation.
 */
import type { Ciphers } from "../../../../protocols/security/ciphers.ts";
import type { SenderKey } from "../../../../protocols/security/group/sender-key.ts";
import { UnsafeStep } from "../safety.ts";

export class CipherWatch {
  readonly #ciphers: Ciphers;
  /** Keys and nonces that were sealed under. */
  readonly #sealed = new Set<string>();
  /** Keys under which hosts publish, and the epoch of each. */
  readonly #published = new Map<string, number>();
  /** The first epoch to which a member belongs no more. */
  readonly #revoked = new Map<string, number>();
  #failure: UnsafeStep | undefined;

  constructor(ciphers: Ciphers) {
    this.#ciphers = ciphers;
  }

  /** Records that were sealed. */
  get sealed(): number {
    return this.#sealed.size;
  }

  /** What `member` uses. A wrong step shows in `check`: a board would take an error for its own. */
  of(member: string): Ciphers {
    const ciphers = this.#ciphers;
    return {
      ...ciphers,
      ccmSeal: (key, nonce, ...rest) => {
        const name = textOf(key) + textOf(nonce);
        if (this.#sealed.has(name)) this.#fail("nonces", `${member} seals twice under one nonce`);
        this.#sealed.add(name);
        return ciphers.ccmSeal(key, nonce, ...rest);
      },
      ccmOpen: (key, ...rest) => {
        const opened = ciphers.ccmOpen(key, ...rest);
        const epoch = this.#published.get(textOf(key)) ?? -1;
        if (opened !== undefined && epoch >= (this.#revoked.get(member) ?? Infinity)) {
          this.#fail("revocation", `${member} opens what is published in epoch ${epoch}`);
        }
        return opened;
      },
    };
  }

  onSenderKey({ keys, epoch }: SenderKey): void {
    this.#published.set(textOf(keys.key), epoch);
  }

  onRevoked(member: string, epoch: number): void {
    this.#revoked.set(member, epoch);
  }

  /** It has a new identity. */
  onIssued(member: string): void {
    this.#revoked.delete(member);
  }

  /** Throws the first wrong step. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fail(property: string, what: string): void {
    this.#failure ??= new UnsafeStep(property, what);
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
