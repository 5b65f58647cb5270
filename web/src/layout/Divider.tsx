import { useSettings } from "../state/settings";

type Part = "book" | "order" | "below";
const BOUNDS: Record<Part, [number, number]> = {
  book: [220, 520],
  order: [240, 480],
  below: [120, 560],
};

/** The edge of a panel: drag it, or move it with the arrow keys. */
export function Divider(props: { part: Part; upright: boolean; label: string }) {
  const { part, upright } = props;
  const size = useSettings((state) => state.layout[part]);
  const [least, most] = BOUNDS[part];
  const resize = (value: number) => {
    const { layout, set } = useSettings.getState();
    set({ layout: { ...layout, [part]: Math.round(Math.max(least, Math.min(most, value))) } });
  };
  const onDown = (event: React.PointerEvent<HTMLHRElement>) => {
    const edge = event.currentTarget;
    const from = upright ? event.clientX : event.clientY;
    edge.setPointerCapture(event.pointerId);
    const move = (now: PointerEvent) => resize(size + from - (upright ? now.clientX : now.clientY));
    const end = () => edge.removeEventListener("pointermove", move);
    edge.addEventListener("pointermove", move);
    edge.addEventListener("lostpointercapture", end, { once: true });
  };
  const onKey = (event: React.KeyboardEvent) => {
    const more = upright ? "ArrowLeft" : "ArrowUp";
    const less = upright ? "ArrowRight" : "ArrowDown";
    if (event.key !== more && event.key !== less) return;
    event.preventDefault();
    resize(size + (event.key === more ? 16 : -16));
  };
  return (
    <hr
      className={`divider ${upright ? "upright" : "level"} divide-${part}`}
      aria-orientation={upright ? "vertical" : "horizontal"}
      aria-label={props.label}
      aria-valuenow={size}
      aria-valuemin={least}
      aria-valuemax={most}
      tabIndex={0}
      onPointerDown={onDown}
      onKeyDown={onKey}
    />
  );
}
