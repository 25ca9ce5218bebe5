/**
 * What Covey uses of a machine beyond Node and npm: one table, for `covey doctor` and for the tests' own check. A new peer
 * is one more row.
 */
import { accessSync, constants, existsSync } from "node:fs";
import { access, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { delimiter, dirname, join, resolve } from "node:path";
import { cacheDirectory } from "../simulator/xs-host/cache.ts";
import { compilerTakes, findCompiler, runCommand } from "../simulator/xs-host/compiler.ts";
import { RV32_COMPILER, RV32_EMULATOR } from "../simulator/xs-host/rv32.ts";

export interface Requirement {
  readonly id: string;
  /** As a person calls it. */
  readonly name: string;
  /** Completes "for ": what does not work, or not as well, without it. */
  readonly usedFor: string;
  /** `sim` cannot do without it. */
  readonly needed: boolean;
  /** Some test cannot do without it. */
  readonly tested: boolean;
  /** Debian packages that bring it; none where it is no package's business. */
  readonly packages: readonly string[];
  check(surroundings: Surroundings): Promise<Finding>;
}

export interface Surroundings {
  readonly environment: NodeJS.ProcessEnv;
  /** `.covey`, or what `--state` says. */
  readonly stateFolder: string;
  readonly httpPort: number;
  readonly mqttPort: number;
}

export interface Finding {
  readonly ok: boolean;
  /** What was found, or what is wrong. */
  readonly detail: string;
  /** What to do, where no package is the answer. */
  readonly remedy?: string;
}

export const requirements: readonly Requirement[] = [
  {
    id: "node",
    name: "Node",
    usedFor: "everything",
    needed: true,
    tested: false,
    packages: [],
    check: async () => nodeFinding(process.versions.node),
  },
  {
    id: "state",
    name: "state folder",
    usedFor: "what a swarm agreed on and measured",
    needed: true,
    tested: false,
    packages: [],
    check: ({ stateFolder }) => folderFinding(stateFolder, 200),
  },
  {
    id: "cache",
    name: "cache folder",
    usedFor: "keeping the XS engine once it is built",
    needed: false,
    tested: false,
    packages: [],
    check: ({ environment }) => folderFinding(cacheDirectory(environment), 50),
  },
  {
    id: "http-port",
    name: "HTTP port",
    usedFor: "the page and the verbs of a swarm",
    needed: false,
    tested: false,
    packages: [],
    check: ({ httpPort }) => portFinding(httpPort, "--http-port"),
  },
  {
    id: "mqtt-port",
    name: "MQTT port",
    usedFor: "the boards of a swarm",
    needed: false,
    tested: false,
    packages: [],
    check: ({ mqttPort }) => portFinding(mqttPort, "--mqtt-port"),
  },
  {
    id: "c-compiler",
    name: "C compiler",
    usedFor: "boards in the real XS engine (without it, they run in process)",
    needed: false,
    tested: true,
    packages: ["gcc", "libc6-dev"],
    check: async ({ environment }) => {
      const compiler = await findCompiler(environment);
      return compiler ? found(compiler.version) : missing("none of cc, gcc and clang");
    },
  },
  {
    id: "32-bit",
    name: "32-bit C libraries",
    usedFor: "heap figures that are the chip's (without them, boards run as 64-bit programs)",
    needed: false,
    tested: process.platform === "linux" && process.arch === "x64",
    packages: ["gcc-multilib"],
    check: async ({ environment }) => {
      const compiler = await findCompiler(environment);
      const takes = compiler !== undefined && (await compilerTakes(compiler, ["-m32"]));
      return takes ? found("-m32 compiles and links") : missing("-m32 does not compile and link");
    },
  },
  program(
    "chromium",
    "Chromium",
    "tests of the page",
    ["chromium"],
    ["chromium", "chromium-browser", "google-chrome"],
    true,
  ),
  program(
    "mosquitto",
    "Mosquitto",
    "tests of boards against another broker",
    ["mosquitto"],
    ["mosquitto"],
    true,
  ),
  program(
    "nats-server",
    "NATS server",
    "tests of boards against another broker",
    ["nats-server"],
    ["nats-server"],
    true,
  ),
  program(
    "qemu",
    "QEMU for RISC-V",
    "exact counts on the chip's instruction set",
    ["qemu-system-misc"],
    [RV32_EMULATOR],
    true,
  ),
  {
    id: "rv32-compiler",
    name: "RISC-V C compiler",
    usedFor: "exact counts on the chip's instruction set",
    needed: false,
    tested: true,
    packages: ["gcc-riscv64-unknown-elf", "picolibc-riscv64-unknown-elf"],
    check: rv32CompilerFinding,
  },
  {
    id: "moddable",
    name: "Moddable SDK",
    usedFor: "images for real boards",
    needed: false,
    tested: false,
    packages: [],
    check: async ({ environment }) => moddableFinding(environment.MODDABLE),
  },
];

/** The command that brings the packages, on Debian and what descends from it. */
export function installCommand(packages: readonly string[]): string {
  return `apt-get install -y --no-install-recommends ${packages.join(" ")}`;
}

/** The first of `names` in PATH; daemons are in `sbin`, which is not in everybody's. */
export function findProgram(names: readonly string[], environment: NodeJS.ProcessEnv): string | undefined {
  const folders = [...(environment.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin"];
  for (const name of names) {
    for (const folder of folders.filter((path) => path !== "")) {
      const path = join(folder, name);
      if (isExecutable(path)) return path;
    }
  }
  return undefined;
}

function program(
  id: string,
  name: string,
  usedFor: string,
  packages: readonly string[],
  names: readonly [string, ...string[]],
  tested: boolean,
): Requirement {
  const check = async ({ environment }: Surroundings) => {
    const path = findProgram(names, environment);
    return path ? found(path) : missing(`no ${names[0]} in PATH`);
  };
  return { id, name, usedFor, needed: false, tested, packages, check };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const found = (detail: string): Finding => ({ ok: true, detail });
const missing = (detail: string, remedy?: string): Finding => ({
  ok: false,
  detail,
  ...(remedy === undefined ? {} : { remedy }),
});

function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return found(version);
  return missing(`${version} is older than 22.18`, "npm install --save-dev node@24");
}

/** Looks without making the folder. */
async function folderFinding(path: string, freeMegabytesMin: number): Promise<Finding> {
  const folder = resolve(path);
  let present = folder;
  while (!existsSync(present)) present = dirname(present);
  try {
    await access(present, constants.W_OK);
  } catch {
    return missing(`${folder} cannot be written`, `sudo chown -R $(id -un) ${present}`);
  }
  const { bavail, bsize } = await statfs(present);
  const megabytes = Math.floor((bavail * bsize) / 1e6);
  if (megabytes >= freeMegabytesMin) return found(`${folder}, ${megabytes} MB free`);
  return missing(
    `${folder} has ${megabytes} MB free; ${freeMegabytesMin} are needed`,
    "free some disk space",
  );
}

function portFinding(port: number, option: string): Promise<Finding> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", ({ code }: NodeJS.ErrnoException) => {
      done(missing(`${port} is in use (${code}), perhaps by a swarm that runs`, `covey sim ${option} 0`));
    });
    server.listen({ host: "127.0.0.1", port }, () => server.close(() => done(found(`${port} is free`))));
  });
}

/** Looks for its library too, which is a package of its own. */
async function rv32CompilerFinding({ environment }: Surroundings): Promise<Finding> {
  const path = findProgram([RV32_COMPILER], environment);
  if (path === undefined) return missing(`no ${RV32_COMPILER} in PATH`);
  const words = ["--specs=picolibc.specs", "-E", "-x", "c", "/dev/null"];
  const { code } = await runCommand(path, words);
  return code === 0 ? found(path) : missing(`${RV32_COMPILER} has no picolibc`);
}

function moddableFinding(path: string | undefined): Finding {
  const remedy = "export MODDABLE=/path/to/moddable  # https://github.com/Moddable-OpenSource/moddable";
  if (path === undefined || path === "") return missing("MODDABLE is not set", remedy);
  if (!existsSync(join(path, "modules")))
    return missing(`MODDABLE is ${path}, which is no Moddable SDK`, remedy);
  return found(path);
}
