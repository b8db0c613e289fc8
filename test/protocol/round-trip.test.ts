import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeClientMessage,
  decodeEnvelope,
  decodeServerMessage,
  encodeClientMessage,
  encodeEnvelope,
  encodeServerMessage,
} from "../../src/protocol/codec.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import { clientMessages, clusterMessages, envelopeOf, serverMessages } from "./messages.ts";
import { envelope, SAMPLES } from "./samples.ts";

const RUNS = { numRuns: 60 };

describe("what one side says is what the other hears", () => {
  it.each(Object.entries(clusterMessages))("cluster message %s", (_, message) => {
    fc.assert(
      fc.property(envelopeOf(message), (sent) => {
        expect(decodeEnvelope(encodeEnvelope(sent))).toStrictEqual({ ok: true, value: sent });
      }),
      RUNS,
    );
  });

  it.each(Object.entries(clientMessages))("client message %s", (_, message) => {
    fc.assert(
      fc.property(message, (sent) => {
        expect(decodeClientMessage(encodeClientMessage(sent))).toStrictEqual({
          ok: true,
          value: sent,
        });
      }),
      RUNS,
    );
  });

  it.each(Object.entries(serverMessages))("server message %s", (_, message) => {
    fc.assert(
      fc.property(message, (sent) => {
        expect(decodeServerMessage(encodeServerMessage(sent))).toStrictEqual({
          ok: true,
          value: sent,
        });
      }),
      RUNS,
    );
  });
});

describe("the named cases of the seeds", () => {
  it.each(Object.entries(SAMPLES.cluster))("%s", (_, message: ClusterMessage) => {
    const sent = envelope(message);
    expect(decodeEnvelope(encodeEnvelope(sent))).toStrictEqual({ ok: true, value: sent });
  });
});
