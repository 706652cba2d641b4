import { isCollection, isPair, isScalar, type Node } from "yaml";
import { expect, test } from "vitest";
import { reread } from "./reread";
import { applyEdit, Source } from "./source";

const COUNT = 24;

function writeSteps(more = ""): string {
  const steps = Array.from({ length: COUNT }, (_, k) => `  step_${k}:  # number ${k}\n    type: command\n    command: |\n      echo one\n\n      echo ${k}\n    environment: 'azureml:host@latest'\n    inputs:\n      data: {type: uri_folder, path: "\${{parent.inputs.a}}"}\n      rate: ${k / 10}\n      list:\n        - a\n        - b: 1\n      none:\n\n`);
  return `# top\ntype: pipeline\n${more}jobs:\n${steps.join("  # between\n")}outputs:\n  made: {type: uri_file}\n`;
}

/** Every node with its places: of collections their beginning, as their end takes in comments. */
function listPlaces(node: unknown): unknown[] {
  if (isPair(node)) return [listPlaces(node.key), listPlaces(node.value)];
  const range = (node as Node | null)?.range;
  return [range && (isScalar(node) ? range.slice(0, 2) : range[0]), isScalar(node) ? [node.value, node.type] : isCollection(node) ? node.items.map(listPlaces) : String(node)];
}

function isSame(one: Source, other: Source): void {
  expect(one.isBroken).toBe(other.isBroken);
  if (one.isBroken) return;
  expect(JSON.stringify(one.data)).toBe(JSON.stringify(other.data));
  expect(JSON.stringify(listPlaces(one.doc.contents))).toBe(JSON.stringify(listPlaces(other.doc.contents)));
}

test("a changed step is parsed alone, and the others are moved", () => {
  let source = new Source(writeSteps());
  const { doc } = source;
  for (const [from, to] of [["rate: 0.3\n", "rate: 12345\n"], ["rate: 0.7\n", "rate: 1\n      more: [1, 2]\n"], ["echo 20\n", "echo '\n      # 20\n"], ["    inputs:\n", "    display_name: x\n    inputs:\n"]]) {
    const text = source.text.replace(from, to);
    expect(text).not.toBe(source.text);
    const before = source;
    source = reread(before, text);
    expect(source.doc).toBe(doc); // of which one step is new
    isSame(source, new Source(text));
    isSame(before, new Source(before.text)); // it is parsed again when it is asked
    expect(source.findPair(["jobs", "step_20", "inputs", "rate"])).toBe(source.findPair(["jobs", "step_20", "inputs", "rate"]));
  }
});

test("what is no change of one step is parsed as a whole", () => {
  const text = writeSteps();
  const changes: [string, string][] = [
    ["type: pipeline", "type: other"], ["  step_3:", "  step_three:"], ["  step_3:", "step_3:"], ["outputs:\n", "outputs:\n  more: {}\n"], ["      rate: 0.3\n", "      rate: '0.3\n"],
    ["      rate: 0.3\n", "  other: 1\n"], ["      rate: 0.3\n", "outputs: 1\n"], ["      rate: 0.3\n", "---\n"], ["      rate: 0.3\n", "...\n"], ["      rate: 0.3\n", "      rate: &a 0.3\n"], ["  # between\n  step_4:", "  # between  step_4:"],
  ];
  for (const [from, to] of changes) {
    const before = new Source(text);
    const { doc } = before;
    const after = text.replace(from, to);
    expect(after).not.toBe(text);
    const source = reread(before, after);
    expect(source.doc, to).not.toBe(doc);
    isSame(source, new Source(after));
  }
  for (const more of ["base: &base 1\nuse: *base\n", "a: &a\n  b: 1\n"]) {
    const before = new Source(writeSteps(more));
    const { doc } = before;
    expect(reread(before, before.text.replace("rate: 0.3", "rate: 0.33")).doc).not.toBe(doc);
  }
});

test("after any edits the text is read as if it were new", () => {
  let seed = 1;
  const draw = (below: number) => (seed = (seed * 48271) % 2147483647) % below;
  const pieces = ["x", " ", "\n", ": ", "  # c\n", "'", '"', "{", "}", "- ", "&a ", "*a", "---\n", "...\n", "|", "\n    z: 1", "\t", "  ", "? ", "\n  step_x: 1\n", "\r\n", "!!str ", "<<: ", "\n\n", "%"];
  let source = new Source(writeSteps());
  let doc = source.doc;
  let taken = 0;
  for (let round = 0; round < 200; round++) {
    const from = draw(source.text.length);
    const edit = { from, to: Math.min(source.text.length, from + (draw(2) ? draw(12) : 0)), insert: draw(3) ? pieces[draw(pieces.length)] : "" };
    const text = applyEdit(source.text, edit);
    const next = reread(source, text);
    isSame(next, new Source(text));
    taken += Number(next.doc === doc && text !== source.text);
    source = next.isBroken || round % 30 === 29 ? new Source(next.isBroken ? source.text : writeSteps()) : next;
    doc = source.doc;
  }
  expect(taken).toBeGreaterThan(20);
}, 60_000);
