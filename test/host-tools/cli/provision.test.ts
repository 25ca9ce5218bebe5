/** `covey provision` as a user runs it, against emulated boards at serial servers. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { readNvs } from "../../../host-tools/images/nvs/read.ts";
import { writeNvs } from "../../../host-tools/images/nvs/write.ts";
import { KeyFolder } from "../../../host-tools/keys/key-folder.ts";
import { holderOf, storedIn } from "../../../host-tools/provisioner/board-settings.ts";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { contactKeyOf, contactToBytes } from "../../../protocols/provisioning/contact.ts";
import { contactUseToBytes } from "../../../protocols/provisioning/contact-use.ts";
import { attach, detachAll } from "../flasher/attached.ts";
import {
  besideNvs,
  flashedBoard,
  foreignItems,
  holderIn,
  nvsOf as itemsOf,
} from "../provisioner/provisioned-chip.ts";
import { CoveyProcess, covey, type Ended, scratchFolder } from "./covey-process.ts";

// Each command is a process that opens the root's keys, which takes half a second of a quiet computer.
vi.setConfig({ testTimeout: 180_000 });

const { folder, remove } = scratchFolder();
const passphrase = "four words are enough";
const password = "hush-hush-in-the-house";
const { COVEY_PASSPHRASE: _, COVEY_WIFI_SSID: __, COVEY_WIFI_PASSWORD: ___, ...bare } = process.env;
const keysFolder = join(folder, ".covey/house/keys");
const ledgerFile = join(keysFolder, "boards.jsonl");
/** All that any command said. */
const said: string[] = [];

beforeAll(async () => {
  writeFileSync(
    join(folder, "swarm.ts"),
    `import { board, swarm } from "covey";
const c3 = () => board("esp32c3-devkit", { sense: [] });
export default swarm("house", {
  voters: ["attic", "door"],
  boards: { attic: c3(), door: c3(), gate: c3(), hall: board("esp32s3-devkit", { sense: [] }), loft: c3(), shed: board("esp32-devkit", { sense: [] }) },
});
`,
  );
  writeFileSync(join(folder, "wifi.json"), JSON.stringify({ ssid: "flock", password }), { mode: 0o600 });
  writeFileSync(join(folder, "passphrase"), `${passphrase}\n`, { mode: 0o600 });
  await run("keys", "init", "--passphrase-file", "passphrase");
});

afterEach(detachAll);

afterAll(async () => {
  const secrets = [password, passphrase, ...privateKeys()];
  for (const text of said) for (const secret of secrets) expect(text).not.toContain(secret);
  expect(secrets.length).toBeGreaterThan(5);
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const { mode } = statSync(join(folder, path));
    if (path.startsWith(".covey/house/keys/") && !path.endsWith(".lock"))
      expect([path, mode & 0o077]).toEqual([path, 0]);
  }
  remove();
});

/** Of every identity that was issued, as text in each way that it might be shown. */
function privateKeys(): string[] {
  return readdirSync(join(keysFolder, "issued")).flatMap((file) => {
    const { privateKey } = JSON.parse(readFileSync(join(keysFolder, "issued", file), "utf8"));
    const bytes = Buffer.from(privateKey, "base64url");
    return [privateKey, bytes.toString("hex"), bytes.toString("base64"), [...bytes].join(",")];
  });
}

async function run(...words: string[]): Promise<Ended> {
  const ended = await covey(words, folder, bare);
  said.push(ended.stdout, ended.stderr, words.join(" "));
  return ended;
}

const given = ["--passphrase-file", "passphrase", "--wifi", "wifi.json", "--hosts", "main=192.0.2.7"];
const provision = (...words: string[]) => run("provision", ...given, ...words);

const open = () => KeyFolder.open(keysFolder);
const ledger = () =>
  readFileSync(ledgerFile, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
/** Each test begins with boards that nobody knows. */
const forget = () => rmSync(ledgerFile, { force: true });

describe("one board", () => {
  afterEach(forget);

  it.each([
    ["gate", "esp32c3"],
    ["hall", "esp32s3"],
    ["shed", "esp32"],
  ] as const)(
    "%s, an %s: gets all that it needs and nothing else is touched; then nothing is written",
    async (name, kind) => {
      const { chip, url } = await flashedBoard(kind);
      const before = besideNvs(chip);
      const first = await provision(name, "--port", url, "--time-server", "192.0.2.1");
      expect(first).toMatchObject({ exitCode: 0 });
      expect(first.stdout).toMatch(
        new RegExp(
          `^${name}  ESP32\\S* 24:0a:c4:00:00:01  [\\d,]+ bytes written and verified, it starts$`,
          "m",
        ),
      );
      expect(holderIn(chip)).toMatchObject({
        ...{ swarm: "house", name, role: "board", hasKey: true, hasAuthority: true, hasContactKey: true },
        contact: {
          ...{ number: 0, ssid: "flock", timeServer: "192.0.2.1" },
          hosts: [{ name: "main", address: "192.0.2.7", port: 7883 }],
        },
      });
      const stored = storedIn(itemsOf(chip));
      const { root } = await open().unlock(passphrase);
      expect(stored.get("contact-key")).toEqual(contactKeyOf(nodeCiphers, root, "house"));
      expect(stored.get("contact")).toEqual(
        contactToBytes({
          number: 0,
          wifi: { ssid: "flock", password },
          hosts: [{ name: "main", address: "192.0.2.7", port: 7883 }],
          timeServer: "192.0.2.1",
        }),
      );
      expect(Buffer.compare(before, besideNvs(chip))).toBe(0);
      await expect.poll(() => chip.mode).toBe("application");
      expect(ledger().map(({ state }) => state)).toEqual(["begun", "done"]);
      expect(statSync(ledgerFile).mode & 0o777).toBe(0o600);

      const { programmedBytes, erasedSectors } = chip.counters;
      const lines = readFileSync(ledgerFile, "utf8");
      const again = await provision(name, "--port", url, "--time-server", "192.0.2.1");
      expect(again.stdout).toMatch(/holds all of it already; nothing was written, it starts$/m);
      expect(chip.counters).toMatchObject({ programmedBytes, erasedSectors });
      expect(readFileSync(ledgerFile, "utf8")).toBe(lines);
    },
  );

  it("keeps what others have in its settings, and writes new ones over its own", async () => {
    const { chip, url } = await flashedBoard("esp32c3", {}, foreignItems);
    expect((await provision("gate", "--port", url)).stdout).toContain("stays (phy, nvs.net80211, shop)");
    const others = () => itemsOf(chip).filter(({ namespace }) => namespace !== "covey");
    expect(others()).toEqual(foreignItems);
    const moved = await provision("gate", "--port", url, "--hosts", "main=192.0.2.9");
    expect(moved.stdout).toMatch(/bytes written and verified/);
    expect(holderIn(chip)!.contact!.hosts[0]!.address).toBe("192.0.2.9");
    expect(others()).toEqual(foreignItems);
  });

  it("that votes is not given the authority, because it has no room for TLS", async () => {
    const { chip, url } = await flashedBoard("esp32c3");
    await provision("attic", "--port", url);
    expect(holderIn(chip)).toMatchObject({ name: "attic", hasAuthority: false });
  });

  it("that its swarm told to move keeps that, unless --replace", async () => {
    const { chip, url } = await flashedBoard("esp32c3");
    await provision("gate", "--port", url);
    const moved = { number: 4, wifi: { ssid: "barn", password: "" }, hosts: [], timeServer: undefined };
    const items = [
      ...itemsOf(chip),
      { namespace: "covey", key: "other-contact", type: "blob", value: contactToBytes(moved) } as const,
      {
        namespace: "covey",
        key: "contact-use",
        type: "blob",
        value: contactUseToBytes({ slot: 1, isOtherTried: true }),
      } as const,
      { namespace: "covey", key: "update", type: "blob", value: Uint8Array.of(1, 2, 3) } as const,
    ];
    chip.flash.set(writeNvs(items, 0x6000), 0x9000);
    expect((await provision("gate", "--port", url)).stdout).toContain("nothing was written");
    expect(holderIn(chip)!.contact).toMatchObject({ number: 4, ssid: "barn" });
    expect((await provision("gate", "--port", url, "--replace")).stdout).toContain("written and verified");
    expect(holderIn(chip)!.contact).toMatchObject({ number: 0, ssid: "flock" });
    expect(storedIn(itemsOf(chip)).get("update")).toEqual(Uint8Array.of(1, 2, 3));
  });

  it("whose identity's file was taken away is left what it has", async () => {
    const { chip, url } = await flashedBoard("esp32c3");
    await provision("gate", "--port", url);
    const file = join(keysFolder, "issued/gate.json");
    const content = readFileSync(file, "utf8");
    rmSync(file);
    try {
      expect((await provision("gate", "--port", url)).stdout).toContain("nothing was written");
      const moved = await provision("gate", "--port", url, "--hosts", "main=192.0.2.8");
      expect(moved.stdout).toContain("written and verified");
      expect(holderIn(chip)).toMatchObject({ name: "gate", hasKey: true });
    } finally {
      writeFileSync(file, content, { mode: 0o600 });
    }
  });

  it("is shown without keys and without secrets", async () => {
    const { url } = await flashedBoard("esp32c3");
    const nobody = await run("provision", "--show", "--port", url);
    expect(nobody.stdout).toMatch(/ESP32-C3 24:0a:c4:00:00:01 {2}no identity$/m);
    await provision("gate", "--port", url);
    const shown = await run("provision", "--show", "--port", url, "--state", "nowhere");
    expect(shown.stdout).toMatch(/gate of the swarm house$/m);
    expect(shown.stdout).toMatch(/^ {2}Wi-Fi {6}flock$/m);
    expect(shown.stdout).toMatch(/^ {2}hosts {6}main=192\.0\.2\.7:7883$/m);
    const json = JSON.parse((await run("provision", "--show", "--port", url, "--json")).stdout);
    expect(json.boards[0].holder).toMatchObject({
      name: "gate",
      contact: { ssid: "flock", hosts: "main=192.0.2.7:7883" },
    });
  });

  it("a dry run writes nothing, and issues nobody an identity", async () => {
    const { chip, url } = await flashedBoard("esp32c3");
    const { programmedBytes } = chip.counters;
    const plan = await provision("loft", "--port", url, "--dry-run");
    expect(plan.stdout).toMatch(/would be issued an identity, and given it$/m);
    await run("keys", "issue", "loft", "--passphrase-file", "passphrase");
    expect((await provision("loft", "--port", url, "--dry-run")).stdout).toMatch(/would get 4,096 bytes$/m);
    expect(chip.counters).toMatchObject({ programmedBytes, erasedSectors: 0 });
    expect(existsSync(ledgerFile)).toBe(false);
  });
});

describe("a board that must not be written", () => {
  afterEach(forget);

  async function refused(message: RegExp, ...words: string[]): Promise<void> {
    const ended = await provision(...words);
    expect(ended).toMatchObject({ exitCode: 1, stdout: "" });
    expect(ended.stderr.trim().split("\n").at(-1)).toMatch(message);
  }

  it("is another board already: --replace is needed", async () => {
    const { chip, url } = await flashedBoard("esp32c3");
    await provision("gate", "--port", url);
    await refused(
      /\(24:0a:c4:00:00:01\) is gate already; to make it door, say --replace\.$/,
      "door",
      "--port",
      url,
    );
    expect(holderIn(chip)).toMatchObject({ name: "gate" });
    expect(await provision("door", "--port", url, "--replace")).toMatchObject({ exitCode: 0 });
    expect(holderIn(chip)).toMatchObject({ name: "door" });
  });

  it("would be a second one of a name", async () => {
    const one = await flashedBoard("esp32c3", { mac: "24:0a:c4:00:00:11" });
    const two = await flashedBoard("esp32c3", { mac: "24:0a:c4:00:00:12" });
    await provision("gate", "--port", one.url);
    await refused(
      /^gate is the board 24:0a:c4:00:00:11 since \d{4}-\d\d-\d\d, and two boards with one identity shut each other out\. If that one is gone, covey keys revoke gate first;/,
      "gate",
      "--port",
      two.url,
    );
    expect(holderIn(two.chip)).toBeUndefined();
    await run("keys", "revoke", "gate", "--why", "lost", "--passphrase-file", "passphrase");
    expect(await provision("gate", "--port", two.url)).toMatchObject({ exitCode: 0 });
    expect(holderIn(two.chip)!.kid).not.toBe(holderIn(one.chip)!.kid);
  });

  it("has another chip, no table, settings that can't be read, or encryption", async () => {
    const s3 = await flashedBoard("esp32s3");
    await refused(
      /^gate is an esp32c3-devkit with an ESP32-C3, and the board on \S+ has an ESP32-S3: take the right board, or say another --model\.$/,
      "gate",
      "--port",
      s3.url,
    );
    const blank = await attach({ chip: "esp32c3", flashBytes: 0x40_0000 });
    await refused(
      /has no partition table that can be used: flash it with covey flash first, then provision it\.$/,
      "gate",
      "--port",
      blank.url,
    );
    const garbled = await flashedBoard("esp32c3");
    garbled.chip.flash.fill(0x5a, 0x9000, 0xf000);
    await refused(
      /can't be read \(none of its pages has a header\); to write over it, say --replace\.$/,
      "gate",
      "--port",
      garbled.url,
    );
    expect(garbled.chip.counters).toMatchObject({ programmedBytes: 0, erasedSectors: 0 });
    const locked = await flashedBoard("esp32c3", { efuses: { flashEncryption: true } });
    await refused(
      /has flash encryption on, so it is not written over this port/,
      "gate",
      "--port",
      locked.url,
    );
  });
});

describe("what is missing is said in a sentence", () => {
  const bareProvision = (...words: string[]) => run("provision", ...words);

  it.each([
    [[], "Say which board this is to be: covey provision NAME; or --from boards.csv, or --show."],
    [["gate", "--all"], "--all needs to know who is who: say --from boards.csv."],
    [
      ["garage", "--port", "socket://127.0.0.1:1"],
      "swarm.ts has no board garage; its boards are attic, door, gate, hall, loft, shed. For another one say --model.",
    ],
    [
      ["gate", "--port", "socket://127.0.0.1:1"],
      "Say where the boards find the swarm's hosts: --hosts main=ADDRESS, or --hosts mdns.",
    ],
    [
      ["gate", "--port", "socket://127.0.0.1:1", "--hosts", "spare=192.0.2.7"],
      'The swarm has no host "spare"; its hosts are main.',
    ],
    [
      ["gate", "--port", "socket://127.0.0.1:1", "--hosts", "mdns"],
      'The Wi-Fi network is asked for at a terminal; without one, say --wifi FILE, which holds {"ssid": ..., "password": ...}, or set COVEY_WIFI_SSID and COVEY_WIFI_PASSWORD.',
    ],
    [
      ["gate", "--port", "socket://127.0.0.1:1", "--hosts", "mdns", "--wifi", "no.json"],
      'no.json is not there; write {"ssid": "...", "password": "..."} into it.',
    ],
    [["--from", "no.csv"], "no.csv can't be read (ENOENT); check --from."],
  ])("%j", async (words, sentence) => {
    const { exitCode, stderr } = await bareProvision(...words);
    expect([exitCode, stderr]).toEqual([2, `${sentence}\n`]);
  });

  it("a password that is none is not shown", async () => {
    const ended = await covey(
      ["provision", "gate", "--port", "socket://127.0.0.1:1", "--hosts", "mdns"],
      folder,
      {
        ...bare,
        COVEY_WIFI_SSID: "flock",
        COVEY_WIFI_PASSWORD: "short",
      },
    );
    expect([ended.exitCode, ended.stderr]).toEqual([
      2,
      "COVEY_WIFI_SSID and COVEY_WIFI_PASSWORD: a Wi-Fi password has 8 to 64 characters, this one 5.\n",
    ]);
  });

  it("a file that others may read is said to be one", async () => {
    writeFileSync(join(folder, "open.json"), JSON.stringify({ ssid: "flock", password: "for-everybody" }), {
      mode: 0o644,
    });
    const { stderr } = await bareProvision(
      "gate",
      "--port",
      "socket://127.0.0.1:1",
      "--hosts",
      "mdns",
      "--wifi",
      "open.json",
      "--passphrase-file",
      "passphrase",
    );
    expect(stderr).toContain(
      "open.json may be read by others and holds the Wi-Fi's password; run chmod 600 open.json.",
    );
  });
});

it("at a terminal it asks for what is missing, and does not show what is secret", async () => {
  const { chip, url } = await flashedBoard("esp32c3");
  const program = join(import.meta.dirname, "../../../host-tools/cli/bin.js");
  const command = [process.execPath, program, "provision", "gate", "--port", url]
    .map((word) => `'${word}'`)
    .join(" ");
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    cwd: folder,
    env: { ...bare, NO_COLOR: "1" },
  });
  const answers: [question: string, answer: string][] = [
    ["Address of the host main (port 7883 if not said): ", "192.0.2.5"],
    ["Name of the Wi-Fi network: ", "barn"],
    ["Its password (none: Enter): ", password],
    ["Passphrase of the swarm's root: ", passphrase],
  ];
  let seen = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    seen += text;
    const [question, answer] = answers[0] ?? [];
    if (question === undefined || !seen.includes(question)) return;
    answers.shift();
    child.stdin.write(`${answer}\r`);
  });
  await new Promise((resolve) => child.once("close", resolve));
  said.push(seen);
  expect(answers).toEqual([]);
  expect(seen).toMatch(/bytes written and verified, it starts/);
  expect(holderIn(chip)).toMatchObject({
    name: "gate",
    contact: { ssid: "barn", hosts: [{ name: "main", address: "192.0.2.5", port: 7883 }] },
  });
  forget();
});

describe("into a file", () => {
  it("of its owner's alone, never over another", async () => {
    const made = await provision("gate", "--image-only", "gate.nvs");
    expect(made.stdout).toMatch(
      /^gate is in gate\.nvs: 24,576 bytes for 0x9000 of an esp32c3-devkit\. Whoever has that file is gate\.$/m,
    );
    expect(statSync(join(folder, "gate.nvs")).mode & 0o777).toBe(0o600);
    expect(holderOf(storedIn(readNvs(readFileSync(join(folder, "gate.nvs")))))).toMatchObject({
      name: "gate",
      hasKey: true,
    });
    expect(await provision("gate", "--image-only", "gate.nvs")).toMatchObject({ exitCode: 2 });
    expect((await run("image", "info", "gate.nvs")).stdout).not.toContain("flock");
    mkdirSync(join(folder, "lin"));
    const lin = await provision("gate", "--lin", "lin");
    expect(lin.stdout).toContain("gate is in lin/kv-covey.flash");
    expect(statSync(join(folder, "lin/kv-covey.flash")).mode & 0o777).toBe(0o600);
  });
});

/** Of a board like this one: bytes on its line shortly before it is done, when it is being written. */
async function whileItIsWritten(name: string): Promise<number> {
  const { chip, url } = await flashedBoard("esp32c3", {}, foreignItems);
  await provision(name, "--port", url);
  forget();
  return chip.counters.bytesIn - 1200;
}

describe("a cable that is pulled", () => {
  afterEach(forget);

  it("while it is written: the next run gives it all, and what others keep there", async () => {
    const afterBytes = await whileItIsWritten("gate");
    const { chip, url } = await flashedBoard("esp32c3", {}, foreignItems);
    chip.pull(afterBytes);
    const cut = await provision("gate", "--port", url);
    expect([cut.exitCode, cut.stderr]).toEqual([
      1,
      expect.stringContaining(
        "went away half-way: the board is half-provisioned and does not know who it is. Plug it in and run the same command again, which writes only what is missing.",
      ),
    ]);
    expect(ledger().map(({ state }) => state)).toEqual(["begun"]);
    const rescued = () => readdirSync(keysFolder).filter((file) => file.startsWith("settings-of"));
    expect(statSync(join(keysFolder, rescued()[0]!)).mode & 0o777).toBe(0o600);
    chip.plug();
    const again = await provision("gate", "--port", url);
    expect(again.stdout).toMatch(
      /was half-provisioned; [\d,]+ bytes written and verified, it starts; what else/,
    );
    expect(holderIn(chip)).toMatchObject({ name: "gate", hasKey: true });
    expect(itemsOf(chip).filter(({ namespace }) => namespace !== "covey")).toEqual(foreignItems);
    expect(rescued()).toEqual([]);
    expect(ledger().at(-1)).toMatchObject({ name: "gate", state: "done" });
  });
});

describe("a box of six", () => {
  afterEach(forget);
  const kinds = ["esp32c3", "esp32c3", "esp32c3", "esp32s3", "esp32c3", "esp32"] as const;
  const macs = kinds.map((_, i) => `24:0a:c4:aa:00:0${i}`);
  const list = `name,mac,scope
# by hand
attic,
door,${macs[0]},
gate,,"gate:rw"
hall,
loft,
shed,
`;

  it("is done in parallel, one left half-way; the second run does only that one; labels have a code for each", async () => {
    const afterBytes = await whileItIsWritten("loft");
    writeFileSync(join(folder, "boards.csv"), list);
    const boards = await Promise.all(
      kinds.map((kind, i) => flashedBoard(kind, { mac: macs[i]! }, i === 4 ? foreignItems : [])),
    );
    const ports = boards.flatMap(({ url }) => ["--port", url]);
    boards[4]!.chip.pull(afterBytes);
    const first = await provision("--from", "boards.csv", ...ports, "--labels", "labels.svg", "--json");
    expect([first.exitCode, first.stdout]).toEqual([1, expect.stringContaining("left")]);
    const json = JSON.parse(first.stdout);
    expect(json.left).toHaveLength(1);
    expect(json.boards[4]).toMatchObject({ error: { code: "unplugged", board: "half-provisioned" } });
    expect(holderIn(boards[0]!.chip)).toMatchObject({ name: "door" });
    expect(holderIn(boards[3]!.chip)).toMatchObject({ name: "hall" });
    expect(holderIn(boards[5]!.chip)).toMatchObject({ name: "shed" });
    const other = await provision("gate", "--port", boards[2]!.url, "--replace", "--scope", "gate:r");
    expect(other.stderr).toMatch(
      /^gate has an identity with the scope gate:rw; to give it another one, covey keys revoke gate first\.$/m,
    );

    boards[4]!.chip.plug();
    const before = boards.map(({ chip }) => chip.counters.programmedBytes);
    const second = await provision("--from", "boards.csv", ...ports, "--labels", "labels.svg");
    expect(second.exitCode).toBe(0);
    expect(second.stdout).toContain("6 of 6 boards are done. Who is who: .covey/house/keys/boards.jsonl");
    expect(second.stdout.match(/nothing was written/g)).toHaveLength(5);
    const written = boards.map(({ chip }, i) => chip.counters.programmedBytes - before[i]!);
    expect(written.filter((bytes) => bytes > 0)).toEqual([written[4]]);
    expect(boards.map(({ chip }) => holderIn(chip)!.name).toSorted()).toEqual([
      "attic",
      "door",
      "gate",
      "hall",
      "loft",
      "shed",
    ]);
    expect(itemsOf(boards[4]!.chip).filter(({ namespace }) => namespace !== "covey")).toEqual(foreignItems);

    const svg = readFileSync(join(folder, "labels.svg"), "utf8");
    for (const name of ["attic", "door", "gate", "hall", "loft", "shed"])
      expect(svg).toContain(`>${name}</text>`);
    const third = await provision("--from", "boards.csv", ...ports);
    expect(third.stdout.match(/nothing was written/g)).toHaveLength(6);
    const alone = await run("provision", "--labels", "again.svg");
    expect(alone.stdout).toContain("6 labels are in again.svg; print at 100 % on A4.");
    expect(readFileSync(join(folder, "again.svg"), "utf8")).toHaveLength(svg.length);
  });

  it("that is killed is gone on with: what has a line in the ledger keeps its name", async () => {
    writeFileSync(join(folder, "boards.csv"), "name\nattic\ngate\nloft\n");
    const boards = await Promise.all(
      [0, 1, 2].map((i) =>
        flashedBoard("esp32c3", { mac: `24:0a:c4:bb:00:0${i}`, faults: { sectorEraseMs: 300 } }),
      ),
    );
    const ports = boards.flatMap(({ url }) => ["--port", url]);
    const words = [
      "provision",
      "--from",
      "boards.csv",
      ...ports,
      "--passphrase-file",
      "passphrase",
      "--wifi",
      "wifi.json",
      "--hosts",
      "mdns",
    ];
    const process = new CoveyProcess(words, folder, bare);
    await expect
      .poll(() => existsSync(ledgerFile) && ledger().length, { timeout: 20_000 })
      .toBeGreaterThan(0);
    process.child.kill("SIGKILL");
    await process.ended;
    const begun = new Map(ledger().map(({ mac, name }) => [mac, name]));
    const again = await covey(words, folder, bare);
    expect(again).toMatchObject({ exitCode: 0 });
    for (const { mac, name } of ledger()) if (begun.has(mac)) expect(name).toBe(begun.get(mac));
    expect(
      ledger()
        .filter(({ state }) => state === "done")
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(["attic", "gate", "loft"]);
  });

  it("has a list that is checked before anything is asked", async () => {
    writeFileSync(
      join(folder, "wrong.csv"),
      "name,mac,model\nattic,24:0a:c4,\nattic2,,\ndoor,,esp33\ngate,,\ngate,,\n",
    );
    const { exitCode, stderr } = await provision("--from", "wrong.csv", "--port", "socket://127.0.0.1:1");
    expect([exitCode, stderr.trim().split("\n")]).toEqual([
      2,
      [
        'wrong.csv:2: "24:0a:c4" is no MAC such as 24:0a:c4:12:34:56.',
        "wrong.csv:3: attic2 is no board of swarm.ts; say its kind in a column model.",
        'wrong.csv:4: "esp33" is not a kind of board; covey boards lists them.',
        "wrong.csv:6: the name gate is in line 5 too.",
      ],
    ]);
  });
});
