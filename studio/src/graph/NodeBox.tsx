import { memo } from "react";
import type { GraphJob, State } from "../api/types";
import { Icon } from "../shell/icons";
import { StateIcon } from "../shell/StateBadge";
import { useProgressOf } from "../progress/context";
import { listWords, ProgressBar } from "../progress/ProgressBlock";
import { formatRunTime } from "../text/format";
import { getLook, isOver, nameState } from "../text/states";
import { combineStates, type GraphNode } from "./model";

/** What differs in a node from another job. */
export interface NodeMark {
  look: "added" | "removed" | "changed" | "inside" | "same";
  text: string;
}

interface Props {
  node: GraphNode;
  mark?: NodeMark;
  getJob: (name: string) => GraphJob | undefined;
  /** Counts the changes of the jobs' states: a node that is only moved is not drawn again. */
  version: number;
  now: number;
  isSelected: boolean;
  onSelect: (node: GraphNode) => void;
  onToggle: (node: GraphNode) => void;
}

/** A node near enough to be read. */
export const NodeBox = memo(function NodeBox({ node, mark, getJob, now, isSelected, onSelect, onToggle }: Props) {
  const jobs = node.jobs.flatMap((name) => getJob(name) ?? []);
  const state = combineStates(jobs.map((job) => job.status));
  const progress = useProgressOf(node.kind === "fold" ? undefined : jobs[0]?.name);
  const { x, y, width, height } = node.box;
  const canOpen = node.kind === "fold" || node.kind === "frame" || jobs[0]?.composite === true;
  const facts = node.kind === "fold" ? describeFold(jobs) : jobs[0] ? describeJob(jobs[0], now, progress && listWords(progress).slice(0, 2).join(", ")) : "";
  return (
    <div className={`node ${node.kind} look-${getLook(state)}`} style={{ left: x, top: y, width, height }} data-state={state} data-mark={mark?.look} data-selected={isSelected || undefined}>
      <button className="node-face" tabIndex={-1} aria-pressed={isSelected} aria-label={`${node.label}, ${nameState(state)}, ${facts}${mark ? `, ${mark.text}` : ""}`} onClick={() => onSelect(node)}>
        <StateIcon state={state} size={18} />
        <span className="node-text">
          <span className="node-name">{node.label}</span>
          <span className="node-facts">
            {jobs[0]?.reused && node.kind !== "fold" && <Icon name="reuse" size={12} />}
            {mark && mark.look !== "same" ? <span className="node-mark">{mark.text}</span> : facts}
          </span>
        </span>
        {node.kind === "fold" && <span className="node-count">× {jobs.length}</span>}
        {node.kind !== "fold" && jobs[0] && jobs[0].attempts > 1 && <span className="node-count" title={`${jobs[0].attempts} attempts`}>{jobs[0].attempts} tries</span>}
      </button>
      {progress && <ProgressBar progress={progress} />}
      {canOpen && (
        <button className="node-toggle" tabIndex={-1} aria-label={node.kind === "frame" ? `Close ${node.label}` : `Open ${node.label}`} aria-expanded={node.kind === "frame"} onClick={() => onToggle(node)}>
          <Icon name={node.kind === "frame" ? "minus" : "plus"} size={13} />
        </button>
      )}
    </div>
  );
});

function describeJob(job: GraphJob, now: number, progress: string | undefined): string {
  if (job.reused) return "reused";
  const time = formatRunTime(job, now);
  const type = progress ?? (job.type === "command" ? "" : job.type.replaceAll("_", " "));
  const state = !time || (!isOver(job.status) && !progress) ? nameState(job.status).toLowerCase() : "";
  return [type, state, time].filter(Boolean).join(" · ") || nameState(job.status).toLowerCase();
}

function describeFold(jobs: GraphJob[]): string {
  const counts = new Map<State, number>();
  for (const { status } of jobs) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${nameState(state).toLowerCase()}`).join(", ");
}
