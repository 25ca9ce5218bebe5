// @ts-check
/** What fires, each with a button by which a person says that it was seen. */
import { element, KeyedList, setAttribute, setText } from "./elements.js";
import { duration, exact, withUnit } from "./quantities.js";

/** @typedef {import("../api/types/alerts.ts").AlertStatus} AlertStatus */
/** @typedef {import("../api/types/error.ts").ApiError} ApiError */

export class AlertList {
  /** @type {KeyedList<{ alert: AlertStatus, mayAcknowledge: boolean }>} */
  #rows;

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#rows = new KeyedList(list, () => {
      const row = new AlertRow();
      return { element: row.element, update: (now) => row.update(now.alert, now.mayAcknowledge) };
    });
  }

  /**
   * @param {readonly AlertStatus[]} alerts
   * @param {boolean} mayAcknowledge whether whoever looks may
   */
  update(alerts, mayAcknowledge) {
    this.#rows.update(alerts.map((alert) => [`${alert.alert}/${alert.board}`, { alert, mayAcknowledge }]));
  }
}

class AlertRow {
  #name = element("strong", { class: "metric" });
  #what = element("span");
  #seen = element("span", { class: "quiet" });
  #answer = element("p", { class: "answer", role: "status" });
  #button = /** @type {HTMLButtonElement} */ (element("button", { type: "button" }, "Acknowledge"));
  /** @type {AlertStatus | undefined} */
  #alert;
  element = element(
    "li",
    { class: "alert" },
    element("div", { class: "alert-text" }, this.#name, " ", this.#what, " ", this.#seen),
    this.#button,
    this.#answer,
  );

  constructor() {
    this.#button.addEventListener("click", () => this.#acknowledge());
  }

  /**
   * @param {AlertStatus} alert
   * @param {boolean} mayAcknowledge
   */
  update(alert, mayAcknowledge) {
    this.#alert = alert;
    const { alert: name, board, value, unit, condition, sinceMs, acknowledgedBy } = alert;
    setText(this.#name, name);
    setText(this.#what, `on ${board}: ${withUnit(exact(value), unit)} (${condition})`);
    const since = `for ${duration(Math.max(0, Date.now() - sinceMs))}`;
    setText(this.#seen, acknowledgedBy === undefined ? since : `${since}, seen by ${acknowledgedBy}`);
    setAttribute(this.element, "data-seen", String(acknowledgedBy !== undefined));
    setAttribute(this.#button, "aria-label", `Acknowledge ${name} on ${board}`);
    this.#button.hidden = !mayAcknowledge || acknowledgedBy !== undefined;
  }

  async #acknowledge() {
    const { alert, board } = /** @type {AlertStatus} */ (this.#alert);
    this.#button.disabled = true;
    setText(this.#answer, "");
    try {
      const response = await fetch("/api/alerts/acknowledge", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ alert, board }),
      });
      const answer = /** @type {{ error?: ApiError }} */ (await response.json());
      if (answer.error !== undefined) this.#refused(answer.error.message);
    } catch {
      this.#refused("The leader did not answer; whether it was acknowledged shows when it is back.");
    }
    this.#button.disabled = false;
  }

  /** @param {string} text */
  #refused(text) {
    this.#answer.dataset.state = "refused";
    setText(this.#answer, text);
  }
}
