// @ts-check
/** One setting: its agreed value, and a form to propose another. */
import { element, setText } from "./elements.js";
import { exact, withUnit } from "./quantities.js";

/** @typedef {import("../api/api-types.ts").Setting} Setting */
/** @typedef {import("../api/api-types.ts").SetResult} SetResult */
/** @typedef {import("../api/api-types.ts").ApiError} ApiError */

export class SettingRow {
  #key;
  #current = element("span", { class: "value" });
  #origin = element("span", { class: "quiet" });
  #answer = element("p", { class: "answer", role: "status" });
  #button = /** @type {HTMLButtonElement} */ (element("button", { type: "submit" }, "Set"));
  #form = element("form");
  /** @type {Control | undefined} */
  #control;
  element;

  /** @param {string} key */
  constructor(key) {
    this.#key = key;
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
    setText(this.#origin, setting.index === 0 ? "initial value" : `entry ${setting.index}`);
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
    this.#say("", "waiting for a majority of the voters");
    const started = performance.now();
    try {
      const response = await fetch(`/api/settings/${encodeURIComponent(this.#key)}`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ value: control.value() }),
      });
      const answer = /** @type {SetResult & { error?: ApiError }} */ (await response.json());
      if (answer.error !== undefined) this.#say("refused", answer.error.message);
      else {
        const ms = Math.max(1, Math.round(performance.now() - started));
        control.isTouched = false;
        this.#form.classList.remove("touched");
        this.#say("agreed", `agreed as entry ${answer.index} in ${ms} ms`);
      }
    } catch {
      this.#say("refused", "The leader did not answer; whether the value was set shows when it is back.");
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
function shown({ value, unit }) {
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "string") return value === "" ? "empty" : value;
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
 * @param {HTMLInputElement} field
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
