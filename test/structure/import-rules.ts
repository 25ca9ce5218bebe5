/**
 * The one-way street of the house: host-tools -> firmware -> protocols.
 *
 * Each room lists what its files may import. A relative import counts by the room it lands in, any other by its name;
 * type-only imports count too, because a type that points the wrong way is a design that does.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

interface Room {
  /** Folder, with the longest match winning. */
  readonly folder: string;
  /** Rooms that its files may import, beside their own. */
  readonly rooms: readonly string[];
  /** Which imports by name are allowed. */
  readonly named: (specifier: string) => boolean;
}

const nothing = () => false;
const anything = () => true;

/** Modules of the Moddable SDK: `embedded:io/socket/tcp`, `mc/config`, `timer` and their like. */
const sdkModule = (specifier: string) => !specifier.startsWith("node:") && !specifier.startsWith("@");

export const rooms: readonly Room[] = [
  { folder: "protocols", rooms: [], named: nothing },
  { folder: "firmware", rooms: ["protocols"], named: nothing },
  { folder: "firmware/platform/moddable", rooms: ["firmware", "protocols"], named: sdkModule },
  {
    folder: "host-tools",
    rooms: ["host-tools/simulator", "host-tools/bundler", "protocols"],
    named: anything,
  },
  {
    folder: "host-tools/simulator",
    rooms: ["host-tools", "host-tools/bundler", "firmware", "protocols"],
    named: anything,
  },
  { folder: "host-tools/bundler", rooms: ["host-tools", "firmware", "protocols"], named: anything },
];

export interface Import {
  readonly line: number;
  readonly specifier: string;
}

/** Every `import`, `export ... from` and `import()` of a source text. */
export function importsOf(source: string): Import[] {
  const found: Import[] = [];
  const pattern =
    /^\s*(?:import|export)\b[^"';]*?from\s*"([^"]+)"|^\s*import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  for (const match of source.matchAll(pattern)) {
    const specifier = match[1] ?? match[2] ?? match[3]!;
    const at = match.index + match[0].indexOf(`"${specifier}"`);
    found.push({ line: source.slice(0, at).split("\n").length, specifier });
  }
  return found;
}

/** The imports of one file that its room forbids, one sentence each. */
export function brokenImports(root: string, file: string, source: string): string[] {
  const path = relative(root, file);
  const room = roomOf(path);
  if (!room) return [];
  const broken: string[] = [];
  for (const { line, specifier } of importsOf(source)) {
    const say = (why: string) => broken.push(`${path}:${line}: "${specifier}": ${why}`);
    if (!specifier.startsWith(".")) {
      if (!room.named(specifier)) say(`${room.folder}/ imports no package and no module by name`);
      continue;
    }
    const target = relative(root, resolve(dirname(file), specifier));
    const targetRoom = roomOf(target);
    if (targetRoom === room) continue;
    if (!targetRoom || !room.rooms.includes(targetRoom.folder))
      say(`${room.folder}/ may not import ${dirname(target)}/`);
  }
  return broken;
}

/** All TypeScript files below a folder. */
export function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name))
    .sort();
}

/** Every forbidden import of the tree. */
export function checkTree(root: string): string[] {
  return ["protocols", "firmware", "host-tools"]
    .flatMap((folder) => sourceFiles(join(root, folder)))
    .flatMap((file) => brokenImports(root, file, readFileSync(file, "utf8")));
}

function roomOf(path: string): Room | undefined {
  return rooms
    .filter((room) => path.startsWith(`${room.folder}/`))
    .sort((a, b) => b.folder.length - a.folder.length)[0];
}
