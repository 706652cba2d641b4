import type { StepFacts } from "../api/types";
import type { CodeSide } from "../code/FileChanges";

/** Two different codes that the same steps of two jobs ran, with a job that ran each. */
export interface CodeChange {
  /** The paths of the steps; that of a job without steps is "". */
  steps: string[];
  base: CodeSide | undefined;
  other: CodeSide | undefined;
}

export interface CodeComparison {
  changes: CodeChange[];
  /** Steps that ran the same code in both. */
  same: number;
}

/** Pair the codes of two jobs by the paths of their steps; steps with the same pair stand together. */
export function pairCodes(base: Record<string, StepFacts>, other: Record<string, StepFacts>): CodeComparison {
  const changes = new Map<string, CodeChange>();
  let same = 0;
  for (const step of new Set([...Object.keys(base), ...Object.keys(other)])) {
    const [one, two] = [base[step], other[step]].map((facts) => (facts?.code ? { job: facts.job, hash: facts.code } : undefined));
    if (!one && !two) continue;
    if (one?.hash === two?.hash) same += 1;
    else {
      const key = `${one?.hash ?? ""} ${two?.hash ?? ""}`;
      const known = changes.get(key);
      if (known) known.steps.push(step);
      else changes.set(key, { steps: [step], base: one, other: two });
    }
  }
  return { changes: [...changes.values()], same };
}
