/** A worker with one empty Durable Object, whose storage the contract tests borrow. */
import { DurableObject } from "cloudflare:workers";

export class StorageObject extends DurableObject {}
