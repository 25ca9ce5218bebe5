/** Somebody did what must not be. */
export class TaskViolation extends Error {
  override readonly name = "TaskViolation";
}
