/** A serial device whose far end is the test's: a pseudo-terminal at a path of its own, which can be pulled and put back. Needs a C compiler, as the XS host does. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findCompiler, runCommand } from "../../../host-tools/simulator/xs-host/compiler.ts";

export class PtyDevice {
  /** As a user names the port. */
  readonly path: string;
  readonly #folder: string;
  readonly #program: string;
  #child: ChildProcessWithoutNullStreams | undefined;
  #heard = Buffer.alloc(0);
  #whenHeard = (_bytes: Uint8Array) => {};

  private constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, "ttyUSB0");
    this.#program = join(folder, "pty");
  }

  static async make(): Promise<PtyDevice> {
    const device = new PtyDevice(realpathSync(mkdtempSync(join(tmpdir(), "covey-pty-"))));
    await compile(["-o", device.#program, join(import.meta.dirname, "pty.c")]);
    await device.plug();
    return device;
  }

  /** Called with what the host sends, as it comes. */
  onHeard: (bytes: Uint8Array) => void = () => {};

  /** What the host sent. */
  get heard(): Buffer {
    return this.#heard;
  }

  /** Leads the device to a serial server, `socket://host:port`, until that hangs up. */
  async leadTo(socketUrl: string): Promise<void> {
    const { hostname, port } = new URL(socketUrl);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => this.send(bytes));
    this.#whenHeard = (bytes) => socket.write(bytes);
  }

  send(text: string | Uint8Array): void {
    this.#child?.stdin.write(text);
  }

  /** The device goes away, from under whoever has it open. */
  async pull(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await ended;
    rmSync(this.path, { force: true });
  }

  async plug(): Promise<void> {
    const child = spawn(this.#program, [this.path]);
    this.#child = child;
    child.stdin.on("error", () => undefined);
    child.stdout.on("data", (bytes: Buffer) => {
      this.#heard = Buffer.concat([this.#heard, bytes]);
      this.onHeard(bytes);
      this.#whenHeard(bytes);
    });
    await new Promise<void>((resolve, reject) => {
      child.stderr.once("data", () => resolve());
      child.once("close", () => reject(new Error("no pseudo-terminal")));
    });
  }

  /** The environment for a process whose control lines are to be seen, and the file that they are written to. */
  async withLines(): Promise<{ readonly environment: NodeJS.ProcessEnv; readonly file: string }> {
    const library = join(this.#folder, "lines.so");
    await compile(["-shared", "-fPIC", "-o", library, join(import.meta.dirname, "lines.c"), "-ldl"]);
    const file = join(this.#folder, "lines");
    return { environment: { ...process.env, LD_PRELOAD: library, COVEY_LINES: file }, file };
  }

  async remove(): Promise<void> {
    await this.pull();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function compile(words: readonly string[]): Promise<void> {
  const compiler = await findCompiler();
  if (compiler === undefined) throw new Error("the tests need a C compiler");
  const { code, output } = await runCommand(compiler.command, ["-O1", ...words]);
  if (code !== 0) throw new Error(output);
}
