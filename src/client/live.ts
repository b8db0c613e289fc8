/** All that takes to follow maps, sets and counters: loaded with the first subscription. */
export { Followers } from "./followers.ts";
export { Hub } from "./hub.ts";
