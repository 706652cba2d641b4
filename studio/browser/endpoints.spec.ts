import { call, checkAccess, expect, open, test, TOKEN, URL, WORKSPACE } from "./rig";

const SCRIPT = `import json, os

def init():
    print("ready to say", os.environ["WORD"])

def run(raw):
    given = json.loads(raw)
    if given.get("fail"):
        raise ValueError("not today")
    return {"word": os.environ["WORD"], "given": given}
`;
const CONDA = "dependencies:\n- python=3.11\n- pip\n- pip:\n  - azureml-inference-server-http\n";

/** Put a text into the workspace's default datastore. */
async function putText(path: string, text: string): Promise<void> {
  const answer = await fetch(`${URL}/smalt/v1${WORKSPACE}/datastores/workspaceblobstore/files/${path}`, { method: "PUT", headers: { authorization: `Bearer ${TOKEN}` }, body: text });
  if (!answer.ok) throw new Error(await answer.text());
}

async function waitForDeployment(path: string): Promise<void> {
  for (;;) {
    const { properties } = await call("GET", path);
    if (properties.provisioningState === "Succeeded") return;
    if (properties.provisioningState === "Failed") throw new Error("the deployment failed");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

test("an online endpoint is tried from its page, answers, and says what it printed", async ({ page }) => {
  test.setTimeout(240_000); // the environment of the deployment is built
  await putText("scorer/score.py", SCRIPT);
  await call("PUT", `${WORKSPACE}/codes/scorer/versions/1`, { properties: { codeUri: "azureml://datastores/workspaceblobstore/paths/scorer/" } });
  await call("PUT", `${WORKSPACE}/environments/server/versions/1`, { properties: { image: "python:3.11", condaFile: CONDA } });
  const endpoint = { authMode: "Key", description: "says a word" };
  await call("PUT", `${WORKSPACE}/onlineEndpoints/words`, { location: "local", properties: endpoint });
  const blue = `${WORKSPACE}/onlineEndpoints/words/deployments/blue`;
  await call("PUT", blue, {
    location: "local", sku: { name: "Default", capacity: 1 },
    properties: {
      endpointComputeType: "Managed", instanceType: "Standard_DS3_v2", environmentId: `${WORKSPACE}/environments/server/versions/1`, environmentVariables: { WORD: "moon" },
      codeConfiguration: { codeId: `${WORKSPACE}/codes/scorer/versions/1`, scoringScript: "score.py" },
    },
  });
  await waitForDeployment(blue);
  await call("PUT", `${WORKSPACE}/onlineEndpoints/words`, { location: "local", properties: { ...endpoint, traffic: { blue: 100 } } });
  await open(page, "endpoints");
  await expect(page.getByText("blue 100 %")).toBeVisible();
  await page.getByRole("link", { name: "words" }).click();
  await expect(page.getByRole("cell", { name: "100 %" })).toBeVisible();
  await checkAccess(page);
  const traffic = page.getByLabel("blue: traffic in percent");
  await traffic.fill("50");
  await expect(page.getByText("The shares add up to 50 %; they must add up to 100, or all be 0.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Change" })).toBeDisabled();
  await traffic.fill("0");
  await page.getByLabel("blue: instances").fill("2");
  await checkAccess(page);
  await page.getByRole("button", { name: "Change" }).click();
  await expect(page.getByText("changed words")).toBeVisible();
  await expect(page.getByText("No requests are passed on.")).toBeVisible();
  await waitForDeployment(blue);
  expect((await call("GET", blue)).sku.capacity).toBe(2);
  expect((await call("GET", `${WORKSPACE}/onlineEndpoints/words`)).properties.traffic).toEqual({ blue: 0 });
  await expect(page.getByRole("region", { name: "Deployments" }).getByRole("cell", { name: "2", exact: true })).toBeVisible();
  await traffic.fill("100");
  await page.getByRole("button", { name: "Change" }).click();
  await expect(page.getByText("The shares add up to 100 %.")).toBeVisible();
  await expect(page.getByRole("cell", { name: "100 %" })).toBeVisible();
  await page.getByRole("tab", { name: "Try it" }).click();
  await page.getByLabel("Body (JSON)").fill('{"night": 1}');
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.getByRole("heading", { name: /^Answer 200 of blue/ })).toBeVisible();
  await expect(page.getByText('"word": "moon"')).toBeVisible();
  await page.getByLabel("Body (JSON)").fill('{"fail": true}');
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.getByRole("heading", { name: /^Answer 424/ })).toBeVisible();
  await checkAccess(page);
  await page.getByRole("tab", { name: "Log" }).click();
  await expect(page.getByText("ready to say moon")).toBeVisible();
  await checkAccess(page);
});
