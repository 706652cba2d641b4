import { form, node, waitUntilStill } from "./designer_rig";
import { checkAccess, expect, test } from "./rig";
import { begin, changeOne, item, run, save, setField } from "./starter_rig";

test("a sweep from nothing", async ({ page }) => {
  test.setTimeout(200_000); // it builds the environment of its trials, which have MLflow
  const read = await begin(page, "space");
  await item(page, "Sweep").press("Enter");
  const sweep = form(page, "Step sweep");
  await expect(sweep.getByRole("combobox", { name: "rate", exact: true })).toHaveValue("search space");
  await checkAccess(page);
  await save(page, read);
  expect(await changeOne(page, read, () => setField(sweep.getByRole("group", { name: "limits" }), "max_total_trials", "3"))).toEqual(["max_total_trials: 3"]);
  const { states } = await run("space", "swept-space");
  expect(Object.entries(states).filter(([label]) => label.startsWith("sweep/")).map(([, state]) => state)).toEqual(["Completed", "Completed", "Completed"]);
});

test("steps that are there become sweeps, and what loops and conditions run", async ({ page }) => {
  test.setTimeout(200_000); // as above
  const read = await begin(page, "turned", `type: pipeline
jobs:
  # scores a rate
  score:
    type: command
    component: ./score.yml   # the scorer
    inputs:
      rate: 0.5   # a guess
  own:
    command: echo the word is \${{inputs.word}}   # by hand
    environment: azureml:host@latest
    inputs:
      word: hello
`);
  await page.getByRole("button", { name: "Fit View" }).click();
  await waitUntilStill(node(page, "own"));
  await item(page, "For each").dragTo(node(page, "own"));
  const loop = form(page, "Step each_own");
  await expect(loop.getByLabel("body")).toHaveValue("${{parent.jobs.own}}");
  await expect(node(page, "own")).toHaveCount(1);
  await item(page, "Condition").dragTo(node(page, "own"));
  await expect(page.getByRole("alert").getByText("'each_own' runs 'own' already")).toBeVisible();
  await page.getByRole("button", { name: "Close", exact: true }).click();

  await node(page, "score").click();
  const score = form(page, "Step score");
  await expect(score.getByLabel("Turn score into").locator("option", { hasText: "what a loop repeats" })).toBeEnabled();
  await score.getByLabel("Turn score into").selectOption({ label: "a sweep over its inputs" });
  await expect(score).toBeVisible(); // nothing happens until it is asked for
  await score.getByRole("button", { name: "Turn", exact: true }).click();
  await expect(score.getByRole("combobox", { name: "rate", exact: true })).toHaveValue("search space");
  await checkAccess(page);
  let text = await save(page, read);
  expect(text).toContain(`  # scores a rate
  score:
    type: sweep
    trial: ./score.yml   # the scorer
    search_space:
      rate:
        type: uniform
        min_value: 0.25
        max_value: 1
    sampling_algorithm: random
`);
  await score.getByRole("combobox", { name: "kind", exact: true }).selectOption("search space");
  text = await save(page, read);
  expect(text).toContain("      kind:\n        type: choice\n        values:\n          - linear\n");
  await score.getByRole("combobox", { name: "rate", exact: true }).selectOption("value");
  await setField(score, "value of rate", "0.9");
  text = await save(page, read);
  expect(text).toContain("    search_space:\n      kind:\n");
  expect(text).toContain("    inputs:\n      rate: 0.9\n");
  for (let k = 0; k < 2; k++) await page.keyboard.press("Control+z"); // the value, and the choice of one
  expect((await run("turned", "turned-loop")).states).toMatchObject({ each_own: "Completed", "each_own/own.first": "Completed", "score/trial_0": "Completed" });
});
