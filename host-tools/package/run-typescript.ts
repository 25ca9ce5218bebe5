/** One run of `tsc` with a configuration made for it. */
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Writes `configuration` to `file` and compiles; throws with the compiler's own words when it refuses. */
export async function runTypeScript(root: string, file: string, configuration: object): Promise<void> {
  await writeFile(file, JSON.stringify(configuration));
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const child = spawn(process.execPath, [compiler, "-p", file], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) said += chunk;
  const exitCode = child.exitCode ?? (await new Promise<number>((done) => child.on("close", done)));
  if (exitCode !== 0) throw new Error(`The host tools do not compile:\n${said}`);
}
