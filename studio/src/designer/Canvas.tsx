import {
  applyNodeChanges, Background, BackgroundVariant, Controls, ReactFlow, useConnection, useReactFlow, type Connection, type Edge as FlowEdge, type FinalConnectionState, type NodeChange, type Viewport,
} from "@xyflow/react";
import { memo, useCallback, useEffect, useMemo, useRef, useState, type ClipboardEvent, type DragEvent, type KeyboardEvent } from "react";
import { tell, tellError } from "../shell/toasts";
import { clearInput, connectInput, connectOutput, connectSteps, copySteps, disconnectOutput, pasteSteps, removePipelinePort, removeSteps } from "./pipeline/changes";
import { inputId, outputId, stepId, type Port, type Step } from "./pipeline/drawing";
import { assignData, setDataInput, type DataItem } from "./pipeline/data";
import { COMPONENT_DRAG, DATA_DRAG, type PaletteItem } from "./palette";
import { listShownInputs, listShownPorts, placeNodes } from "./pipeline/placement";
import { explainConnection, findStep, noteConnection, type End } from "./pipeline/rules";
import type { Positions } from "./routes";
import { AFTER, BEFORE, PortNode, StepNode, type PortNodeType, type StepNodeType } from "./StepNode";
import type { DesignerStore } from "./store";
import "@xyflow/react/dist/base.css";

const LARGE = 120;
const FIRST_ROWS = 450;
/** So many nodes are shown whole when one of them is to be seen. */
const SMALL = 14;
type DrawNode = StepNodeType | PortNodeType;
const NODE_TYPES = { step: StepNode, port: PortNode };

interface Props {
  store: DesignerStore;
  /** What the store has drawn; see its getDrawnVersion. */
  drawn: number;
  /** `onto` is the step that an item was dropped on. */
  onAdd: (item: PaletteItem, at: [number, number] | null, onto?: Step) => void;
  onAddData: (item: DataItem, at: [number, number] | null) => void;
  onOpenInner: (name: string) => void;
}

/** The drawing: nodes to be moved, connected, copied and removed. */
export const Canvas = memo(function Canvas({ store, drawn: _drawn, onAdd, onAddData, onOpenInner }: Props) {
  const { drawing } = store;
  const flow = useReactFlow<DrawNode>();
  const problems = store.stepMarks;
  const [nodes, setNodes] = useState<DrawNode[]>(() => keepNodes([], buildNodes(store, problems)));
  const isReadOnly = store.source.isBroken;
  // A large drawing opens at its beginning: whole, its steps could not be read, and hundreds would be drawn at once.
  const [view] = useState(() => ({ padding: 0.15, maxZoom: 1, ...(nodes.length > LARGE ? { nodes: listFirstRows(nodes), minZoom: 0.5 } : {}) }));

  useEffect(() => {
    setNodes((before) => keepNodes(before, buildNodes(store, problems)));
  }, [store, drawing, problems, store.positions, store.selected]);

  const edges = useMemo<FlowEdge[]>(() => {
    const shown = new Set([...listShownPorts(drawing).map(inputId), ...drawing.steps.map((step) => stepId(step.name)), ...drawing.outputs.map(({ name }) => outputId(name))]);
    return drawing.edges.filter(({ from, to }) => shown.has(from) && shown.has(to)).map(({ id, from, fromPort, to, toPort }) => {
      const isUnknown = fromPort !== null && findStep(drawing, from)?.outputs.every(({ name }) => name !== fromPort);
      return { id, source: from, target: to, sourceHandle: fromPort === null ? AFTER : isUnknown ? null : fromPort, targetHandle: fromPort === null ? BEFORE : toPort, className: fromPort === null ? "control" : undefined, ariaLabel: `from ${from.replace(":", " ")}${fromPort ? `, ${fromPort}` : ""} to ${to.replace(":", " ")}${toPort ? `, ${toPort}` : ""}`, deletable: fromPort !== null, selectable: fromPort !== null };
    });
  }, [drawing]);

  const frame = useRef<HTMLDivElement>(null);
  /** The node that was chosen last in the drawing, or shown because it was chosen elsewhere. */
  const seen = useRef<string | undefined>(undefined);
  useEffect(() => {
    const id = store.selected.size === 1 ? [...store.selected][0] : undefined;
    const node = nodes.find((one) => one.id === id);
    if (id === seen.current || (id && !node)) return; // a new step's node is there the next time
    seen.current = id;
    if (node && !isInView(frame.current!, node, flow.getViewport())) void (nodes.length <= SMALL ? flow.fitView(view) : flow.setCenter(node.position.x + node.width! / 2, node.position.y + node.height! / 2, { zoom: flow.getZoom() }));
  }, [nodes, store.selected, flow]);

  const freeze = useCallback(() => Object.fromEntries(flow.getNodes().map(({ id, position }): [string, [number, number]] => [id, [Math.round(position.x), Math.round(position.y)]])) as Positions, [flow]);
  const attempt = useCallback((work: () => void) => {
    try {
      work();
    } catch (error) {
      tellError(error);
    }
  }, []);

  function change(changes: NodeChange<DrawNode>[]) {
    setNodes((before) => applyNodeChanges(changes, before));
    const chosen = new Set(store.selected);
    for (const one of changes) {
      if (one.type === "select" && one.selected) chosen.add(one.id);
      else if (one.type === "select") chosen.delete(one.id);
    }
    if (changes.some(({ type }) => type === "select")) seen.current = chosen.size === 1 ? [...chosen][0] : undefined;
    store.select(chosen);
    const isOver = changes.some((one) => one.type === "position" && one.dragging === false) && !changes.some((one) => one.type === "position" && one.dragging);
    if (isOver) queueMicrotask(() => store.movePositions({ ...store.positions, ...freezeAfter(flow.getNodes(), changes) }));
  }

  const connect = useCallback((from: End, to: End) => attempt(() => {
    const why = explainConnection(store.drawing, from, to);
    if (why) throw new Error(why);
    const note = noteConnection(store.drawing, from, to);
    const source = findStep(store.drawing, from.node);
    store.edit((changes) => {
      if (to.node.startsWith("output:")) connectOutput(changes, source!, from.port, to.port);
      else if (source) connectSteps(changes, source, from.port, findStep(store.drawing, to.node)!, to.port);
      else connectInput(changes, from.port, findStep(store.drawing, to.node)!, to.port);
    });
    if (note) tell(note);
  }), [store, attempt]);

  const endConnection = useCallback((event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
    if (state.isValid || !state.fromHandle) return;
    const own: End = { node: state.fromNode!.id, port: state.fromHandle.id! };
    if (state.toHandle) {
      const other: End = { node: state.toNode!.id, port: state.toHandle.id! };
      const [from, to] = state.fromHandle.type === "source" ? [own, other] : [other, own];
      tellError(new Error(state.toHandle.type === state.fromHandle.type ? "connect an output with an input" : (explainConnection(store.drawing, from, to) ?? "this cannot be connected")));
      return;
    }
    const point = "changedTouches" in event ? event.changedTouches[0] : event;
    const node = document.elementFromPoint(point.clientX, point.clientY)?.closest<HTMLElement>(".react-flow__node")?.dataset.id;
    if (node && node !== own.node && state.fromHandle.type === "source") dropOnNode(own, node);
  }, [store]);

  /** Connect with the first input of a step that is free and takes it. */
  function dropOnNode(from: End, node: string) {
    const step = findStep(store.drawing, node);
    if (!step) return;
    const whys = step.inputs.map((port) => ({ port, why: explainConnection(store.drawing, from, { node, port: port.name }) }));
    const fitting = whys.filter(({ why }) => !why).map(({ port }) => port);
    const chosen = fitting.find(({ given }) => given.kind === "none") ?? fitting[0];
    if (chosen) connect(from, { node, port: chosen.name });
    else tellError(new Error(whys[0]?.why ?? `'${step.name}' has no input`));
  }

  function remove(gone: { nodes: { id: string }[]; edges: FlowEdge[] }) {
    attempt(() => store.edit((changes) => {
      const names = gone.nodes.flatMap(({ id }) => findStep(store.drawing, id)?.name ?? []);
      for (const { source, sourceHandle, target, targetHandle } of gone.edges) {
        const step = findStep(store.drawing, target);
        if (step && !names.includes(step.name) && targetHandle) clearInput(changes, step, targetHandle);
        const writer = findStep(store.drawing, source);
        if (target.startsWith("output:") && writer && !names.includes(writer.name) && sourceHandle) disconnectOutput(changes, writer, sourceHandle);
      }
      if (names.length) removeSteps(changes, store.drawing, names);
      for (const { id } of gone.nodes) {
        if (id.startsWith("input:")) removePipelinePort(changes, store.drawing, "inputs", id.slice(6));
        if (id.startsWith("output:")) removePipelinePort(changes, store.drawing, "outputs", id.slice(7));
      }
    }));
  }

  const listSelectedSteps = () => [...store.selected].flatMap((id) => findStep(store.drawing, id)?.name ?? []);
  function copy(event: ClipboardEvent, isCut = false) {
    const names = listSelectedSteps();
    if (!names.length) return;
    event.preventDefault();
    event.clipboardData.setData("text/plain", copySteps(store.source, drawing.base, names));
    if (isCut) attempt(() => store.edit((changes) => removeSteps(changes, store.drawing, names)));
    else tell(names.length === 1 ? `copied '${names[0]}'` : `copied ${names.length} steps`);
  }
  function paste(event: ClipboardEvent) {
    const text = event.clipboardData.getData("text/plain");
    if (!text.trim()) return;
    event.preventDefault();
    attempt(() => {
      let made: string[] = [];
      const before = freeze();
      store.edit((changes) => (made = pasteSteps(changes, store.drawing, text)), Object.keys(store.positions).length ? before : undefined);
      store.select(made.map(stepId));
    });
  }
  function press(event: KeyboardEvent) {
    const isCommand = event.ctrlKey || event.metaKey;
    if (isCommand && event.key.toLowerCase() === "a") {
      event.preventDefault();
      store.select(nodes.map(({ id }) => id));
    } else if (event.key === "Escape") store.select([]);
  }
  function drop(event: DragEvent) {
    const dragged = event.dataTransfer.getData(COMPONENT_DRAG);
    const data = event.dataTransfer.getData(DATA_DRAG);
    if (!dragged && !data) return;
    event.preventDefault();
    const { x, y } = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
    const at: [number, number] = [Math.round(x), Math.round(y)];
    if (dragged) onAdd(JSON.parse(dragged) as PaletteItem, at, findStep(store.drawing, (event.target as HTMLElement).closest<HTMLElement>(".react-flow__node")?.dataset.id ?? ""));
    else dropData(JSON.parse(data) as DataItem, event.target as HTMLElement, at);
  }

  /** Give data to the step or the input that it is dropped on; elsewhere it becomes an input of the pipeline. */
  function dropData(item: DataItem, target: HTMLElement, at: [number, number]) {
    const node = target.closest<HTMLElement>(".react-flow__node")?.dataset.id ?? "";
    const step = findStep(store.drawing, node);
    const port = target.closest(".draw-port")?.querySelector<HTMLElement>("[data-port]")?.dataset.port;
    if (step) attempt(() => {
      store.edit((changes) => assignData(changes, store.drawing, step, item, step.inputs.some(({ name }) => name === port) ? port : undefined));
      store.select([node]);
    });
    else if (node.startsWith("input:")) attempt(() => store.edit((changes) => setDataInput(changes, store.drawing, node.slice("input:".length), item)));
    else onAddData(item, at);
  }

  return (
    <div className="draw-canvas" ref={frame} role="group" aria-label="Drawing of the pipeline" tabIndex={-1} onCopy={copy} onCut={(event) => copy(event, true)} onPaste={paste} onKeyDown={press} onDragOver={(event) => event.preventDefault()} onDrop={drop}>
      <ReactFlow<DrawNode>
        nodes={nodes} edges={edges} nodeTypes={NODE_TYPES} onNodesChange={change} fitView fitViewOptions={view} minZoom={nodes.length > LARGE ? 0.02 : 0.08} maxZoom={2}
        onConnect={(made: Connection) => connect({ node: made.source, port: made.sourceHandle! }, { node: made.target, port: made.targetHandle! })}
        isValidConnection={(made) => !explainConnection(store.drawing, { node: made.source, port: made.sourceHandle ?? "" }, { node: made.target, port: made.targetHandle ?? "" })}
        onConnectEnd={endConnection} onBeforeDelete={async (gone) => {
          remove(gone);
          return false; // the text is changed, and the drawing follows it
        }}
        onNodeDoubleClick={(_, node) => node.type === "step" && onOpenInner(node.data.step.name)}
        deleteKeyCode={isReadOnly ? null : ["Delete", "Backspace"]} nodesDraggable={!isReadOnly} nodesConnectable={!isReadOnly} selectionKeyCode="Shift" multiSelectionKeyCode={["Control", "Meta"]}
        connectionRadius={28} onlyRenderVisibleElements={nodes.length > LARGE} proOptions={{ hideAttribution: true }} nodesFocusable edgesFocusable
      >
        <Background variant={BackgroundVariant.Dots} gap={22} size={1} />
        <Controls showInteractive={false} position="bottom-right" />
        <ConnectionNote store={store} />
      </ReactFlow>
      {!drawing.steps.length && <div className={nodes.length ? "draw-empty above" : "draw-empty"}><div>{describeEmpty(store)}</div></div>}
    </div>
  );
});

/** True if the whole of a node is where the drawing is seen. */
function isInView({ clientWidth, clientHeight }: HTMLElement, { position, width, height }: DrawNode, { x, y, zoom }: Viewport): boolean {
  const [left, top] = [position.x * zoom + x, position.y * zoom + y];
  return left >= 0 && top >= 0 && left + width! * zoom <= clientWidth && top + height! * zoom <= clientHeight;
}

function describeEmpty({ drawing: { head, kind }, source }: DesignerStore) {
  if (source.isBroken) return <><h2>Nothing is drawn</h2><p>The steps appear when the YAML can be read.</p></>;
  const type = head.type ?? (head.command === undefined ? "pipeline" : "command");
  if (type === "environment" || ["image", "conda_file", "build"].some((key) => key in head)) return <><h2>This is no pipeline</h2><p>It is an environment, which has no steps to draw.</p></>;
  if (kind === "component" && type !== "pipeline") return <><h2>This is no pipeline</h2><p>Its type is '{String(type)}', which has no steps to draw. The text can be edited and checked.</p></>;
  if (type !== "pipeline") return <><h2>This is no pipeline</h2><p>Its type is '{String(type)}', which has no steps to draw. The text can be edited, checked and submitted all the same.</p></>;
  return <><h2>No steps yet</h2><p>Drag a component into the drawing, or press Enter on one. Then connect an output with an input.</p></>;
}

/** Says, while a connection is drawn, why it does not fit where the pointer is. */
function ConnectionNote({ store }: { store: DesignerStore }) {
  const connection = useConnection();
  if (!connection.inProgress || !connection.toHandle || !connection.toNode || connection.isValid !== false) return null;
  const own: End = { node: connection.fromNode.id, port: connection.fromHandle.id ?? "" };
  const other: End = { node: connection.toNode.id, port: connection.toHandle.id ?? "" };
  const why = connection.fromHandle.type === "source" ? explainConnection(store.drawing, own, other) : explainConnection(store.drawing, other, own);
  return why ? <div className="draw-why" role="status">{why}</div> : null;
}

/** The nodes as they are now: a node that is the same as before is the very same, so that it is not drawn again. */
function keepNodes(before: DrawNode[], now: DrawNode[]): DrawNode[] {
  const old = new Map(before.map((node) => [node.id, node]));
  return now.map((node) => {
    const was = old.get(node.id);
    const measured = was?.measured ?? { width: node.width!, height: node.height! };
    if (!was || was.type !== node.type) return { ...node, measured } as DrawNode;
    const isSame = node.type === "step" && was.type === "step" ? was.data.look === node.data.look : JSON.stringify(was.data) === JSON.stringify(node.data);
    const isInPlace = was.position.x === node.position.x && was.position.y === node.position.y && was.width === node.width && was.height === node.height && was.selected === node.selected;
    if (isSame && isInPlace) return was;
    return { ...node, measured, data: isSame ? was.data : node.data } as DrawNode;
  });
}

function listFirstRows(nodes: DrawNode[]): DrawNode[] {
  const top = nodes.reduce((least, { position }) => Math.min(least, position.y), Infinity);
  return nodes.filter(({ position }) => position.y < top + FIRST_ROWS);
}

/** What a node shows of a step, and a text that is the same for steps which look the same. */
function describeStep(step: Step, problems: string[]): StepNodeType["data"] {
  const ports = (given: Port[]) => given.map(({ name, spec, given: { kind }, isDeclared }) => [name, spec.type, spec.optional, spec.description, kind === "none", isDeclared]);
  return { step, problems, look: JSON.stringify([step.name, step.title, step.component, step.type, ports(listShownInputs(step)), ports(step.outputs), problems]) };
}

function buildNodes(store: DesignerStore, problems: Map<string, string[]>): DrawNode[] {
  const { drawing } = store;
  return placeNodes(drawing, store.positions).map(({ id, x, y, width, height }): DrawNode => {
    const common = { id, position: { x, y }, width, height, selected: store.selected.has(id) };
    const step = findStep(drawing, id);
    if (step) return { ...common, type: "step", data: describeStep(step, problems.get(step.name) ?? []), ariaLabel: `step ${step.name}, ${step.component ?? step.type}` };
    const side = id.startsWith("input:") ? "input" : "output";
    const name = id.slice(side.length + 1);
    const type = (side === "input" ? drawing.inputs : drawing.outputs).find((port) => port.name === name)?.spec.type;
    return { ...common, type: "port", data: { name, type, side }, ariaLabel: `the pipeline's ${side} ${name}` };
  });
}

function freezeAfter(nodes: DrawNode[], changes: NodeChange<DrawNode>[]): Positions {
  const moved = new Map(changes.flatMap((one) => (one.type === "position" && one.position ? [[one.id, one.position] as const] : [])));
  return Object.fromEntries(nodes.map(({ id, position }): [string, [number, number]] => {
    const { x, y } = moved.get(id) ?? position;
    return [id, [Math.round(x), Math.round(y)]];
  }));
}
