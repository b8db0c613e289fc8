/**
 * Every bound on what travels; why the bounds fit together is in `relations.ts`. Enforced where bytes become messages
 * (and by the same checks where HTTP becomes operations), so nothing further in checks again.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

// ------------------------------------------------------------------ frames

/** One binary frame from a client. */
export const FRAME_BYTES_MAX = MIB;

/** Operations in one OPS, keys in one GET, operations in one OP_FORWARD. */
export const FRAME_OPS_MAX = 1_000;

/** Frames that a client may have unanswered. */
export const CREDIT_FRAMES = 64;

/** Operations in those frames, in all. */
export const CREDIT_OPS = 16_000;

/** Bytes that a client may have unread before it is sent no more than it must: acknowledgements, errors. */
export const SOCKET_UNREAD_BYTES_MAX = MIB;

/** The same, beyond which it is closed with 1013; and a time without a receipt, for one above the first bound. */
export const SOCKET_UNREAD_BYTES_CLOSE = 16 * MIB;
export const SOCKET_STALLED_MS_MAX = 30_000;

/** Bytes that a socket takes whose client never says what it has received: then it must connect again. */
export const SOCKET_UNREPORTED_BYTES_MAX = 32 * MIB;

/** Bytes unread by all clients of a node, beyond which one that never says what it has is bounded like the others. */
export const NODE_UNREAD_BYTES_MAX = 64 * MIB;

/** Bytes of values that a node reads for one group of frames; what is beyond is refused and can be asked for again. */
export const READ_BYTES_MAX = 32 * MIB;

/** Bytes of messages that wait in an inbox: so many of what clients want, as many of what members say. */
export const INBOX_BYTES_MAX = 32 * MIB;

/** How long a client that was closed as too slow or too fast stays away, and more with jitter. */
export const SLOW_RETRY_MS = 1_000;

/** One cluster message, and one frame from a node to a client. */
export const ENVELOPE_BYTES_MAX = 8 * MIB;

/** Values in one answer to a GET, in all: those beyond are refused, and asked for by themselves. */
export const ANSWER_VALUE_BYTES_MAX = 4 * MIB;

/** What the platform lets through in one RPC call or one WebSocket message. */
export const PLATFORM_MESSAGE_BYTES_MAX = 32 * MIB;

/** How long one object waits for another's answer. An object that is gone for good never says so. */
export const CALL_MS_MAX = 10_000;

/** msgpack values (scalars, lists, maps, map keys) in one frame from a client. */
export const FRAME_ITEMS_MAX = 16_384;

/** The same in a cluster message, in packed rows, and in a frame to a client. */
export const ENVELOPE_ITEMS_MAX = 1_048_576;

/** Lists and maps within each other. */
export const DEPTH_MAX = 12;

// ------------------------------------------------------------------ entries

/** A key in UTF-8; the empty key is a key. */
export const KEY_BYTES_MAX = 512;

/** A map's name in UTF-8. */
export const MAP_NAME_BYTES_MIN = 1;
export const MAP_NAME_BYTES_MAX = 128;

/** One value. */
export const VALUE_BYTES_MAX = 256 * KIB;

/** Time to live of an entry, where a caller gives one instead of a moment: ten years. */
export const TTL_MS_MAX = 10 * 365 * 86_400_000;

/** Entries of one page of a scan, and how many when the caller does not say. */
export const SCAN_LIMIT_MAX = 1_000;
export const SCAN_LIMIT_DEFAULT = 100;

/** Elements in one answer about a set, and how many when a caller over HTTP does not say. */
export const MEMBERS_MAX = 1_000;

/** Elements in one answer over HTTP. */
export const SET_LIMIT_MAX = 10_000;

/** Tags that one removal names, and that are named of one element. */
export const TAGS_MAX = 1_000;

/** About what one takes in an answer. */
export const TAG_BYTES = 32;

/** Rows of an element that one removal removes which names no tags. */
export const ADDS_MAX = 10_000;

/** Clients and owners that have added to one counter. */
export const REPLICAS_MAX = 10_000;

/** Rows scanned, offered or pulled in one cluster message. */
export const CHUNK_ROWS_MAX = 4_096;

/** Changed rows in one cluster message: sent as they come, so bounded by bytes at the sender. */
export const DELTA_ROWS_MAX = 32_768;

// ------------------------------------------------------------------ actors

/** The name of a command, by which its repeats are known. */
export const COMMAND_ID_BYTES_MAX = 128;

/** Commands whose ids an actor remembers: a repeat that comes later than after so many others is executed anew. */
export const COMMAND_IDS_MAX = 1_024;

/** Commands that wait for one actor. */
export const MAILBOX_MAX = 256;

/** Entries of a journal in one answer, and how many when a caller over HTTP does not say. */
export const ENTRIES_MAX = 500;
export const ENTRIES_DEFAULT = 100;

/** Events of one command. */
export const EVENTS_MAX = 1_000;

/** Actors that wait for each other's decisions, one calling the next. */
export const CALL_DEPTH_MAX = 5;

/** Why an actor refused: the name that it gave it. */
export const REFUSAL_BYTES_MAX = 128;

// ------------------------------------------------------------------ subscriptions

/** Subscriptions of one socket, and of all sockets of a node. */
export const SUBSCRIPTIONS_MAX = 100;
export const NODE_SUBSCRIPTIONS_MAX = 10_000;

/** Keys that one subscription names. */
export const SUBSCRIPTION_KEYS_MAX = 100;

/** Positions, or digests, in one frame; a partition that is not named is sent as a whole. */
export const POSITIONS_MAX = 3_800;

/** Of a digest of one map in one partition: for three rows in each where there are 3,000. */
export const SUBSCRIPTION_BUCKETS_MAX = 1_024;

/** Partitions of all subscriptions of a node that are being brought up to date at a time. */
export const NODE_READINGS_MAX = 200_000;

/** Partitions, counted for each map, of which a node is told for its sockets. */
export const NODE_FOLLOWED_MAX = 200_000;

/** Terms within each other, terms in all, and values behind one `in`, of a filter. */
export const FILTER_DEPTH_MAX = 4;
export const FILTER_TERMS_MAX = 32;
export const FILTER_VALUES_MAX = 32;

/** A path to a field, and a text that a field is compared with. */
export const FILTER_FIELD_BYTES_MAX = 128;
export const FILTER_TEXT_BYTES_MAX = 512;

/** Maps and partitions in which other nodes may be interested at one owner, counted by node. */
export const INTERESTS_MAX = 200_000;

/** Rows of one map and partition, and bytes in all, that wait to be told to one node; what is beyond it fetches. */
export const OUTLET_ROWS_MAX = 4_096;
export const OUTLET_BYTES_MAX = MIB;

/** The same for all nodes together. */
export const OUTLETS_BYTES_MAX = 16 * MIB;

/** Partitions read for one subscription in one message, and rows looked at for it. */
export const FETCH_PARTITIONS_MAX = 512;
export const FETCH_ROWS_MAX = 2_000;
export const FETCH_BYTES_MAX = 512 * KIB;

// ------------------------------------------------------------------ names

/** Of a node, and of a cluster. */
export const NAME_LENGTH_MAX = 32;
export const NAME_PATTERN = new RegExp(`^[a-z0-9-]{1,${NAME_LENGTH_MAX}}$`);

/** How senders that are no nodes are named, so no node may be. */
export const RESERVED_NODE_IDS: readonly string[] = ["coordinator", "front"];

/** The id of a node's object. */
export const HOST_BYTES_MAX = 128;

/** The name of a move. */
export const MIGRATION_ID_BYTES_MAX = 128;

/** A location hint of the platform. */
export const REGION_BYTES_MAX = 64;

/** A token in a JOIN_REQUEST. */
export const TOKEN_BYTES_MAX = 8 * KIB;

/** A reason in words. */
export const REASON_BYTES_MAX = KIB;

/** Where a client reaches a node. */
export const ENDPOINT_BYTES_MAX = 2 * KIB;

/** Each text in an error's data; `makeError` cuts longer ones. */
export const ERROR_TEXT_BYTES_MAX = KIB;

/** An error's message: a sentence around its data, of which JSON may write a byte as six. */
export const ERROR_MESSAGE_BYTES_MAX = 16 * KIB;

/** Fields of an error's data, and bytes of the name of one. */
export const ERROR_FIELDS_MAX = 16;
export const ERROR_FIELD_NAME_BYTES_MAX = 64;

// ------------------------------------------------------------------ cluster

/** Slices of the key space. */
export const PARTITION_COUNT_MAX = 16_384;

/** Members of a cluster. */
export const NODES_MAX = 1_000;

/** Clusters that one has taken in, by name; those that they had taken in count, too. */
export const CLUSTERS_TAKEN_MAX = 64;

/** Nodes that one call may add. */
export const ADD_NODES_COUNT_MAX = 100;

/** A member's share relative to the others, as a caller may set it. 0, to be emptied, is internal. */
export const WEIGHT_MIN = 1;
export const WEIGHT_MAX = 100;

/** Changes that a node may remember for MAP_DELTA, one per partition or node and version. */
export const MAP_HISTORY_MAX = 4_096;

/** Copies of one partition beside the owner. */
export const COPIES_MAX = 64;

/** Moves in one list of a report, and finished moves named in one table update. */
export const MIGRATIONS_MAX = 32_768;
