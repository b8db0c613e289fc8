/** Two nodes, the first the owner of the only partition. */
import { Stage } from "../scripts/stage.ts";

export function pair(): Stage {
  const stage = new Stage({ initialNodes: 2, partitionCount: 1 });
  stage.ask({ type: "FETCH_PARTITION_TABLE" });
  stage.settle();
  return stage;
}
