// @ts-check
/** The last minutes of one metric as a line: its shape only, scaled to its own range. */

const svgNamespace = "http://www.w3.org/2000/svg";
const width = 120;
const height = 28;
const inset = 3;

export const sparklineLimits = Object.freeze({
  /** Points kept for one line. */
  pointsMax: 240,
  /** Older points leave. */
  ageMaxMs: 10 * 60_000,
});

export class Sparkline {
  /** @type {{ atMs: number, value: number }[]} */
  #points = [];
  #line = make("path", { class: "line" });
  #area = make("path", { class: "area" });
  #end = make("path", { class: "end" });
  element = make("svg", {
    class: "sparkline",
    viewBox: `0 0 ${width} ${height}`,
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  });

  constructor() {
    this.element.append(this.#area, this.#line, this.#end);
  }

  /**
   * The newest point; one that is not newer than the last is ignored.
   * @param {number} atMs
   * @param {number | null} value
   */
  add(atMs, value) {
    const newest = this.#points.at(-1);
    if (value === null || (newest !== undefined && atMs <= newest.atMs)) return;
    this.#points.push({ atMs, value });
    this.#trim();
    this.#draw();
  }

  /**
   * What was measured before the points so far, oldest first; it may arrive after them.
   * @param {readonly { atMs: number, value: number | null }[]} points
   */
  addPast(points) {
    const firstMs = this.#points[0]?.atMs ?? Number.POSITIVE_INFINITY;
    const past = points.flatMap(({ atMs, value }) =>
      value === null || atMs >= firstMs ? [] : [{ atMs, value }],
    );
    this.#points.unshift(...past);
    this.#trim();
    this.#draw();
  }

  #trim() {
    const newest = this.#points.at(-1);
    if (newest === undefined) return;
    const oldestMs = newest.atMs - sparklineLimits.ageMaxMs;
    const tooOld = this.#points.findIndex(({ atMs }) => atMs >= oldestMs);
    this.#points.splice(0, Math.max(tooOld, this.#points.length - sparklineLimits.pointsMax));
  }

  #draw() {
    if (this.#points.length < 2) return;
    const values = this.#points.map(({ value }) => value);
    const low = Math.min(...values);
    const high = Math.max(...values);
    const start = this.#points[0].atMs;
    const span = this.#points[this.#points.length - 1].atMs - start;
    const places = this.#points.map(({ atMs, value }) => {
      const x = inset + ((atMs - start) / span) * (width - 2 * inset);
      const share = high === low ? 0.5 : (value - low) / (high - low);
      return `${x.toFixed(1)} ${(height - inset - share * (height - 2 * inset)).toFixed(1)}`;
    });
    const path = `M${places.join("L")}`;
    this.#line.setAttribute("d", path);
    this.#area.setAttribute("d", `${path}L${width - inset} ${height}L${inset} ${height}Z`);
    // A line of no length with round ends: a dot that stays round however the picture is stretched.
    this.#end.setAttribute("d", `M${places.at(-1)}h0`);
  }
}

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 */
function make(tag, attributes) {
  const made = document.createElementNS(svgNamespace, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
