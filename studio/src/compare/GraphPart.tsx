import { useCallback, useMemo, useState } from "react";
import type { ComparedJob, GraphJob, JobGraph, StepFacts } from "../api/types";
import { useQuery } from "../api/useQuery";
import { GraphView } from "../graph/GraphView";
import { listAncestors, type GraphNode, type Openings } from "../graph/model";
import { useArrangement } from "../graph/useArrangement";
import { useApi } from "../shell/context";
import { Empty, ErrorMessage, Loading } from "../shell/messages";
import { setQuery } from "../shell/router";
import { isOver } from "../text/states";
import { MarkPanel } from "./MarkPanel";
import { combineMarks, countMarks, markGraph, type MarkedGraph, type MarkLook } from "./union";

interface Props {
  base: ComparedJob;
  other: ComparedJob;
  step: string | null;
  isSplit: boolean;
}

/** The graph of a job, with what differs from another marked on it. */
export default function GraphPart({ base, other, step, isSplit }: Props) {
  const api = useApi();
  const names = [base.name, other.name];
  const key = `${base.name} ${base.status} ${other.name} ${other.status}`;
  const graphs = useQuery(`${api.own} graphs ${key}`, () => Promise.all(names.map((name) => api.getGraph(name))));
  const facts = useQuery(`${api.own} facts ${key}`, () => Promise.all(names.map((name) => api.getStepFacts(name))));
  const error = graphs.error ?? facts.error;
  if (error) return <ErrorMessage error={error} retry={() => { graphs.reload(); facts.reload(); }} />;
  if (!graphs.data || !facts.data) return <Loading what="the graph" />;
  if (graphs.data.every(({ jobs }) => jobs.length === 1)) return <Empty icon="graph" title="Neither job has steps"><p>What differs between them is in the other parts of this page.</p></Empty>;
  return <LoadedGraph graphs={graphs.data} facts={facts.data.map(({ steps }) => steps)} step={step} isSplit={isSplit} />;
}

const LEGEND: [MarkLook, string][] = [["changed", "changed"], ["added", "only in the second"], ["removed", "only in the first"], ["same", "the same"]];

function LoadedGraph({ graphs, facts, step, isSplit }: { graphs: JobGraph[]; facts: Record<string, StepFacts>[]; step: string | null; isSplit: boolean }) {
  const marked = useMemo<MarkedGraph>(() => markGraph(graphs[0], graphs[1], facts[0], facts[1]), [graphs, facts]);
  const { graph, marks } = marked;
  const jobs = useMemo(() => new Map(graph.jobs.map((job) => [job.name, job])), [graph]);
  const first = graph.jobs.find((job) => ["changed", "added", "removed"].includes(marks.get(job.name)?.look ?? "") && job.parent !== null);
  const selected = graph.jobs.find((job) => job.label === step && step !== "");
  const [open, setOpen] = useState<Openings>(() => ({ frames: new Set(listAncestors(graph, (selected ?? first)?.name ?? "")), folds: new Set() }));
  const arrangement = useArrangement(graph, 0, open);
  const getJob = useCallback((name: string): GraphJob | undefined => jobs.get(name), [jobs]);
  const getMark = useCallback((node: GraphNode) => combineMarks(node.jobs.flatMap((name) => marks.get(name) ?? [])), [marks]);
  const toggle = useCallback((node: GraphNode) => {
    setOpen((before) => {
      const kind = node.kind === "fold" ? "folds" : "frames";
      const after = new Set(before[kind]);
      if (!after.delete(node.id)) after.add(node.id);
      return { ...before, [kind]: after };
    });
  }, []);
  const select = useCallback((node: GraphNode) => (node.kind === "fold" ? toggle(node) : setQuery({ step: jobs.get(node.jobs[0])?.label ?? null }, { replace: true })), [jobs, toggle]);
  if (!arrangement) return <Loading what="the graph" />;
  const counts = countMarks([...marks].filter(([name]) => name !== graph.jobs[0].name).map(([, mark]) => mark));
  const mark = selected && marks.get(selected.name);
  const now = graph.jobs.every((job) => isOver(job.status)) ? 0 : Date.now() / 1000;
  return (
    <div className={selected ? "job-body split" : "job-body"}>
      <div className="job-view marked-view">
        <ul className="mark-legend" aria-label="Steps by what differs">
          {LEGEND.map(([look, words]) => <li key={look}><span className={`swatch mark-${look}`} /><strong className="number">{counts[look] + (look === "same" ? counts.inside : 0)}</strong> {words}</li>)}
        </ul>
        <GraphView arrangement={arrangement} getJob={getJob} getMark={getMark} version={0} now={now} selected={selected?.name ?? null} focus={first?.name} onSelect={select} onToggle={toggle} />
      </div>
      {selected && <MarkPanel job={selected} mark={mark} isSplit={isSplit} facts={facts} onClose={() => setQuery({ step: null }, { replace: true })} />}
    </div>
  );
}
