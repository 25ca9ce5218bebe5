/** `covey provision` for one board, for a box of them, and into a file. */
import { writeFileSync } from "node:fs";
import type { Contact, WifiCredentials } from "../../../protocols/provisioning/contact.ts";
import { choosePorts, onEach } from "../../flasher/fleet.ts";
import { FlashProblem } from "../../flasher/problems.ts";
import { attachedDevices } from "../../flasher/serial/device-wire.ts";
import { writeNvs } from "../../images/nvs/write.ts";
import { KeyError } from "../../keys/key-error.ts";
import { parseScope } from "../../keys/scope-text.ts";
import { kidText, mergedItems } from "../../provisioner/board-settings.ts";
import { Box } from "../../provisioner/box.ts";
import { BoxListError, type BoxRow, readBoxList } from "../../provisioner/box-list.ts";
import { writeLinValues } from "../../provisioner/lin-values.ts";
import { pluggedIn } from "../../provisioner/plugged-in.ts";
import { type BoardOrder, type BoardReport, Provisioner } from "../../provisioner/provisioner.ts";
import { MemberFileError } from "../../security/member-file.ts";
import { confirmed } from "../confirmation.ts";
import { Failed, WrongInput } from "../failure.ts";
import { untilInterrupted } from "../interruption.ts";
import { unlock } from "../keys/place.ts";
import { canAsk } from "../questions.ts";
import type { Terminal } from "../terminal.ts";
import { contactOf, wifiOf } from "./contact.ts";
import { writeLabels } from "./label-file.ts";
import { holdingLedger, openPlace, type ProvisionOptions, type SwarmPlace } from "./place.ts";
import { jsonOf, shown, tellBoard, tellProblem } from "./tell.ts";
import { type Report, watched } from "./watched.ts";

/** One board, at a port. */
export async function provisionOne(
  terminal: Terminal,
  options: ProvisionOptions,
  name: string,
): Promise<number> {
  const place = await openPlace(terminal, options);
  const model = modelOf(place, options, name);
  const [port, another] = await choosePorts(options.port, false);
  if (another !== undefined)
    throw new WrongInput("One board is provisioned at one port; for several say --from boards.csv.");
  const { contact, provisionerOf } = await prepared(terminal, options, place);
  const order = orderOf(name, model, options, contact);
  const signal = untilInterrupted();
  const run = (replace: boolean) =>
    watched(terminal, [port!], (report) =>
      provisionerOf({ replace, signal }).provision(
        port!,
        () => order,
        (progress) => report(port!, progress),
      ),
    );
  const board = await holdingLedger(place, () =>
    run(options.replace === true).catch(async (error) => {
      if (!(error instanceof FlashProblem) || error.code !== "other-board" || !canAsk() || terminal.json)
        throw error;
      terminal.note(error.message);
      if (await confirmed(`Make it ${name} all the same?`, signal)) return run(true);
      throw new Failed("Nothing was changed.", "declined");
    }),
  );
  tellBoard(terminal, board);
  writeLabels(terminal, options, place, ({ name: each }) => each === name);
  terminal.result({ swarm: place.folder.swarm, board: jsonOf(board) });
  return 0;
}

/** All of a list: each board at the ports that are named, or one after the other as they are plugged in. */
export async function provisionBox(terminal: Terminal, options: ProvisionOptions): Promise<number> {
  const place = await openPlace(terminal, options);
  const { ledger, models, definition, folder } = place;
  const rows = boxRows(options.from!, () =>
    readBoxList(options.from!, models, (name) => definition?.boards[name]?.model ?? options.model),
  );
  const listed = rows.flatMap(({ port }) => port ?? []);
  const named = options.port.length > 0 || options.all ? options.port : listed;
  const isWatching = named.length === 0 && !options.all;
  if (isWatching && (terminal.json || !canAsk()))
    throw new WrongInput("Say at which ports the boards are: --port, again for each further one, or --all.");
  const ports = isWatching ? [] : await choosePorts(named, options.all === true);
  const { contact, provisionerOf } = await prepared(terminal, options, place, rows);
  const wifiOfRow = await wifiOfRows(terminal, rows);
  const signal = untilInterrupted();
  const provisioner = provisionerOf({ replace: options.replace === true, signal });
  const box = new Box(rows, {
    swarm: folder.swarm,
    named: (name) => ledger.named(name),
    isRevoked: (kid) => provisioner.isRevoked(kid),
  });
  const provision = (port: string, report: Report) =>
    provisioner
      .provision(
        port,
        (facts, held) => {
          const row = box.choose(port, facts, held);
          const wifi = wifiOfRow.get(row) ?? contact.wifi;
          return { name: row.name, model: row.model, scope: row.scope, contact: { ...contact, wifi } };
        },
        (progress) => report(port, progress),
      )
      .catch((error: unknown) => {
        // What the keys refuse of one board does not stop the others.
        if (error instanceof KeyError || error instanceof MemberFileError)
          throw new FlashProblem("refused", error.message);
        throw error;
      });
  const boards: object[] = [];
  let failures = 0;
  const told = (outcome: Awaited<ReturnType<typeof onEach<BoardReport>>>[number]) => {
    if ("result" in outcome) {
      tellBoard(terminal, outcome.result);
      boards.push(jsonOf(outcome.result));
      return;
    }
    failures++;
    tellProblem(terminal, outcome.problem);
    const { code, message, board } = outcome.problem;
    boards.push({ port: outcome.port, error: { code, message, board } });
  };
  await holdingLedger(place, async () => {
    if (!isWatching) {
      const outcomes = await watched(terminal, ports, (report) =>
        onEach(ports, (port) => provision(port, report)),
      );
      for (const outcome of outcomes) told(outcome);
      return;
    }
    const attached = async () => (await attachedDevices()).map(({ path }) => path);
    terminal.note(`${box.left.length} of ${rows.length} boards are left; plug one in (Ctrl-C ends it).`);
    for await (const port of pluggedIn(attached, signal)) {
      const outcomes = await watched(terminal, [port], (report) =>
        onEach([port], () => provision(port, report)),
      );
      for (const outcome of outcomes) told(outcome);
      if (box.left.length === 0) break;
      terminal.note(
        `${box.left.length} left: ${box.left.map(({ name }) => name).join(", ")}. Plug the next one in.`,
      );
    }
  });
  const left = box.left.map(({ name }) => name);
  if (!options.dryRun) {
    const rest = left.length === 0 ? "" : `; left: ${left.join(", ")}`;
    terminal.line(
      `${rows.length - left.length} of ${rows.length} boards are done${rest}. Who is who: ${shown(ledger.file)}`,
    );
  }
  writeLabels(terminal, options, place, ({ name }) => rows.some((row) => row.name === name));
  terminal.result({ swarm: folder.swarm, ledger: ledger.file, boards, left });
  return failures > 0 ? 1 : 0;
}

/** What a board would be given, as an NVS partition in a file, or for the SDK's simulator. */
export async function provisionFile(
  terminal: Terminal,
  options: ProvisionOptions,
  name: string,
): Promise<number> {
  const place = await openPlace(terminal, options);
  const model = modelOf(place, options, name);
  const { contact, provisionerOf } = await prepared(terminal, options, place);
  const order = orderOf(name, model, options, contact);
  const values = provisionerOf({ replace: false, signal: undefined }).values(order);
  const identity = kidText(values.get("identity")!);
  if (options.lin !== undefined) {
    const file = writeLinValues(options.lin, values);
    terminal.line(`${name} is in ${shown(file)}; start the SDK's simulator in that folder.`);
    terminal.result({ swarm: place.folder.swarm, name, identity, file });
    return 0;
  }
  const { offsetBytes, sizeBytes } = model.partitions.find((partition) => partition.name === "nvs")!;
  const file = options.imageOnly!;
  try {
    writeFileSync(file, writeNvs(mergedItems([], values), sizeBytes), { mode: 0o600, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST")
      throw new WrongInput(`${file} is there already; name another file.`);
    throw error;
  }
  terminal.line(
    `${name} is in ${shown(file)}: ${sizeBytes.toLocaleString("en-US")} bytes for 0x${offsetBytes.toString(16)} of an ${model.name}. Whoever has that file is ${name}.`,
  );
  terminal.result({ swarm: place.folder.swarm, name, identity, file, offsetBytes, sizeBytes });
  return 0;
}

async function prepared(
  terminal: Terminal,
  options: ProvisionOptions,
  place: SwarmPlace,
  rows: readonly BoxRow[] = [],
): Promise<{
  contact: Contact;
  provisionerOf(of: { replace: boolean; signal: AbortSignal | undefined }): Provisioner;
}> {
  const { folder, ledger, definition } = place;
  const needsWifi = rows.length === 0 || rows.some(({ wifiFile }) => wifiFile === undefined);
  const contact = await contactOf(terminal, options, folder, definition?.hosts, needsWifi);
  const keys = await unlock(terminal, folder, options);
  const { baud, dryRun = false } = options;
  const voters = definition?.voters ?? [];
  return {
    contact,
    provisionerOf: (of) => new Provisioner({ folder, keys, ledger, voters, dryRun, baud, ...of }),
  };
}

async function wifiOfRows(
  terminal: Terminal,
  rows: readonly BoxRow[],
): Promise<Map<BoxRow, WifiCredentials>> {
  const found = new Map<BoxRow, WifiCredentials>();
  for (const row of rows)
    if (row.wifiFile !== undefined) found.set(row, await wifiOf(terminal, row.wifiFile));
  return found;
}

function boxRows(file: string, read: () => BoxRow[]): BoxRow[] {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof BoxListError)) throw error;
    const [first, ...rest] = error.problems;
    throw new WrongInput(first ?? `${file} can't be used.`, ...rest);
  }
}

function modelOf({ models, definition }: SwarmPlace, { model }: ProvisionOptions, name: string) {
  const kind = model ?? definition?.boards[name]?.model;
  if (kind === undefined)
    throw new WrongInput(
      definition === undefined
        ? `There is no swarm.ts here that says what kind of board ${name} is; say --model (covey boards lists them).`
        : `swarm.ts has no board ${name}; its boards are ${Object.keys(definition.boards).join(", ")}. For another one say --model.`,
    );
  const found = models.get(kind);
  if (found === undefined) throw new WrongInput(`"${kind}" is not a kind of board; covey boards lists them.`);
  return found;
}

function orderOf(
  name: string,
  model: BoardOrder["model"],
  { scope }: ProvisionOptions,
  contact: Contact,
): BoardOrder {
  return { name, model, scope: scope === undefined ? undefined : parseScope(scope), contact };
}
