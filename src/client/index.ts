/** `godwit/client`: what applications import, in browsers, Node and Workers. */
export { connect } from "./grid.ts";
export type { Grid, Status } from "./grid.ts";
export type { GridMap, SetOptions, WriteOptions } from "./map.ts";
export type { ElementChange, EntryChange, SubscribeOptions } from "./subscribed.ts";
export type { Following, Subscription } from "./subscription.ts";
export type { Filter } from "../protocol/filter.ts";
export type { GridSet } from "./set.ts";
export type { GridCounter } from "./counter.ts";
export type { GridActor } from "./actor.ts";
export type { AskOptions, CallOptions, Replied } from "./called.ts";
export type { Written } from "./desk.ts";
export type { Options } from "./settings.ts";
export { GridError } from "./errors.ts";
export type { GridErrorCode } from "./errors.ts";
export type { SocketLike, SocketMaker } from "./socket.ts";
