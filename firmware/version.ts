/** Of the firmware; a board says it in its hello. */
export const firmwareVersion = "0.1.0";
