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

test("the files and the lineage of data that a job made and another used", async ({ page }) => {
  const out = { o: { jobOutputType: "uri_folder", uri: `${STORE}/made/` } };
  await submit("makes_it", "mkdir ${{outputs.o}}/part; printf 'rooms,price\\n3,200\\n4,300\\n' > ${{outputs.o}}/part/t.csv", { outputs: out });
  expect(await waitForEnd("makes_it")).toBe("Completed");
  await put("data/made/versions/1", { dataType: "uri_folder", dataUri: `${STORE}/made/` });
  await submit("uses_it", "ls ${{inputs.i}}", { inputs: { i: { jobInputType: "uri_folder", uri: `${WORKSPACE}/data/made/versions/1` } } });
  expect(await waitForEnd("uses_it")).toBe("Completed");
  await open(page, "data/made?tab=files");
  await page.getByRole("button", { name: /^part/ }).click();
  await page.getByRole("button", { name: /^t.csv/ }).click();
  await expect(page.getByRole("cell", { name: "300" })).toBeVisible();
  await checkAccess(page);
  await page.getByRole("tab", { name: "Lineage" }).click();
  await expect(page.getByRole("link", { name: /makes_it/ })).toBeVisible();
  await expect(page.getByRole("link", { name: /uses_it/ })).toBeVisible();
  await checkAccess(page);
  await page.getByRole("group", { name: /^Graph/ }).focus();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/jobs\/makes_it/);
});

test("a model's signature, and what to copy", async ({ page }) => {
  const file = "flavors:\\n  sklearn: {}\\nmlflow_version: 2.20.0\\nsignature:\\n  inputs: '\\''[{\"type\": \"double\", \"name\": \"rooms\"}]'\\''\\n";
  await submit("fits", `printf '${file}' > \${{outputs.m}}/MLmodel`, { outputs: { m: { jobOutputType: "uri_folder", uri: `${STORE}/fitted/` } } });
  expect(await waitForEnd("fits")).toBe("Completed");
  await put("models/fitted/versions/1", { modelType: "mlflow_model", modelUri: "azureml://jobs/fits/outputs/m", stage: "Production" });
  await open(page, "models/fitted");
  await expect(page.getByRole("cell", { name: "rooms" })).toBeVisible();
  await expect(page.getByText("Production", { exact: true })).toBeVisible();
  await expect(page.getByText("type: mlflow_model").first()).toBeVisible();
  await checkAccess(page);
  await page.getByRole("link", { name: "fits", exact: true }).click();
  await expect(page.getByRole("heading", { name: "fits" })).toBeVisible();
});

test("long lists have pages, and the address names the page", async ({ page }) => {
  for (let k = 0; k < 53; k++) await put(`models/model-${String(k).padStart(2, "0")}/versions/1`, { modelType: "custom_model", modelUri: `${STORE}/m${k}` });
  await open(page, "models?sort=name&search=model-");
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
  await putComponent("says", "1", { command: "echo hi", inputs: {}, outputs: {} });
  await call("PUT", `${WORKSPACE}/jobs/uses_says`, { properties: { jobType: "Pipeline", jobs: { a: { type: "command", componentId: `${WORKSPACE}/components/says/versions/1`, inputs: {}, outputs: {} } } } });
  await open(page, "components/says");
  await expect(page.getByRole("link", { name: "uses_says" })).toBeVisible();
  await open(page, "components/train_tree");
  await expect(page.getByText("none of the newest")).toBeVisible();
  await expect(page.getByText("environment: azureml:host@latest")).toBeVisible();
  await expect(page.getByRole("cell", { name: "at least 0, at most 1" })).toBeVisible();
  await expect(page.getByText("python train.py").first()).toBeVisible();
  await checkAccess(page);
});

test("environments of the workspace and of smalt", async ({ page }) => {
  await put("environments/mine/versions/1", { image: "python:3.11", condaFile: "dependencies:\n- python=3.11\n- pandas\n" });
  await open(page, "environments");
  await expect(page.getByRole("link", { name: "mine" })).toBeVisible();
  await expect(page.getByRole("row").filter({ hasText: "built-in" }).first()).toBeVisible();
  await checkAccess(page);
  await page.getByRole("link", { name: "mine" }).click();
  await expect(page.getByText("- pandas").first()).toBeVisible();
  await expect(page.getByText("not built", { exact: true })).toBeVisible();
  await checkAccess(page);
  await submit("on_host", "true");
  await waitForEnd("on_host");
  await open(page, "environments/host");
  await page.getByRole("searchbox", { name: "Find a package" }).fill("pytest");
  await expect(page.getByRole("cell", { name: "pytest", exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: /Archive/ })).toHaveCount(0);
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

test("the slots of a compute and who holds them, as they change; and the disk", async ({ page }) => {
  await open(page, "computes");
  await page.getByRole("link", { name: "local" }).click();
  await expect(page.getByText("No job holds one now.")).toBeVisible();
  await submit("holder", "sleep 600");
  await expect(page.getByRole("link", { name: "holder" })).toBeVisible();
  await checkAccess(page);
  await call("POST", `${WORKSPACE}/jobs/holder/cancel`).catch(() => {}); // its answer has no body
  await expect(page.getByText("No job holds one now.")).toBeVisible();
  await page.getByRole("link", { name: "Disk" }).click();
  await expect(page.getByText(/free of/)).toBeVisible();
  await expect(page.getByText("Shared by all workspaces")).toBeVisible();
  await checkAccess(page);
});

test("a batch endpoint is invoked from its page, and lists the job", async ({ page }) => {
  await open(page, "endpoints");
  await expect(page.getByText("No endpoint yet")).toBeVisible();
  await checkAccess(page);
  const step = { type: "command", componentId: `${WORKSPACE}/components/echoes/versions/1`, inputs: { word: { job_input_type: "literal", value: "${{parent.inputs.word}}" } }, outputs: {} };
  await putComponent("echoes", "1", { command: "echo said ${{inputs.word}}", inputs: { word: { type: "string" } }, outputs: {} });
  await put("components/night/versions/1", { isAnonymous: false, componentSpec: { type: "pipeline", name: "night", version: "1", inputs: { word: { type: "string", description: "to say" } }, outputs: {}, jobs: { a: step } } });
  await put("batchEndpoints/nightly-scores", { authMode: "AADToken", description: "scores of the night" });
  await page.reload();
  await page.getByRole("link", { name: "nightly-scores" }).click();
  await expect(page.getByText("None yet.")).toBeVisible();
  await put("batchEndpoints/nightly-scores/deployments/first", { deploymentConfiguration: { deploymentConfigurationType: "PipelineComponent", componentId: { assetId: `${WORKSPACE}/components/night/versions/1`, referenceType: "Id" }, settings: {} } });
  await put("batchEndpoints/nightly-scores", { authMode: "AADToken", description: "scores of the night", defaults: { deploymentName: "first" } });
  await page.reload();
  await expect(page.getByRole("link", { name: "night:1" })).toBeVisible();
  await checkAccess(page);
  await page.getByRole("tab", { name: "Invoke" }).click();
  await page.getByRole("button", { name: "Invoke" }).click();
  await expect(page.getByText("give a value for word")).toBeVisible();
  await page.getByLabel(/^word/).fill("hello");
  await checkAccess(page);
  await page.getByRole("button", { name: "Invoke" }).click();
  await expect(page).toHaveURL(/jobs\/batchjob-/);
  await open(page, "endpoints/batch/nightly-scores?tab=jobs");
  await expect(page.getByRole("link", { name: /^batchjob-|night/ }).first()).toBeVisible();
  await checkAccess(page);
});

test("an online endpoint without a deployment says what to do", async ({ page }) => {
  await put("onlineEndpoints/prices-now", { authMode: "Key", description: "prices" });
  await open(page, "endpoints/online/prices-now");
  await expect(page.getByText("None yet, so nothing answers.")).toBeVisible();
  await checkAccess(page);
  await page.getByRole("tab", { name: "Try it" }).click();
  await expect(page.getByText("It has no deployment yet")).toBeVisible();
});

test("an address of nothing says so", async ({ page }) => {
  await open(page, "models/none");
  await expect(page.getByText("there is no model 'none'")).toBeVisible();
  await open(page, "data/none/1/more");
  await expect(page.getByText("There is no such page")).toBeVisible();
});
