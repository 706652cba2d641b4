import { Handle, Position, type Node, type NodeProps } from "@xyflow/react";
import { memo } from "react";
import { Icon } from "../shell/icons";
import { pluralize } from "../text/format";
import type { Port, Step } from "./pipeline/drawing";
import { listShownInputs } from "./pipeline/placement";
import { useMeasuredPorts } from "./useMeasuredPorts";

/** `look` is the same for steps that look the same. */
export type StepNodeType = Node<{ step: Step; problems: string[]; look: string }, "step">;
export type PortNodeType = Node<{ name: string; type: string | undefined; side: "input" | "output" }, "port">;

/** The ends of an edge without data, which says only what runs after what. */
export const BEFORE = "\u2191";
export const AFTER = "\u2193";

/** A step with its ports: inputs above, outputs below. */
export const StepNode = memo(function StepNode({ id, data: { step, problems }, selected }: NodeProps<StepNodeType>) {
  const inputs = listShownInputs(step);
  const kind = step.component ?? step.type.replaceAll("_", " ");
  useMeasuredPorts(id, [...inputs, ...step.outputs].map(({ name }) => name).join(" "));
  return (
    <div className="draw-step" data-selected={selected || undefined} data-broken={problems.length > 0 || undefined} data-step={step.name}>
      <Handle id={BEFORE} type="target" position={Position.Top} className="handle order" isConnectable={false} />
      <Handle id={AFTER} type="source" position={Position.Bottom} className="handle order" isConnectable={false} />
      {inputs.length > 0 && <PortRow ports={inputs} side="input" />}
      <div className="draw-face">
        <span className="draw-name">
          {step.name}
          {problems.length > 0 && <span className="draw-problem" title={problems.join("\n")}><Icon name="alert" size={14} /><span className="visually-hidden">{pluralize(problems.length, "problem")}: {problems.join("; ")}</span></span>}
        </span>
        <span className="draw-kind" title={kind}>{step.title || shortenName(kind)}</span>
      </div>
      {step.outputs.length > 0 && <PortRow ports={step.outputs} side="output" />}
    </div>
  );
});

function PortRow({ ports, side }: { ports: Port[]; side: "input" | "output" }) {
  return (
    <div className={`draw-ports ${side}`}>
      {ports.map((port) => (
        <span key={port.name} className="draw-port" title={`${port.name}: ${port.spec.type ?? "any"}${port.spec.optional ? ", optional" : ""}${port.spec.description ? `\n${port.spec.description}` : ""}`} data-undeclared={!port.isDeclared || undefined}>
          <Handle id={port.name} type={side === "input" ? "target" : "source"} position={side === "input" ? Position.Top : Position.Bottom} className={`handle ${describeLook(port.spec.type)}`} data-port={port.name} />
          <span className="draw-port-text">{port.name}</span>{side === "input" && !port.spec.optional && port.given.kind === "none" && <span className="draw-needed" title="needed">*</span>}
        </span>
      ))}
    </div>
  );
}

/** An input or output of the pipeline. */
export const PortNode = memo(function PortNode({ data: { name, type, side }, selected }: NodeProps<PortNodeType>) {
  return (
    <div className={`draw-pipeline-port ${side}`} data-selected={selected || undefined} title={`the pipeline's ${side} ${name}: ${type ?? "any type"}`}>
      {side === "output" && <Handle id={name} type="target" position={Position.Top} className={`handle ${describeLook(type)}`} />}
      <Icon name={side === "input" ? "down" : "download"} size={13} />
      <span className="draw-port-name">{name}</span>
      {side === "input" && <Handle id={name} type="source" position={Position.Bottom} className={`handle ${describeLook(type)}`} />}
    </div>
  );
});

/** A registered component without the path of its registry. */
function shortenName(name: string): string {
  const [, component, version] = /^azureml:\/\/registries\/[^/]+\/components\/([^/]+)\/(?:versions|labels)\/([^/]+)$/.exec(name) ?? [];
  return component ? `${component}:${version}` : name.replace(/^azureml:(?!\/\/)/, "");
}

function describeLook(type: string | undefined): string {
  if (type === undefined) return "any";
  if (type.endsWith("_model")) return "model";
  if (type === "mltable") return "table";
  return type === "uri_file" || type === "uri_folder" ? "files" : "value";
}
