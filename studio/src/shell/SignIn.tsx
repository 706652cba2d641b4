import { useState, type FormEvent } from "react";
import { signIn } from "../api/workspace";
import icon from "./icon.svg";
import { ErrorMessage } from "./messages";

export function SignIn({ error, onDone }: { error?: Error; onDone: () => void }) {
  const [token, setToken] = useState("");
  const [refusal, setRefusal] = useState<Error | undefined>(error);
  async function submit(event: FormEvent) {
    event.preventDefault();
    try {
      await signIn({ token });
      onDone();
    } catch (caught) {
      setRefusal(caught as Error);
    }
  }
  return (
    <main className="center">
      <div className="card sign-in">
        <h1 className="brand"><img src={icon} alt="" />smalt studio</h1>
        {refusal && <ErrorMessage error={refusal} />}
        <p>On the machine of the server, this opens the studio in your browser, and this page once you come back to it:</p>
        <pre>smalt studio</pre>
        <hr />
        <form onSubmit={submit}>
          <label htmlFor="token">From elsewhere, sign in with a token of the server:</label>
          <div className="row">
            <input id="token" className="field" type="password" autoComplete="off" value={token} onChange={(event) => setToken(event.target.value)} />
            <button className="button primary" disabled={!token.trim()}>Sign in</button>
          </div>
        </form>
      </div>
    </main>
  );
}
