/** The version of the package that this file is in. */
import { readFileSync } from "node:fs";

export const version = readVersion();

function readVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
