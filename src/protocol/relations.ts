/**
 * Why the bounds fit together, checked whenever an object starts. Apart from `limits.ts`, since no browser need load it.
 */
import { assert } from "../data/assert.ts";
import {
  EXPIRES_AT_MAX,
  NODE_ID_LENGTH_MAX,
  ROW_OVERHEAD_BYTES,
  STAMP_AHEAD_MAX_MS,
  STAMP_COUNTER_MAX,
  STAMP_HEAD_BYTES,
  STAMP_MILLIS_MAX,
  STAMP_NODE_LENGTH_MAX,
} from "../data/limits.ts";
import {
  ANSWER_VALUE_BYTES_MAX,
  CHUNK_ROWS_MAX,
  COMMAND_ID_BYTES_MAX,
  COMMAND_IDS_MAX,
  CREDIT_FRAMES,
  CREDIT_OPS,
  DELTA_ROWS_MAX,
  DEPTH_MAX,
  ENVELOPE_BYTES_MAX,
  ENVELOPE_ITEMS_MAX,
  ERROR_TEXT_BYTES_MAX,
  FETCH_ROWS_MAX,
  FILTER_DEPTH_MAX,
  FRAME_BYTES_MAX,
  FRAME_ITEMS_MAX,
  FRAME_OPS_MAX,
  INBOX_BYTES_MAX,
  KEY_BYTES_MAX,
  MAILBOX_MAX,
  MAP_NAME_BYTES_MAX,
  NAME_LENGTH_MAX,
  NODE_UNREAD_BYTES_MAX,
  OUTLET_ROWS_MAX,
  PARTITION_COUNT_MAX,
  PLATFORM_MESSAGE_BYTES_MAX,
  POSITIONS_MAX,
  REASON_BYTES_MAX,
  REFUSAL_BYTES_MAX,
  SCAN_LIMIT_DEFAULT,
  SCAN_LIMIT_MAX,
  SOCKET_UNREAD_BYTES_CLOSE,
  SOCKET_UNREAD_BYTES_MAX,
  SOCKET_UNREPORTED_BYTES_MAX,
  SUBSCRIPTION_KEYS_MAX,
  TAGS_MAX,
  TTL_MS_MAX,
  VALUE_BYTES_MAX,
} from "./limits.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

// ------------------------------------------------------------------ what is stored

assert(
  STAMP_MILLIS_MAX < 256 ** 6 && STAMP_COUNTER_MAX < 256 ** (STAMP_HEAD_BYTES - 6),
  "millis and counter must fit the head of an encoded stamp, or byte order is not stamp order",
);
assert(
  Number.isSafeInteger(STAMP_MILLIS_MAX + STAMP_AHEAD_MAX_MS),
  "the drift check must be exact for every stamp",
);
assert(
  NODE_ID_LENGTH_MAX + ".".length + String(Number.MAX_SAFE_INTEGER).length <= STAMP_NODE_LENGTH_MAX,
  "every node must be able to stamp in every incarnation",
);
assert(
  ROW_OVERHEAD_BYTES > STAMP_HEAD_BYTES + 9,
  "the overhead must cover at least the stamp's head and an expiry",
);

// ------------------------------------------------------------------ what travels

assert(
  ENVELOPE_BYTES_MAX < PLATFORM_MESSAGE_BYTES_MAX,
  "our own refusal must come before the platform's, which names no bound",
);
assert(
  VALUE_BYTES_MAX + KEY_BYTES_MAX + MAP_NAME_BYTES_MAX + KIB <= FRAME_BYTES_MAX,
  "every entry that may be stored must fit a frame",
);
assert(
  VALUE_BYTES_MAX <= ANSWER_VALUE_BYTES_MAX && 2 * ANSWER_VALUE_BYTES_MAX <= ENVELOPE_BYTES_MAX,
  "any value can be read, and a full answer fits a message, whatever goes around its values",
);
assert(
  2 * FRAME_BYTES_MAX <= ENVELOPE_BYTES_MAX,
  "the operations of a whole frame must fit one OP_FORWARD, whatever goes around them",
);
assert(
  FRAME_OPS_MAX * 10 + KIB <= FRAME_ITEMS_MAX && TAGS_MAX + KIB <= FRAME_ITEMS_MAX,
  "a frame full of operations, nine values each in a list, must not be taken for a flood",
);
assert(
  CHUNK_ROWS_MAX * 14 + KIB <= ENVELOPE_ITEMS_MAX && PARTITION_COUNT_MAX * 32 <= ENVELOPE_ITEMS_MAX,
  "a full chunk, and the rulings on all partitions with two copies each, must not either",
);
assert(
  DELTA_ROWS_MAX * ROW_OVERHEAD_BYTES > MIB && DELTA_ROWS_MAX * 14 + KIB <= ENVELOPE_ITEMS_MAX,
  "1 MiB of changed rows, the most that an owner sends at once, must fit however small they are",
);
assert(
  FRAME_OPS_MAX <= CREDIT_OPS && CREDIT_FRAMES >= 2,
  "one full frame must fit the credit, and another one follow before its answer",
);
assert(
  SOCKET_UNREAD_BYTES_MAX + ENVELOPE_BYTES_MAX < SOCKET_UNREAD_BYTES_CLOSE,
  "one answer, however large, to a client that has room must not close its socket",
);
assert(
  SOCKET_UNREAD_BYTES_CLOSE <= SOCKET_UNREPORTED_BYTES_MAX &&
    SOCKET_UNREPORTED_BYTES_MAX >= 4 * ENVELOPE_BYTES_MAX,
  "to say what it has must not cost a client its socket sooner than not to, which must do for a session",
);
assert(
  NODE_UNREAD_BYTES_MAX >= 2 * SOCKET_UNREPORTED_BYTES_MAX,
  "one client that says nothing must not crowd out the others",
);
assert(
  SOCKET_UNREAD_BYTES_MAX >= CREDIT_FRAMES * KIB,
  "a client whose writes are all answered in one go must not be taken for a slow one",
);
assert(
  INBOX_BYTES_MAX >= 4 * ENVELOPE_BYTES_MAX && INBOX_BYTES_MAX >= 2 * CREDIT_FRAMES * KIB,
  "an empty inbox must take any message, and some more; the whole credit of a client in small frames, too",
);
assert(SCAN_LIMIT_DEFAULT <= SCAN_LIMIT_MAX, "the default must be allowed");
assert(
  OUTLET_ROWS_MAX <= CHUNK_ROWS_MAX && FETCH_ROWS_MAX <= CHUNK_ROWS_MAX,
  "rows told or fetched travel as scanned ones do",
);
assert(
  4 + 2 * FILTER_DEPTH_MAX <= DEPTH_MAX,
  "a filter takes two levels for each of its own, in a query in a message in an envelope",
);
assert(
  SUBSCRIPTION_KEYS_MAX * (KEY_BYTES_MAX + 8) + POSITIONS_MAX * 32 <= FRAME_BYTES_MAX &&
    POSITIONS_MAX * 4 + KIB <= FRAME_ITEMS_MAX,
  "a subscription of any keys from any positions must fit a frame",
);
assert(
  NAME_LENGTH_MAX === NODE_ID_LENGTH_MAX,
  "nodes stamp under their ids, so a stamp's node must hold every id",
);
assert(
  TTL_MS_MAX < EXPIRES_AT_MAX && EXPIRES_AT_MAX <= STAMP_MILLIS_MAX,
  "now + any time to live must be a moment that a row can expire at",
);
assert(
  ERROR_TEXT_BYTES_MAX >= KEY_BYTES_MAX && ERROR_TEXT_BYTES_MAX >= REASON_BYTES_MAX,
  "an error must be able to name any key or reason uncut",
);

// ------------------------------------------------------------------ actors

assert(
  COMMAND_IDS_MAX * (COMMAND_ID_BYTES_MAX + 12) + 100 * KIB + KIB <= VALUE_BYTES_MAX,
  "a state of 100 KiB must fit a snapshot beside all ids, however long; a larger one may have none, and is replayed",
);
assert(
  COMMAND_IDS_MAX * 3 + KIB <= ENVELOPE_ITEMS_MAX,
  "a snapshot full of ids, two values each in a list, must not be taken for a flood",
);
assert(
  VALUE_BYTES_MAX + COMMAND_ID_BYTES_MAX + KEY_BYTES_MAX + MAP_NAME_BYTES_MAX + KIB <=
    FRAME_BYTES_MAX,
  "any command must fit an OP_FORWARD, with its name and that of its actor",
);
assert(
  REFUSAL_BYTES_MAX <= ERROR_TEXT_BYTES_MAX && MAP_NAME_BYTES_MAX <= ERROR_TEXT_BYTES_MAX,
  "callers decide by the name of a refusal, so an error must hold it uncut, and the type of the actor",
);
assert(
  REFUSAL_BYTES_MAX + ERROR_TEXT_BYTES_MAX + COMMAND_ID_BYTES_MAX + KIB <= VALUE_BYTES_MAX,
  "a refusal with its reason must fit an entry",
);
assert(
  MAILBOX_MAX <= CREDIT_OPS && MAILBOX_MAX <= FRAME_OPS_MAX,
  "a client with commands for one actor must hear that this actor is busy before its own credit is used up",
);
