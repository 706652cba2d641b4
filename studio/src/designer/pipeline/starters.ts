import { makeFreeName, type NewStep } from "./changes";
import { bindStep, nameStep } from "./expressions";

/** Types of steps that the palette makes from nothing, each as steps that run as they are but for data and scripts. */
export type Starter = "sweep" | "parallel" | "parallel_for" | "do_while" | "if_else";

const HOST = "azureml:host@latest";
/** Trials log by MLflow, which this environment has. */
const WITH_MLFLOW = "azureml:sklearn-1.5@latest";
const LOG_LOSS = `python -c "import mlflow; mlflow.log_metric('loss', (\${{inputs.rate}} - 0.5) ** 2)"`;

/** The steps that one item of the palette adds; the first is the one that it is named after. */
export function makeStarter(kind: Starter, taken: ReadonlySet<string>): NewStep[] {
  const names = new Set(taken);
  const pick = (name: string): string => {
    const free = makeFreeName(name, names);
    names.add(free);
    return free;
  };
  return MAKERS[kind](pick);
}

type Pick = (name: string) => string;

const MAKERS: Record<Starter, (pick: Pick) => NewStep[]> = {
  sweep: (pick): NewStep[] => [{
    name: pick("sweep"),
    body: {
      type: "sweep",
      trial: { type: "command", inputs: { rate: { type: "number" } }, command: LOG_LOSS, environment: WITH_MLFLOW },
      search_space: { rate: { type: "uniform", min_value: 0, max_value: 1 } },
      ...SWEEP_KEYS,
    },
  }],
  parallel: (pick): NewStep[] => [{
    name: pick("parallel"),
    body: {
      type: "parallel",
      inputs: { data: { type: "uri_folder", path: "" } },
      outputs: { rows: { type: "uri_file" } },
      input_data: "${{inputs.data}}",
      mini_batch_size: "1",
      task: { type: "run_function", code: "./src", entry_script: "score.py", environment: HOST, append_row_to: "${{outputs.rows}}" },
    },
  }],
  parallel_for: (pick): NewStep[] => {
    const [loop, body] = [pick("for_each"), pick("each_item")];
    return [
      { name: loop, body: { type: "parallel_for", body: nameStep(body), items: { first: { word: "one" }, second: { word: "two" } } } },
      { name: body, body: { type: "command", inputs: { word: "one" }, command: "echo ${{inputs.word}}", environment: HOST } },
    ];
  },
  do_while: (pick): NewStep[] => {
    const [loop, body] = [pick("repeat"), pick("round")];
    return [
      { name: loop, body: { type: "do_while", body: nameStep(body), condition: bindStep(body, "again"), mapping: {}, limits: { max_iteration_count: MAX_ROUNDS } } },
      { name: body, body: { type: "command", outputs: { again: { type: "boolean" } }, command: "echo true > ${{outputs.again}}/output", environment: HOST } },
    ];
  },
  if_else: (pick): NewStep[] => {
    const [condition, check, good, bad] = [pick("condition"), pick("check"), pick("if_true"), pick("if_false")];
    return [
      { name: condition, body: { type: "if_else", condition: bindStep(check, "good"), true_block: nameStep(good), false_block: nameStep(bad) } },
      { name: check, body: { type: "command", outputs: { good: { type: "boolean" } }, command: "echo true > ${{outputs.good}}/output", environment: HOST } },
      { name: good, body: { type: "command", command: "echo it is good", environment: HOST } },
      { name: bad, body: { type: "command", command: "echo it is not good", environment: HOST } },
    ];
  },
};

/** The most iterations of a new loop. */
export const MAX_ROUNDS = 3;

/** What a new sweep has beside its trial and its space. */
export const SWEEP_KEYS = {
  sampling_algorithm: "random",
  objective: { goal: "minimize", primary_metric: "loss" },
  limits: { max_total_trials: 4, max_concurrent_trials: 2 },
};
