/** What `${{…}}` refers to, as far as a drawing shows it. */
export type Reference = { kind: "step"; step: string; output: string } | { kind: "input"; input: string } | { kind: "output"; output: string };

const STEP = /^\$\{\{\s*(?:parent\.)?jobs\.([\w-]+)\.outputs\.([\w-]+)\s*\}\}$/;
const INPUT = /^\$\{\{\s*(?:parent\.)?inputs\.([\w.-]+)\s*\}\}$/;
const OUTPUT = /^\$\{\{\s*(?:parent\.)?outputs\.([\w-]+)\s*\}\}$/;

/** The one thing that a whole text refers to; null for a literal and for a text with more in it. */
export function parseReference(text: unknown): Reference | null {
  if (typeof text !== "string" || !text.includes("${{")) return null;
  const whole = text.trim();
  const step = STEP.exec(whole);
  if (step) return { kind: "step", step: step[1], output: step[2] };
  const input = INPUT.exec(whole);
  if (input) return { kind: "input", input: input[1] };
  const output = OUTPUT.exec(whole);
  return output ? { kind: "output", output: output[1] } : null;
}

export const bindStep = (step: string, output: string) => `\${{parent.jobs.${step}.outputs.${output}}}`;
export const bindInput = (input: string) => `\${{parent.inputs.${input}}}`;
export const bindOutput = (output: string) => `\${{parent.outputs.${output}}}`;

/** A step itself, as loops and conditions name what they run. */
export const nameStep = (step: string) => `\${{parent.jobs.${step}}}`;

/** The name of the step that a text names as a whole; null where it names an output, or something else. */
export function parseStepName(text: unknown): string | null {
  return typeof text === "string" ? (/^\$\{\{\s*(?:parent\.)?jobs\.([\w-]+)\s*\}\}$/.exec(text.trim())?.[1] ?? null) : null;
}

/** The steps that any text in a value names; with `whole`, only those named without an output. */
export function listNamedSteps(value: unknown, whole = false): string[] {
  const found = new Set<string>();
  function walk(one: unknown) {
    if (typeof one === "string") {
      for (const [, inner] of one.matchAll(/\$\{\{([^}]*)\}\}/g)) {
        for (const [, step, more] of inner.matchAll(/\bparent\.jobs\.([\w-]+)(\.)?/g)) if (!whole || !more) found.add(step);
      }
    } else if (one !== null && typeof one === "object") Object.values(one).forEach(walk);
  }
  walk(value);
  return [...found];
}

/** Another name for a step in the expressions of a text: `from` and `to` of each place where the old one stands. */
export function findStepNames(text: string, step: string): [number, number][] {
  const found: [number, number][] = [];
  const pattern = new RegExp(`(\\$\\{\\{\\s*(?:parent\\.)?jobs\\.)${escapePattern(step)}(?=[.}\\s])`, "g");
  for (const match of text.matchAll(pattern)) {
    const from = match.index + match[1].length;
    found.push([from, from + step.length]);
  }
  return found;
}

/** The same for a pipeline's input or output. */
export function findPortNames(text: string, side: "inputs" | "outputs", name: string): [number, number][] {
  const found: [number, number][] = [];
  const pattern = new RegExp(`(\\$\\{\\{\\s*parent\\.${side}\\.)${escapePattern(name)}(?=[.}\\s])`, "g");
  for (const match of text.matchAll(pattern)) {
    const from = match.index + match[1].length;
    found.push([from, from + name.length]);
  }
  return found;
}

const escapePattern = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
