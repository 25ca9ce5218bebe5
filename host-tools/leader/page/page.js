// @ts-check
/** The first page: the status as the leader pushes it, and the settings. */
import { AlertList } from "./alert-list.js";
import { BoardList } from "./board-list.js";
import { byId, element, KeyedList, setAttribute, setFacts, setText } from "./elements.js";
import { Login } from "./login.js";
import { bytes, duration, exact } from "./quantities.js";
import { byBoards, bySwarm, SettingRow } from "./settings-card.js";

/** @typedef {import("../api/types/status.ts").Status} Status */
/** @typedef {import("../api/types/settings.ts").Setting} Setting */

const retryMs = 2_000;

const boards = new BoardList();
/** @type {KeyedList<Setting>} */
const settings = new KeyedList(byId("settings"), (key) => {
  const row = new SettingRow(key, bySwarm);
  return { element: row.element, update: (setting) => row.update(setting, login.maySet(key)) };
});
/** @type {KeyedList<import("../api/types/registers.ts").RegisterStatus>} */
const registers = new KeyedList(byId("registers"), (name) => {
  const row = new SettingRow(name, byBoards);
  return { element: row.element, update: (register) => row.update(register, login.maySet(name)) };
});
/** @type {KeyedList<string>} */
const violations = new KeyedList(byId("violation-list"), (sentence) => ({
  element: element("li", {}, sentence),
  update: () => {},
}));

const alerts = new AlertList(byId("alert-list"));
const login = new Login(begin, () => {
  source?.close();
  // Nothing of what was shown stays behind.
  location.reload();
});

/** @type {EventSource | undefined} */
let source;
begin();

/** Finds out who looks, then follows the swarm. */
async function begin() {
  try {
    if (await login.isKnown()) follow();
    else showConnection("waiting", "not logged in");
  } catch {
    showConnection("lost", "host not reachable, trying again");
    setTimeout(begin, retryMs);
  }
}

function follow() {
  const events = new EventSource("/api/events");
  source = events;
  events.addEventListener("open", () => showConnection("live", "live"));
  events.addEventListener("status", (event) => show(JSON.parse(event.data)));
  events.addEventListener("error", () => {
    showConnection("lost", "host not reachable, trying again");
    // The browser gives up for good when it was answered with an error: the session may have ended.
    if (events.readyState === EventSource.CLOSED) setTimeout(begin, retryMs);
  });
}

/**
 * @param {"live" | "lost" | "waiting"} state
 * @param {string} text
 */
function showConnection(state, text) {
  setAttribute(byId("connection"), "data-state", state);
  setText(byId("connection"), text);
  document.body.dataset.connection = state;
}

/** @param {Status} status */
function show(status) {
  document.title = `${status.swarm} · Covey`;
  setText(byId("swarm"), status.swarm);
  setText(byId("summary"), summary(status));
  setFacts(byId("leader"), leaderFacts(status));
  boards.update(status);
  byId("settings-section").hidden = Object.keys(status.settings).length === 0;
  settings.update(Object.entries(status.settings));
  byId("registers-section").hidden = Object.keys(status.registers ?? {}).length === 0;
  registers.update(Object.entries(status.registers ?? {}));
  const firing = status.alerts ?? [];
  byId("alerts").hidden = firing.length === 0;
  alerts.update(firing, login.maySet("covey/alerts"));
  byId("violations").hidden = status.violations.length === 0;
  violations.update(status.violations.map((sentence) => [sentence, sentence]));
  setFacts(byId("counters"), counterFacts(status));
}

/** @param {Status} status */
function summary({ boards: all, leader }) {
  const connected = all.filter((board) => board.link === "up").length;
  const agreed = all.filter(
    (board) => board.link === "up" && board.appliedIndex >= leader.commitIndex,
  ).length;
  const board = all.length === 1 ? "board" : "boards";
  if (connected === 0) return `none of ${all.length} ${board} connected`;
  const agreement = agreed === connected ? "all agreed" : `${agreed} up to date`;
  return `${connected} of ${all.length} ${board} connected, ${agreement}`;
}

/**
 * @param {Status} status
 * @returns {[string, string][]}
 */
function leaderFacts({ leader, hosts, isConfirmed, checkpoints }) {
  const isLed = leader.role === "leader";
  const role = !isLed ? "nobody leads" : isConfirmed ? "leads" : "leads, not confirmed by a majority";
  /** @type {[string, string][]} */
  const alone = [["Host", nameOf(leader.id)]];
  return [
    ...(hosts.length === 1 ? alone : hosts.map(hostFact)),
    ...(hosts.length === 1 || role !== "leads" ? [/** @type {[string, string]} */ (["Role", role])] : []),
    ["Term", exact(leader.term)],
    ["Committed", `${exact(leader.commitIndex)} of ${exact(leader.lastIndex)}`],
    ["Voters", leader.voters.map(nameOf).join(", ") || "none yet"],
    ["Running for", duration(leader.uptimeMs)],
    ["Checkpoints", checkpoints === undefined ? "none" : checkpointsText(checkpoints)],
  ];
}

/**
 * `5, last deploy-120, 3 min ago`
 * @param {NonNullable<Status["checkpoints"]>} checkpoints
 */
function checkpointsText({ count, name, time }) {
  const ageMs = Math.max(0, Date.now() - Date.parse(time));
  return `${exact(count)}, last ${name}, ${duration(ageMs)} ago`;
}

/**
 * `Host b`: `follows, 3 boards`.
 * @param {Status["hosts"][number]} host
 * @returns {[string, string]}
 */
function hostFact({ name, role, link, boards: count }) {
  const does = role === "leader" ? "leads" : role === "follower" ? "follows" : role;
  const has = `${count} ${count === 1 ? "board" : "boards"}`;
  return [`Host ${name}`, link === "up" ? `${does}, ${has}` : "down"];
}

/**
 * @param {Status} status
 * @returns {[string, string][]}
 */
function counterFacts({ counters, keeping }) {
  return [
    ...keptFacts(keeping),
    ["Messages in", exact(counters.messagesIn)],
    ["Messages out", exact(counters.messagesOut)],
    ["Bytes in", bytes(counters.bytesIn)],
    ["Bytes out", bytes(counters.bytesOut)],
    ["Readings stored", exact(counters.readingsStored)],
    ["Disconnects", exact(counters.disconnects)],
    ["Sessions begun", exact(counters.sessions.handshakes)],
    ["Sessions refreshed", exact(counters.sessions.refreshes)],
    ["Strangers refused", exact(counters.sessions.strangers)],
    ["Handshakes failed", exact(counters.sessions.handshakesFailed)],
    ["Records not opened", exact(unopened(counters.sessions))],
    ["Connections refused", exact(counters.refused)],
    ["Messages not understood", exact(counters.garbage)],
  ];
}

/**
 * What boards keep of each other's readings.
 * @param {Status["keeping"]} keeping
 * @returns {[string, string][]}
 */
function keptFacts(keeping) {
  if (keeping === undefined) return [];
  const { boards: count, whole, waiting, lost } = keeping;
  return [
    ["Boards with all copies", `${whole} of ${count}`],
    ["Blocks on their way", exact(waiting)],
    .../** @type {[string, string][]} */ (lost > 0 ? [["Blocks that no board has", exact(lost)]] : []),
  ];
}

/** @param {Status["counters"]["sessions"]} sessions */
function unopened({ recordsMalformed, recordsReplayed, recordsForged }) {
  return recordsMalformed + recordsReplayed + recordsForged;
}

/**
 * `north-1` of `north-1.5f3a90c2`.
 * @param {string} memberId
 */
function nameOf(memberId) {
  return memberId.includes(".") ? memberId.slice(0, memberId.lastIndexOf(".")) : memberId;
}
