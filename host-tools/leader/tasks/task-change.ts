import { ApiFailure } from "../api/api-failure.ts";
import { parseObject } from "../api/request-body.ts";

export const taskActions = ["add", "remove", "drain", "undrain"] as const;

/** Body of `POST /api/tasks`. */
export interface TaskChange {
  readonly action: (typeof taskActions)[number];
  /** Of a task, to add or remove; of a board, to drain or undrain. */
  readonly name: string;
}

/** @throws {ApiFailure} */
export function readTaskChange(text: string): TaskChange {
  const example = '{"action": "drain", "name": "north-1"}';
  const { action, name } = parseObject(text, example);
  if (typeof name !== "string" || !(taskActions as readonly unknown[]).includes(action)) {
    throw new ApiFailure("bad-request", `That is no change of tasks; send for example ${example}.`);
  }
  return { action: action as TaskChange["action"], name };
}
