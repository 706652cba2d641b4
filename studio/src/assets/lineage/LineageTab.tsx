import { useMemo, useState } from "react";
import { get } from "../../api/client";
import { joinPath } from "../../api/resources";
import type { GraphJob, LineageNode } from "../../api/types";
import { useQuery } from "../../api/useQuery";
import { GraphView } from "../../graph/GraphView";
import type { GraphNode } from "../../graph/model";
import { useApi } from "../../shell/context";
import { Icon } from "../../shell/icons";
import { Link } from "../../shell/Link";
import { Empty, ErrorMessage, Loading } from "../../shell/messages";
import { buildPath, go } from "../../shell/router";
import { StateIcon } from "../../shell/StateBadge";
import { getLook, nameState } from "../../text/states";
import { arrangeLineage, buildLineage, findPage, type LineageItem } from "./model";
import "./lineage.css";

const DEPTH = 6;

/** Where a version came from and what was made of it, as a graph. */
export default function LineageTab({ kind, name, version }: { kind: "data" | "models"; name: string; version: string }) {
  const api = useApi();
  const found = useQuery(`${api.own} ${kind} ${name} ${version} lineage`, () => get<LineageNode>(`${api.own}/lineage/${joinPath(kind, name, "versions", version)}`, { depth: DEPTH }));
  if (found.error) return <div className="wide-content"><ErrorMessage error={found.error} retry={found.reload} /></div>;
  if (!found.data) return <Loading what="the lineage" />;
  return <LineageView self={found.data} />;
}

function LineageView({ self }: { self: LineageNode }) {
  const api = useApi();
  const graph = useMemo(() => buildLineage(self), [self]);
  const arrangement = useMemo(() => arrangeLineage(graph), [graph]);
  const items = useMemo(() => new Map(graph.items.map((item) => [item.key, item])), [graph]);
  const [selected, setSelected] = useState<string | null>(graph.items[0].key);
  if (graph.items.length === 1) return <Empty icon="graph" title="No job made it or used it"><p>It was registered from files, and no job of this workspace has had it as an input yet.</p></Empty>;
  const find = (item: LineageItem) => {
    const parts = findPage(item);
    return parts && buildPath(api.workspace.folder, ...parts);
  };
  function open(node: GraphNode) {
    const item = items.get(node.id);
    const path = item && find(item);
    if (path) go(path);
  }
  return (
    <div className="lineage-view">
      {graph.isCut && <p className="break" role="note">It goes on further than is drawn here: the first {graph.items.length} are shown.</p>}
      <GraphView
        arrangement={arrangement} getJob={(key) => makeJob(items.get(key))} version={0} now={0} selected={selected} focus={graph.items[0].key}
        onSelect={(node) => setSelected(node.id)} onToggle={open}
        renderNode={(node, isSelected) => {
          const item = items.get(node.id);
          return item && <ItemBox key={node.id} node={node} item={item} to={find(item)} isSelected={isSelected} />;
        }}
      />
    </div>
  );
}

/** An item as far as the drawing's keys and far-out colours need a job; Enter opens it as it opens one with steps. */
function makeJob(item: LineageItem | undefined): GraphJob | undefined {
  if (!item) return undefined;
  return {
    name: item.key, node: item.label, parent: null, type: item.kind, status: item.status ?? "NotStarted", start: null, end: null, error: null,
    display_name: null, composite: true, created: 0, attempts: 0, label: item.label,
  };
}

function ItemBox({ node, item, to, isSelected }: { node: GraphNode; item: LineageItem; to: string | null; isSelected: boolean }) {
  const { x, y, width, height } = node.box;
  const content = (
    <>
      {item.status ? <StateIcon state={item.status} size={18} /> : <Icon name={item.kind === "models" ? "model" : item.kind === "data" ? "data" : "file"} size={18} />}
      <span className="node-text">
        <span className="node-name">{item.label}</span>
        <span className="node-facts">{item.facts}{item.status ? `, ${nameState(item.status).toLowerCase()}` : ""}</span>
      </span>
    </>
  );
  return (
    <div className={`node job lineage-item look-${item.status ? getLook(item.status) : "preparing"}`} data-self={item.isSelf || undefined} data-selected={isSelected || undefined} style={{ left: x, top: y, width, height }}>
      {to ? <Link className="node-face" to={to} tabIndex={-1} title={item.name}>{content}</Link> : <span className="node-face" title={item.name}>{content}</span>}
    </div>
  );
}
