// @ts-check
/** One board among many: a line that opens into the board's card. */
import { agreementOf, BoardCard, linkText } from "./board-card.js";
import { element, setAttribute, setText } from "./elements.js";
import { pastReadings } from "./past-readings.js";
import { bytes, rounded, tenths, withUnit } from "./quantities.js";

/** @typedef {import("../api/types/status.ts").BoardStatus} BoardStatus */
/** @typedef {import("./board-states.js").BoardState} BoardState */

/** What a board's row shows. @typedef {{ board: BoardStatus, state: BoardState, commitIndex: number }} RowContent */

export class BoardRow {
  #name;
  #link = element("span", { class: "link" });
  #role = element("span", { class: "quiet role" });
  #agreement = element("span", { class: "applied" });
  #memory = element("span", { class: "quiet memory" });
  #readings = element("span", { class: "quiet summary" });
  #button;
  #inside;
  /** @type {BoardCard | undefined} made when the row is opened for the first time */
  #card;
  /** @type {RowContent | undefined} */
  #now;
  element;

  /** @param {string} name */
  constructor(name) {
    this.#name = name;
    this.#inside = element("div", { id: `inside-${name}`, class: "inside" });
    this.#inside.hidden = true;
    this.#button = element(
      "button",
      { type: "button", "aria-expanded": "false", "aria-controls": this.#inside.id },
      element("span", { class: "name" }, name),
      this.#link,
      this.#role,
      this.#agreement,
      this.#memory,
      this.#readings,
    );
    this.#button.addEventListener("click", () => this.#toggle());
    this.element = element("li", { class: "row" }, element("h3", {}, this.#button), this.#inside);
  }

  get isOpen() {
    return !this.#inside.hidden;
  }

  /** @param {RowContent} now */
  update(now) {
    this.#now = now;
    const { board, state, commitIndex } = now;
    setAttribute(this.element, "data-link", board.lastSeenMs === undefined ? "never" : board.link);
    setAttribute(this.element, "data-state", state);
    setText(this.#link, linkText(board));
    setText(this.#role, board.role === "unknown" ? "" : board.role);
    setAttribute(this.#agreement, "data-agreement", state === "behind" ? "behind" : "");
    setText(this.#agreement, agreementOf(board, commitIndex).text);
    setText(this.#memory, memoryText(board, state));
    setText(this.#readings, board.readings.map(readingText).join(" · "));
    if (this.isOpen) this.#card?.update(now);
  }

  #toggle() {
    this.#inside.hidden = this.isOpen;
    setAttribute(this.#button, "aria-expanded", String(this.isOpen));
    if (this.#card === undefined) this.#makeCard();
    if (this.#now !== undefined) this.#card?.update(this.#now);
  }

  async #makeCard() {
    const card = new BoardCard(this.#name, "div");
    this.#card = card;
    this.#inside.append(card.element);
    for (const series of await pastReadings(this.#name)) card.remember(series[0].metric, series);
  }
}

/**
 * What is in use; where the peak is what worries, that.
 * @param {BoardStatus} board
 * @param {BoardState} state
 */
function memoryText({ arenaBytes, heapUsedBytes, heapPeakBytes }, state) {
  if (state === "memory") return `peak ${bytes(heapPeakBytes)}`;
  return arenaBytes === 0 ? "" : `${tenths(heapUsedBytes / 1024)} of ${bytes(arenaBytes)}`;
}

/** @param {BoardStatus["readings"][number]} reading */
function readingText({ metric, value, unit }) {
  return `${metric} ${value === null ? "none" : withUnit(rounded(value), unit)}`;
}
