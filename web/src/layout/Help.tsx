import { useScreen } from "../state/screen";
import { Dialog } from "../ui/Dialog";
import { KEYS } from "./keys";

/** The keys and what they do. */
export function Help() {
  const open = useScreen((state) => state.help);
  if (!open) return null;
  return (
    <Dialog
      title="Keyboard"
      testId="help-dialog"
      onClose={() => useScreen.setState({ help: false })}
    >
      <dl className="keys">
        {KEYS.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p className="text-dim">
        The edges between the panels can be dragged, or moved with the arrow keys.
      </p>
    </Dialog>
  );
}
