from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from smalt.service.api.auth.access_tokens import AccessTokens, is_access_token
from tests.helpers import LONGEST, Server

SMALT = [sys.executable, "-m", "smalt"]


@pytest.fixture(scope="module")
def server(module_server: Server) -> Server:
    """A server of this module alone, as `az configure` sets the defaults of its home."""
    return module_server


def led(server: Server, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A command under `smalt exec`."""
    environment = {**os.environ, "SMALT_HOME": str(server.home.root), **more}
    return subprocess.run(
        [*SMALT, "exec", "--", *command], env=environment, capture_output=True, text=True, timeout=120
    )


def variables(server: Server) -> dict[str, str]:
    done = led(server, sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))")
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def fetch(
    url: str, bundle: str | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, object]]:
    context = ssl.create_default_context(cafile=bundle) if bundle else None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(urllib.request.Request(url, headers=dict(headers or {})), timeout=LONGEST) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_a_program_reaches_the_server_by_tls_with_a_token_of_its_own(server: Server) -> None:
    """What DefaultAzureCredential does: a token from the identity endpoint, then the API over TLS."""
    given = variables(server)
    identity = f"{given['IDENTITY_ENDPOINT']}?api-version=2019-08-01&resource=https://management.azure.com"
    status, token = fetch(identity, headers={"X-IDENTITY-HEADER": given["IDENTITY_HEADER"]})
    assert (status, token["resource"]) == (200, "https://management.azure.com")
    where = f"{given['AZUREML_DEV_URL_MFE']}/subscriptions/s/resourceGroups/g"
    url = f"{where}/providers/Microsoft.MachineLearningServices/workspaces/w"
    bearer = {"Authorization": f"Bearer {token['access_token']}", "User-Agent": "azure-ai-ml/1.35.2 azsdk-python"}
    status, workspace = fetch(url, given["REQUESTS_CA_BUNDLE"], bearer)
    assert (status, workspace["name"]) == (200, "w")
    assert fetch(url, given["REQUESTS_CA_BUNDLE"], {"Authorization": f"{bearer['Authorization']}x"})[0] == 401


def test_nobody_else_trusts_the_authority(server: Server) -> None:
    """Without the bundle the listener's certificate is refused."""
    url = variables(server)["AZUREML_DEV_URL_MFE"]
    with pytest.raises(urllib.error.URLError, match="certificate"):
        fetch(f"{url}/discovery")


def test_the_authorities_that_were_trusted_are_still(server: Server, tmp_path: Path) -> None:
    """The bundle has what the caller trusted, and the home's own besides."""
    trusted = tmp_path / "trusted.pem"
    trusted.write_text("-----BEGIN CERTIFICATE-----\nbefore\n-----END CERTIFICATE-----\n")
    script = "import os, sys; sys.stdout.write(open(os.environ['REQUESTS_CA_BUNDLE']).read())"
    said = led(server, sys.executable, "-c", script, REQUESTS_CA_BUNDLE=str(trusted)).stdout
    assert trusted.read_text().strip() in said
    assert server.home.path("tls", "authority.pem").read_text().strip() in said


def test_the_identity_endpoint_wants_its_header(server: Server) -> None:
    """401 without it, and with another."""
    url = variables(server)["IDENTITY_ENDPOINT"]
    for headers in ({}, {"X-IDENTITY-HEADER": "wrong"}):
        assert fetch(url, headers=headers)[0] == 401


def test_other_logins_are_taken_away(server: Server) -> None:
    """DefaultAzureCredential must not find a service principal first."""
    done = led(
        server, "sh", "-c", "echo [$AZURE_CLIENT_ID$AZURE_CLIENT_SECRET]", AZURE_CLIENT_ID="a", AZURE_CLIENT_SECRET="b"
    )
    assert done.stdout == "[]\n"


def test_the_lines_for_a_shell_lead_it_as_well(server: Server) -> None:
    """`eval "$(smalt exec --print-env)"`."""
    environment = {**os.environ, "SMALT_HOME": str(server.home.root)}
    shell = f'eval "$({" ".join(SMALT)} exec --print-env)" && echo $AZUREML_DEV_URL_MFE && command -v az'
    done = subprocess.run(["bash", "-c", shell], env=environment, capture_output=True, text=True, timeout=LONGEST)
    url, az = done.stdout.split()
    assert url.startswith("https://127.0.0.1:")
    assert az == str(server.home.path("programs", "az"))


def test_az_ml_is_smalt_with_the_configured_defaults(server: Server) -> None:
    """As scripts begin: account, defaults, then `az ml` without naming them again."""
    script = """
        az account set -s 11111111-2222-3333-4444-555555555555 &&
        az configure --defaults group=my-group workspace=my-ws location=eastus &&
        az ml workspace create --name my-ws -o none && az ml workspace create --name other -o none &&
        az account show --query id -o tsv && az ml workspace show --query name -o tsv &&
        az ml workspace show -w other --query name -o tsv && az group exists -n x && az extension add -n ml -y
    """
    done = led(server, "bash", "-ec", script)
    assert done.stdout.split() == ["11111111-2222-3333-4444-555555555555", "my-ws", "other", "true"], done.stderr


def test_az_ml_with_an_option_that_lacks_its_value(server: Server) -> None:
    """As where a variable of a script is empty: the configured defaults are not taken for it."""
    done = led(server, "bash", "-c", "az configure --defaults group=g workspace=w; az ml job show -n $empty")
    assert done.returncode == 2
    assert "option '-n' requires an argument" in done.stderr


def test_az_gives_tokens_as_the_cli_credential_reads_them(server: Server) -> None:
    """AzureCliCredential reads accessToken and expires_on."""
    done = led(server, "az", "account", "get-access-token", "--output", "json", "--resource", "https://ml.azure.com")
    token = json.loads(done.stdout)
    assert is_access_token(token["accessToken"])
    assert isinstance(token["expires_on"], int)


def test_az_storage_is_the_workspaces_datastores(server: Server, tmp_path: Path) -> None:
    """Uploaded, listed and downloaded, singly and by pattern; nothing is overwritten unasked."""
    script = """
        az configure --defaults group=g workspace=stored && az ml workspace create --name stored -o none
        mkdir -p in/sub && echo 1 >in/a.csv && echo 2 >in/sub/b.csv
        echo 3 >in/c.txt && az storage container exists -n azureml-blobstore --query exists
        az storage blob upload-batch -s in --pattern '*.csv' -d azureml-blobstore/up --account-name any -o none
        az storage blob upload -c azureml-blobstore -n up/c -f in/c.txt --account-key x -o none
        az storage blob list -c azureml-blobstore --prefix up/ --query [].name -o tsv
        az storage blob upload -c azureml-blobstore -n up/c -f in/a.csv 2>&1 >/dev/null | grep -o 'add --overwrite'
        az storage blob upload -c azureml-blobstore -n up/c -f in/a.csv --overwrite -o none
        az storage blob download -c azureml-blobstore -n up/c -f got -o none && cat got
        az storage blob download-batch -s azureml-blobstore/up -d out --pattern '*/b.csv' -o none
        cat out/up/sub/b.csv
        az storage blob list -c nowhere 2>&1 | grep -o "no container 'nowhere'"
    """
    done = led(server, "bash", "-c", f"cd {tmp_path} && {script}")
    assert done.stdout.splitlines() == [
        "true", "up/a.csv", "up/c", "up/sub/b.csv", "add --overwrite", "1", "2", "no container 'nowhere'"
    ], done.stderr  # fmt: skip


def test_what_only_the_cloud_has_is_refused_in_one_sentence(server: Server) -> None:
    """Exit code 2, as for any wrong command line."""
    done = led(server, "az", "vm", "create", "-n", "x")
    assert done.returncode == 2
    assert "'az vm create' concerns the cloud" in done.stderr


def test_a_pipe_that_nobody_reads_ends_its_writer(server: Server) -> None:
    """SIGPIPE is not ignored, as it is in Python: scripts make names by `cat /dev/urandom | tr … | head`."""
    done = led(server, "bash", "-c", "yes | head -n 1")
    assert (done.stdout, done.stderr) == ("y\n", "")


def test_a_command_that_is_not_there_is_named(server: Server) -> None:
    """One sentence."""
    done = led(server, "no-such-program")
    assert done.returncode != 0
    assert "cannot run 'no-such-program'" in done.stderr


def test_tokens_are_good_as_long_as_they_say_and_only_as_they_were_signed() -> None:
    """Another key, a changed claim and nonsense are nobody."""
    token, _ = AccessTokens(b"key").issue_token("ann", "https://ml.azure.com")
    assert AccessTokens(b"key").find_holder(token) == ("ann", None)
    assert AccessTokens(b"other").find_holder(token) is None
    head, claims, signature = token.split(".")
    for changed in (f"{head}.{claims}x.{signature}", f"{head}.{claims}.", "a.b.c", "eyJ..", ""):
        assert AccessTokens(b"key").find_holder(changed) is None


def test_az_keyvault_is_the_workspaces_vault(server: Server) -> None:
    """Set, shown, listed and deleted under whatever vault's name; by its own name from another workspace."""
    script = """
        az configure --defaults group=g workspace=vaulted && az ml workspace create --name vaulted -o none
        az ml workspace create --name unvaulted -o none
        az keyvault secret set --vault-name any -n pw --value 'a b' -o none
        az keyvault secret show --vault-name any -n pw --query value -o tsv && az ml secret show pw --query name -o tsv
        vault=$(basename $(az ml workspace show --query key_vault -o tsv))
        az configure --defaults workspace=unvaulted
        az keyvault secret list --vault-name other --query [].name -o tsv
        az keyvault secret list --vault-name $vault --query [].name -o tsv
        az keyvault show --name whatever --query properties.vaultUri -o tsv | grep -o '/vaults/.*'
        az keyvault secret delete --vault-name $vault -n pw -o none
        az keyvault secret show --vault-name $vault -n pw 2>&1 | grep -o "no secret 'pw'"
    """
    done = led(server, "bash", "-c", script)
    assert done.stdout.splitlines() == ["a b", "pw", "pw", "/vaults/unvaulted", "no secret 'pw'"], done.stderr


def test_exec_says_where_the_vault_of_its_workspace_is(server: Server) -> None:
    """AZURE_KEYVAULT_URL, as in jobs; one that is set stays."""
    script = "az configure --defaults group=g workspace=told && az ml workspace create --name told -o none"
    assert led(server, "bash", "-c", script).returncode == 0
    given = variables(server)
    assert given["AZUREML_ARM_WORKSPACE_NAME"] == "told"
    vault = f"{given['AZUREML_DEV_URL_MFE']}/vaults/{given['AZUREML_ARM_WORKSPACE_NAME']}"
    assert given["AZURE_KEYVAULT_URL"] == vault
    assert led(server, "printenv", "AZURE_KEYVAULT_URL", AZURE_KEYVAULT_URL="mine").stdout == "mine\n"


def test_az_makes_a_container_that_jobs_and_blobs_find(server: Server, tmp_path: Path) -> None:
    """It is a datastore of that name; made again it stays as it is."""
    script = """
        az configure --defaults group=g workspace=contained && az ml workspace create --name contained -o none
        az storage container create --name ml-data --account-key k --account-name a --query created
        az storage container create --name ml-data --query created
        echo 1 >f && az storage blob upload -c ml-data -n up/f -f f -o none
        az ml datastore ls --name ml-data --query [].path -o tsv
    """
    done = led(server, "bash", "-c", f"cd {tmp_path} && {script}")
    assert done.stdout.split() == ["true", "false", "up"], done.stderr


def test_a_blob_datastore_of_a_container_made_here_is_that_folder(server: Server, tmp_path: Path) -> None:
    """As setup scripts go: the container, then the datastore that names it, then data in it, for jobs to read."""
    (tmp_path / "store.yml").write_text(
        "name: ml_data\ntype: azure_blob\naccount_name: theirs\ncontainer_name: ml-container\n"
    )
    (tmp_path / "job.yml").write_text(
        "type: command\ncommand: cat ${{inputs.f}}\nenvironment: azureml:host\n"
        "inputs:\n  f: {type: uri_file, path: azureml://datastores/ml_data/paths/up/f}\n"
    )
    script = """
        az configure --defaults group=g workspace=landed && az ml workspace create --name landed -o none
        az storage container create --name ml-container --account-key k --account-name theirs -o none
        az ml datastore create --file store.yml --set credentials.account_key=a2V5 -o none
        echo in-it >f && az storage blob upload -c ml-container -n up/f -f f -o none
        az ml job create --file job.yml --stream
    """
    done = led(server, "bash", "-c", f"cd {tmp_path} && {script}")
    assert done.stdout == "in-it\n", done.stderr


def test_a_file_system_made_here_is_the_folder_of_its_data_lake_datastore(server: Server, tmp_path: Path) -> None:
    """As guides of Data Lake Gen2 go: the file system, a file in it, then the datastore, and data that a job reads."""
    (tmp_path / "store.yml").write_text(
        "name: lake\ntype: azure_data_lake_gen2\naccount_name: theirs\nfilesystem: lakefs\n"
    )
    (tmp_path / "job.yml").write_text(
        "type: command\ncommand: cat ${{inputs.f}}\nenvironment: azureml:host\n"
        "inputs:\n  f: {type: uri_file, path: azureml://datastores/lake/paths/raw/f}\n"
    )
    script = """
        az configure --defaults group=g workspace=laked && az ml workspace create --name laked -o none
        az storage fs create --name lakefs --account-name theirs --auth-mode login -o none
        az ml datastore create --file store.yml -o none && az storage fs exists -n lakefs --query exists
        echo in-it >f && az storage fs file upload -s f -p raw/f -f lakefs --account-name theirs -o none
        az storage fs file upload -s f -p raw/f -f lakefs 2>&1 >/dev/null | grep -o 'add --overwrite'
        az storage fs file list -f lakefs --path raw --query [].name -o tsv
        az storage fs file exists -f lakefs -p raw/g --query exists
        mkdir got && az storage fs file download -f lakefs -p raw/f -d got -o none && cat got/f
        az storage fs file upload -s f -f lakefs 2>&1 | grep -o 'needs --path'
        az ml job create --file job.yml --stream
    """
    done = led(server, "bash", "-c", f"cd {tmp_path} && {script}")
    assert done.stdout.splitlines() == [
        "true", "add --overwrite", "raw/f", "false", "in-it", "needs --path", "in-it"
    ], done.stderr  # fmt: skip


def test_all_of_az_means_the_workspace_that_az_ml_means(server: Server, tmp_path: Path) -> None:
    """Its subscription is looked up where only its name and group are configured."""
    script = """
        az ml workspace create --name elsewhere -g g --subscription 5ubscription -o none
        az configure --defaults group=g workspace=elsewhere subscription=
        az ml workspace show --query id -o tsv | cut -d/ -f3
        az account show --query id -o tsv
        az storage container create --name made-there --query created
        az ml datastore show --name made-there --query name -o tsv
        az keyvault secret set --vault-name any -n pw --value x -o none && az ml secret show pw --query name -o tsv
    """
    done = led(server, "bash", "-c", f"cd {tmp_path} && {script}")
    assert done.stdout.split() == ["5ubscription", "5ubscription", "true", "made-there", "pw"], done.stderr


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("deployment group create -g g -f main.bicep", "smalt workspace create"),
        ("acr build -t x .", "smalt environment create"),
        ("role assignment create --role x", "remove the line"),
        ("identity create -n x", "remove the line"),
        ("storage account delete -n x", "smalt datastore create"),
        ("monitor metrics list", "smalt job metrics"),
    ],
)
def test_a_refused_line_names_what_does_the_work(server: Server, line: str, instead: str) -> None:
    """Where smalt has something for it."""
    done = led(server, "az", *line.split())
    assert done.returncode == 2
    assert instead in done.stderr


def test_az_config_sets_defaults(server: Server) -> None:
    """As `az configure --defaults` does."""
    script = "az config set defaults.group=g-set defaults.workspace=w-set; az config get defaults.group --query value"
    assert json.loads(led(server, "bash", "-c", script).stdout) == "g-set"
