import type { Page } from "@playwright/test";
import { call, checkAccess, expect, open, submit, test, waitForEnd, WORKSPACE } from "./rig";

const COUNT = 20_000;
/** Logs a sine with one peak and one NaN, as MLflow's client does. */
const LOG = `python3 -c "
import json, math, os, urllib.request as u
e = os.environ
def point(k):
    return {'key': 'loss', 'value': 'NaN' if k == 500 else 50 if k == 12345 else math.sin(k / 1000), 'timestamp': 1700000000000 + 10 * k, 'step': k}
for first in range(0, ${COUNT}, 1000):
    body = {'run_id': e['MLFLOW_RUN_ID'], 'metrics': [point(k) for k in range(first, first + 1000)]}
    u.urlopen(u.Request(e['MLFLOW_TRACKING_URI'] + '/api/2.0/mlflow/runs/log-batch', json.dumps(body).encode(), {'Authorization': 'Bearer ' + e['MLFLOW_TRACKING_TOKEN'], 'Content-Type': 'application/json'})).read()
"`;

/** What the page asks the server for its curves with, and the points of the answer. */
function listAsked(page: Page) {
  const asked: URLSearchParams[] = [];
  page.on("request", (one) => one.url().includes("/metrics?") && asked.push(new URL(one.url()).searchParams));
  return asked;
}

const findChart = (page: Page) => page.locator(".chart").filter({ has: page.getByRole("heading", { name: "loss", exact: true }) });

async function drag(page: Page, from: number, to: number): Promise<void> {
  const box = (await findChart(page).locator(".u-over").boundingBox())!;
  await page.mouse.move(box.x + from * box.width, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + to * box.width, box.y + box.height / 2, { steps: 5 });
  await page.mouse.up();
}

const readNumbers = (text: string) => (text.match(/[\d,]+/g) ?? []).map((one) => Number(one.replaceAll(",", "")));

test.beforeAll(async () => {
  test.setTimeout(180_000); // MLflow is installed when it is first used
  for (const name of ["long", "long_2"]) await submit(name, LOG);
  for (const name of ["long", "long_2"]) expect(await waitForEnd(name)).toBe("Completed");
});

test("a long curve is drawn by some of its points, and a part of it by its own", async ({ page }) => {
  const asked = listAsked(page);
  await open(page, "jobs/long");
  const tab = page.getByRole("tab", { name: "Metrics" });
  await tab.hover();
  await expect.poll(() => asked.length).toBe(1); // before the click
  await tab.click();
  const chart = findChart(page);
  const note = chart.getByRole("note").first();
  await expect(note).toContainText(`of ${COUNT.toLocaleString("en-US")} values drawn`);
  await expect(chart.locator("canvas")).toBeVisible();
  expect(asked).toHaveLength(1);
  const most = Number(asked[0].get("points"));
  const [drawn] = readNumbers((await note.textContent())!);
  expect(drawn).toBeLessThanOrEqual(most);
  expect(drawn).toBeGreaterThan(most / 2);
  await checkAccess(page);

  await drag(page, 0.5, 0.8);
  await expect(note).toContainText("values of this part drawn");
  const [shown, there] = readNumbers((await note.textContent())!);
  const part = asked.at(-1)!;
  expect([part.get("metric"), part.get("over")]).toEqual(["loss", "step"]);
  expect(Number(part.get("from"))).toBeGreaterThan(0.4 * COUNT);
  expect(Number(part.get("to"))).toBeLessThan(0.9 * COUNT);
  expect(there).toBe(Math.floor(Number(part.get("to"))) - Math.ceil(Number(part.get("from"))) + 1);
  expect(shown).toBeGreaterThan(drawn / 2);
  await drag(page, 0.4, 0.5);
  await expect(note).toHaveCount(0); // all values of the part are drawn
  expect(asked).toHaveLength(3);
  await chart.getByRole("button", { name: "Show all" }).click();
  await expect(note).toContainText(`of ${COUNT.toLocaleString("en-US")} values drawn`);

  await drag(page, 0.2, 0.4);
  await expect(chart.getByRole("button", { name: "Show all" })).toBeVisible();
  await chart.locator(".u-over").dblclick();
  await expect(chart.getByRole("button", { name: "Show all" })).toHaveCount(0);

  await page.getByLabel("Smoothing").fill("0.9");
  await expect.poll(() => asked.at(-1)!.get("smoothing")).toBe("0.9");
  await expect(note).toContainText(`of ${COUNT.toLocaleString("en-US")} values drawn`);
  await page.getByLabel("Logarithmic").check();
  await page.getByLabel("Axis").selectOption("time");
  await drag(page, 0.1, 0.3);
  await expect(note).toContainText("values of this part drawn");
  expect(asked.at(-1)!.get("over")).toBe("time");
  expect(Number(asked.at(-1)!.get("from"))).toBeGreaterThan(1_700_000_000);
});

test("what draws curves is there before they are chosen, and no values are asked for", async ({ page }) => {
  const asked = listAsked(page);
  const scripts: string[] = [];
  page.on("request", (one) => scripts.push(new URL(one.url()).pathname));
  await open(page, "jobs/long");
  await expect.poll(() => scripts.some((path) => path.includes("/assets/uPlot"))).toBe(true);
  expect(asked).toHaveLength(0);
});

test("the keyboard among the tabs asks for the curves ahead, too", async ({ page }) => {
  const asked = listAsked(page);
  await open(page, "jobs/long");
  await page.getByRole("tab", { name: "Summary" }).focus();
  await expect.poll(() => asked.length).toBe(1);
  for (let k = 0; k < 3; k++) await page.keyboard.press("ArrowRight");
  await expect(findChart(page).locator("canvas")).toBeVisible();
  expect(asked).toHaveLength(1);
});

test("the curves of two jobs over each other show a part of both", async ({ page }) => {
  const asked = listAsked(page);
  await open(page, "compare?jobs=long,long_2&tab=metrics&all=1");
  const chart = findChart(page);
  await expect(chart.getByRole("note")).toContainText(`of ${(2 * COUNT).toLocaleString("en-US")} values drawn`);
  await expect(page.getByRole("row", { name: /^loss / }).getByRole("cell").first()).toContainText("lowest -1");
  expect(asked).toHaveLength(2);
  await drag(page, 0.2, 0.4);
  await expect(chart.getByRole("note")).toContainText("values of this part drawn");
  expect(asked).toHaveLength(4);
});

test("values ≤ 0 are gaps on a logarithmic axis, and said", async ({ page }) => {
  await open(page, "jobs/long?tab=metrics");
  const chart = findChart(page);
  await expect(chart.locator("canvas")).toHaveAttribute("aria-label", /^loss: this job, 20,000 values from 0 to /);
  await page.getByLabel("Logarithmic").check();
  await expect(chart.getByRole("note").filter({ hasText: /^at least [\d,]+ values ≤ 0 are not drawn$/ })).toBeVisible();
});

test("the keyboard shows a part of a curve, and keeps its place when all is shown", async ({ page }) => {
  await open(page, "jobs/long?tab=metrics");
  const chart = findChart(page);
  const curve = chart.getByRole("group", { name: /^Curves of loss/ });
  await curve.press("+");
  await expect(chart.getByRole("note")).toContainText("of 10,000 values of this part drawn");
  await curve.press("Shift+ArrowRight");
  await curve.press("+");
  await expect(chart.getByRole("note")).toContainText("of 5,000 values of this part drawn");
  await chart.getByRole("button", { name: "Show all" }).press("Enter");
  await expect(chart.getByRole("note")).toContainText("of 20,000 values drawn");
  await expect(curve).toBeFocused();
});

test("what could not be loaded of a curve is a sentence, and is asked for again", async ({ page }) => {
  await open(page, "jobs/long?tab=metrics");
  await expect(findChart(page).locator("canvas")).toBeVisible();
  await page.route(/metrics\?.*(smoothing|from)=/, (route) => route.fulfill({ status: 404, json: { error: { code: "NotFound", message: "gone away" } } }));
  await page.getByLabel("Smoothing").fill("0.9");
  await expect(page.getByRole("alert")).toContainText("The smoothed values could not be loaded: gone away");
  await drag(page, 0.2, 0.4);
  await page.getByLabel("Smoothing").fill("0");
  await expect(page.getByRole("alert")).toContainText("The values of this part could not be loaded: gone away");
  await page.unroute(/metrics\?.*(smoothing|from)=/);
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("alert")).toHaveCount(0);
  await expect(findChart(page).getByRole("note")).toContainText("values of this part drawn");
});

test.describe("of a job that runs", () => {
  test.beforeAll(async () => {
    test.setTimeout(180_000);
    await submit("live", `${LOG}; sleep 3600`);
    const countLogged = async () => {
      const { runs } = await call("GET", `/smalt/v1${WORKSPACE}/jobs/live/metrics?history=true&metric=loss&points=10`);
      return runs[0]?.metrics[0]?.total;
    };
    await expect.poll(countLogged, { timeout: 120_000 }).toBe(COUNT);
  });
  test.afterAll(() => call("POST", `${WORKSPACE}/jobs/live/cancel`));

  test("new values keep what is hidden, and wait for the end of a drag", async ({ page }) => {
    const asked = listAsked(page);
    await open(page, "jobs/live?tab=metrics");
    const chart = findChart(page);
    await expect(chart.getByRole("note")).toContainText(`of ${COUNT.toLocaleString("en-US")} values drawn`);
    const waitForPoll = async () => {
      const before = asked.length;
      await expect.poll(() => asked.length).toBeGreaterThan(before);
      await page.waitForTimeout(500);
    };
    await chart.locator("canvas").evaluate((canvas) => (canvas.dataset.first = "yes"));
    const row = chart.locator(".u-legend .u-series").last();
    await row.locator("th").click();
    await waitForPoll();
    await expect(chart.locator("canvas")).toHaveAttribute("data-first", "yes");
    await expect(row).toHaveClass(/u-off/);
    const hide = row.getByRole("button"); // the same by keyboard
    for (const [key, isShown] of [["Enter", true], ["Space", false], ["Enter", true]] as const) {
      await hide.press(key);
      await expect(hide).toHaveAttribute("aria-pressed", String(isShown));
      await expect(row).toHaveClass(isShown ? /^(?!.*u-off)/ : /u-off/);
    }

    const box = (await chart.locator(".u-over").boundingBox())!;
    await page.mouse.move(box.x + 0.25 * box.width, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + 0.5 * box.width, box.y + 50, { steps: 5 });
    await waitForPoll();
    await page.mouse.move(box.x + 0.75 * box.width, box.y + 50, { steps: 5 });
    await page.mouse.up();
    await expect(chart.getByRole("note")).toContainText("values of this part drawn");
    const from = () => Number(asked.findLast((one) => one.has("from"))!.get("from"));
    expect(Math.abs(from() / COUNT - 0.25)).toBeLessThan(0.05);
    await waitForPoll();
    await expect(chart.getByRole("note")).toContainText("values of this part drawn");
  });

  test("values that came during the first smoothing are smoothed, too", async ({ page }) => {
    let [smoothed, more, polls] = [0, 0, 0];
    await page.route(/live\/metrics\?/, async (route) => {
      const query = new URL(route.request().url()).searchParams;
      if (query.get("metric") === "loss" && query.has("smoothing")) {
        smoothed += 1;
        if (smoothed === 1) {
          more = 1;
          await expect.poll(() => polls).toBeGreaterThan(0);
          await new Promise((resolve) => setTimeout(resolve, 1000)); // the page has the answer with more values
        }
        return route.continue().catch(() => {}); // the test may be over
      }
      polls += more;
      const answer = await route.fetch();
      const body = await answer.json();
      for (const { metrics } of body.runs) for (const metric of metrics) if (metric.name === "loss") metric.total += more;
      await route.fulfill({ response: answer, json: body });
    });
    await open(page, "jobs/live?tab=metrics");
    await expect(findChart(page).locator("canvas")).toBeVisible();
    await page.getByLabel("Smoothing").fill("0.9");
    await expect.poll(() => smoothed).toBe(2);
    await page.unrouteAll({ behavior: "ignoreErrors" });
  });
});

test("the values of a curve are read by the arrow keys, and announced", async ({ page }) => {
  await open(page, "jobs/long?tab=metrics");
  const chart = findChart(page);
  const curve = chart.getByRole("group", { name: /^Curves of loss/ });
  const told = chart.locator("[aria-live=polite]");
  await curve.press("ArrowRight");
  await expect(told).toHaveText("step 0: this job 0");
  await expect(chart.locator(".u-legend .u-value").last()).toHaveText("0");
  await curve.press("ArrowRight");
  await expect(told).not.toHaveText("step 0: this job 0");
  await expect(chart.locator(".u-legend .u-value").last()).toHaveText((await told.textContent())!.split(" ").at(-1)!);
  await curve.press("ArrowLeft");
  await expect(told).toHaveText("step 0: this job 0");
  await curve.press("End");
  await expect(told).toHaveText(new RegExp(`^step ${COUNT - 1}: this job`));
  await curve.press("Home");
  await expect(told).toHaveText("step 0: this job 0");
  const readStep = async () => Number(/^step (\d+): this job -?[\d.]+$/.exec((await told.textContent())!)?.[1] ?? NaN);
  for (const key of ["+", "+", "+"]) await curve.press(key);
  await expect(chart.getByRole("note")).toContainText("of this part drawn");
  await expect(told).toHaveText("step 0: this job 0"); // a smaller part is one around it
  for (let k = 0; k < 4; k++) await curve.press("Shift+ArrowRight");
  await expect.poll(readStep).toBeGreaterThan(COUNT / 8 - 20); // the part has left what was read, which goes along
  const first = await readStep();
  expect(first).toBeLessThan(COUNT / 8 + 100);
  await curve.press("ArrowRight");
  await expect.poll(readStep).toBeGreaterThan(first);
  expect(await readStep()).toBeLessThan(first + 100); // and goes on from there: the part did not jump back
  await curve.press("Home"); // out of the part, which goes along
  await expect(told).toHaveText("step 0: this job 0");
  await expect(chart.getByRole("note")).toContainText("of this part drawn");
  await page.getByLabel("Smoothing").focus();
  await expect(told).toHaveText("");
});
