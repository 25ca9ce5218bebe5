/** A simulation can't be started or go on for a reason that its user can do something about; the message says what. */
export class SimulationError extends Error {}
