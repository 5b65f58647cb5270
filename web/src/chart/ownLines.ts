import { type IPriceLine, type ISeriesApi, LineStyle } from "lightweight-charts";
import type { PriceRange } from "../domain/candles";
import { compact, drawable } from "../domain/decimal";
import { nearMarket, type OwnLevel, ownLevels } from "../domain/ownLevels";
import type { Order } from "../domain/types";
import { colors } from "./colors";

/** Labels of more would cover the axis and one another. */
const LINES_A_SIDE = 5;

/** The account's open orders on a chart: lines near the market, and a count of the others. */
export class OwnLines {
  private levels: OwnLevel[] = [];
  private lines: IPriceLine[] = [];
  private drawn = "";
  private folded = 0;

  constructor(
    private readonly series: ISeriesApi<"Candlestick">,
    private readonly onFolded: (orders: number) => void,
  ) {}

  take(orders: readonly Order[], range: PriceRange | null): void {
    this.levels = ownLevels(orders);
    this.draw(range);
  }

  /** Draw what belongs into a range of prices; price lines never widen the scale themselves. */
  draw(range: PriceRange | null, again = false): void {
    const { shown, folded } = nearMarket(this.levels, range, LINES_A_SIDE);
    const titles = shown.map((level) => ({ level, title: titleOf(level) }));
    const drawn = titles.map(({ level, title }) => `${level.price} ${title}`).join();
    if (drawn !== this.drawn || again) {
      this.drawn = drawn;
      const theme = colors();
      for (const line of this.lines) this.series.removePriceLine(line);
      this.lines = titles.map(({ level, title }) =>
        this.series.createPriceLine({
          price: drawable(level.price),
          color: level.side === "BUY" ? theme.up : theme.down,
          lineStyle: LineStyle.Dashed,
          lineWidth: 1,
          title,
        }),
      );
    }
    if (folded === this.folded) return;
    this.folded = folded;
    this.onFolded(folded);
  }
}

/** Return a line's label: "Buy 0.25", or "Buy 0.75 (3)" where three orders wait at the price. */
function titleOf({ side, quantity, orders }: OwnLevel): string {
  const more = orders > 1 ? ` (${orders})` : "";
  return `${side === "BUY" ? "Buy" : "Sell"} ${compact(quantity)}${more}`;
}
