/** `covey improv` as people run it: its own process, a board in XS at the other end of a port, or in the air. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { membersOf } from "../../../host-tools/keys/ledger.ts";
import { XsEngine } from "../../../host-tools/simulator/engines/xs-engine.ts";
import { storedKeys } from "../../../protocols/provisioning/stored.ts";
import { HciPort } from "../../emulators/hci/hci-port.ts";
import { EmulatedRadio } from "../../emulators/hci/radio.ts";
import { ConsoleLine } from "../../emulators/serial/console-line.ts";
import { issueAll } from "../keys/deployed-keys.ts";
import { home, ImprovBoard } from "../provisioner/improv/simulated-boards.ts";
import { CoveyProcess } from "./covey-process.ts";

let engine: XsEngine;

beforeAll(async () => {
  engine = await XsEngine.make(() => {});
}, 180_000);

function covey(words: readonly string[], cwd: string, variables: Readonly<Record<string, string>> = {}) {
  return new CoveyProcess(words, cwd, { ...process.env, ...variables }).ended;
}

function newFolder(): string {
  const folder = fs.mkdtempSync(join(tmpdir(), "covey-improv-cli-"));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

async function atPort() {
  const line = await ConsoleLine.open();
  const board = new ImprovBoard({ serial: line });
  board.powerOn(engine);
  onTestFinished(() => board.powerOff());
  onTestFinished(() => line.shut());
  await expect.poll(() => line.isListening, { timeout: 10_000 }).toBe(true);
  return { board, line };
}

describe("covey improv", () => {
  test("shows a board and what it sees, and gives it the Wi-Fi of a file", { timeout: 60_000 }, async () => {
    const { board, line } = await atPort();
    const cwd = newFolder();
    const look = await covey(["improv", "--port", line.url, "--look"], cwd);
    expect(look.stdout).toContain("a board without an identity, esp32c3-devkit, Covey");
    expect(look.stdout).toContain("-48 dBm  MyWirelessAP");
    expect(look.stdout).toContain("-81 dBm  Café  (open)");
    fs.writeFileSync(join(cwd, "wifi.json"), JSON.stringify(home), { mode: 0o600 });
    const given = await covey(["improv", "--port", line.url, "--wifi", "wifi.json", "--json"], cwd);
    expect(given.exitCode).toBe(0);
    expect(JSON.parse(given.stdout)).toMatchObject({ link: "serial", board: "", ssid: home.ssid });
    expect(given.stdout + given.stderr).not.toContain(home.password);
    expect(board.values.has(storedKeys.contact)).toBe(true);
  });

  test("refuses in a sentence what cannot be meant", { timeout: 60_000 }, async () => {
    const cwd = newFolder();
    for (const [words, sentence] of [
      [["--port", "a", "--ble"], "Say --port or --ble, not both."],
      [["--ble", "--give", "north-1"], "An identity is given over a cable alone"],
      [["--identify"], "--identify is for --ble"],
      [["--hosts", "main=192.0.2.7"], "--hosts and --time-server are for --give"],
      [["--port", "/dev/there-is-none", "--look"], "There is no port /dev/there-is-none"],
    ] as const) {
      const { stderr, exitCode } = await covey(["improv", ...words], cwd);
      expect(stderr).toContain(sentence);
      expect(exitCode).toBeGreaterThan(0);
    }
  });

  test("issues no identity for a name that is no board's, nor before a board has answered", {
    timeout: 60_000,
  }, async () => {
    const cwd = newFolder();
    const keys = await issueAll(join(cwd, ".covey/house"), "house", [], []);
    fs.writeFileSync(
      join(cwd, "swarm.ts"),
      'import { board, swarm } from "covey";\nexport default swarm("house", { boards: { "north-1": board("esp32c3-devkit", { sense: [] }) } });\n',
    );
    const give = (name: string) =>
      covey(["improv", "--give", name, "--port", "socket://127.0.0.1:1", "--hosts", "main=192.0.2.7"], cwd, {
        COVEY_WIFI_SSID: home.ssid,
        COVEY_WIFI_PASSWORD: home.password,
      });
    const misspelt = await give("north-11");
    expect([misspelt.exitCode, misspelt.stderr]).toEqual([
      2,
      expect.stringContaining("swarm.ts has no board north-11; its boards are north-1."),
    ]);
    const away = await give("north-1");
    expect([away.exitCode, away.stderr]).toEqual([1, expect.stringContaining("can't be reached")]);
    expect(membersOf(keys.ledger())).toEqual([]);
  });

  test("reaches a board by Bluetooth through a controller on a serial port", {
    timeout: 120_000,
  }, async () => {
    const radio = new EmulatedRadio();
    const board = new ImprovBoard({ bluetooth: radio });
    board.powerOn(engine);
    onTestFinished(() => board.powerOff());
    const hci = await HciPort.open(radio);
    onTestFinished(() => hci.remove());
    await expect.poll(() => radio.advertised, { timeout: 60_000 }).toBeDefined();
    const controller = [
      "--controller",
      hci.port.port,
      "--controller-baud",
      `${hci.port.baud}`,
      "--scan-time",
      "1s",
    ];
    const cwd = newFolder();
    const env = { COVEY_WIFI_SSID: home.ssid, COVEY_WIFI_PASSWORD: home.password };
    const given = await covey(["improv", "--ble", ...controller, "--json"], cwd, env);
    expect(given.stderr).toBe("");
    expect(JSON.parse(given.stdout)).toMatchObject({
      link: "bluetooth",
      name: "esp32c3-devkit",
      ssid: home.ssid,
    });
    expect(board.values.has(storedKeys.contact)).toBe(true);
  });
});
