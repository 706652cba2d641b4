import { request } from "../../api/client";
import { buildYamlUrl, type Kind } from "../../api/resources";
import { useQuery } from "../../api/useQuery";
import { CommandBlock } from "../../job/CommandBlock";
import { useApi } from "../../shell/context";
import { ErrorMessage } from "../../shell/messages";

/** A version as a YAML file has it, to be copied. */
export function YamlPanel({ kind, name, version }: { kind: Kind; name: string; version: string }) {
  const api = useApi();
  const url = buildYamlUrl(api, kind, name, version);
  const found = useQuery(url, async () => (await request(url)).text());
  if (found.error) return <ErrorMessage error={found.error} retry={found.reload} />;
  return found.data === undefined ? null : <CommandBlock title="As YAML" text={found.data.trimEnd()} />;
}
