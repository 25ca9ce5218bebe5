// @ts-check
/** Making elements, and changing them only where something changed, so that focus, selection and screen readers stay calm. */

/**
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element ${id}.`);
  return found;
}

/**
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {Element} node
 * @param {string} name
 * @param {string} value
 */
export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/**
 * Name and value pairs of a definition list: made once, then only rewritten.
 * @param {HTMLElement} list
 * @param {readonly (readonly [string, string])[]} facts
 */
export function setFacts(list, facts) {
  if (list.childElementCount !== facts.length) {
    list.replaceChildren(...facts.map(() => element("div", {}, element("dt"), element("dd"))));
  }
  facts.forEach(([name, value], i) => {
    const [term, detail] = /** @type {Element} */ (list.children[i]).children;
    setText(/** @type {Element} */ (term), name);
    setText(/** @type {Element} */ (detail), value);
  });
}

/**
 * One child for each key, in order; children are made, kept, moved and removed as the keys ask.
 * @template T
 */
export class KeyedList {
  /** @type {Map<string, { element: HTMLElement, update: (item: T) => void }>} */
  #children = new Map();
  #list;
  #make;

  /**
   * @param {HTMLElement} list
   * @param {(key: string) => { element: HTMLElement, update: (item: T) => void }} make
   */
  constructor(list, make) {
    this.#list = list;
    this.#make = make;
  }

  /** @param {readonly (readonly [string, T])[]} items */
  update(items) {
    // An element that is moved loses the focus.
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    const keys = new Set(items.map(([key]) => key));
    for (const [key, child] of this.#children) {
      if (keys.has(key)) continue;
      child.element.remove();
      this.#children.delete(key);
    }
    let place = this.#list.firstElementChild;
    for (const [key, item] of items) {
      let child = this.#children.get(key);
      if (child === undefined) {
        child = this.#make(key);
        this.#children.set(key, child);
      }
      if (place === child.element) place = place.nextElementSibling;
      else this.#list.insertBefore(child.element, place);
      child.update(item);
    }
    if (this.#list.contains(focused) && focused !== document.activeElement)
      focused?.focus({ preventScroll: true });
  }
}
