/** A key folder through crashes, tampering, and two processes at once. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { issueMembers } from "../../../host-tools/keys/issue.ts";
import { KeyFolderUnusable, KeysExist, KeysInUse, NoKeys } from "../../../host-tools/keys/key-error.ts";
import { KeyFolder } from "../../../host-tools/keys/key-folder.ts";
import { latestOf } from "../../../host-tools/keys/ledger.ts";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { ExclusiveLock } from "../../../host-tools/storage/exclusive-lock.ts";
import { kidOf } from "../../../protocols/security/identity/credential.ts";

let parent: string;
let path: string;

beforeEach(() => {
  parent = fs.mkdtempSync(join(tmpdir(), "covey-keys-"));
  path = join(parent, "garden", "keys");
});

afterEach(() => fs.rmSync(parent, { recursive: true }));

const create = () => KeyFolder.create(path, "garden", undefined);
const mode = (file: string) => fs.statSync(join(path, file)).mode & 0o777;

async function issued(folder: KeyFolder, ...names: string[]): Promise<void> {
  const requests = names.map((name) => ({ name, role: "board" as const }));
  issueMembers(folder, await folder.unlock(), requests, 0);
}

/** Every identity of the ledger can be handed out, and nothing lies about that is not in the ledger. */
function expectWhole(folder: KeyFolder): void {
  const ledger = folder.ledger();
  const files = fs.existsSync(join(path, "issued")) ? fs.readdirSync(join(path, "issued")) : [];
  expect(files.sort()).toEqual(ledger.entries.map(({ name }) => `${name}.json`).sort());
  for (const { name } of ledger.entries) {
    const kid = Buffer.from(kidOf(nodeCiphers, folder.readIssued(name).signed)).toString("hex");
    expect(kid).toBe(latestOf(ledger, name)!.kid);
  }
}

it("only its owner may look into it", async () => {
  await issued(await create(), "north");
  expect([".", "root.json", "ledger.json", "issued", "issued/north.json"].map(mode)).toEqual([
    0o700, 0o600, 0o600, 0o700, 0o600,
  ]);
});

it("is opened again as it was", async () => {
  const made = await create();
  await issued(made, "north", "south");
  const opened = KeyFolder.open(path);
  expect(opened.root).toEqual(made.root);
  expect(opened.ledger()).toEqual(made.ledger());
  expect(await opened.unlock()).toEqual(await made.unlock());
  expectWhole(opened);
});

it("is made once", async () => {
  await create();
  await expect(create()).rejects.toThrow(KeysExist);
  await expect(create()).rejects.toThrow(`${path} holds the keys of the swarm garden already`);
});

describe("a power cut at any step", () => {
  it("of making it leaves nothing, which is begun again, or all of it", async () => {
    const steps = await cutAtEachStep(
      async () => void (await create()),
      async () => {
        await create().catch((error) => expect(error).toBeInstanceOf(KeysExist));
        expectWhole(KeyFolder.open(path));
        fs.rmSync(path, { recursive: true });
      },
    );
    expect(steps).toBeGreaterThan(6);
  });

  it("of issuing several leaves none of them, or all", async () => {
    const folder = await create();
    await issued(folder, "north");
    let round = 0;
    const namesOf = () => ["east", "west"].map((name) => `${name}-${round}`);
    const steps = await cutAtEachStep(
      () => issued(folder, ...namesOf()),
      async () => {
        const opened = KeyFolder.open(path);
        expectWhole(opened);
        const there = namesOf().filter((name) => latestOf(opened.ledger(), name) !== undefined);
        expect([0, 2]).toContain(there.length);
        round++;
      },
    );
    expect(steps).toBeGreaterThan(10);
  });

  /**
   * Runs `act` again and again, and each time cuts it off at the next change of the file system, until it comes to its end. Gives
   * how many there were.
   */
  async function cutAtEachStep(act: () => Promise<void>, look: () => Promise<void>): Promise<number> {
    for (let steps = 0; ; steps++) {
      const wasCut = await cutAt(steps, act);
      await look();
      if (!wasCut) return steps;
    }
  }
});

/** True when `act` wanted more than `steps` changes of the file system; it got no more. */
async function cutAt(steps: number, act: () => Promise<void>): Promise<boolean> {
  const writable = createRequire(import.meta.url)("node:fs") as Record<
    string,
    (...args: unknown[]) => unknown
  >;
  const changing = ["mkdirSync", "openSync", "writeSync", "fsyncSync", "renameSync", "rmSync"];
  const real = new Map(changing.map((name) => [name, writable[name]!]));
  let left = steps;
  const cut = new Error("the power is cut");
  for (const [name, does] of real) {
    writable[name] = (...args) => {
      if (left-- <= 0) throw cut;
      return does(...args);
    };
  }
  syncBuiltinESMExports();
  try {
    await act();
    return false;
  } catch (error) {
    expect((error as Error).message).toContain(cut.message);
    return true;
  } finally {
    for (const [name, does] of real) writable[name] = does;
    syncBuiltinESMExports();
  }
}

describe("what was done to it by hand", () => {
  it.each([
    ["torn", (text: string) => text.slice(0, -20)],
    ["empty", () => ""],
    ["of another form", () => '{"version":1,"swarm":"garden"}'],
    ["with an entry that is none", (text: string) => text.replace(/"kid": "[0-9a-f]+"/, '"kid": "zz"')],
  ])("a ledger that is %s is refused, and nothing is overwritten", async (_what, damage) => {
    const folder = await create();
    await issued(folder, "north");
    const file = join(path, "ledger.json");
    const damaged = damage(fs.readFileSync(file, "utf8"));
    fs.writeFileSync(file, damaged);
    const why = /ledger\.json is torn or was changed by hand, .* put the copy back that you kept\.$/;
    expect(() => KeyFolder.open(path).ledger()).toThrow(why);
    await expect(issued(folder, "south")).rejects.toThrow(why);
    expect(fs.readFileSync(file, "utf8")).toBe(damaged);
  });

  it("a ledger that is gone, or that of other keys, is refused", async () => {
    const folder = await create();
    const file = join(path, "ledger.json");
    const other = await KeyFolder.create(join(parent, "other"), "garden", undefined);
    fs.copyFileSync(join(other.path, "ledger.json"), file);
    expect(() => folder.ledger()).toThrow(/ledger\.json belongs to other keys than root\.json beside it/);
    fs.rmSync(file);
    expect(() => folder.ledger()).toThrow(/ledger\.json is gone, and nobody else knows/);
  });

  it("a ledger with members and no root is no place to begin anew", async () => {
    await issued(await create(), "north");
    fs.rmSync(join(path, "root.json"));
    const why = /has a ledger and no root\.json, .* put the copy back that you kept\.$/;
    expect(() => KeyFolder.open(path)).toThrow(why);
    await expect(create()).rejects.toThrow(why);
  });

  it("nothing there is said so", () => {
    expect(() => KeyFolder.open(path)).toThrow(NoKeys);
    expect(() => KeyFolder.open(path)).toThrow(/There are no keys in .*; make them with covey keys init/);
  });

  it("what other users may read is refused with the command that mends it", async () => {
    await create();
    fs.chmodSync(join(path, "root.json"), 0o644);
    expect(() => KeyFolder.open(path)).toThrow(
      `${join(path, "root.json")} is open to other users of this computer; run chmod 600 ${join(path, "root.json")}.`,
    );
    fs.chmodSync(join(path, "root.json"), 0o600);
    fs.chmodSync(path, 0o755);
    expect(() => KeyFolder.open(path)).toThrow(`run chmod 700 ${path}.`);
    fs.chmodSync(path, 0o700);
    KeyFolder.open(path);
  });

  it("what cannot be read is said, with the system's reason", async () => {
    await create();
    fs.rmSync(join(path, "root.json"));
    fs.mkdirSync(join(path, "root.json"), { mode: 0o700 });
    expect(() => KeyFolder.open(path)).toThrow(KeyFolderUnusable);
    expect(() => KeyFolder.open(path)).toThrow(/root\.json cannot be read \(EISDIR\); see who owns it/);
  });

  it("a folder that cannot be made is said", async () => {
    fs.writeFileSync(join(parent, "garden"), "");
    await expect(create()).rejects.toThrow(/keys cannot be made \(.*\); choose another --state\.$/);
  });
});

describe("two processes at once", () => {
  it("one waits for the other, and nothing of either is lost", async () => {
    await create();
    const processes = ["a", "b", "c"].map((letter) =>
      spawn(process.execPath, [join(import.meta.dirname, "issue-some.ts"), path, letter, "4"], {
        stdio: "inherit",
      }),
    );
    const codes = await Promise.all(processes.map(async (each) => (await once(each, "close"))[0]));
    expect(codes).toEqual([0, 0, 0]);
    const folder = KeyFolder.open(path);
    expect(folder.ledger().entries).toHaveLength(12);
    expectWhole(folder);
  });

  it("whoever holds it too long is not waited for", async () => {
    const folder = await create();
    const lock = ExclusiveLock.take(join(path, "keys.lock"));
    await expect(issued(folder, "north")).rejects.toThrow(KeysInUse);
    lock!.release();
    await issued(folder, "north");
  }, 15_000);
});
