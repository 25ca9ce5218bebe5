/**
 * Labels for boards as one SVG, to be printed at 100 % on A4: 3 by 8 labels of 63.5 x 33.9 mm a sheet (Avery L7159 and its like), further sheets below the first. A label has the
 * board's name, its kind, swarm and MAC, and a QR code with
 *
 * ```
 * covey://SWARM/NAME?mac=240ac4123456&id=0123456789abcdef
 * ```
 *
 * `id` is the reference of its identity, as `covey keys list` has it. Nothing of it is secret.
 */
import encodeQR from "qr";

export interface Label {
  readonly swarm: string;
  readonly name: string;
  readonly model: string;
  readonly mac: string;
  /** Reference of the identity. */
  readonly identity: string;
}

/** What a label's QR code says. */
export function labelText({ swarm, name, mac, identity }: Label): string {
  const path = [swarm, name].map(encodeURIComponent).join("/");
  return `covey://${path}?mac=${mac.replaceAll(":", "")}&id=${identity}`;
}

/** Lengths are in mm, of A4 and of the sheet's labels. */
const page = { width: 210, height: 297 };
const sheet = { columns: 3, rows: 8, left: 7.25, top: 12.9, width: 63.5, height: 33.9, gap: 2.5 };
const code = { size: 25, left: 4, top: 4.45 };
const text = { left: 32, top: 9, width: 29 };

export function labelSheet(labels: readonly Label[]): string {
  const perPage = sheet.columns * sheet.rows;
  const height = page.height * Math.max(1, Math.ceil(labels.length / perPage));
  const drawn = labels.map((label, i) => {
    const place = i % perPage;
    const x = sheet.left + (place % sheet.columns) * (sheet.width + sheet.gap);
    const y =
      Math.floor(i / perPage) * page.height + sheet.top + Math.floor(place / sheet.columns) * sheet.height;
    return `<g transform="translate(${round(x)} ${round(y)})">${drawLabel(label)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${page.width}mm" height="${height}mm" viewBox="0 0 ${page.width} ${height}">`,
    `<style>text{font-family:Helvetica,Arial,sans-serif;fill:#000}.name{font-weight:bold}.small{fill:#444}.edge{fill:none;stroke:#ddd;stroke-width:.1}</style>`,
    `<rect width="${page.width}" height="${height}" fill="#fff"/>`,
    ...drawn,
    "</svg>\n",
  ].join("\n");
}

function drawLabel(label: Label): string {
  const { swarm, name, model, mac } = label;
  const lines = [
    line(name, 0, 4.6, "name"),
    line(swarm, 5.6, 3.2, "swarm"),
    line(model, 10.6, 2.7, "small"),
    line(mac, 14.6, 2.7, "small"),
  ];
  return [
    `<title>${escaped(`${name} of ${swarm}`)}</title>`,
    `<rect class="edge" width="${sheet.width}" height="${sheet.height}" rx="2"/>`,
    drawCode(labelText(label)),
    ...lines,
  ].join("");
}

/** Narrower letters where a long name would leave the label. */
function line(content: string, y: number, size: number, style: string): string {
  const isWide = content.length * size * letterWidth > text.width;
  const fit = isWide ? ` textLength="${text.width}" lengthAdjust="spacingAndGlyphs"` : "";
  return `<text class="${style}" x="${text.left}" y="${round(text.top + y)}" font-size="${size}"${fit}>${escaped(content)}</text>`;
}

/** Of Helvetica's size, on average. */
const letterWidth = 0.56;

/** One path of runs, a module a unit; the quiet zone of four modules (ISO/IEC 18004) is the label's own white. */
function drawCode(content: string): string {
  const modules = encodeQR(content, "raw", { ecc: "medium", border: 1 })
    .slice(1, -1)
    .map((row) => row.slice(1, -1));
  const scale = code.size / modules.length;
  const runs = modules.flatMap((row, y) => {
    const found: string[] = [];
    for (let x = 0; x < row.length; x++) {
      if (!row[x]) continue;
      let end = x;
      while (row[end]) end++;
      found.push(`M${x} ${y}h${end - x}v1h-${end - x}z`);
      x = end;
    }
    return found;
  });
  return `<path transform="translate(${code.left} ${code.top}) scale(${scale.toFixed(5)})" shape-rendering="crispEdges" d="${runs.join("")}"/>`;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function round(mm: number): number {
  return Math.round(mm * 100) / 100;
}
