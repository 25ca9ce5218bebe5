/** `covey doctor`: every requirement has a line, and a missing one the command that brings it. */
import { createServer } from "node:net";
import { afterAll, expect, it } from "vitest";
import { requirements } from "../../../host-tools/cli/requirements.ts";
import { covey, scratchFolder } from "./covey-process.ts";

const { folder, remove } = scratchFolder();
afterAll(remove);

interface Report {
  readonly ok: boolean;
  readonly requirements: readonly { id: string; ok: boolean; detail: string; remedy?: string }[];
}

it("looks at everything, and makes nothing", async () => {
  const { exitCode, stdout, stderr } = await covey(["doctor", "--json"], folder);
  expect(stderr).toBe("");
  const report = JSON.parse(stdout) as Report;
  expect(exitCode).toBe(report.ok ? 0 : 1);
  expect(report.requirements.map(({ id }) => id)).toEqual(requirements.map(({ id }) => id));
  expect(report.requirements.find(({ id }) => id === "state")).toMatchObject({ ok: true });
  expect((await covey(["status"], folder)).stderr).toContain("No swarm runs from");
});

it("says how to get what is missing, and that sim works all the same", async () => {
  const { exitCode, stdout } = await covey(["doctor", "--json"], folder, {
    PATH: "",
    CC: "no-such-compiler",
  });
  const report = JSON.parse(stdout) as Report;
  expect(report.requirements.find(({ id }) => id === "c-compiler")).toMatchObject({
    ok: false,
    remedy: "apt-get install -y --no-install-recommends gcc libc6-dev",
  });
  expect(report.requirements.filter(({ ok, remedy }) => !ok && remedy === undefined)).toEqual([]);
  expect({ ok: report.ok, exitCode }).toEqual({ ok: true, exitCode: 0 });
});

it("sees that a port is taken", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  const { stdout } = await covey(["doctor", "--http-port", `${port}`], folder);
  server.close();
  expect(stdout).toMatch(new RegExp(`^warn +HTTP port +${port} is in use \\(EADDRINUSE\\)`, "m"));
  expect(stdout).toContain("covey sim --http-port 0");
});

it("exits 1 when sim cannot run: a state folder without room for it", async () => {
  const { exitCode, stdout } = await covey(["doctor", "--state", "/proc/covey"], folder);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^missing +state folder/m);
});
