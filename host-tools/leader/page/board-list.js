// @ts-check
/** The boards: few as cards in the order of the swarm, many as rows, the worst first, among which one can look for some. */
import { BoardCard } from "./board-card.js";
import { BoardRow } from "./board-row.js";
import { boardStates, DueIndex, matches, stateOf } from "./board-states.js";
import { byId, element, KeyedList, setAttribute, setText } from "./elements.js";
import { pastReadings } from "./past-readings.js";

/** @typedef {import("../api/types/status.ts").BoardStatus} BoardStatus */
/** @typedef {import("../api/types/status.ts").Status} Status */
/** @typedef {import("./board-row.js").RowContent} RowContent */
/** @typedef {import("./board-states.js").BoardState} BoardState */

export const boardListLimits = Object.freeze({
  /** More boards than these are rows. */
  cardsMax: 24,
  /** Rows shown before somebody asks for all. */
  rowsAtFirst: 50,
  /** A board that lacks an entry for longer is behind. */
  behindAfterMs: 5_000,
  /** Rows keep their places for this long after somebody pointed at one or pressed a key there. */
  stillMs: 5_000,
});

export class BoardList {
  /** @type {Map<string, BoardCard>} */
  #cards = new Map();
  /** @type {Map<string, BoardRow>} */
  #rows = new Map();
  /** @type {KeyedList<RowContent>} */
  #cardList;
  /** @type {KeyedList<RowContent>} */
  #rowList;
  #filter = /** @type {HTMLInputElement} */ (byId("board-filter"));
  #more = byId("board-more");
  #choices = new StateChoices(byId("board-states"), () => this.#showRows());
  #due = new DueIndex(boardListLimits.behindAfterMs);
  /** @type {RowContent[]} in the order of the swarm */
  #contents = [];
  /** @type {Map<string, number>} by which the rows stand in order, the smallest first */
  #ranks = new Map();
  #usedMs = Number.NEGATIVE_INFINITY;
  #showsAll = false;
  #knowsPast = false;

  constructor() {
    this.#cardList = new KeyedList(byId("boards"), (name) => kept(this.#cards, name, new BoardCard(name)));
    this.#rowList = new KeyedList(byId("board-rows"), (name) => kept(this.#rows, name, new BoardRow(name)));
    this.#filter.addEventListener("input", () => this.#showRows());
    this.#more.addEventListener("click", () => this.#showAll());
    const rows = byId("board-rows");
    for (const type of ["pointermove", "pointerdown", "keydown"])
      rows.addEventListener(type, () => {
        this.#usedMs = performance.now();
      });
    rows.addEventListener("keydown", (event) => moveFocus(rows, event));
  }

  /** @param {Status} status */
  update({ boards, leader: { commitIndex } }) {
    const dueIndex = this.#due.note(commitIndex, performance.now());
    this.#contents = boards.map((board) => ({ board, commitIndex, state: stateOf(board, dueIndex) }));
    const areRows = boards.length > boardListLimits.cardsMax;
    for (const id of ["board-tools", "board-rows"]) byId(id).hidden = !areRows;
    byId("boards").hidden = areRows;
    this.#cardList.update(areRows ? [] : keyed(this.#contents));
    if (areRows) this.#showRows();
    else {
      this.#rowList.update([]);
      this.#more.hidden = true;
      if (!this.#knowsPast) this.#showPast();
    }
  }

  /** The lines' last minutes, once; what they miss while the leader is away they go without. */
  async #showPast() {
    this.#knowsPast = true;
    for (const series of await pastReadings()) {
      this.#cards.get(series[0].board)?.remember(series[0].metric, series);
    }
  }

  #showRows() {
    const all = this.#contents;
    this.#rank();
    const named = all.filter(({ board, state }) => matches(board, state, this.#filter.value.trim()));
    this.#choices.update(named);
    const wanted = named
      .filter(({ state }) => this.#choices.chosen === undefined || state === this.#choices.chosen)
      .sort((a, b) => this.#rankOf(a) - this.#rankOf(b));
    // What somebody has opened stays, however well the board is by now.
    const shown = wanted.filter(({ board }, i) => {
      return this.#showsAll || i < boardListLimits.rowsAtFirst || this.#rows.get(board.id)?.isOpen === true;
    });
    this.#rowList.update(keyed(shown));
    byId("board-rows").hidden = shown.length === 0;
    this.#more.hidden = shown.length === wanted.length;
    setText(this.#more, `Show all ${wanted.length}`);
    const isPart = wanted.length < all.length;
    setText(byId("board-count"), isPart ? `${wanted.length} of ${all.length} boards` : "");
  }

  /** Anew, unless somebody is about to click on a row, which must not move away then. */
  #rank() {
    const isStill = performance.now() - this.#usedMs < boardListLimits.stillMs;
    const isKnown = this.#contents.every(({ board }) => this.#ranks.has(board.id));
    if (isStill && isKnown) return;
    const badness = boardStates.map(({ state }) => state);
    this.#ranks = new Map(
      [...this.#contents]
        .sort((a, b) => badness.indexOf(a.state) - badness.indexOf(b.state))
        .map(({ board }, i) => [board.id, i]),
    );
  }

  /** @param {RowContent} content */
  #rankOf({ board }) {
    return this.#ranks.get(board.id) ?? 0;
  }

  #showAll() {
    const before = byId("board-rows").childElementCount;
    this.#showsAll = true;
    this.#showRows();
    // The button is gone: who pressed it goes on at the first row that is new.
    byId("board-rows").children[before]?.querySelector("button")?.focus();
  }
}

/** How many boards are how, each a button that shows those alone. */
class StateChoices {
  /** @type {BoardState | undefined} undefined for all */
  chosen;
  #buttons;

  /**
   * @param {HTMLElement} place
   * @param {() => void} onChoice
   */
  constructor(place, onChoice) {
    const all = /** @type {{ state: BoardState | undefined, title: string }} */ ({
      state: undefined,
      title: "All",
    });
    this.#buttons = [all, ...boardStates].map(({ state, title }) => {
      const button = element("button", { type: "button" });
      button.dataset.state = state ?? "all";
      button.addEventListener("click", () => {
        this.chosen = state;
        onChoice();
      });
      place.append(button);
      return { state, title, button };
    });
  }

  /** @param {readonly RowContent[]} contents */
  update(contents) {
    for (const { state, title, button } of this.#buttons) {
      const count = contents.filter((each) => state === undefined || each.state === state).length;
      setText(button, `${title} ${count}`);
      setAttribute(button, "aria-pressed", String(state === this.chosen));
      setAttribute(button, "data-count", String(count));
      button.hidden = count === 0 && state !== undefined && state !== this.chosen;
    }
  }
}

/**
 * @template {{ element: HTMLElement, update(content: RowContent): void }} T
 * @param {Map<string, T>} all
 * @param {string} name
 * @param {T} made
 */
function kept(all, name, made) {
  all.set(name, made);
  return { element: made.element, update: (/** @type {RowContent} */ content) => made.update(content) };
}

/**
 * @param {readonly RowContent[]} contents
 * @returns {(readonly [string, RowContent])[]}
 */
function keyed(contents) {
  return contents.map((content) => [content.board.id, content]);
}

/**
 * From row to row with the arrow keys, Home and End; Tab goes its way through all.
 * @param {HTMLElement} rows
 * @param {KeyboardEvent} event
 */
function moveFocus(rows, event) {
  const buttons = /** @type {HTMLElement[]} */ ([...rows.querySelectorAll("h3 > button")]);
  const at = buttons.indexOf(/** @type {HTMLElement} */ (event.target));
  if (at < 0) return;
  const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  buttons[to]?.focus();
}
