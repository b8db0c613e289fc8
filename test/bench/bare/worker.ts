/**
 * The baseline: one Durable Object that decodes the same frames, writes the same rows and acknowledges
 * them, and does nothing else. No checks, no merge, no routing: as fast as such an object can be made.
 */
import { DurableObject } from "cloudflare:workers";
import { Decoder, Encoder } from "@msgpack/msgpack";

interface Env {
  readonly BARE: DurableObjectNamespace<BareObject>;
}

type Op = [
  map: string,
  key: string,
  millis: number,
  counter: number,
  node: string,
  value: Uint8Array | null,
  expiresAt: number | null,
];

type Frame =
  | { readonly type: "OPS"; readonly seq: number; readonly ops: readonly Op[] }
  | {
      readonly type: "GET";
      readonly seq: number;
      readonly keys: readonly (readonly [string, string])[];
    };

const VALUE = 3;
/** Two objects: what is written at one is told at the other. */
const WRITER = "/pair/writer";
const READER = "/pair/reader";
const decoder = new Decoder();
const encoder = new Encoder();

export class BareObject extends DurableObject<Env> {
  readonly #sql = this.ctx.storage.sql;
  #waiting: [WebSocket, Frame][] = [];
  #busy = false;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql.exec(
      `CREATE TABLE IF NOT EXISTS rows (
        map TEXT NOT NULL, key TEXT NOT NULL, stamp BLOB NOT NULL, value BLOB, expires_at INTEGER,
        PRIMARY KEY (map, key)
      ) STRICT, WITHOUT ROWID`,
    );
  }

  override fetch(request: Request): Response {
    const { searchParams, pathname } = new URL(request.url);
    const grouped = searchParams.has("grouped");
    const [client, server] = Object.values(new WebSocketPair());
    if (!client || !server) return new Response(null, { status: 500 });
    const tag = grouped ? "grouped" : pathname;
    this.ctx.acceptWebSocket(server, [tag]);
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(socket: WebSocket, bytes: string | ArrayBuffer): void {
    if (typeof bytes === "string") return;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a baseline checks nothing
    const frame = decoder.decode(new Uint8Array(bytes)) as Frame;
    if (this.ctx.getTags(socket).includes(WRITER)) return this.#pass(socket, frame, bytes);
    if (!this.ctx.getTags(socket).includes("grouped")) return this.#serve([[socket, frame]]);
    this.#waiting.push([socket, frame]);
    if (this.#busy) return;
    this.#busy = true;
    this.#next();
  }

  #next(): void {
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length === 0) {
      this.#busy = false;
      return;
    }
    setTimeout(() => this.#next(), 0);
    this.#serve(group);
  }

  #serve(group: readonly [WebSocket, Frame][]): void {
    for (const [socket, frame] of group)
      if (frame.type === "OPS") {
        for (const op of frame.ops) this.#put(op);
        socket.send(encoder.encode({ type: "ACK", seq: frame.seq, exceptions: [] }));
      } else {
        const values = frame.keys.map(([map, key]) => [VALUE, this.#get(map, key)]);
        socket.send(encoder.encode({ type: "VALUES", seq: frame.seq, values }));
      }
  }

  /** The object that others listen at is told when this one has stored it: an output gate sees to that. */
  #pass(socket: WebSocket, frame: Frame, bytes: ArrayBuffer): void {
    this.#serve([[socket, frame]]);
    this.ctx.waitUntil(this.env.BARE.getByName(READER).tell(bytes));
  }

  tell(bytes: ArrayBuffer): void {
    for (const socket of this.ctx.getWebSockets()) socket.send(bytes);
  }

  #put([map, key, millis, counter, node, value, expiresAt]: Op): void {
    const stamp = stampBytes(millis, counter, node);
    this.#sql.exec("REPLACE INTO rows VALUES (?, ?, ?, ?, ?)", map, key, stamp, value, expiresAt);
  }

  #get(map: string, key: string): Uint8Array | null {
    const [row] = this.#sql
      .exec<{ value: ArrayBuffer | null }>(
        "SELECT value FROM rows WHERE map = ? AND key = ?",
        map,
        key,
      )
      .toArray();
    return row?.value ? new Uint8Array(row.value) : null;
  }

  /** The limit of whatever talks from object to object. */
  echo(bytes: Uint8Array): Uint8Array {
    return bytes;
  }

  async callOther(count: number, bytes: number): Promise<number> {
    const other = this.env.BARE.getByName("other");
    const payload = new Uint8Array(bytes);
    await other.echo(payload);
    const began = Date.now();
    for (let i = 0; i < count; i++) await other.echo(payload);
    return Date.now() - began;
  }
}

function stampBytes(millis: number, counter: number, node: string): Uint8Array {
  const bytes = new Uint8Array(8 + node.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(millis / 2 ** 16));
  view.setUint16(4, millis % 2 ** 16);
  view.setUint16(6, counter);
  for (let i = 0; i < node.length; i++) bytes[8 + i] = node.charCodeAt(i);
  return bytes;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    const isPair = url.pathname === WRITER || url.pathname === READER;
    const bare = env.BARE.getByName(isPair ? url.pathname : "bare");
    if (url.pathname !== "/rpc") return bare.fetch(request);
    const [count, bytes] = [
      Number(url.searchParams.get("count")),
      Number(url.searchParams.get("bytes")),
    ];
    return Response.json({ ms: await bare.callOther(count, bytes) });
  },
};
