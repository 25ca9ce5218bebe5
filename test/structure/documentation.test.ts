import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { commandOf } from "../../host-tools/cli/verb.ts";
import { verbs } from "../../host-tools/cli/verbs/index.ts";

const root = join(import.meta.dirname, "../..");
const files = new Set(execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" }).trim().split("\n"));
const pages = [...files].filter((file) => file.endsWith(".md"));
const sources = [...files].filter((file) => /^(host-tools|examples)\/.*\.ts$/.test(file));
const scripts: object = JSON.parse(read("package.json")).scripts;
const optionsOf = new Map(
  verbs.map((verb) => {
    const { options } = commandOf(verb, () => {});
    const names = options.flatMap(({ long, short }) => [long, short]);
    return [verb.usage.split(" ")[0]!, new Set([...names, "--help", "-h"])];
  }),
);

/** What is signed, not what is typed: docs/access.md, "covey login". */
const noVerbs = new Set(["login"]);

describe("the documentation", () => {
  it("links to files and headings that are there", () => {
    const broken = pages.flatMap((page) =>
      linksOf(page)
        .filter((link) => !leadsSomewhere(page, link))
        .map((link) => `${page}: ${link}`),
    );
    expect(broken).toEqual([]);
    expect(linksOf("README.md").length).toBeGreaterThan(20);
  });

  it("is reached from the README, page by page", () => {
    const reached = new Set(["README.md"]);
    for (const page of reached) {
      for (const link of linksOf(page)) {
        const file = targetOf(page, link);
        if (file.endsWith(".md")) reached.add(file);
        // A link to a folder is a link to its pages.
        else for (const inside of pages) if (inside.startsWith(`${file}/`)) reached.add(inside);
      }
    }
    expect(pages.filter((page) => page.startsWith("docs/") && !reached.has(page))).toEqual([]);
  });

  it("names verbs, options and scripts that are there", () => {
    const wrong = pages.flatMap((page) =>
      codeOf(read(page)).flatMap((code) => mistakes(code).map((mistake) => `${page}: ${mistake} in ${code}`)),
    );
    expect(wrong).toEqual([]);
    const commands = pages.flatMap((page) => codeOf(read(page)).filter((code) => code.includes("covey ")));
    expect(commands.length).toBeGreaterThan(200);
  });

  it("is right in what each verb's help gives as an example", () => {
    const wrong = verbs.flatMap(({ examples }) => examples.flatMap(mistakes));
    expect(wrong).toEqual([]);
  });

  it("is there where an error or a help sends its reader", () => {
    const missing = sources.flatMap((source) =>
      [...read(source).matchAll(/docs\/[\w/-]+\.md/g)]
        .filter(([page]) => !files.has(page))
        .map(([page]) => `${source}: ${page}`),
    );
    expect(missing).toEqual([]);
  });
});

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

function linksOf(page: string): string[] {
  const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
  return links.filter((link) => !link.startsWith("https://") && !link.startsWith("http://"));
}

function targetOf(page: string, link: string): string {
  const [path = ""] = link.split("#");
  return path === "" ? page : normalize(join(dirname(page), path)).replace(/\/$/, "");
}

function leadsSomewhere(page: string, link: string): boolean {
  const file = targetOf(page, link);
  const heading = link.split("#")[1];
  if (heading !== undefined) return files.has(file) && headingsOf(file).includes(heading);
  return files.has(file) || [...files].some((each) => each.startsWith(`${file}/`));
}

/** As GitHub and GitLab name the headings of a page. */
function headingsOf(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\- ]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** The lines of fenced blocks, a line that goes on with a backslash as one, and the spans in backticks. */
function codeOf(markdown: string): string[] {
  const joined = markdown.replaceAll("\\\n", " ");
  const fences = [...joined.matchAll(/^```\w*\n(.*?)^```$/gms)].flatMap(([, block]) => block!.split("\n"));
  const prose = joined.replaceAll(/^```\w*\n.*?^```$/gms, "");
  return [...fences, ...[...prose.matchAll(/`([^`]+)`/g)].map(([, span]) => span!.replaceAll("\n", " "))];
}

/** What a command line names that this Covey doesn't have. */
function mistakes(code: string): string[] {
  const found = [...code.matchAll(/npm run (?:-s )?([\w:-]+)/g)]
    .filter(([, script]) => !Object.hasOwn(scripts, script!))
    .map(([text]) => text);
  for (const [, verb, rest] of code.matchAll(/(?<![\w-])covey ([a-z][a-z-]*)([^|;)#]*)/g)) {
    const known = optionsOf.get(verb!);
    if (known === undefined) {
      if (!noVerbs.has(verb!) && verb !== "help") found.push(`covey ${verb}`);
      continue;
    }
    // What follows -- or && is another program's.
    const own = rest!.split(/ -- | && |(?:npx )?covey /)[0]!;
    for (const [, option] of own.matchAll(/\s(--?[a-z][a-z-]*)/g)) {
      if (!known.has(option)) found.push(`covey ${verb} ${option}`);
    }
  }
  return found;
}
