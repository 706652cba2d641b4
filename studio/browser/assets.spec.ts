import { call, checkAccess, expect, open, test, WORKSPACE, submit, waitForEnd } from "./rig";

const put = (path: string, properties: object) => call("PUT", `${WORKSPACE}/${path}`, { properties });
const STORE = "azureml://datastores/workspaceblobstore/paths";

async function putComponent(name: string, version: string, more: object = {}): Promise<void> {
  await put(`components/${name}/versions/${version}`, {
    isAnonymous: false,
    componentSpec: {
      type: "command", name, version, display_name: "Train a tree", command: "python train.py --rate ${{inputs.rate}} ${{inputs.data}} ${{outputs.model}}", environment: "azureml:host@latest",
      inputs: { rate: { type: "number", min: 0, max: 1, default: 0.1, description: "step" }, data: { type: "uri_folder" } }, outputs: { model: { type: "uri_folder" } }, ...more,
    },
  });
}

test("data: found in a list, archived and restored from its page", async ({ page }) => {
  for (const version of ["1", "2"]) await put(`data/prices/versions/${version}`, { dataType: "uri_folder", dataUri: `${STORE}/prices/${version}/`, description: "house prices", tags: { region: "north" } });
  await put("data/titles/versions/1", { dataType: "uri_file", dataUri: `${STORE}/titles.txt` });
  await open(page, "data");
  await expect(page.getByRole("heading", { name: "Data", exact: true })).toBeVisible();
  await expect(page.getByRole("row").filter({ hasText: "titles" })).toBeVisible();
  await checkAccess(page);
  await page.getByRole("searchbox").fill("house");
  await expect(page).toHaveURL(/search=house/);
  await expect(page.getByRole("row").filter({ hasText: "titles" })).toHaveCount(0);
  await page.getByRole("link", { name: "prices" }).click();
  await expect(page.getByLabel("version")).toHaveValue("2");
  await expect(page.getByText("region: north").first()).toBeVisible();
  await checkAccess(page);
  await page.getByRole("button", { name: "Archive version 2" }).click();
  await expect(page.getByLabel("version")).toHaveValue("1");
  expect((await call("GET", `${WORKSPACE}/data/prices/versions/2`)).properties.isArchived).toBe(true);
  await page.getByRole("button", { name: "Archive all" }).click();
  await expect(page.getByRole("button", { name: "Restore all" })).toBeVisible();
  await open(page, "data?view=archived");
  await expect(page.getByRole("link", { name: "prices" })).toBeVisible();
  await page.getByRole("link", { name: "prices" }).click();
  await page.getByRole("button", { name: "Restore all" }).click();
  await page.getByLabel("version").selectOption("2");
  await expect(page).toHaveURL(/data\/prices\/2/);
  await page.getByRole("button", { name: "Restore version 2" }).click();
  await expect(page.getByRole("button", { name: "Archive version 2" })).toBeVisible();
});

test("long lists have pages, and the address names the page", async ({ page }) => {
  for (let k = 0; k < 53; k++) await put(`models/model-${String(k).padStart(2, "0")}/versions/1`, { modelType: "custom_model", modelUri: `${STORE}/m${k}` });
  await open(page, "models?sort=name");
  await expect(page.getByText("1–50 of 53")).toBeVisible();
  await page.getByRole("button", { name: "Next" }).click();
  await expect(page.getByRole("link", { name: "model-52" })).toBeVisible();
  await expect(page.getByRole("link", { name: "model-00" })).toHaveCount(0);
  await expect(page).toHaveURL(/page=2/);
  await checkAccess(page);
  await page.getByRole("button", { name: "Name" }).click();
  await expect(page.getByRole("link", { name: "model-52" })).toBeVisible();
  await expect(page).toHaveURL(/sort=-name/);
});

test("a component's inputs and outputs with their types and bounds", async ({ page }) => {
  await putComponent("train_tree", "1");
  await open(page, "components/train_tree");
  await expect(page.getByRole("cell", { name: "at least 0, at most 1" })).toBeVisible();
  await expect(page.getByText("python train.py")).toBeVisible();
  await checkAccess(page);
});

test("environments of the workspace and of smalt", async ({ page }) => {
  await put("environments/mine/versions/1", { image: "python:3.11", condaFile: "dependencies:\n- python=3.11\n- pandas\n" });
  await open(page, "environments");
  await expect(page.getByRole("link", { name: "mine" })).toBeVisible();
  await expect(page.getByRole("row").filter({ hasText: "built-in" }).first()).toBeVisible();
  await checkAccess(page);
  await page.getByRole("link", { name: "mine" }).click();
  await expect(page.getByText("- pandas")).toBeVisible();
  await checkAccess(page);
});

test("a datastore's files are looked through", async ({ page }) => {
  await submit("writes", "printf 'a,b\\n1,2\\n' > ${{outputs.o}}/t.csv", { outputs: { o: { jobOutputType: "uri_folder", uri: `${STORE}/looked/` } } });
  expect(await waitForEnd("writes")).toBe("Completed");
  await open(page, "datastores");
  await expect(page.getByText("default", { exact: true })).toBeVisible();
  await checkAccess(page);
  await page.getByRole("link", { name: "workspaceblobstore" }).click();
  await page.getByRole("button", { name: /^looked/ }).click();
  await page.getByRole("button", { name: /^t.csv/ }).click();
  await expect(page.getByRole("cell", { name: "2" })).toBeVisible();
  await checkAccess(page);
});

test("a schedule is triggered and disabled from its page", async ({ page }) => {
  await put("schedules/nightly", {
    trigger: { triggerType: "Cron", expression: "30 2 * * *", timeZone: "UTC" },
    action: { actionType: "CreateJob", jobDefinition: { jobType: "Command", command: "true", environmentId: "azureml:host@latest", experimentName: "nights" } },
  });
  await open(page, "schedules");
  await page.getByRole("link", { name: "nightly" }).click();
  await expect(page.getByText("30 2 * * *")).toBeVisible();
  await page.getByRole("button", { name: "Trigger now" }).click();
  await expect(page.getByRole("link", { name: /^nightly-/ })).toBeVisible();
  await checkAccess(page);
  await page.getByRole("button", { name: "Disable" }).click();
  await expect(page.getByText("None while it is disabled.")).toBeVisible();
  expect((await call("GET", `${WORKSPACE}/schedules/nightly`)).properties.isEnabled).toBe(false);
});

test("computes and the disk", async ({ page }) => {
  await open(page, "computes");
  await page.getByRole("link", { name: "local" }).click();
  await expect(page.getByText("this machine")).toBeVisible();
  await checkAccess(page);
  await page.getByRole("link", { name: "Disk" }).click();
  await expect(page.getByText(/free of/)).toBeVisible();
  await checkAccess(page);
});

test("endpoints: an empty page says what to do; a batch endpoint with its deployment", async ({ page }) => {
  await open(page, "endpoints");
  await expect(page.getByText("No endpoint yet")).toBeVisible();
  await checkAccess(page);
  await put("batchEndpoints/nightly-scores", { authMode: "AADToken", description: "scores of the night" });
  await page.reload();
  await page.getByRole("link", { name: "nightly-scores" }).click();
  await expect(page.getByText("None yet.")).toBeVisible();
  await checkAccess(page);
});

test("an address of nothing says so", async ({ page }) => {
  await open(page, "models/none");
  await expect(page.getByText("there is no model 'none'")).toBeVisible();
  await open(page, "data/none/1/more");
  await expect(page.getByText("There is no such page")).toBeVisible();
});
