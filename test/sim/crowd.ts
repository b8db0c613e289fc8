/** The clients of a world, and what travels between them and the nodes. */
import { NO_FLOW } from "../../src/core/node/flow.ts";
import { NodeId } from "../../src/data/ids.ts";
import type { ClientMessage, ServerMessage } from "../../src/protocol/client-messages.ts";
import { writeValue } from "../../src/protocol/writer.ts";
import type { MapNews } from "../../src/core/node/map-delta.ts";
import type { Session, SocketId } from "../../src/core/node/requests.ts";
import { SimClient } from "./client.ts";
import { countOps } from "./counts.ts";
import { Prng } from "./prng.ts";
import { SimSockets } from "./sockets.ts";
import type { World } from "./world.ts";

export class Crowd {
  readonly clients: SimClient[] = [];
  readonly #world: World;
  readonly #sockets = new SimSockets();
  /** Come at a node, not told yet. */
  readonly #frames = new Map<string, { socket: string; message: ClientMessage }[]>();

  constructor(world: World) {
    this.#world = world;
    for (let i = 0; i < world.options.clients; i++) this.#add(i);
  }

  #add(i: number): void {
    const world = this.#world;
    const { schedule, prng } = world;
    const forward = prng.chance(0.6);
    const { valueBytesMax, expiryRate, skewMsMax } = world.options;
    const skew = prng.below(2 * skewMsMax + 1) - skewMsMax;
    const client: SimClient = new SimClient(`c${i}`, forward, new Prng(prng.u32()), {
      now: () => schedule.now + skew,
      trueTime: () => schedule.now,
      valueBytesMax,
      // What is shown in a view is a value of whoever wrote it.
      valueOf: (bytes) => (world.options.sdks > 0 ? writeValue(bytes) : bytes),
      gathers: world.options.gathers,
      expiryRate,
      backups: world.options.config.backupCount > 0,
      answered: (begunAt) => forward && world.answers.answered(begunAt),
      later: (ms, run) => schedule.after(ms, run),
      reroute: (it, owner) => this.reroute(it, owner),
      send: (it, message) => this.#send(it, message),
      change: (it, own, stamp) => world.sets.next(own, it.id, stamp),
      read: (question, result) => {
        if (world.calmAt === null || (result.type !== "members" && result.type !== "total")) return;
        world.sets.judge(question, result);
      },
      heardMap: (it, map) => world.checkers.heardMap(it, map),
    });
    this.clients.push(client);
  }

  reroute(client: SimClient, owner?: NodeId): void {
    const { coordinator, prng, faults, calmAt } = this.#world;
    const active = coordinator.disk.view.members.filter(
      (m) => m.state !== "joining" && !faults.isDestroyed(m.nodeId),
    );
    if (active.length === 0) return;
    const left = client.node;
    const { nodeId } = prng.pick(active);
    client.connect(calmAt === null ? nodeId : (owner ?? nodeId));
    if (left !== "" && !this.isAt(left)) this.#leaveAlone(NodeId(left));
  }

  /** Away from a node that closes its sockets. */
  leave(node: string): void {
    for (const client of this.clients) if (client.node === node) this.reroute(client);
  }

  isAt(node: string): boolean {
    return this.clients.some((client) => client.node === node);
  }

  /** One that sleeps is told so when it starts. */
  #leaveAlone(id: NodeId): void {
    const { faults, node, moment, sdks } = this.#world;
    faults.at(id, () => {
      if (node(id).awake && !this.isAt(id) && !sdks.isAt(id))
        node(id).deliver({ type: "alone", ...moment(id) });
    });
  }

  #send(client: SimClient, message: ClientMessage): void {
    const { schedule, prng, options, healed, answers, faults } = this.#world;
    const { node: at } = client;
    if (message.type === "HELLO") this.#sockets.reopened(`${client.id}@${at}`);
    if (at === "" || (!healed && prng.chance(options.dropRate))) return;
    schedule.after(1 + prng.below(5), () => {
      const socket = `${client.id}@${at}`;
      if (message.type === "OPS") countOps(this.#world, message.ops);
      if (message.type === "GET") answers.asks(socket, message.seq, message.keys);
      const frames = this.#frames.get(at);
      if (frames) return void frames.push({ socket, message });
      this.#frames.set(at, [{ socket, message }]);
      const lost = (): void => void this.#frames.delete(at);
      const deliver = (): void => faults.at(NodeId(at), () => this.#deliver(at), lost);
      schedule.after(prng.below(3), deliver);
    });
  }

  /** What came meanwhile is one event, as what comes while a commit is under way. */
  #deliver(at: string): void {
    const { counts, checkers, node, moment, crashPoint } = this.#world;
    const frames = (this.#frames.get(at) ?? []).map(({ socket, message }) => {
      return { socket, session: this.#sockets.sessionOf(socket), flow: NO_FLOW, message };
    });
    this.#frames.delete(at);
    if (frames.length > 1) counts.groups++;
    const event = { type: "frames", frames, ...moment(NodeId(at)) } as const;
    node(NodeId(at)).deliver(event, crashPoint());
    checkers.afterStep();
  }

  attach(socket: SocketId, session: Session): void {
    this.#sockets.attach(socket, session);
  }

  pushMap(at: string, news: MapNews): void {
    this.#sockets.pushMap(at, news, (socket, message) => this.push(socket, message));
  }

  push(socket: SocketId, message: ServerMessage): void {
    const { checkers, answers, schedule, prng, healed, options } = this.#world;
    const [id, at] = socket.split("@");
    const client = this.clients.find((c) => c.id === id);
    if (!client || client.node !== at) return;
    const frame = message.type === "ACK" ? client.outbox.get(message.seq) : undefined;
    if (frame && message.type === "ACK") checkers.acked(client.id, frame, message);
    answers.told(socket, message);
    const { connections } = client;
    const lost = !healed && prng.chance(options.dropRate);
    const arrival = this.#sockets.inOrder(socket, schedule.now + 1 + prng.below(5));
    schedule.at(arrival, () =>
      lost ? client.missed() : client.receive(message, connections === client.connections),
    );
  }
}
