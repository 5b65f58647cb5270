import { memo, useEffect, useRef } from "react";
import { drawable, format, text } from "../domain/decimal";
import type { Row } from "../domain/grouping";
import { useDraft } from "../state/draft";
import { useScreen } from "../state/screen";

const FLASH_MS = 180;
const REDUCED = matchMedia("(prefers-reduced-motion: reduce)");

interface Props {
  side: "bid" | "ask";
  rows: Row[];
  deepest: bigint;
  places: number;
  lotPlaces: number;
  isOwn: (price: bigint) => boolean;
}

/** One side of the book; asks stand on their head, so that the best prices meet. */
export function BookRows(props: Props) {
  const { side, rows, deepest, isOwn, places, lotPlaces } = props;
  return (
    <div className={`book-side ${side}`}>
      {rows.map((row, index) => (
        <BookRow
          key={text(row.price)}
          side={side}
          index={index}
          price={text(row.price)}
          quantity={text(row.quantity)}
          shown={`${format(row.price, places)}|${format(row.quantity, lotPlaces)}|${format(row.cumulative, lotPlaces)}`}
          share={Math.round((drawable(row.cumulative) / drawable(deepest)) * 1000) / 1000}
          own={isOwn(row.price)}
        />
      ))}
    </div>
  );
}

interface RowProps {
  side: "bid" | "ask";
  index: number;
  price: string;
  quantity: string;
  shown: string;
  share: number;
  own: boolean;
}

const BookRow = memo(function BookRow(props: RowProps) {
  const { side, index, price, quantity, shown, share, own } = props;
  const [priceText, quantityText, sumText] = shown.split("|");
  const element = useRef<HTMLButtonElement>(null);
  const before = useRef(quantity);
  useEffect(() => {
    if (before.current === quantity) return;
    before.current = quantity;
    const flash = element.current?.querySelector<HTMLElement>(".book-flash");
    if (!flash || REDUCED.matches) return;
    // On and off, not faded: an animation would make a layer of every row that changes.
    flash.style.opacity = "0.22";
    const off = setTimeout(() => {
      flash.style.opacity = "";
    }, FLASH_MS);
    return () => clearTimeout(off);
  }, [quantity]);
  const fill = () => {
    useDraft.setState({ kind: "LIMIT", price });
    if (matchMedia("(max-width: 767px)").matches) useScreen.setState({ sheet: true });
  };
  return (
    <button
      ref={element}
      type="button"
      className="book-row num"
      data-testid={`book-row-${side}-${index}`}
      data-price={price}
      data-quantity={quantity}
      data-own={own}
      onClick={fill}
    >
      <span className="book-bar" style={{ transform: `scaleX(${share})` }} />
      <span className="book-flash" />
      <span className={side === "bid" ? "text-up" : "text-down"}>
        {own && (
          <span className="own-mark" aria-hidden="true">
            ◆
          </span>
        )}
        <span className="sr-only">{side === "bid" ? "Bid" : "Ask"} </span>
        {priceText}
      </span>
      <span>
        <span className="sr-only">, amount </span>
        {quantityText}
      </span>
      <span className="text-dim">
        <span className="sr-only">, sum </span>
        {sumText}
        {own && <span className="sr-only">, your order</span>}
      </span>
    </button>
  );
});
