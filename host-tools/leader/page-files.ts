/** The page's files, read once and served from memory. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Context } from "hono";

interface PageFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly etag: string;
}

const typeOf: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** Served path to file in `page/`. */
const served: Readonly<Record<string, string>> = {
  "/": "index.html",
  "/page/style.css": "style.css",
  "/page/page.js": "page.js",
  "/page/alert-list.js": "alert-list.js",
  "/page/board-card.js": "board-card.js",
  "/page/board-list.js": "board-list.js",
  "/page/board-row.js": "board-row.js",
  "/page/board-states.js": "board-states.js",
  "/page/elements.js": "elements.js",
  "/page/identity-file.js": "identity-file.js",
  "/page/login.js": "login.js",
  "/page/past-readings.js": "past-readings.js",
  "/page/quantities.js": "quantities.js",
  "/page/settings-card.js": "settings-card.js",
  "/page/sparkline.js": "sparkline.js",
  "/page/covey.svg": "covey.svg",
};

/** Answers one of the page's paths; undefined for any other. */
export function createPageFiles(): (context: Context) => Response | undefined {
  const files = new Map(Object.entries(served).map(([path, name]) => [path, readPageFile(name)]));
  return (context) => {
    const file = files.get(context.req.path);
    if (file === undefined) return undefined;
    context.header("cache-control", "no-cache");
    context.header("etag", file.etag);
    if (context.req.header("if-none-match") === file.etag) return context.body(null, 304);
    context.header("content-type", file.type);
    return context.body(file.bytes);
  };
}

function readPageFile(name: string): PageFile {
  const bytes = new Uint8Array(readFileSync(new URL(`page/${name}`, import.meta.url)));
  const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 20)}"`;
  return { bytes, type: typeOf[name.slice(name.lastIndexOf(".") + 1)]!, etag };
}
