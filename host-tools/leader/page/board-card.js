// @ts-check
/** One board: who it is, how far it agrees, its memory, its readings and its outputs. */
import { element, KeyedList, setAttribute, setText } from "./elements.js";
import { bytes, duration, exact, rounded, tenths, withUnit } from "./quantities.js";
import { Sparkline } from "./sparkline.js";

/** @typedef {import("../api/types/status.ts").BoardStatus} BoardStatus */
/** @typedef {import("../api/types/status.ts").Status} Status */

const causeText = Object.freeze({
  safe: "safe value",
  setting: "follows its setting",
  action: "held by an action",
  rule: "held by a rule",
  schedule: "held by a schedule",
});

/** By a reading's quality; nothing is said of a good one, and of none its value says it. */
const qualityText = Object.freeze(["", "", "out of range", "stuck", "late"]);

export class BoardCard {
  #name;
  #link = element("span", { class: "link" });
  #role = element("span", { class: "badge" });
  #kind = element("span");
  #member = element("span", { class: "member" });
  #agreement = element("dd");
  #term = element("dd");
  #update = element("p", { class: "quiet update" });
  #heapText = element("dd");
  #meter = element("div", { class: "meter", role: "meter", "aria-valuemin": "0" });
  #meterFill = element("div", { class: "fill" });
  #meterPeak = element("div", { class: "peak" });
  #readingList = element("ul", { class: "readings" });
  #outputList = element("ul", { class: "outputs" });
  #readings;
  #outputs;
  /** @type {Map<string, Sparkline>} */
  #sparklines = new Map();
  element;

  /**
   * @param {string} name
   * @param {string} [tag] of its element
   */
  constructor(name, tag = "li") {
    this.#name = name;
    this.#meter.append(this.#meterFill, this.#meterPeak);
    this.#readings = new KeyedList(this.#readingList, (metric) => this.#makeReading(metric));
    this.#outputs = new KeyedList(this.#outputList, (output) => makeOutput(output));
    const heading = element("h3", { id: `board-${name}` }, name);
    this.element = element(
      tag,
      { class: "card board", "aria-labelledby": heading.id, ...(tag === "li" ? {} : { role: "group" }) },
      element("div", { class: "board-head" }, heading, this.#role, this.#link),
      element("p", { class: "quiet identity" }, this.#kind, this.#member),
      this.#update,
      element(
        "dl",
        { class: "pairs" },
        element("div", {}, element("dt", {}, "Applied"), this.#agreement),
        element("div", {}, element("dt", {}, "Term"), this.#term),
        element("div", {}, element("dt", {}, "Memory"), this.#heapText),
      ),
      this.#meter,
      this.#readingList,
      this.#outputList,
    );
  }

  /** @param {{ board: BoardStatus, commitIndex: number }} now */
  update({ board, commitIndex }) {
    setAttribute(this.element, "data-link", board.lastSeenMs === undefined ? "never" : board.link);
    setText(this.#link, linkText(board));
    setText(this.#role, board.role);
    setAttribute(this.#role, "data-role", board.role);
    const { model, firmware, memberId } = board;
    const kind = firmware === undefined ? model : `${model} · firmware ${firmware.version}`;
    setText(this.#kind, memberId === undefined ? kind : `${kind} · `);
    setText(this.#member, memberId ?? "");
    this.#updateAgreement(board, commitIndex);
    setText(this.#term, board.memberId === undefined ? "none" : String(board.term));
    this.#updateFirmware(board);
    this.#updateMemory(board);
    this.#readings.update(board.readings.map((reading) => [reading.metric, reading]));
    this.#outputs.update(board.outputs.map((output) => [output.name, output]));
  }

  /**
   * What a metric was before, for its line.
   * @param {string} metric
   * @param {readonly { atMs: number, value: number | null }[]} readings oldest first
   */
  remember(metric, readings) {
    this.#sparkline(metric).addPast(readings);
  }

  /**
   * @param {BoardStatus} board
   * @param {number} commitIndex
   */
  #updateAgreement(board, commitIndex) {
    const { state, text } = agreementOf(board, commitIndex);
    setAttribute(this.#agreement, "data-agreement", state);
    setText(this.#agreement, text);
  }

  /** @param {BoardStatus} board */
  #updateFirmware({ firmware }) {
    const stage = firmware?.update?.stage ?? "steady";
    this.#update.hidden = stage === "steady";
    setAttribute(this.#update, "data-stage", stage);
    if (firmware?.update !== undefined) setText(this.#update, updateText(firmware.update));
  }

  /** @param {BoardStatus} board */
  #updateMemory(board) {
    const known = board.arenaBytes > 0;
    this.#meter.hidden = !known;
    const used = `${tenths(board.heapUsedBytes / 1024)} of ${bytes(board.arenaBytes)}`;
    setText(this.#heapText, known ? used : "unknown");
    if (!known) return;
    this.#meterFill.style.setProperty("--share", String(board.heapUsedBytes / board.arenaBytes));
    this.#meterPeak.style.setProperty("--share", String(board.heapPeakBytes / board.arenaBytes));
    setAttribute(this.#meter, "aria-valuemax", String(board.arenaBytes));
    setAttribute(this.#meter, "aria-valuenow", String(board.heapUsedBytes));
    setAttribute(this.#meter, "aria-label", `Heap of ${this.#name}`);
    setAttribute(this.#meter, "aria-valuetext", used);
    setAttribute(this.#meter, "title", `at most ${bytes(board.heapPeakBytes)} so far`);
  }

  /** @param {string} metric */
  #sparkline(metric) {
    let line = this.#sparklines.get(metric);
    if (line === undefined) {
      line = new Sparkline();
      this.#sparklines.set(metric, line);
    }
    return line;
  }

  /** @param {string} metric */
  #makeReading(metric) {
    const number = element("span");
    const quality = element("span", { class: "quality" });
    const value = element("span", { class: "value" }, number, quality);
    const line = this.#sparkline(metric);
    const row = element("li", {}, breakable(metric), line.element, value);
    /** @param {BoardStatus["readings"][number]} reading */
    const update = (reading) => {
      setText(number, reading.value === null ? "no reading" : withUnit(rounded(reading.value), reading.unit));
      setText(quality, qualityText[reading.quality] ?? "");
      quality.hidden = quality.textContent === "";
      setAttribute(row, "data-quality", String(reading.quality));
      line.add(reading.atMs, reading.value);
    };
    return { element: row, update };
  }
}

/**
 * How much of what is committed a board has applied.
 * @param {BoardStatus} board
 * @param {number} commitIndex
 */
export function agreementOf({ memberId, appliedIndex }, commitIndex) {
  if (memberId === undefined) return { state: "unknown", text: "nothing yet" };
  const state = appliedIndex < commitIndex ? "behind" : "agreed";
  return { state, text: `${appliedIndex} of ${commitIndex}` };
}

/** @param {BoardStatus} board */
export function linkText(board) {
  if (board.link === "up") return "connected";
  if (board.lastSeenMs === undefined) return "never seen";
  return `gone for ${duration(Math.max(0, Date.now() - board.lastSeenMs))}`;
}

/** @param {string} name */
function makeOutput(name) {
  const value = element("span", { class: "value" });
  const cause = element("span", { class: "cause" });
  const row = element("li", {}, breakable(name), cause, value);
  /** @param {BoardStatus["outputs"][number]} output */
  const update = (output) => {
    const isDigital = output.kind === "digital";
    setText(value, isDigital ? (output.value > 0 ? "on" : "off") : withUnit(exact(output.value), "%"));
    setText(cause, causeText[output.cause]);
    setAttribute(cause, "data-cause", output.cause);
  };
  return { element: row, update };
}

/**
 * A name that may break after its dots: `network.received`.
 * @param {string} name
 */
function breakable(name) {
  const span = element("span", { class: "metric" });
  for (const part of name.split(/(?<=[.-])/)) span.append(part, element("wbr"));
  return span;
}

/**
 * What is under way beside the firmware that runs.
 * @param {NonNullable<NonNullable<BoardStatus["firmware"]>["update"]>} update
 */
function updateText({ stage, target, percent, reason }) {
  const why = reason === undefined ? "" : `: ${reason}`;
  if (stage === "fetching") return `fetches release ${target}: ${percent} %`;
  if (stage === "ready") return `has release ${target}, and restarts into it soon`;
  if (stage === "trial") return `tries release ${target}`;
  return stage === "rolled-back" ? `rolled back from release ${target}${why}` : `refuses its release${why}`;
}
