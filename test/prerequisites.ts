/**
 * Run by `npm test` before the tests: what they need beyond npm is there, or is installed (Debian, as root), or is asked for
 * with the one command that brings it. In CI a missing peer is a failure, never a skipped test.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { installCommand, type Requirement, requirements } from "../host-tools/cli/requirements.ts";

const surroundings = { environment: process.env, stateFolder: ".covey", httpPort: 0, mqttPort: 0 };

async function missingForTests(): Promise<Requirement[]> {
  const missing: Requirement[] = [];
  for (const requirement of requirements.filter(({ tested }) => tested)) {
    if (!(await requirement.check(surroundings)).ok) missing.push(requirement);
  }
  return missing;
}

function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync("/etc/debian_version");
}

/** True when the packages were installed. */
function install(packages: readonly string[]): boolean {
  process.stderr.write(`Installing what the tests need: ${packages.join(", ")}\n`);
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const command of ["apt-get update", installCommand(packages)]) {
    const [name, ...words] = command.split(" ");
    const { status, stdout, stderr } = spawnSync(name!, words, { env: environment, encoding: "utf8" });
    if (status !== 0) {
      process.stderr.write(`${stdout ?? ""}${stderr ?? ""}${command} failed.\n`);
      return false;
    }
  }
  return true;
}

let missing = await missingForTests();
if (missing.length > 0 && canInstall() && install(missing.flatMap(({ packages }) => packages))) {
  missing = await missingForTests();
}
if (missing.length > 0) {
  const names = missing.map(({ name }) => name).join(", ");
  const command = installCommand(missing.flatMap(({ packages }) => packages));
  process.stderr.write(`The tests need ${names}. On Debian or Ubuntu: sudo ${command}\n`);
  if (process.env.CI) process.exitCode = 1;
  else process.stderr.write("Going on without; the tests that need it will fail.\n");
}
