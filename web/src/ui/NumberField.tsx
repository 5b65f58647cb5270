import { parse, read, snap, text } from "../domain/decimal";

interface Props {
  name: "price" | "amount" | "total";
  label: string;
  unit: string;
  value: string;
  step: string;
  note: string;
  onChange: (value: string) => void;
  onSettle: () => void;
}

/** A decimal: arrows move it by its step, leaving it brings it onto its step. */
export function NumberField(props: Props) {
  const id = `order-${props.name}`;
  const move = (steps: bigint) => {
    const step = read(props.step);
    const next = snap(parse(props.value) ?? 0n, step, steps > 0n ? "down" : "up") + steps * step;
    props.onChange(text(next > 0n ? next : 0n));
  };
  return (
    <div>
      <div className="field">
        <label className="field-label" htmlFor={id}>
          {props.label}
        </label>
        <input
          id={id}
          data-testid={id}
          className="num"
          inputMode="decimal"
          autoComplete="off"
          spellCheck={false}
          value={props.value}
          aria-describedby={`${id}-note`}
          aria-invalid={props.note.startsWith("Changed") ? undefined : props.note !== ""}
          onChange={(event) => props.onChange(event.target.value.replace(",", "."))}
          onBlur={props.onSettle}
          onKeyDown={(event) => {
            if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
            event.preventDefault();
            const far = event.shiftKey ? 10n : 1n;
            move(event.key === "ArrowUp" ? far : -far);
          }}
        />
        <span className="unit">{props.unit}</span>
      </div>
      <p id={`${id}-note`} className="note" data-testid={`${props.name}-note`} aria-live="polite">
        {props.note}
      </p>
    </div>
  );
}
