import { Component, type ReactNode } from "react";
import { ErrorMessage } from "./messages";

/** Shows a fault of a page as a sentence in its place; the navigation stays. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render() {
    if (!this.state.error) return this.props.children;
    const error = new Error(`this page failed: ${this.state.error.message}`);
    return <div className="center"><ErrorMessage error={error} retry={() => location.reload()} /></div>;
  }
}
