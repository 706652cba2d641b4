import { form, node, waitUntilStill } from "./designer_rig";
import { checkAccess, expect, test } from "./rig";
import { begin, changeOne, dragToPane, item, run, save, setField } from "./starter_rig";

test("a loop over items from nothing, and its gathered outputs", async ({ page }) => {
  const read = await begin(page, "items");
  await dragToPane(page, "For each");
  await expect(form(page, "Step for_each")).toBeVisible();
  await expect(page.locator(".react-flow__edge.control")).toHaveCount(1);
  await checkAccess(page);
  const text = await save(page, read);
  expect(text).toContain("    body: ${{parent.jobs.each_item}}\n    items:\n      first:\n        word: one\n      second:\n        word: two\n");
  const items = form(page, "Step for_each").getByRole("group", { name: "items", exact: true });
  expect(await changeOne(page, read, () => setField(items.getByRole("group", { name: "second" }), "word", "deux"))).toEqual(["word: deux"]);
  await items.getByLabel("Name of a new entry of items").fill("third");
  await items.getByRole("button", { name: "Add the entry to items" }).click();
  const third = items.getByRole("group", { name: "third" });
  await third.getByLabel("Name of a new entry of third").fill("word");
  await third.getByRole("button", { name: "Add the entry to third" }).click();
  await setField(third, "word", "trois");
  await node(page, "each_item").click();
  const body = form(page, "Step each_item");
  await setField(body, "Command", "echo ${{inputs.word}} | tee ${{outputs.said}}/word.txt");
  await body.getByLabel("Name of a new output").fill("said");
  await body.getByRole("button", { name: "Add the output" }).click();
  await expect(node(page, "for_each").locator("[data-port=said]")).toHaveCount(1); // gathered: to be connected with what comes next
  await save(page, read);
  const { log, states } = await run("items", "loop-items");
  for (const word of ["one", "deux", "trois"]) expect(log).toContain(word);
  expect(states).toMatchObject({ for_each: "Completed", "for_each/each_item.first": "Completed", "for_each/each_item.third": "Completed" });
});

test("a loop that repeats from nothing", async ({ page }) => {
  const read = await begin(page, "rounds");
  await dragToPane(page, "Do while");
  const loop = form(page, "Step repeat");
  await expect(loop.getByLabel("condition")).toHaveValue("${{parent.jobs.round.outputs.again}}");
  await checkAccess(page);
  await save(page, read);
  expect(await changeOne(page, read, () => setField(loop.getByRole("group", { name: "limits" }), "max_iteration_count", "2"))).toEqual(["max_iteration_count: 2"]);
  const { states } = await run("rounds", "loop-rounds");
  expect(Object.keys(states).filter((label) => label.startsWith("repeat/")).sort()).toEqual(["repeat/round.1", "repeat/round.2"]);
});

test("a condition from nothing", async ({ page }) => {
  const read = await begin(page, "choice");
  await dragToPane(page, "Condition");
  await expect(page.locator(".react-flow__edge.control")).toHaveCount(3); // the check leads to it, and it to its blocks
  await expect(form(page, "Step condition").getByLabel("true_block")).toHaveValue("${{parent.jobs.if_true}}");
  await checkAccess(page);
  await save(page, read);
  await node(page, "check").click();
  expect(await changeOne(page, read, () => setField(form(page, "Step check"), "Command", "echo false > ${{outputs.good}}/output"))).toEqual(["command: echo false > ${{outputs.good}}/output"]);
  const { log, states } = await run("choice", "condition");
  expect(log).toContain("it is not good");
  expect(states["condition/if_false"]).toBe("Completed");
  expect(states["condition/if_true"]).toBeUndefined();
});

test("a parallel step from nothing, of a script in the folder", async ({ page }) => {
  const read = await begin(page, "batches");
  await item(page, "make").click();
  await dragToPane(page, "Parallel");
  const parallel = form(page, "Step parallel");
  await expect(parallel.getByText("run(mini_batch)")).toBeVisible();
  await parallel.getByLabel("data", { exact: true }).selectOption({ label: "make → files" });
  await checkAccess(page);
  await save(page, read);
  expect(await changeOne(page, read, () => setField(parallel, "mini_batch_size", "2"))).toEqual(['mini_batch_size: "2"']);
  const { log } = await run("batches", "in-parallel");
  expect(log).toContain("2 of 2 mini-batches succeeded; 3 rows were written to the output 'rows'");
});

test("a step that is added beside a long pipeline is brought into view", async ({ page }) => {
  const steps = Array.from({ length: 7 }, (_, k) => `  s${k}:\n    command: echo ${k}\n    environment: azureml:host@latest\n    outputs:\n      out: {type: uri_folder}\n${k ? `    inputs:\n      in: {type: uri_folder, path: "\${{parent.jobs.s${k - 1}.outputs.out}}"}\n` : ""}`);
  await begin(page, "long", `type: pipeline\njobs:\n${steps.join("")}`);
  await expect(node(page, "s6")).toBeVisible();
  for (let k = 0; k < 4; k++) await page.getByRole("button", { name: "Zoom In" }).click();
  await item(page, "Command").click();
  await expect(node(page, "command")).toBeInViewport({ ratio: 1 });
  await waitUntilStill(node(page, "s3"));
  await node(page, "s3").click();
  const before = await node(page, "s3").boundingBox();
  await waitUntilStill(node(page, "s3"));
  expect(await node(page, "s3").boundingBox()).toEqual(before); // what is clicked stays where it is
});
