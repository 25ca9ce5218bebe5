// @ts-check
/** One setting, or one register: its agreed value, and a form to propose another. */
import { element, setText } from "./elements.js";
import { exact, withUnit } from "./quantities.js";

/** @typedef {import("../api/types/settings.ts").Setting | import("../api/types/registers.ts").RegisterStatus} Setting */
/** @typedef {import("../api/types/settings.ts").SetResult} SetResult */
/** @typedef {import("../api/types/registers.ts").RegisterRead} RegisterRead */
/** @typedef {import("../api/types/error.ts").ApiError} ApiError */

/**
 * Who agrees on it, and how that is told.
 * @typedef {object} Agreeing
 * @property {string} path
 * @property {string} waiting
 * @property {string} lost what is said when no answer came
 * @property {(setting: any) => string} origin
 * @property {(answer: any, ms: number) => string} agreed
 */

/** @type {Agreeing} */
export const bySwarm = {
  path: "/api/settings",
  waiting: "waiting for a majority of the voters",
  lost: "The leader did not answer; whether the value was set shows when it is back.",
  origin: ({ index }) => (index === 0 ? "initial value" : `entry ${index}`),
  /** @param {SetResult} answer */
  agreed: ({ index }, ms) => `agreed as entry ${index} in ${ms} ms`,
};

/** @type {Agreeing} */
export const byBoards = {
  path: "/api/registers",
  waiting: "waiting for a majority of its boards",
  lost: "No host answered; whether the boards agreed shows when one is back.",
  /** @param {import("../api/types/registers.ts").RegisterStatus} register */
  origin: ({ version, by }) =>
    version === 0 ? "initial value" : `version ${version}${by === "" ? "" : ` by ${by}`}`,
  /** @param {RegisterRead} answer */
  agreed: ({ version, by }, ms) => `agreed as version ${version} by ${by} in ${ms} ms`,
};

export class SettingRow {
  #key;
  #agreeing;
  #current = element("span", { class: "value" });
  #origin = element("span", { class: "quiet" });
  #answer = element("p", { class: "answer", role: "status" });
  #button = /** @type {HTMLButtonElement} */ (element("button", { type: "submit" }, "Set"));
  #form = element("form");
  /** @type {Control | undefined} */
  #control;
  element;

  /**
   * @param {string} key
   * @param {Agreeing} agreeing
   */
  constructor(key, agreeing) {
    this.#key = key;
    this.#agreeing = agreeing;
    const label = element("label", { for: `setting-${key}`, class: "metric" }, key);
    const head = element("div", { class: "setting-head" }, label, this.#current, this.#origin);
    this.element = element("li", {}, head, this.#form, this.#answer);
    this.#answer.id = `answer-${key}`;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#propose();
    });
  }

  /**
   * @param {Setting} setting
   * @param {boolean} maySet whether whoever looks may set it
   */
  update(setting, maySet) {
    this.#form.hidden = !maySet;
    setText(this.#current, shown(setting));
    setText(this.#origin, this.#agreeing.origin(setting));
    if (this.#control === undefined) this.#build(setting);
    else this.#control.agreed(setting.value);
  }

  /** @param {Setting} setting */
  #build(setting) {
    this.#control = makeControl(this.#key, setting);
    this.#control.field.id = `setting-${this.#key}`;
    this.#control.field.setAttribute("aria-describedby", this.#answer.id);
    this.#form.addEventListener("input", () => this.#form.classList.add("touched"));
    this.#form.append(...this.#control.elements, this.#button);
  }

  async #propose() {
    const control = /** @type {Control} */ (this.#control);
    this.#button.disabled = true;
    const { path, waiting, lost, agreed } = this.#agreeing;
    this.#say("", waiting);
    const started = performance.now();
    try {
      const response = await fetch(`${path}/${encodeURIComponent(this.#key)}`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ value: control.value() }),
      });
      const answer = /** @type {(SetResult | RegisterRead) & { error?: ApiError }} */ (await response.json());
      if (answer.error !== undefined) this.#say("refused", answer.error.message);
      else {
        const ms = Math.max(1, Math.round(performance.now() - started));
        control.isTouched = false;
        this.#form.classList.remove("touched");
        this.#say("agreed", agreed(answer, ms));
      }
    } catch {
      this.#say("refused", lost);
    }
    this.#button.disabled = false;
  }

  /**
   * @param {string} state
   * @param {string} text
   */
  #say(state, text) {
    this.#answer.dataset.state = state;
    this.#control?.field.setAttribute("aria-invalid", String(state === "refused"));
    setText(this.#answer, text);
  }
}

/** @param {Setting} setting */
function shown(setting) {
  const { value, unit } = setting;
  const choices = "choices" in setting ? setting.choices : undefined;
  if (typeof value === "boolean") return value ? "on" : "off";
  if (value === "") return choices === undefined ? "empty" : "nobody";
  if (typeof value === "string") return value;
  return withUnit(exact(value), unit);
}

/**
 * @typedef {object} Control
 * @property {HTMLElement} field takes the label
 * @property {HTMLElement[]} elements
 * @property {boolean} isTouched by the user and not yet set: the agreed value must not overwrite it
 * @property {() => unknown} value
 * @property {(value: Setting["value"]) => void} agreed
 */

/**
 * @param {string} key
 * @param {Setting} setting
 * @returns {Control}
 */
function makeControl(key, setting) {
  const { type } = setting.takes;
  if ("choices" in setting && setting.choices !== undefined) return choiceControl(setting, setting.choices);
  if (type === "boolean") return booleanControl(setting);
  return type === "number" ? numberControl(key, setting) : textControl(setting);
}

/**
 * @param {string} key
 * @param {Setting} setting
 * @returns {Control}
 */
function numberControl(key, setting) {
  const takes = /** @type {Extract<Setting["takes"], { type: "number" }>} */ (setting.takes);
  const limits = { min: String(takes.min), max: String(takes.max), step: "any" };
  const step = niceStep(takes.max - takes.min);
  const slider = /** @type {HTMLInputElement} */ (
    element("input", { ...limits, step: String(step), type: "range", "aria-label": `${key}, slider` })
  );
  // No min and max here: the leader's own refusal says more than the browser's bubble.
  const field = /** @type {HTMLInputElement} */ (
    element("input", { type: "number", step: "any", inputmode: "decimal", autocomplete: "off" })
  );
  const unit = element("span", { class: "unit quiet" }, setting.unit);
  const control = touchable(field, [slider, field, unit], () =>
    field.value === "" ? null : Number(field.value),
  );
  slider.addEventListener("input", () => {
    control.isTouched = true;
    field.value = slider.value;
  });
  field.addEventListener("input", () => {
    slider.value = field.value;
  });
  control.agreed = (value) => {
    if (control.isTouched) return;
    field.value = String(value);
    slider.value = String(value);
  };
  control.agreed(setting.value);
  return control;
}

/**
 * @param {Setting} setting
 * @returns {Control}
 */
function booleanControl(setting) {
  const field = /** @type {HTMLInputElement} */ (element("input", { type: "checkbox", role: "switch" }));
  const control = touchable(field, [field], () => field.checked);
  control.agreed = (value) => {
    if (!control.isTouched) field.checked = value === true;
  };
  control.agreed(setting.value);
  return control;
}

/**
 * @param {Setting} setting
 * @returns {Control}
 */
function textControl(setting) {
  const field = /** @type {HTMLInputElement} */ (element("input", { type: "text", autocomplete: "off" }));
  const control = touchable(field, [field], () => field.value);
  control.agreed = (value) => {
    if (!control.isTouched) field.value = String(value);
  };
  control.agreed(setting.value);
  return control;
}

/**
 * One of some names, or none.
 * @param {Setting} setting
 * @param {readonly string[]} choices
 * @returns {Control}
 */
function choiceControl(setting, choices) {
  const options = ["", ...choices].map((name) => element("option", { value: name }, name || "nobody"));
  const field = /** @type {HTMLSelectElement} */ (element("select", {}, ...options));
  const control = touchable(field, [field], () => field.value);
  control.agreed = (value) => {
    if (!control.isTouched) field.value = String(value);
  };
  control.agreed(setting.value);
  return control;
}

/**
 * @param {HTMLInputElement | HTMLSelectElement} field
 * @param {HTMLElement[]} elements
 * @param {() => unknown} value
 * @returns {Control}
 */
function touchable(field, elements, value) {
  /** @type {Control} */
  const control = { field, elements, isTouched: false, value, agreed: () => {} };
  field.addEventListener("input", () => {
    control.isTouched = true;
  });
  return control;
}

/**
 * About a hundred steps, each a power of ten times 1, 2 or 5.
 * @param {number} range
 */
function niceStep(range) {
  const exact = range / 100;
  const power = 10 ** Math.floor(Math.log10(exact));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= exact * 0.999) ?? power;
}
