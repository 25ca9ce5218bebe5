/**
 * Line charts as plain SVG for the documentation: one file, no script, no fonts of its own, readable on white and on black because
 * its colours follow the reader's scheme.
 */
export interface Chart {
  readonly title: string;
  /** One sentence below the title: what the reader looks at. */
  readonly subtitle: string;
  readonly panels: readonly Panel[];
}

export interface Panel {
  readonly x: Axis;
  readonly y: Axis;
  /** At most `coloursMax`, in the order of the legend. */
  readonly series: readonly Series[];
  readonly notes: readonly Note[];
}

export interface Axis {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
  readonly scale?: "linear" | "log";
  readonly tickLabel?: (value: number) => string;
}

export interface Series {
  readonly name: string;
  /** A line through these, and nothing where there are none. */
  readonly line: readonly Point[];
  /** Dots on their own: measurements beside the line. */
  readonly dots?: readonly Point[];
}

/** What somebody else published: a ringed mark with words beside it. */
export interface Note {
  readonly at: Point;
  readonly text: string;
  /** Number of the series that it belongs to. */
  readonly series: number;
  /** Where the words stand. */
  readonly side: "right" | "below";
}

export type Point = readonly [x: number, y: number];

export const coloursMax = 6;

const widthPx = 760;
const panelHeightPx = 300;
const headPx = 64;
const margin = Object.freeze({ left: 64, right: 150, top: 8, bottom: 52 });

const style = `
    text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; font-size: 12px; fill: var(--ink); }
    .title { font-size: 16px; font-weight: 600; } .quiet { fill: var(--quiet); }
    .halo { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
    svg { --ink: #1f2328; --quiet: #59636e; --rule: #d1d9e0; --paper: #ffffff; --c0: #7c3aed; --c1: #2563eb; --c2: #0e7490; --c3: #15803d; --c4: #b45309; --c5: #be123c; }
    @media (prefers-color-scheme: dark) {
      svg { --ink: #f0f6fc; --quiet: #9198a1; --rule: #3d444d; --paper: #0d1117; --c0: #b392f0; --c1: #79b8ff; --c2: #3bc9db; --c3: #56d364; --c4: #f2cc60; --c5: #ff8fa3; }
    }
    .paper { fill: var(--paper); } .rule { stroke: var(--rule); fill: none; } .axis { stroke: var(--quiet); fill: none; }
    .line { fill: none; stroke-width: 2; stroke-linejoin: round; } .ring { fill: var(--paper); stroke-width: 2; }
    ${Array.from({ length: coloursMax }, (_, n) => `.s${n} { stroke: var(--c${n}); } .f${n} { fill: var(--c${n}); }`).join(" ")}
`;

/** The whole file. */
export function chartSvg({ title, subtitle, panels }: Chart): string {
  const heightPx = headPx + panels.length * panelHeightPx;
  const parts = panels.map((panel, number) => panelSvg(panel, headPx + number * panelHeightPx));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${widthPx} ${heightPx}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${style}</style>`,
    `<rect class="paper" width="${widthPx}" height="${heightPx}" rx="8"/>`,
    `<text class="title" x="20" y="28">${escaped(title)}</text>`,
    `<text class="quiet" x="20" y="48">${escaped(subtitle)}</text>`,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function panelSvg(panel: Panel, topPx: number): string {
  const { x, y, series, notes } = panel;
  if (series.length > coloursMax)
    throw new RangeError(`${series.length} series; there are ${coloursMax} colours.`);
  const left = margin.left;
  const right = widthPx - margin.right;
  const top = topPx + margin.top;
  const bottom = topPx + panelHeightPx - margin.bottom;
  const px = (value: number) => left + share(x, value) * (right - left);
  const py = (value: number) => bottom - share(y, value) * (bottom - top);
  const at = ([a, b]: Point) => `${px(a).toFixed(1)},${py(b).toFixed(1)}`;
  const text = (words: string, xPx: number, yPx: number, extra: string) =>
    `<text x="${xPx.toFixed(1)}" y="${yPx.toFixed(1)}" ${extra}>${escaped(words)}</text>`;
  const middle = `text-anchor="middle"`;
  return [
    ...y.ticks.flatMap((value) => [
      `<path class="rule" d="M${left} ${py(value).toFixed(1)}H${right}"/>`,
      text(labelOf(y, value), left - 8, py(value) + 4, `class="quiet" text-anchor="end"`),
    ]),
    ...x.ticks.flatMap((value) => [
      `<path class="axis" d="M${px(value).toFixed(1)} ${bottom}v4"/>`,
      text(labelOf(x, value), px(value), bottom + 18, `class="quiet" ${middle}`),
    ]),
    `<path class="axis" d="M${left} ${bottom}H${right}"/>`,
    text(x.label, (left + right) / 2, bottom + 38, middle),
    text(y.label, 0, 0, `${middle} transform="translate(16 ${(top + bottom) / 2}) rotate(-90)"`),
    ...series.flatMap(({ name, line, dots = [] }, number) => [
      line.length > 0 ? `<polyline class="line s${number}" points="${line.map(at).join(" ")}"/>` : "",
      ...dots.map(
        (dot) =>
          `<circle class="f${number}" r="3.5" cx="${px(dot[0]).toFixed(1)}" cy="${py(dot[1]).toFixed(1)}"/>`,
      ),
      `<path class="line s${number}" d="M${right + 16} ${top + 12 + number * 20}h18"/>`,
      text(name, right + 42, top + 16 + number * 20, ""),
    ]),
    ...notes.map(({ at: point, text: words, series: number, side }) => {
      const [xPx, yPx] = [px(point[0]), py(point[1])];
      const drop = side === "below" ? 22 : 4;
      const ring = `<circle class="ring s${number}" r="4.5" cx="${xPx.toFixed(1)}" cy="${yPx.toFixed(1)}"/>`;
      return `${ring}${text(words, xPx + 10, yPx + drop, `class="halo"`)}`;
    }),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

/** Where a value lies on its axis, from 0 to 1; what is beyond its ends is shown at them. */
function share({ from, to, scale = "linear" }: Axis, value: number): number {
  const clamped = Math.min(to, Math.max(from, value));
  if (scale === "linear") return (clamped - from) / (to - from);
  return Math.log(clamped / from) / Math.log(to / from);
}

const labelOf = ({ tickLabel = String }: Axis, value: number): string => tickLabel(value);

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
