/** A worker of Durable Objects for the contract tests: one to borrow the storage of, one that hosts. */
import { DurableObject } from "cloudflare:workers";

export { HostObject } from "./host-object.ts";

export class StorageObject extends DurableObject {}
