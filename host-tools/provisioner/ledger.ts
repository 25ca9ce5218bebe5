/**
 * Who is who: which board of the swarm is which piece of hardware. `boards.jsonl` beside the swarm's keys, a line of JSON for each thing that happened; of one name the last line
 * counts. A line is on the disk before the next board is begun. It holds no secret, and is for its owner's eyes all the same.
 *
 * ```
 * {"at":"2026-11-23T09:15:02.113Z","name":"north-1","mac":"24:0a:c4:12:34:56","chip":"ESP32-C3","model":"esp32c3-devkit","identity":"0123456789abcdef","state":"done"}
 * ```
 *
 * `begun` is written before a board's flash is touched, so that a board that was left half-way gets the same name at the next run.
 */
import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { syncFolder } from "../storage/durable-file.ts";

export interface BoardEntry {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly name: string;
  readonly mac: string;
  /** As Espressif writes it. */
  readonly chip: string;
  readonly model: string;
  /** Reference of its identity, as in `covey keys list`. */
  readonly identity: string;
  readonly state: "begun" | "done";
}

/** A line in the middle is torn, or none of ours. */
export class LedgerDamaged extends Error {
  override readonly name = "LedgerDamaged";
}

export class BoardLedger {
  readonly file: string;
  readonly #entries = new Map<string, BoardEntry>();
  /** Bytes of whole lines; a power cut may leave half a line behind them. */
  #bytes = 0;

  private constructor(file: string) {
    this.file = file;
  }

  /** @param folder that of the keys @throws {LedgerDamaged} */
  static open(folder: string): BoardLedger {
    const ledger = new BoardLedger(join(folder, "boards.jsonl"));
    if (existsSync(ledger.file)) ledger.#read(readFileSync(ledger.file));
    return ledger;
  }

  /** Of each name the last one, in the order in which they were first begun. */
  get entries(): readonly BoardEntry[] {
    return [...this.#entries.values()];
  }

  named(name: string): BoardEntry | undefined {
    return this.#entries.get(name);
  }

  /** The last name that this hardware was given. */
  withMac(mac: string): BoardEntry | undefined {
    return this.entries
      .filter((entry) => entry.mac === mac)
      .toSorted((a, b) => (a.at < b.at ? -1 : 1))
      .at(-1);
  }

  /** Durable when it returns; nothing is written when the last line of that name says the same. */
  write(entry: BoardEntry): void {
    const present = this.#entries.get(entry.name);
    if (present !== undefined && isSame(present, entry)) return;
    const isNew = !existsSync(this.file);
    const file = openSync(this.file, "a", 0o600);
    try {
      fchmodSync(file, 0o600);
      ftruncateSync(file, this.#bytes);
      const line = `${JSON.stringify(entry)}\n`;
      writeSync(file, line);
      fsyncSync(file);
      this.#bytes += Buffer.byteLength(line);
    } finally {
      closeSync(file);
    }
    if (isNew) syncFolder(dirname(this.file));
    this.#entries.set(entry.name, entry);
  }

  #read(bytes: Buffer): void {
    this.#bytes = bytes.lastIndexOf(0x0a) + 1;
    const lines = bytes.subarray(0, this.#bytes).toString("utf8").split("\n").slice(0, -1);
    for (const [i, line] of lines.entries()) {
      const entry = parse(line);
      if (entry === undefined) {
        throw new LedgerDamaged(
          `${this.file}:${i + 1} is no line of this ledger; put the copy back that you kept, or take the line out.`,
        );
      }
      this.#entries.set(entry.name, entry);
    }
  }
}

function isSame(left: BoardEntry, right: BoardEntry): boolean {
  const keys = ["mac", "chip", "model", "identity", "state"] as const;
  return keys.every((key) => left[key] === right[key]);
}

function parse(line: string): BoardEntry | undefined {
  let entry: Partial<Record<keyof BoardEntry, unknown>> | null;
  try {
    entry = JSON.parse(line);
  } catch {
    return undefined;
  }
  const isText = (key: keyof BoardEntry) => typeof entry?.[key] === "string";
  const areTexts = (["at", "name", "mac", "chip", "model", "identity"] as const).every(isText);
  if (!areTexts || (entry!.state !== "begun" && entry!.state !== "done")) return undefined;
  const { at, name, mac, chip, model, identity, state } = entry as BoardEntry;
  return { at, name, mac, chip, model, identity, state };
}
