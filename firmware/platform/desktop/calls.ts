/**
 * What a simulated board and its parent process say to each other: the contract between `ports.ts` in this folder,
 * which runs inside XS, and the parent, which owns everything outside the engine (sockets, flash, sensors, pins).
 *
 * Out: the board makes a synchronous call. The request is one CBOR array `[opcode, ...arguments]`, the answer one CBOR
 * array: `[0, result]`, or `[1, sentence]` for a refusal, which the board's port throws as a `RangeError`.
 *
 * In: one message a turn, one CBOR array `[opcode, ...arguments]`.
 *
 * Offsets, lengths and ports are integers; values of sensors and outputs are any number, NaN included. The board chooses
 * socket numbers, counts them up from 1 and never uses one twice.
 */
export const Call = Object.freeze({
  /**
   * [0] -> [swarm, board, model, [[host name, address, port], ...], timeServer or null, startReason or null, flash sizeBytes,
   * flash sectorBytes, flash alignBytes, [root, signed identity, private key], [has key values, slot sizeBytes or 0, on trial, sizeBytes for kept blocks or 0]]
   */
  config: 0,
  /** [1, lengthBytes] -> bytes */
  random: 1,
  /** [2, offsetBytes, lengthBytes] -> bytes */
  flashRead: 2,
  /** [3, offsetBytes, bytes] -> null, once durable */
  flashWrite: 3,
  /** [4, sector] -> null, once durable */
  flashErase: 4,
  /** [5] -> null; from now on the parent says `networkUp` and `networkDown`, the present state first */
  networkStart: 5,
  /** [6, socket, host, port] -> null; the outcome arrives as `tcpOpened` or `tcpClosed` */
  tcpOpen: 6,
  /** [7, socket, bytes] -> true, or false when the send buffer has no room and nothing was sent */
  tcpWrite: 7,
  /** [8, socket] -> null; nothing arrives for the socket after it */
  tcpClose: 8,
  /** [9, sensor] -> number, NaN when the sensor has nothing to give */
  sensorRead: 9,
  /** [10, name, "digital" | "pwm", pin, safeValue] -> null */
  outputConfigure: 10,
  /** [11, name, value] -> null */
  outputWrite: 11,
  /** [12, name] -> null */
  outputRelease: 12,
  /** [13, "debug" | "info" | "warn" | "error", text] -> null */
  log: 13,
  /** [14, reason] -> null; the parent ends this process and starts the board anew */
  restart: 14,
  // The primitives of `Ciphers`, from 15 and 20 on: the parent stands in for the chip's hardware.
  /** [15, bytes] -> 32 bytes */
  sha256: 15,
  /** [16, socket, port, multicast group or null] -> null; numbers of sockets are shared with TCP */
  udpOpen: 16,
  /** [17, socket, host, port, bytes] -> null */
  udpSend: 17,
  /** [18, socket] -> null; nothing arrives for the socket after it */
  udpClose: 18,
  /** [19, durationMs] -> null; the parent ends this process and starts the board anew when that time is over */
  deepSleep: 19,
  /** [20, key, bytes] -> 32 bytes */
  hmacSha256: 20,
  /** [21, key, nonce, tagBytes, aad, plaintext] -> bytes */
  ccmSeal: 21,
  /** [22, key, nonce, tagBytes, aad, sealed] -> bytes, null when they do not open */
  ccmOpen: 22,
  /** [23] -> [private key, public key] */
  generateKeyPair: 23,
  /** [24, private key, public x] -> 32 bytes, null for an x off the curve */
  sharedSecret: 24,
  /** [25, private key, message] -> 64 bytes */
  sign: 25,
  /** [26, public key, message, signature] -> boolean */
  verify: 26,
  /** [27, key] -> bytes, null when there is none */
  kvRead: 27,
  /** [28, key, bytes] -> null, once durable */
  kvWrite: 28,
  /** [29, key] -> null, once durable */
  kvDelete: 29,
  // The slot that does not run has the sectors and the alignment of the flash.
  /** [30, offsetBytes, lengthBytes] -> bytes */
  slotRead: 30,
  /** [31, offsetBytes, bytes] -> null, once durable */
  slotWrite: 31,
  /** [32, sector] -> null, once durable */
  slotErase: 32,
  /** [33] -> null; refused when the slot holds no image for this chip */
  slotSelect: 33,
  /** [34] -> null */
  markValid: 34,
  /** [35, ssid, password] -> null; `networkUp` and `networkDown` tell how it goes */
  wifiChange: 35,
  /** [36] -> the SHA-256 at the end of the image that runs */
  slotRunning: 36,
  // The flash for kept blocks has the sectors and the alignment of the flash.
  /** [37, offsetBytes, lengthBytes] -> bytes */
  keepRead: 37,
  /** [38, offsetBytes, bytes] -> null, once durable */
  keepWrite: 38,
  /** [39, sector] -> null, once durable */
  keepErase: 39,
  // What somebody near the board has to do with, of which a board may lack each.
  /** [40] -> [has serial, has Bluetooth, has button, has light, has Wi-Fi] */
  nearParts: 40,
  /** [41, whether to listen] -> null; while it listens, bytes arrive as `serialData` */
  serialListen: 41,
  /** [42, bytes] -> null */
  serialWrite: 42,
  /** [43, service UUID, [[UUID, "value" | "command"], ...]] -> null; refused when the radio can't be had */
  gattServe: 43,
  /** [44, index, bytes] -> null */
  gattSet: 44,
  /** [45, data, scan response] -> null */
  gattAdvertise: 45,
  /** [46] -> null; nothing arrives from the radio after it */
  gattClose: 46,
  /** [47] -> boolean */
  buttonRead: 47,
  /** [48, boolean] -> null */
  lightSwitch: 48,
  /** [49, networksMax] -> null; what is seen arrives as `wifiSeen` */
  wifiScan: 49,
});

/** What the parent tells the board. */
export const Arrival = Object.freeze({
  /** [0] */
  networkUp: 0,
  /** [1] */
  networkDown: 1,
  /** [2, socket] */
  tcpOpened: 2,
  /** [3, socket, bytes]; at most `arrivalBytesMax` bytes at a time */
  tcpData: 3,
  /** [4, socket, reason]; at most once a socket */
  tcpClosed: 4,
  /** [5, socket, bytes, address, port]; at most `arrivalBytesMax` bytes */
  udpData: 5,
  /** [6, bytes]; at most `arrivalBytesMax` at a time */
  serialData: 6,
  /** [7, whether somebody is connected] */
  gattConnected: 7,
  /** [8, index, bytes]; at most 512 */
  gattWritten: 8,
  /** [9, [[ssid, rssi, security], ...]] */
  wifiSeen: 9,
});

/** First item of an answer. */
export const Answer = Object.freeze({ result: 0, refusal: 1 });

/** Received bytes in one arrival, so that an arrival fits the board's arena beside everything else. */
export const arrivalBytesMax = 1024;
