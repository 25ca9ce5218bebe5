/**
 * What an image for the debugger says: it wraps each line of its log for xsbug, which is not there.
 *
 *     <?xs.3FCA1B2C?>
 *     <xsbug><log path="/main.js" line="12"># Exception: no value!&#10;</log></xsbug>
 *
 * Moddable SDK, xs/sources/xsDebug.c and xs/platforms/esp/xsPlatform.c.
 */

/** The lines of log in it, none for what is meant for the debugger alone; undefined when the line is not of that kind. */
export function readXsbug(line: string): string[] | undefined {
  if (!/<\?xs[.#-][0-9A-Fa-f]{8}\?>|<\/?xsbug>|^<log[ >]/.test(line)) return undefined;
  const rest = line.replace(/<\?xs[.#-][0-9A-Fa-f]{8}\?>/g, "");
  const lines: string[] = [];
  for (const [, attributes, text] of rest.matchAll(/<log([^>]{0,512})>([^<]*)/g)) {
    const path = /path="([^"]*)"/.exec(attributes!)?.[1];
    const at = /line="(\d+)"/.exec(attributes!)?.[1];
    const place = path === undefined ? "" : ` (${path.split("/").at(-1)}${at === undefined ? "" : `:${at}`})`;
    for (const each of unescaped(text!).split("\n")) if (each !== "") lines.push(`${each}${place}`);
  }
  return lines;
}

/** Numbers below 32 and above 126 are no text of the board's, but for the line's end. */
function unescaped(text: string): string {
  return text.replace(/&(#10|#\d+|lt|gt|amp|quot|apos);/g, (whole, name: string) => {
    if (name.startsWith("#")) {
      const code = Number(name.slice(1));
      return code === 10 || (code >= 32 && code < 127) ? String.fromCharCode(code) : whole;
    }
    return entities[name]!;
  });
}

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
