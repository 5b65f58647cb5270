import { Component, type ReactNode } from "react";
import { sentence } from "../domain/refusal";

/** What a panel shows instead of its content, with a way to try again. */
export function Failure(props: { name: string; error: unknown; retry: () => void }) {
  return (
    <div className="failure" role="alert" data-testid={`panel-error-${props.name}`}>
      <p>This panel failed. {sentence(props.error)}</p>
      <button
        type="button"
        className="button"
        onClick={props.retry}
        data-testid={`retry-${props.name}`}
        aria-label={`Try the ${props.name} again`}
      >
        Try again
      </button>
    </div>
  );
}

interface Props {
  name: string;
  children: ReactNode;
}

/** Keep the failure of one panel from taking the others along. */
export class Guard extends Component<Props, { error: unknown }> {
  override state = { error: null as unknown };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    const retry = () => this.setState({ error: null });
    return <Failure name={this.props.name} error={this.state.error} retry={retry} />;
  }
}
