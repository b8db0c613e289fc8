/** A worker of Durable Objects for the contract tests: to borrow the storage of, to host, to be told. */
import { DurableObject } from "cloudflare:workers";

export { HostObject } from "./host-object.ts";
export { InboxObject } from "./inbox-object.ts";

export class StorageObject extends DurableObject {}
