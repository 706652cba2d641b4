import { useStoreApi, useUpdateNodeInternals } from "@xyflow/react";
import { useEffect } from "react";

/** Nodes to be measured, all at once: after each measurement every node and edge is looked at. */
const waiting = new Set<string>();

/** Have a node measured again when its ports change, so that edges begin where they are now.
 *
 * A new node is measured by React Flow itself, together with all others that are new. */
export function useMeasuredPorts(id: string, ports: string): void {
  const flow = useStoreApi();
  const measure = useUpdateNodeInternals();
  useEffect(() => {
    if (!flow.getState().nodeLookup.get(id)?.internals.handleBounds) return;
    if (!waiting.size) queueMicrotask(() => {
      measure([...waiting]);
      waiting.clear();
    });
    waiting.add(id);
  }, [id, ports, flow, measure]);
}
