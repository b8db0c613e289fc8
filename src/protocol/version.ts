/**
 * Version of what objects and clients say to each other. Worker and objects can run different code
 * for minutes during a deploy, so the previous version must stay acceptable.
 *
 *   1  maps, membership without failure detection, live moves
 */
export const PROTOCOL_VERSION = 1;
export const PROTOCOL_VERSION_MIN = 1;
