/// <reference types="@cloudflare/vitest-plugin/types" />
/** In which order, and at what time, an object is told what waited in its inbox. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { ClusterId, NodeId, Seq, Term } from "../../src/data/ids.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import { decodeEnvelope, encodeEnvelope } from "../../src/protocol/codec.ts";
import { INBOX_BYTES_MAX } from "../../src/protocol/limits.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/version.ts";
import { COPYING, type InboxObject } from "./inbox-object.ts";

const { INBOXES } = env as unknown as { readonly INBOXES: DurableObjectNamespace<InboxObject> };

const URGENT = "FETCH_MIGRATIONS";

const from = (sender: Sender, message: ClusterMessage): Uint8Array =>
  encodeEnvelope({
    clusterId: ClusterId("inbox"),
    from: sender,
    term: Term(0),
    version: PROTOCOL_VERSION,
    message,
  });

const envelope = (type: typeof COPYING | typeof URGENT): Uint8Array => from("front", { type });

/** Some 1 MB. */
const large = from("front", {
  type: "OP_FORWARD",
  sourceNodeId: "front",
  forwardId: Seq(1),
  rulings: [],
  ops: Array.from({ length: 4 }, (_, i) => ({
    type: "write",
    map: "m",
    key: `k${i}`,
    stamp: null,
    value: new Uint8Array(250_000),
    expiresAt: null,
  })),
});

function messageIn(bytes: Uint8Array): ClusterMessage {
  const answer = decodeEnvelope(bytes);
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.value.message;
}

it("time goes on for a machine, however long a message has waited behind others", () =>
  runInDurableObject(INBOXES.get(INBOXES.newUniqueId()), async (inbox) => {
    const copying = [inbox.deliver(envelope(COPYING)), inbox.deliver(envelope(COPYING))];
    for (let i = 0; i < 5; i++) await inbox.deliver(envelope(URGENT));
    await Promise.all(copying);
    const types = inbox.told.map(({ type }) => type);
    expect(types).toEqual([COPYING, ...Array.from({ length: 5 }, () => URGENT), COPYING]);
    const times = inbox.told.map(({ now }) => now);
    expect(times.at(-2), "while the last one waited").toBeGreaterThan(times[0] ?? 0);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  }));

it("lets in as much as it has room for; what is beyond is refused at once, to be sent again", () =>
  runInDurableObject(INBOXES.get(INBOXES.newUniqueId()), async (inbox) => {
    const calls = Array.from({ length: 40 }, () => inbox.deliver(large));
    const before = inbox.told.length;
    const member = inbox.deliver(from(NodeId("n2"), { type: URGENT }));
    const answers = (await Promise.all(calls)).map(messageIn);
    const refused = answers.filter(({ type }) => type === "ERROR");
    expect(before, "the others waited").toBe(1);
    expect(answers.length - refused.length).toBe(
      1 + Math.floor(INBOX_BYTES_MAX / (large.length + 1024)),
    );
    for (const answer of refused)
      expect(answer).toMatchObject({
        error: {
          code: "OVERLOADED",
          retry: "later",
          data: { field: "bytes", max: INBOX_BYTES_MAX },
        },
      });
    expect(messageIn(await member), "a crowd does not keep members out").toEqual({ type: "DONE" });
    expect(messageIn(await inbox.deliver(large)), "sent again").toEqual({ type: "DONE" });
    expect(inbox.told).toHaveLength(answers.length - refused.length + 2);
  }));
