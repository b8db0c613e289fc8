/// <reference types="@cloudflare/vitest-plugin/types" />
/** In which order, and at what time, an object is told what waited in its inbox. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { ClusterId, Term } from "../../src/data/ids.ts";
import { encodeEnvelope } from "../../src/protocol/codec.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/version.ts";
import { COPYING, type InboxObject } from "./inbox-object.ts";

const { INBOXES } = env as unknown as { readonly INBOXES: DurableObjectNamespace<InboxObject> };

const URGENT = "FETCH_MIGRATIONS";

const envelope = (type: typeof COPYING | typeof URGENT): Uint8Array =>
  encodeEnvelope({
    clusterId: ClusterId("inbox"),
    from: "front",
    term: Term(0),
    version: PROTOCOL_VERSION,
    message: { type },
  });

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
