import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { call, checkAccess, expect, open, submit, submitPipeline, test, waitForEnd, WORKSPACE } from "./rig";

const DATA = "${{parent.jobs.prepare.outputs.data}}";
const STEPS = {
  prepare: { command: "printf 'rooms,price\\n3,200\\n4,300\\n' > ${{outputs.data}}/table.csv; echo prepared", outputs: ["data"] },
  train: { command: "ls ${{inputs.data}}; for k in 1 2 3; do echo epoch $k; done; echo 'no convergence' >&2; exit ${{inputs.code}}", inputs: { data: DATA, code: "${{parent.inputs.code}}" } },
  report: { command: "true", inputs: { data: DATA } },
};
const INPUTS = { inputs: { code: { jobInputType: "literal", value: "3" } }, experimentName: "houses", displayName: "house prices" };

test("watch a pipeline fail, read why, change it, run it again", async ({ page }) => {
  await submitPipeline("fails", STEPS, INPUTS);
  await open(page, "jobs/fails");
  await expect(page.locator(".job-title").getByText("Failed")).toBeVisible();
  await page.reload(); // opened when it has failed, it shows the step that did
  const panel = page.getByRole("region", { name: "train" });
  await expect(panel.getByText("the command exited with code 3")).toBeVisible();
  await expect(panel.getByText("no convergence", { exact: true })).toBeVisible();
  await checkAccess(page);
  await page.getByRole("button", { name: "Run again" }).click();
  await page.getByLabel("code").fill("0");
  await page.getByRole("dialog").getByRole("button", { name: "Run", exact: true }).click();
  await expect(page).not.toHaveURL(/fails/);
  await expect(page.locator(".job-title").getByText("Completed")).toBeVisible();
  await expect(page.locator(".node[data-state=Completed]")).toHaveCount(3);
  await expect(page.getByRole("button", { name: /^prepare, Completed, reused/ })).toBeVisible();
  await page.getByRole("group", { name: /^Graph/ }).focus();
  for (const [key, name] of [["ArrowDown", "prepare"], ["ArrowDown", "train"], ["ArrowRight", "report"], ["ArrowUp", "prepare"]]) {
    await page.keyboard.press(key);
    await expect(page.getByRole("region", { name, exact: true })).toBeVisible();
  }
  const prepare = page.getByRole("region", { name: "prepare", exact: true });
  await prepare.getByRole("button", { name: "Run only this step" }).click();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(prepare).toBeVisible(); // the key was the dialog's
  await prepare.getByRole("tab", { name: "Summary" }).focus();
  await page.keyboard.press("Escape");
  await expect(prepare).toHaveCount(0);
  await expect(page.getByRole("group", { name: /^Graph/ })).toBeFocused();
});

test("a pipeline that is watched as it fails shows the step that failed, uncovered", async ({ page }) => {
  const steps = { ...STEPS, prepare: { ...STEPS.prepare, command: `sleep 5; ${STEPS.prepare.command}` } };
  await submitPipeline("watched", steps, INPUTS);
  await expect.poll(async () => (await call("GET", `${WORKSPACE}/jobs/watched`)).properties.status).toBe("Running");
  await open(page, "jobs/watched");
  await expect(page.locator(".node[data-state=Running]")).toHaveCount(1);
  await expect(page.locator(".job-title").getByText("Failed")).toBeVisible();
  await expect(page.getByRole("region", { name: "train", exact: true })).toBeVisible();
  await expect(page.getByRole("region", { name: "prepare", exact: true })).toHaveCount(0);
});

test("a log's end is seen at once, and a waiting job says what it waits for", async ({ page }) => {
  await submit("talks", "seq -f 'line %.0f' 8; for k in 1 2 3 4 5 6; do printf 'word %.0s' $(seq 400); echo; done; echo the very last; exit 1");
  expect(await waitForEnd("talks")).toBe("Failed");
  await open(page, "jobs/talks");
  await expect(page.getByText("The end of its log")).toBeVisible();
  await expect(page.locator(".excerpt pre")).toContainText("the very last");
  await expect(page.locator(".excerpt pre").getByText("the very last")).toBeInViewport();
  const data = "${{parent.jobs.first.outputs.data}}";
  await submitPipeline("waits", { first: { command: "sleep 100", outputs: ["data"] }, second: { command: "ls ${{inputs.data}}", inputs: { data } } });
  await open(page, "jobs/waits?node=second");
  await expect(page.getByText(/^It waits for step 'first' \(\w+\)\.$/)).toBeVisible();
  await checkAccess(page);
  await call("POST", `${WORKSPACE}/jobs/waits/cancel`);
  await expect(page.getByText(/^It waits for/)).toHaveCount(0);
});

test("a step that is clicked at the right edge is not covered by its panel", async ({ page }) => {
  const wide = Object.fromEntries(["a", "bb", "ccc", "dddd"].map((name) => [name, { command: "true" }]));
  await submitPipeline("wide", wide, {});
  await waitForEnd("wide");
  await open(page, "jobs/wide");
  const nodes = page.locator(".graph-nodes .node");
  await expect(nodes).toHaveCount(4);
  const places = await nodes.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().right));
  const last = nodes.nth(places.indexOf(Math.max(...places)));
  const { x, y } = (await last.boundingBox())!;
  await page.mouse.click(x + 20, y + 20);
  const panel = page.locator(".node-panel");
  await expect(panel).toBeVisible();
  await expect.poll(async () => {
    const [step, beside] = [(await page.locator(".node[data-selected]").first().boundingBox())!, (await panel.boundingBox())!];
    return step.x + step.width < beside.x;
  }).toBe(true);
});

test("a dialog stays while its request runs, and is left by Cancel or Escape before", async ({ page }) => {
  await submit("again", "true", {});
  await waitForEnd("again");
  await open(page, "jobs/again");
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "Run again" }).click();
  await expect(dialog.getByRole("button", { name: "Run", exact: true })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await page.getByRole("button", { name: "Run again" }).click();
  let answer = () => {};
  await page.route(/\/rerun/, async (route) => {
    await new Promise<void>((resolve) => (answer = resolve));
    await route.continue();
  });
  await dialog.getByRole("button", { name: "Run", exact: true }).click();
  await expect(dialog.getByRole("button", { name: "Cancel" })).toBeDisabled();
  for (let k = 0; k < 3; k++) await page.keyboard.press("Escape");
  await page.waitForTimeout(300);
  await expect(dialog).toBeVisible();
  await expect(page).toHaveURL(/jobs\/again/);
  answer();
  await expect(dialog).toHaveCount(0);
  await expect(page).not.toHaveURL(/jobs\/again/);
});

test("a step's log as it grows, its data, and where the time went", async ({ page }) => {
  await submitPipeline("grows", { ...STEPS, train: { ...STEPS.train, command: "for k in 1 2 3; do echo epoch $k; sleep 0.6; done; cat ${{inputs.data}}/table.csv" } }, INPUTS);
  await open(page, "jobs/grows");
  await page.getByRole("button", { name: /^train,/ }).click();
  await page.getByRole("tab", { name: "Log" }).click();
  await expect(page.getByText("epoch 1", { exact: true })).toBeVisible();
  await expect(page.getByText("3,200")).toBeVisible();
  await expect(page.locator(".job-title").getByText("Completed")).toBeVisible();
  await page.getByRole("button", { name: /^prepare,/ }).click();
  await page.getByRole("tab", { name: "Inputs & outputs" }).click();
  await page.getByRole("button", { name: /^data/ }).click();
  await page.getByRole("button", { name: /^table.csv/ }).click();
  await expect(page.getByRole("cell", { name: "200" })).toBeVisible();
  await checkAccess(page);
  await page.getByRole("button", { name: "Timeline" }).click();
  await expect(page.getByText("Critical path")).toBeVisible();
  await expect(page.getByRole("button", { name: /train/ }).locator(".bar.running")).toHaveCount(1);
  await checkAccess(page);
});

test("the end of a log is shown, though the job ended while the log was being read", async ({ page }) => {
  const go = join(mkdtempSync(join(tmpdir(), "log-")), "go");
  await submitPipeline("slow_log", { talk: { command: `echo first; until [ -e ${go} ]; do sleep 0.1; done; echo last` } });
  let answer = () => {};
  let isHeld = false;
  await open(page, "jobs/slow_log");
  await page.getByRole("button", { name: /^talk,/ }).click();
  await page.getByRole("tab", { name: "Log" }).click();
  const log = page.getByRole("log");
  await expect(log.getByText("first", { exact: true })).toBeVisible();
  await page.route(/std_log/, async (route) => {
    const response = await route.fetch();
    if (!isHeld) await new Promise<void>((resolve) => ((isHeld = true), (answer = resolve)));
    await route.fulfill({ response });
  });
  await expect.poll(() => isHeld).toBe(true);
  writeFileSync(go, "");
  await expect(page.locator(".job-title").getByText("Completed")).toBeVisible();
  answer();
  await expect(log.getByText("last", { exact: true })).toBeVisible();
});

test("what runs in an order without data is joined by dashes, and a line says so", async ({ page }) => {
  await submitPipeline("ordered", { make: { command: "echo 1 > ${{outputs.o}}/x", outputs: ["o"] }, read: { command: "ls ${{inputs.i}}", inputs: { i: "${{parent.jobs.make.outputs.o}}" } }, report: { command: "true" } }, { settings: { on_finalize: "report" } });
  expect(await waitForEnd("ordered")).toBe("Completed");
  await page.addInitScript(() => {
    const drawn: [number, number][] = ((window as any).drawn = []); // the dashes, and the curves that are drawn with them
    const { setLineDash, bezierCurveTo } = CanvasRenderingContext2D.prototype;
    let dashes = 0;
    CanvasRenderingContext2D.prototype.setLineDash = function (lengths) {
      dashes = [...lengths].length;
      return setLineDash.call(this, lengths);
    };
    CanvasRenderingContext2D.prototype.bezierCurveTo = function (...places) {
      drawn.push([dashes, Math.round(places[5])]);
      return bezierCurveTo.apply(this, places);
    };
  });
  await open(page, "jobs/ordered");
  const legend = page.getByRole("list", { name: "Lines of the graph" });
  await expect(legend.getByText("Order only: no data goes along it")).toBeVisible();
  await expect(legend.getByText("A line that others imply")).toBeVisible(); // from make to report, as read is between them
  await expect.poll(() => page.evaluate(() => new Set((window as any).drawn.map(String)).size)).toBe(2);
  const drawn: [number, number][] = await page.evaluate(() => (window as any).drawn);
  const [plain, dashed] = [drawn.filter(([dashes]) => !dashes), drawn.filter(([dashes]) => dashes)];
  expect(dashed.length).toBeGreaterThan(0);
  expect(plain.length).toBeGreaterThan(0);
  expect(Math.min(...dashed.map(([, y]) => y))).toBeGreaterThan(Math.max(...plain.map(([, y]) => y))); // report is below read
  await checkAccess(page);
  await submitPipeline("unordered", STEPS, INPUTS);
  await waitForEnd("unordered");
  await open(page, "jobs/unordered");
  await expect(page.locator(".graph .node").first()).toBeVisible();
  await expect(page.getByText("Order only")).toHaveCount(0);
});

test("a running job is canceled from its page", async ({ page }) => {
  await submit("long", "echo here; sleep 600", { experimentName: "long" });
  await open(page, "jobs/long?tab=log");
  await expect(page.getByText("here", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.locator(".job-title").getByText("Canceled")).toBeVisible();
  expect((await call("GET", `${WORKSPACE}/jobs/long`)).properties.status).toBe("Canceled");
  await page.getByRole("tab", { name: "Summary" }).click();
  await expect(page.getByText("cold: its command is not one Python program")).toBeVisible();
});

test("what a job wrote runs no script of its own here", async ({ page }) => {
  const bad = "<script>top.document.title='bad'</script><img src=x onerror=\"top.document.title='bad'\">";
  const files = ["page.html", "image.svg", "<img src=x onerror=alert(1)>.txt"].map((name) => `echo '${bad.replaceAll("'", "'\\''")}' > "$o/${name}"`);
  await submit("hostile", `o=\${{outputs.o}}; ${files.join("; ")}`, { experimentName: "hostile", displayName: bad, outputs: { o: { jobOutputType: "uri_folder" } } });
  expect(await waitForEnd("hostile")).toBe("Completed");
  await open(page, "jobs/hostile?tab=data");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(bad);
  const title = await page.title();
  await page.getByRole("button", { name: /^o / }).click();
  for (const name of ["page.html", "image.svg", /onerror=alert/]) {
    await page.locator(".file-list").getByRole("button", { name }).click();
    await expect(page.locator(".preview")).toBeVisible();
  }
  await page.locator(".file-list").getByRole("button", { name: "page.html" }).click();
  await expect(page.locator("iframe")).toHaveAttribute("sandbox", "");
  expect(await page.title()).toBe(title);
});
