// @ts-check
/** Who looks at this page: asked where the host wants to know, shown at the top, and what it may not do is not offered. */
import { byId, setText } from "./elements.js";
import { IdentityFile } from "./identity-file.js";

/** @typedef {import("../api/types/access.ts").LoggedIn} LoggedIn */
/** @typedef {import("../api/types/access.ts").LoginChallenge} LoginChallenge */
/** @typedef {import("../api/types/error.ts").ApiError} ApiError */

/** What begins so takes an entry that begins so. */
const reserved = "covey/";
const writeBit = 2;

export class Login {
  #form = /** @type {HTMLFormElement} */ (byId("login"));
  #file = /** @type {HTMLInputElement} */ (byId("login-file"));
  #button = /** @type {HTMLButtonElement} */ (byId("login-button"));
  #answer = byId("login-answer");
  /** @type {LoggedIn | undefined} */
  #who;
  #onLoggedIn;
  #onLoggedOut;

  /**
   * @param {() => void} onLoggedIn
   * @param {() => void} onLoggedOut
   */
  constructor(onLoggedIn, onLoggedOut) {
    this.#onLoggedIn = onLoggedIn;
    this.#onLoggedOut = onLoggedOut;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#file.addEventListener("change", () => {
      this.#say("");
      this.#button.disabled = this.#file.files?.length !== 1;
    });
    byId("log-out").addEventListener("click", () => this.#logOut());
  }

  /** Whether this host knows who asks; where it does not, the form is shown. Rejects when it does not answer. */
  async isKnown() {
    const response = await fetch("/api/session");
    if (response.status !== 401) {
      this.#show(response.ok ? await response.json() : undefined);
      return response.ok;
    }
    this.#show(undefined);
    this.#form.hidden = false;
    setText(byId("summary"), "");
    document.body.dataset.login = "wanted";
    return false;
  }

  /**
   * Whether whoever looks may set that, as the host will decide it (`scope.ts`): what it would refuse is not offered.
   * @param {string} key
   */
  maySet(key) {
    return (this.#who?.scope ?? []).some(({ resource, permissions }) => {
      const isReserved = key.startsWith(reserved) && !resource.startsWith(reserved);
      const fits = resource.endsWith("*")
        ? !isReserved && key.startsWith(resource.slice(0, -1))
        : key === resource;
      return fits && (permissions & writeBit) !== 0;
    });
  }

  async #submit() {
    const file = this.#file.files?.[0];
    if (file === undefined) return;
    this.#button.disabled = true;
    this.#say("");
    try {
      const identity = await IdentityFile.read(file);
      const offer = /** @type {LoginChallenge} */ (await read(await fetch("/api/login")));
      if (offer.swarm !== identity.swarm) {
        throw new Error(
          `This is the swarm ${offer.swarm}, and ${identity.name}'s identity is of ${identity.swarm}.`,
        );
      }
      await read(await post("/api/login", await identity.prove(offer)));
      this.#form.reset();
      this.#form.hidden = true;
      delete document.body.dataset.login;
      this.#onLoggedIn();
    } catch (error) {
      // A request that got no answer has a message for programmers.
      const isUnanswered = error instanceof TypeError;
      this.#say(isUnanswered ? "The host did not answer; try again." : /** @type {Error} */ (error).message);
      this.#button.disabled = false;
    }
  }

  async #logOut() {
    try {
      await post("/api/logout", {});
    } finally {
      this.#onLoggedOut();
    }
  }

  /** @param {LoggedIn | undefined} who */
  #show(who) {
    this.#who = who;
    byId("who").hidden = who === undefined || who.isLocal;
    if (who !== undefined) setText(byId("who-name"), `${who.name}, ${who.role}`);
  }

  /** @param {string} text */
  #say(text) {
    this.#answer.dataset.state = "refused";
    setText(this.#answer, text);
  }
}

/**
 * @param {string} path
 * @param {object} body
 */
function post(path, body) {
  const headers = { "content-type": "application/json" };
  return fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
}

/**
 * The answer, or an Error with what the host says.
 * @param {Response} response
 * @returns {Promise<object>}
 */
async function read(response) {
  const answer = /** @type {{ error?: ApiError }} */ (await response.json());
  if (answer.error !== undefined) throw new Error(answer.error.message);
  return answer;
}
