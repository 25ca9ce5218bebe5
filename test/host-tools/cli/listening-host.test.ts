/** A host that others reach, as a user sets it up: keys, `covey lead --listen`, and people who log in, each command in a process of its own. */
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LogEntry } from "../../../host-tools/leader/api/types/log.ts";
import type { Status } from "../../../host-tools/leader/api/types/status.ts";
import { CoveyProcess, covey, type Ended, scratchFolder } from "./covey-process.ts";

const { folder, remove } = scratchFolder();
const environment = { ...process.env, COVEY_PASSPHRASE: "four words are enough" };
const run = (...words: string[]): Promise<Ended> => covey(words, folder, environment);
const fileOf = (name: string) => join(".covey/house/keys/issued", `${name}.json`);

const documented = readFileSync(join(import.meta.dirname, "../../../docs/access.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("npx covey "))
  .map((line) => line.replace(/ #.*/, "").trim().split(/\s+/).slice(2));

let host: CoveyProcess;
let ready: { url: string; mqttPort: number };

beforeAll(async () => {
  writeFileSync(
    join(folder, "swarm.ts"),
    `import { board, swarm } from "covey";
export default swarm("house", { boards: { door: board("esp32c3-devkit", { sense: [] }) } });
`,
  );
  const setUp = [
    ["init"],
    ["issue"],
    ["issue", "anna", "--role", "admin"],
    ["issue", "vera", "--role", "viewer"],
  ];
  for (const words of setUp) expect(await run("keys", ...words)).toMatchObject({ exitCode: 0 });
  const ports = ["--http-port", "0", "--mqtt-port", "0", "--peer-port", "0"];
  const lead = documented[0]!.map((word) => word.replace("192.0.2.7", "127.0.0.1"));
  host = new CoveyProcess([...lead, ...ports, "--json", "--log-level", "error"], folder, environment);
  ready = JSON.parse(await host.firstLine());
}, 60_000);

afterAll(async () => {
  await host.interrupt();
  remove();
});

test("it answers whoever the root vouches for, over HTTPS, each within their rights", {
  timeout: 60_000,
}, async () => {
  expect(ready.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  const nobody = await run("status", "--json");
  expect(nobody).toMatchObject({ exitCode: 1 });
  expect(JSON.parse(nobody.stdout).error.code).toBe("bad-certificate");

  const seen = await run("status", "--as", fileOf("vera"), "--json");
  expect((JSON.parse(seen.stdout) as Status).swarm).toBe("house");
  const refused = await run("members", "promote", "door", "--as", fileOf("vera"));
  expect(refused).toMatchObject({ exitCode: 1 });
  expect(refused.stderr).toContain(
    "vera (viewer) may not write covey/voters: that takes an identity whose scope has covey/voters:w",
  );

  const log = await covey(["log", "--json"], folder, { ...environment, COVEY_AS: fileOf("anna") });
  const texts = (JSON.parse(log.stdout) as LogEntry[]).map(({ text }) => text);
  expect(texts).toContainEqual(
    expect.stringMatching(/^covey\/audit\/\d\d = ".+ 1x vera: write covey\/voters"$/),
  );
});

test("it takes every command of the documentation", { timeout: 60_000 }, async () => {
  expect(documented.length).toBeGreaterThanOrEqual(3);
  for (const command of documented.slice(1)) {
    const words = command.map((word) =>
      word.replace("anna.json", fileOf("anna")).replace("https://192.0.2.7:7800", ready.url),
    );
    const { exitCode, stderr } = await run(...words);
    expect({ command, exitCode, stderr }).toEqual({ command, exitCode: 0, stderr: "" });
  }
});

test("whom the root revokes is out at once", { timeout: 60_000 }, async () => {
  const revoked = await run("keys", "revoke", "vera", "--why", "gone", "--as", fileOf("anna"));
  expect(revoked).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("agreed on epoch 1") });
  const out = await run("status", "--as", fileOf("vera"));
  expect(out).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("revoked") });
  expect(await run("status", "--as", fileOf("anna"))).toMatchObject({ exitCode: 0 });
});

test("its MQTT port speaks TLS alone", async () => {
  const said = await new Promise<string>((resolve) => {
    const socket = connect(ready.mqttPort, "127.0.0.1", () =>
      socket.write("\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0"),
    );
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });
  // A TLS alert (RFC 8446, section 5.1), if anything.
  expect(said === "" || said.charCodeAt(0) === 21).toBe(true);
});
